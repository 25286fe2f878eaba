package connectortest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"sidecard/connectors"
)

// Harness describes one kind of source to the suite. The suite calls the functions from several goroutines.
type Harness struct {
	// Connector is the kind under test.
	Connector connectors.Connector
	// Good are settings, secrets included, with which everything works. Secrets are at least eight
	// characters long, so that they can be recognised where they do not belong.
	Good connectors.Settings
	// Host gives the ways to the source that a host would hand to Open: HTTP, Dial, Resolve and Rows,
	// nil where the kind uses none. The suite fills in the rest and wraps what it is given.
	Host func() connectors.OpenInput
	// Offline declares that the kind reaches its data through Rows alone. The suite then asserts that
	// nothing else is touched.
	Offline bool
	// Package is the directory of the kind's source code; empty = the one the test runs in.
	Package string
	// Fixtures holds settings of every version there ever was, v1.json and on; nil = testdata/settings in Package.
	Fixtures fs.FS

	// Known is in the source once, with an address in lower-case ASCII and at least these values: one of
	// every kind of value that the connector can give.
	Known Person
	// NoKind says why the connector never gives a value of some kinds.
	NoKind map[connectors.Kind]string
	// Second is a further address of Known.
	Second Second
	// Sparse is in the source once and shows the three kinds of nothing.
	Sparse Sparse
	// Twins are in the source at least twice, with nothing that says who is meant.
	Twins Twins
	// Huge is in the source once, with a text of at least 100,000 bytes.
	Huge Huge
	// Beside is something that is read beside the record, such as the name of an owner, and can fail alone.
	Beside Beside
	// Wide is a source with more than 1,000 fields.
	Wide Wide
	// Add puts a person with exactly this address into the source; the other fields don't matter.
	Add func(email string) error
	// State digests all that the source holds, so that a change can be noticed.
	State func() (string, error)

	// BadCredential is a source that refuses the password, key or token.
	BadCredential Fault
	// Revoked is a source that took the credential once and does so no more.
	Revoked Fault
	// MissingPermission is a source that knows the credential and does not let it read. Says names what is lacking.
	MissingPermission Fault
	// Unreachable is a source that does not answer at its address.
	Unreachable Fault
	// BadTLS is a source whose certificate is not to be trusted.
	BadTLS Fault
	// MissingTable is a source that works but lacks what the settings name.
	MissingTable Fault
	// Faults are all the others. With those above they show each class of error but NoClass.
	Faults []Fault
	// NoClass says why the source never fails with some classes.
	NoClass map[connectors.Class]string

	// Login is the tenant's OAuth login, for kinds whose Spec has OAuth.
	Login Login
}

// Person is somebody the source knows.
type Person struct {
	Email  string
	Record connectors.Record // some of the values that a lookup gives
}

// Second is an address under which the source knows Known too.
type Second struct {
	Email string
	Never string // why a visitor has one address here; Email is empty then
}

// Sparse is somebody with gaps. The fields are ids.
type Sparse struct {
	Email  string
	Null   string // the source has the field but no value: present, of Kind Null
	Empty  string // the value is an empty text: present, of Kind Text
	Absent string // the source has no such field: not in the record

	NoEmpty string // why this kind has no empty texts; Empty is empty then
}

// Twins are several records with one address.
type Twins struct {
	Email string
	Never string // why this kind always knows who is meant; Email is empty then
}

// Huge is somebody with a value longer than any card.
type Huge struct {
	Email string
	Field string
	Never string // why values here are short; all else is empty then
}

// Beside is a part of an answer that can fail while the record itself is had.
type Beside struct {
	Fields []string            // ids that the part makes readable; they may be absent when it fails
	Break  func() (end func()) // has the part fail for Known until end is called
	Never  string              // why a record comes whole or not at all; all else is empty then
}

// Wide is a source whose catalog is long.
type Wide struct {
	Settings connectors.Settings
	Host     func() connectors.OpenInput // nil = the harness's
	Fields   int                         // at least so many are listed, more than 1,000
	Never    string                      // why a source has few fields; all else is empty then
}

// Fault is a way in which a source can fail, and what has to be said about it.
type Fault struct {
	Name     string              // of those in Faults, for messages
	Settings connectors.Settings // lead into the fault
	Host     func() connectors.OpenInput
	Break    func() (end func()) // has the source fail until end is called; nil = settings or host do
	Step     string              // the step of Check that fails; empty in Faults = Check is not asked
	Says     string              // what detail or advice of that step must name, e.g. the missing table
	Class    connectors.Class    // of Lookup's error
	Code     string              // of Lookup's error; empty = any
	Bucket   string              // of Lookup's error: the limit that was hit
	// RetryAfter is when Lookup's error says to ask again; up to two seconds less will do, for vendors that name
	// a time of day. 0 = any.
	RetryAfter time.Duration
	Never      string // why this kind cannot fail so; all else is empty then
}

// Login is a tenant's OAuth login as the vendor, or its emulator, keeps it.
type Login struct {
	Settings connectors.Settings // use the login; nil = Good
	// Renew gives an access token that the vendor takes from now on.
	Renew func() (token string)
	// Expire has the vendor refuse every token given so far.
	Expire func()
}

// complete says what the harness leaves open.
func (h Harness) complete() error {
	missing := func(name string, is bool) error {
		if is {
			return fmt.Errorf("%s is not set", name)
		}
		return nil
	}
	if h.Connector == nil {
		return missing("Connector", true)
	}
	usesLogin := h.Connector.Spec().OAuth != nil
	return errors.Join(
		missing("Host", h.Host == nil),
		missing("Known.Email", h.Known.Email == ""),
		missing("Known.Record", len(h.Known.Record) == 0),
		oneOf("Second", h.Second.Email != "", h.Second.Never),
		missing("Sparse", h.Sparse.Email == "" || h.Sparse.Null == "" || h.Sparse.Absent == ""),
		oneOf("Sparse.Empty (or NoEmpty)", h.Sparse.Empty != "", h.Sparse.NoEmpty),
		missing("Add", h.Add == nil),
		missing("State", h.State == nil),
		oneOf("Twins", h.Twins.Email != "", h.Twins.Never),
		oneOf("Huge", h.Huge.Email != "" && h.Huge.Field != "", h.Huge.Never),
		oneOf("Beside", h.Beside.Break != nil, h.Beside.Never),
		oneOf("Wide", h.Wide.Fields > 1000, h.Wide.Never),
		oneOf("BadCredential", h.BadCredential.Step != "", h.BadCredential.Never),
		oneOf("Revoked", h.Revoked.Step != "", h.Revoked.Never),
		oneOf("MissingPermission", h.MissingPermission.Step != "", h.MissingPermission.Never),
		oneOf("Unreachable", h.Unreachable.Step != "", h.Unreachable.Never),
		oneOf("BadTLS", h.BadTLS.Step != "", h.BadTLS.Never),
		oneOf("MissingTable", h.MissingTable.Step != "", h.MissingTable.Never),
		h.showsEveryKind(),
		h.showsEveryClass(),
		missing("Login", usesLogin && (h.Login.Renew == nil || h.Login.Expire == nil)),
	)
}

func oneOf(name string, given bool, never string) error {
	if given == (never != "") {
		return fmt.Errorf("%s needs either a value or, in Never, the reason why there is none", name)
	}
	return nil
}

// showsEveryClass demands a fault for each class that a source can bring about. AuthExpired is Login's; Forbidden and
// Canceled are the host's, and the suite plays it.
func (h Harness) showsEveryClass() error {
	shown := make(map[connectors.Class]bool)
	for _, f := range h.faults() {
		shown[f.Class] = true
	}
	var open []error
	for _, class := range []connectors.Class{
		connectors.AuthRevoked, connectors.Misconfigured, connectors.RateLimited, connectors.Transient, connectors.Bug,
	} {
		switch never := h.NoClass[class]; {
		case !shown[class] && never == "":
			open = append(open, fmt.Errorf("no fault is of class %s: add one to Faults, or to NoClass the reason why there is none", class))
		case shown[class] && never != "":
			open = append(open, fmt.Errorf("a fault is of class %s, and NoClass says that there is none", class))
		}
	}
	return errors.Join(open...)
}

// showsEveryKind demands that Known shows what the connector can do. That the values arrive is for "lookup finds".
func (h Harness) showsEveryKind() error {
	shown := make(map[connectors.Kind]bool)
	for _, v := range h.Known.Record {
		shown[v.Kind] = true
	}
	var open []error
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		switch never := h.NoKind[kind]; {
		case kind == connectors.Null:
		case !shown[kind] && never == "":
			open = append(open, fmt.Errorf("Known.Record has no %s: add one, or to NoKind the reason why there is none", kind))
		case shown[kind] && never != "":
			open = append(open, fmt.Errorf("Known.Record has a %s, and NoKind says that there is none", kind))
		}
	}
	return errors.Join(open...)
}

// faults lists the faults that the kind can have, each with its name.
func (h Harness) faults() []Fault {
	named := func(name string, f Fault) Fault {
		f.Name = name
		return f
	}
	all := []Fault{
		named("bad credential", h.BadCredential),
		named("revoked", h.Revoked),
		named("missing permission", h.MissingPermission),
		named("unreachable", h.Unreachable),
		named("bad TLS", h.BadTLS),
		named("missing table", h.MissingTable),
	}
	return slices.DeleteFunc(append(all, h.Faults...), func(f Fault) bool { return f.Never != "" })
}
