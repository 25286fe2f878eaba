package connectortest

import (
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"sidecard/connectors"
)

func toyHarness(t *testing.T, flaw string) Harness {
	t.Helper()
	server := newToyServer(t)
	server.wildcard = flaw == "wildcards"
	pro, empty, huge := "pro", "", strings.Repeat("é", 100_000)
	server.add("ana@toy.example", map[string]*string{"plan": &pro, "note": &pro})
	server.add("sparse@toy.example", map[string]*string{"plan": nil, "note": &empty})
	server.add("huge@toy.example", map[string]*string{"plan": &pro, "note": &huge})
	server.add("twins@toy.example", map[string]*string{"plan": &pro}, map[string]*string{"plan": nil})

	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	address := server.listener.Addr().String()
	return Harness{
		Connector: toy{flaw: flaw, specs: new(atomic.Int64)},
		Good:      server.settings(address, "correct horse", "people"),
		Host: func() connectors.OpenInput {
			return connectors.OpenInput{Dial: (&net.Dialer{}).DialContext, Resolve: net.DefaultResolver.LookupHost}
		},
		Known: Person{Email: "ana@toy.example", Record: connectors.Record{"plan": {Kind: connectors.Text, Text: "pro"}}},
		NoKind: map[connectors.Kind]string{
			connectors.Number: onlyTexts, connectors.Bool: onlyTexts, connectors.Date: onlyTexts, connectors.DateTime: onlyTexts,
			connectors.List: onlyTexts, connectors.JSON: onlyTexts,
		},
		Second:  Second{Never: "toys have one address"},
		Huge:    Huge{Email: "huge@toy.example", Field: "note"},
		Beside:  Beside{Never: "one request gives all"},
		Wide:    Wide{Never: "toys have two fields"},
		Package: "testdata/code/calm", Fixtures: fstest.MapFS{"v1.json": {Data: []byte(`{"address": "toy.example:1"}`)}},
		Sparse: Sparse{Email: "sparse@toy.example", Null: "plan", Empty: "note", Absent: "gone"},
		Twins:  Twins{Email: "twins@toy.example"},
		Add: func(email string) error {
			server.add(email, map[string]*string{"plan": &pro})
			return nil
		},
		State: func() (string, error) {
			server.mu.Lock()
			defer server.mu.Unlock()
			return strconv.Itoa(server.writes), nil
		},
		BadCredential: Fault{
			Settings: server.settings(address, "wrong horse", "people"), Step: "Sign in",
			Says: "password", Class: connectors.AuthRevoked,
		},
		Revoked:           Fault{Never: "a revoked password is a wrong one"},
		MissingPermission: Fault{Never: "who may sign in may read"},
		BadTLS:            Fault{Never: "toys speak in the open"},
		NoClass: map[connectors.Class]string{
			connectors.RateLimited: "toys never tire", connectors.Bug: "toys answer or not",
		},
		Unreachable: Fault{
			Settings: server.settings(nobody.Addr().String(), "correct horse", "people"), Step: "Reach it",
			Class: connectors.Transient,
		},
		MissingTable: Fault{
			Settings: server.settings(address, "correct horse", "nowhere"), Step: "Read the table",
			Class: connectors.Misconfigured,
		},
	}
}

const onlyTexts = "toys speak in texts"

func TestGoodConnectorPasses(t *testing.T) { Run(t, toyHarness(t, "")) }

// TestBadConnectorsFail gives the toy one flaw at a time: the promise that forbids it must notice.
func TestBadConnectorsFail(t *testing.T) {
	for flaw, name := range map[string]string{
		"open schema":           "spec is a strict schema with words for people",
		"no title":              "spec is a strict schema with words for people",
		"unknown hint":          "spec is a strict schema with words for people",
		"bad schema":            "spec is a strict schema with words for people",
		"imports nothing":       "spec is a strict schema with words for people",
		"bare secret":           "spec hides what is secret",
		"good settings refused": "spec takes the good settings and no unknown key",
		"changing spec":         "spec is the same every time",
		"dials at open":         "open needs no network",
		"check fails":           "check of a good source is all right",
		"check passes":          "check names the failed step and the way out",
		"check goes on":         "check names the failed step and the way out",
		"no advice":             "check names the failed step and the way out",
		"case matters":          "lookup finds",
		"panic":                 "lookup finds",
		"nobody is found":       "lookup does not know everybody",
		"first twin":            "lookup tells when it cannot tell",
		"null is empty":         "lookup tells null, empty and absent apart",
		"absent is null":        "lookup tells null, empty and absent apart",
		"huge value":            "a huge value is cut",
		"cut passes":            "an answer cut short is noticed",
		"wildcards":             "addresses are data",
		"strips tags":           "addresses are data",
		"pastes":                "addresses are data",
		"one at a time":         "64 lookups at once",
		"unstable catalog":      "discover is complete and stable",
		"unknown kind":          "discover is complete and stable",
		"promises too much":     "discover is complete and stable",
		"plain errors":          "errors have a class and a way out",
		"wrong class":           "errors have a class and a way out",
		"no deadline":           "a hanging source does not outlast the deadline",
		"all is cancelled":      "a hanging source does not outlast the deadline",
		"own dialer":            "only the given ways out are used",
		"tells addresses":       "only the given ways out are used",
		"tells secrets":         "secrets and visitors stay out of texts and logs",
		"tells visitors":        "secrets and visitors stay out of texts and logs",
		"logs visitors":         "secrets and visitors stay out of texts and logs",
		"writes":                "nothing is written",
		"closes once":           "close twice and during a lookup",
		"works after close":     "close twice and during a lookup",
		"leak":                  "no goroutine outlives close",
	} {
		t.Run(flaw, func(t *testing.T) {
			mustBreak(t, name, toyHarness(t, flaw))
		})
	}
	t.Run("no deadline, cancelled", func(t *testing.T) {
		mustBreak(t, "a cancelled lookup ends", toyHarness(t, "no deadline"))
	})
}

func mustBreak(t *testing.T, name string, h Harness) {
	t.Helper()
	for _, p := range promises {
		if p.name != name {
			continue
		}
		if err := p.hold(t.Context(), h); err == nil {
			t.Errorf("%q does not notice", name)
		}
		return
	}
	t.Fatalf("there is no promise %q", name)
}

// TestOfflineKindsStayInside declares that the toy uses no network, which it does.
func TestOfflineKindsStayInside(t *testing.T) {
	h := toyHarness(t, "")
	h.Offline = true
	mustBreak(t, "only the given ways out are used", h)
}

func TestHarnessMustDeclareWhatIsMissing(t *testing.T) {
	if err := toyHarness(t, "").complete(); err != nil {
		t.Errorf("a complete harness is refused: %v", err)
	}
	for part, remove := range map[string]func(*Harness){
		"Connector":         func(h *Harness) { h.Connector = nil },
		"Host":              func(h *Harness) { h.Host = nil },
		"Known.Email":       func(h *Harness) { h.Known.Email = "" },
		"Known.Record":      func(h *Harness) { h.Known.Record = nil },
		"Second":            func(h *Harness) { h.Second = Second{} },
		"Sparse":            func(h *Harness) { h.Sparse.Absent = "" },
		"Sparse.Empty":      func(h *Harness) { h.Sparse.Empty = "" },
		"Huge":              func(h *Harness) { h.Huge.Field = "" },
		"Beside":            func(h *Harness) { h.Beside = Beside{} },
		"Wide":              func(h *Harness) { h.Wide.Never = "" },
		"Twins":             func(h *Harness) { h.Twins = Twins{} },
		"Add":               func(h *Harness) { h.Add = nil },
		"State":             func(h *Harness) { h.State = nil },
		"BadCredential":     func(h *Harness) { h.BadCredential = Fault{} },
		"Unreachable":       func(h *Harness) { h.Unreachable.Never = "both a value and a reason" },
		"Revoked":           func(h *Harness) { h.Revoked = Fault{} },
		"MissingPermission": func(h *Harness) { h.MissingPermission = Fault{} },
		"BadTLS":            func(h *Harness) { h.BadTLS = Fault{} },
		"class bug:":        func(h *Harness) { delete(h.NoClass, connectors.Bug) },
		"has no number":     func(h *Harness) { delete(h.NoKind, connectors.Number) },
		"has a text":        func(h *Harness) { h.NoKind[connectors.Text] = "toys are dumb" },
		"class transient:":  func(h *Harness) { h.Unreachable = Fault{Never: "it is always there"} },
		"MissingTable":      func(h *Harness) { h.MissingTable = Fault{} },
		"MissingTable of":   func(h *Harness) { h.MissingTable = Fault{Never: "x", Step: "y"} },
	} {
		h := toyHarness(t, "")
		remove(&h)
		if err := h.complete(); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(part, " of")) {
			t.Errorf("without %s: %v", part, err)
		}
	}
}
