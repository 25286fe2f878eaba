// Package connectortest is the suite that every connector must pass. A connector's own test describes its
// kind in a Harness and calls Run; the suite plays the host, hands out watched and broken ways to the
// source, and says in one sentence each promise that is not kept.
//
// It refuses to skip: what a kind cannot have (a file has no password) is declared in the harness with the
// reason, and a harness that is silent about a part fails. It knows no vendor: behaviour that only one kind
// has is tested beside that kind.
package connectortest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"testing"

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

	// Known is in the source once, with an address in lower-case ASCII and at least these values.
	Known Person
	// Sparse is in the source once and shows the three kinds of nothing.
	Sparse Sparse
	// Twins are in the source at least twice, with nothing that says who is meant.
	Twins Twins
	// Add puts a person with exactly this address into the source; the other fields don't matter.
	Add func(email string) error
	// State digests all that the source holds, so that a change can be noticed.
	State func() (string, error)

	// BadCredential is a source that refuses the password, key or token.
	BadCredential Fault
	// Unreachable is a source that does not answer at its address.
	Unreachable Fault
	// MissingTable is a source that works but lacks what the settings name.
	MissingTable Fault
}

// Person is somebody the source knows.
type Person struct {
	Email  string
	Record connectors.Record // some of the values that a lookup gives
}

// Sparse is somebody with gaps. The fields are ids.
type Sparse struct {
	Email  string
	Null   string // the source has the field but no value: present, of Kind Null
	Empty  string // the value is an empty text: present, of Kind Text
	Absent string // the source has no such field: not in the record
}

// Twins are several records with one address.
type Twins struct {
	Email string
	Never string // why this kind always knows who is meant; Email is empty then
}

// Fault is a way in which a source can fail, and what has to be said about it.
type Fault struct {
	Settings connectors.Settings // lead into the fault
	Host     func() connectors.OpenInput
	Step     string           // the step of Check that fails
	Says     string           // what detail or advice of that step must name, e.g. the missing table
	Class    connectors.Class // of Lookup's error
	Never    string           // why this kind cannot fail so; all else is empty then
}

// promise is one thing that every connector does. It returns what was not kept, in words.
type promise struct {
	name string
	keep func(ctx context.Context, h Harness) error
}

var promises = []promise{
	{"spec is a strict schema with words for people", specIsStrict},
	{"spec hides what is secret", specHidesSecrets},
	{"spec takes the good settings and no unknown key", specFitsSettings},
	{"spec is the same every time", specIsStatic},
	{"open needs no network", openNeedsNoNetwork},
	{"check of a good source is all right", checkPasses},
	{"check names the failed step and the way out", checkNamesFaults},
	{"lookup finds", lookupFinds},
	{"lookup does not know everybody", lookupFindsNobody},
	{"lookup tells when it cannot tell", lookupIsAmbiguous},
	{"lookup tells null, empty and absent apart", lookupTellsNothings},
	{"addresses are data", addressesAreData},
	{"64 lookups at once", lookupsInParallel},
	{"discover is complete and stable", discoverIsStable},
	{"errors have a class and a way out", errorsHaveClasses},
	{"a hanging source does not outlast the deadline", deadlineIsKept},
	{"a cancelled lookup ends", cancelIsObeyed},
	{"only the given ways out are used", egressIsGuarded},
	{"secrets and visitors stay out of texts and logs", textsAreClean},
	{"nothing is written", sourceIsOnlyRead},
	{"close twice and during a lookup", closeIsCalm},
	{"no goroutine outlives close", closeLeavesNothing},
}

// Run holds the kind to every promise, each in a subtest. It must not be called from a parallel test: other
// tests' goroutines would look like leaks.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if err := h.complete(); err != nil {
		t.Fatalf("the harness is incomplete: %v", err)
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			if err := p.hold(t.Context(), h); err != nil {
				t.Error(err)
			}
		})
	}
}

// hold runs the promise; a panic of the connector in this goroutine breaks it.
func (p promise) hold(ctx context.Context, h Harness) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return p.keep(ctx, h)
}

// complete says what the harness leaves open.
func (h Harness) complete() error {
	missing := func(name string, is bool) error {
		if is {
			return fmt.Errorf("%s is not set", name)
		}
		return nil
	}
	return errors.Join(
		missing("Connector", h.Connector == nil),
		missing("Host", h.Host == nil),
		missing("Known.Email", h.Known.Email == ""),
		missing("Known.Record", len(h.Known.Record) == 0),
		missing("Sparse", h.Sparse.Email == "" || h.Sparse.Null == "" || h.Sparse.Empty == "" || h.Sparse.Absent == ""),
		missing("Add", h.Add == nil),
		missing("State", h.State == nil),
		oneOf("Twins", h.Twins.Email != "", h.Twins.Never),
		oneOf("BadCredential", h.BadCredential.Step != "", h.BadCredential.Never),
		oneOf("Unreachable", h.Unreachable.Step != "", h.Unreachable.Never),
		oneOf("MissingTable", h.MissingTable.Step != "", h.MissingTable.Never),
	)
}

func oneOf(name string, given bool, never string) error {
	if given == (never != "") {
		return fmt.Errorf("%s needs either a value or the reason why it can never be", name)
	}
	return nil
}

// fault is a named Fault of the harness.
type fault struct {
	name string
	Fault
}

// faults lists the faults that the kind can have.
func (h Harness) faults() []fault {
	all := []fault{
		{"bad credential", h.BadCredential},
		{"unreachable", h.Unreachable},
		{"missing table", h.MissingTable},
	}
	var can []fault
	for _, f := range all {
		if f.Never == "" {
			can = append(can, f)
		}
	}
	return can
}
