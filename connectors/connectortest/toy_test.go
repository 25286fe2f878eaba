package connectortest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sidecard/connectors"
)

// toy is a connector to the toy server below, good unless it is given a flaw.
type toy struct {
	flaw  string
	specs *atomic.Int64
}

const toySettings = `{
	"type": "object", "additionalProperties": false, "required": ["address"],
	"properties": {
		"address": {"type": "string", "title": "Address", "description": "Host and port."},
		"table": {"type": "string", "title": "Table", "description": "Where the visitors are.", "x-order": 2},
		"password": {"type": "string", "title": "Password", "description": "Of the user.", "x-secret": true, "x-widget": "password"}
	}
}`

func (c toy) Spec() connectors.Spec {
	settings := toySettings
	switch c.flaw {
	case "open schema":
		settings = strings.Replace(settings, `"additionalProperties": false, `, "", 1)
	case "no title":
		settings = strings.Replace(settings, `"title": "Table", `, "", 1)
	case "unknown hint":
		settings = strings.Replace(settings, `"x-order"`, `"x-odrer"`, 1)
	case "bad schema":
		settings = strings.Replace(settings, `"type": "string", "title": "Table"`, `"type": "strnig", "title": "Table"`, 1)
	case "bare secret":
		settings = strings.Replace(settings, `"x-secret": true, `, "", 1)
	case "good settings refused":
		settings = strings.Replace(settings, `"required": ["address"]`, `"required": ["address", "password", "table", "port"]`, 1)
	}
	spec := connectors.Spec{
		Kind: "toy", Name: "Toy", Summary: "Shows visitors.", Version: 1,
		Settings: json.RawMessage(settings), Guide: "Play.",
	}
	if c.flaw == "changing spec" {
		spec.Version = int(c.specs.Add(1))
	}
	spec.Imports = c.flaw == "imports nothing"
	return spec
}

func (c toy) Open(ctx context.Context, in connectors.OpenInput) (connectors.Source, error) {
	s := &toySource{flaw: c.flaw, in: in, address: in.Settings.String("address", "")}
	switch c.flaw {
	case "dials at open":
		conn, err := in.Dial(ctx, "tcp", s.address)
		if err == nil {
			conn.Close()
		}
	case "own dialer":
		s.in.Dial = (&net.Dialer{}).DialContext
	case "leak":
		s.leak = make(chan struct{})
		go func() { <-s.leak }()
	case "logs visitors":
		in.Log.Debug("opened")
	}
	return s, nil
}

type toySource struct {
	flaw    string
	in      connectors.OpenInput
	address string
	leak    chan struct{}
	busy    atomic.Int64
	turn    atomic.Int64

	mu     sync.Mutex
	closed bool
}

// toyRequest and toyAnswer are one line of JSON each.
type toyRequest struct {
	Password, Table, Email string
	Write                  bool
}

type toyAnswer struct {
	Error   string
	Records []map[string]*string
}

var toyKinds = map[string]connectors.Kind{"plan": connectors.Text, "note": connectors.Text}

func (s *toySource) Lookup(ctx context.Context, q connectors.Query) (connectors.Result, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed && s.flaw != "works after close" {
		return connectors.Result{}, &connectors.Error{Class: connectors.Canceled, Code: "toy.closed", Message: "Closed."}
	}
	if s.busy.Add(1) > 8 && s.flaw == "one at a time" {
		return connectors.Result{}, errors.New("busy")
	}
	defer s.busy.Add(-1)
	switch s.flaw {
	case "panic":
		panic("toy is broken")
	case "logs visitors":
		s.in.Log.Debug("lookup", "email", q.Email)
	}
	records, err := s.ask(ctx, s.request(q.Email))
	if err != nil {
		return connectors.Result{}, err
	}
	return s.result(records), nil
}

func (s *toySource) request(email string) toyRequest {
	r := toyRequest{
		Password: s.in.Settings.String("password", ""), Table: s.in.Settings.String("table", "people"), Email: email,
		Write: s.flaw == "writes",
	}
	if s.flaw != "case matters" {
		r.Email = strings.ToLower(r.Email)
	}
	if user, tag, ok := strings.Cut(r.Email, "+"); ok && s.flaw == "strips tags" {
		_, domain, _ := strings.Cut(tag, "@")
		r.Email = user + "@" + domain
	}
	return r
}

func (s *toySource) result(records []connectors.Record) connectors.Result {
	switch {
	case len(records) == 0 && s.flaw == "nobody is found":
		return connectors.Result{Match: connectors.Found, MatchedOn: "email", Records: []connectors.Record{{}}}
	case len(records) == 0:
		return connectors.Result{}
	case len(records) == 1 || s.flaw == "first twin":
		return connectors.Result{Match: connectors.Found, MatchedOn: "email", Records: records[:1]}
	default:
		return connectors.Result{Match: connectors.Ambiguous, MatchedOn: "email", Records: records}
	}
}

// ask sends one request over a connection of its own.
func (s *toySource) ask(ctx context.Context, r toyRequest) ([]connectors.Record, error) {
	answer, err := s.talk(ctx, r)
	switch {
	case err == nil && answer.Error == "":
		return s.records(answer), nil
	case s.flaw == "plain errors":
		return nil, errors.New("it did not work")
	case s.flaw == "tells secrets" && err == nil:
		err = fmt.Errorf("password %q was refused", r.Password)
	case s.flaw == "tells visitors":
		err = fmt.Errorf("no answer for %s", r.Email)
	}
	class, fix := connectors.Transient, "Look whether the server runs."
	switch {
	case answer.Error == "password":
		class, fix = connectors.AuthRevoked, "Enter the password again."
	case answer.Error == "table":
		class, fix = connectors.Misconfigured, "Choose another table."
	case connectors.IsForbidden(err) && s.flaw == "tells addresses":
		return nil, &connectors.Error{Class: connectors.Forbidden, Code: "toy", Message: s.address + " is private.", Fix: "Don't.", Err: err}
	case connectors.IsForbidden(err):
		return nil, connectors.ForbiddenError(err)
	case ctx.Err() != nil && s.flaw == "all is cancelled":
		return nil, connectors.AsError(context.Canceled)
	case ctx.Err() != nil:
		return nil, connectors.AsError(ctx.Err())
	}
	if s.flaw == "wrong class" {
		class = connectors.Bug
	}
	return nil, &connectors.Error{Class: class, Code: "toy." + answer.Error, Message: "The toy refused.", Fix: fix, Err: err}
}

func (s *toySource) talk(ctx context.Context, r toyRequest) (toyAnswer, error) {
	if s.flaw == "no deadline" {
		ctx = context.WithoutCancel(ctx)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 3*(deadline+slack)/2)
		defer cancel()
	}
	conn, err := s.in.Dial(ctx, "tcp", s.address)
	if err != nil {
		return toyAnswer{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	line, err := json.Marshal(r)
	if s.flaw == "pastes" {
		line, err = fmt.Appendf(nil, `{"Password":%q,"Table":%q,"Email":"%s"}`, r.Password, r.Table, r.Email), nil
	}
	if err != nil {
		return toyAnswer{}, err
	}
	if _, err := conn.Write(append(line, '\n')); err != nil {
		return toyAnswer{}, err
	}
	var answer toyAnswer
	err = json.NewDecoder(conn).Decode(&answer)
	if s.flaw == "cut passes" {
		err = nil
	}
	return answer, err
}

func (s *toySource) records(answer toyAnswer) []connectors.Record {
	var records []connectors.Record
	for _, raw := range answer.Records {
		record := make(connectors.Record)
		for name, text := range raw {
			switch {
			case text != nil && len(*text) > 100 && s.flaw != "huge value":
				record[name] = connectors.Value{Kind: toyKinds[name], Text: (*text)[:100]}
			case text != nil:
				record[name] = connectors.Value{Kind: toyKinds[name], Text: *text}
			case s.flaw == "null is empty":
				record[name] = connectors.Value{Kind: connectors.Text}
			default:
				record[name] = connectors.Value{Kind: connectors.Null}
			}
		}
		if s.flaw == "absent is null" {
			record["gone"] = connectors.Value{Kind: connectors.Null}
		}
		records = append(records, record)
	}
	return records
}

func (s *toySource) Check(ctx context.Context) (connectors.Report, error) {
	_, err := s.ask(ctx, s.request("nobody@toy.example"))
	failed := map[connectors.Class]string{
		connectors.Forbidden: "Reach it", connectors.Transient: "Reach it", connectors.AuthRevoked: "Sign in",
		connectors.Misconfigured: "Read the table",
	}
	stop := ""
	if err != nil {
		stop = failed[connectors.AsError(err).Class]
	}
	if s.flaw == "check fails" {
		stop, err = "Sign in", &connectors.Error{Message: "No.", Fix: "Try."}
	}
	var report connectors.Report
	for _, name := range []string{"Reach it", "Sign in", "Read the table"} {
		step := connectors.Step{Name: name, State: connectors.StepOK, Detail: "Well."}
		if name == stop && s.flaw != "check passes" {
			e := connectors.AsError(err)
			step = connectors.Step{Name: name, State: connectors.StepFail, Detail: e.Message, Advice: e.Fix}
			if s.flaw == "no advice" {
				step.Advice = ""
			}
		}
		report.Steps = append(report.Steps, step)
		if step.State == connectors.StepFail && s.flaw != "check goes on" {
			break
		}
	}
	return report, nil
}

func (s *toySource) Discover(context.Context) (connectors.Catalog, error) {
	var catalog connectors.Catalog
	for _, name := range slices.Sorted(maps.Keys(toyKinds)) {
		catalog.Fields = append(catalog.Fields, connectors.Field{ID: name, Label: name, Kind: toyKinds[name]})
	}
	switch s.flaw {
	case "unstable catalog":
		if s.turn.Add(1)%2 == 0 {
			slices.Reverse(catalog.Fields)
		}
	case "unknown kind":
		catalog.Fields[0].Kind = "colour"
	case "promises too much":
		catalog.Fields = append(catalog.Fields, connectors.Field{ID: "more", Label: "More", Kind: connectors.Text})
	}
	return catalog, nil
}

func (s *toySource) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed && s.flaw == "closes once" {
		return errors.New("already closed")
	}
	s.closed = true
	return nil
}

// toyServer knows visitors and answers one request a connection.
type toyServer struct {
	listener net.Listener
	wildcard bool

	mu     sync.Mutex
	people map[string][]map[string]*string
	writes int
}

func newToyServer(t *testing.T) *toyServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &toyServer{listener: listener, people: make(map[string][]map[string]*string)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return s
}

func (s *toyServer) serve(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadBytes('\n')
	if err != nil {
		return
	}
	var r toyRequest
	var answer toyAnswer
	switch {
	case json.Unmarshal(line, &r) != nil:
		answer.Error = "syntax"
	case r.Password != "correct horse":
		answer.Error = "password"
	case r.Table != "people":
		answer.Error = "table"
	default:
		answer.Records = s.find(r)
	}
	_ = json.NewEncoder(conn).Encode(answer) // the caller may be gone
}

func (s *toyServer) find(r toyRequest) []map[string]*string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Write {
		s.writes++
	}
	if s.wildcard && strings.HasPrefix(r.Email, "%") {
		return slices.Concat(slices.Collect(maps.Values(s.people))...)[:1]
	}
	return s.people[r.Email]
}

func (s *toyServer) add(email string, records ...map[string]*string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[email] = records
}

func (s *toyServer) settings(address, password, table string) connectors.Settings {
	settings := make(connectors.Settings)
	for name, v := range map[string]string{"address": address, "password": password, "table": table} {
		settings[name] = json.RawMessage(strconv.Quote(v))
	}
	return settings
}
