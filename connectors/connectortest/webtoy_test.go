package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"sidecard/connectors"
)

// web is a connector to the server of web_test.go, good unless it is given a flaw.
type web struct{ flaw string }

var _ connectors.Upgrader = web{}

func (c web) Spec() connectors.Spec {
	spec := connectors.Spec{
		Kind: "web", Name: "Web toy", Summary: "Shows visitors.", Version: 2, Guide: "Play.",
		Settings: json.RawMessage(`{
			"type": "object", "additionalProperties": false, "required": ["address"], "properties": {
				"address": {"type": "string", "title": "Address", "description": "Where the server is."},
				"key": {"type": "string", "title": "Key", "description": "Of the server.", "x-secret": true}
			}
		}`),
		OAuth:  &connectors.OAuth{AuthorizeURL: "https://toy.example/a", TokenURL: "https://toy.example/t", Scopes: []string{"read"}},
		Limits: []connectors.Limit{{Bucket: "people", Calls: 100, Per: time.Second}}, Batch: 10,
	}
	if c.flaw == "batch without Batch" {
		spec.Batch = 0
	}
	return spec
}

func (c web) Upgrade(_ int, s connectors.Settings) (connectors.Settings, error) {
	next := maps.Clone(s)
	if c.flaw == "upgrade in place" {
		next = s
	}
	if c.flaw != "upgrade forgets" {
		next["address"] = s["server"]
	}
	delete(next, "server")
	return next, nil
}

func (c web) Open(ctx context.Context, in connectors.OpenInput) (connectors.Source, error) {
	s := &webSource{flaw: c.flaw, in: in, calls: in.HTTP}
	s.alive, s.end = context.WithCancel(context.WithoutCancel(ctx))
	if c.flaw == "follows" {
		client := *in.HTTP
		client.CheckRedirect = nil
		s.calls = &client
	}
	return s, nil
}

type webSource struct {
	flaw  string
	in    connectors.OpenInput
	calls *http.Client
	alive context.Context
	end   context.CancelFunc

	mu    sync.Mutex
	token string
}

func (s *webSource) Close() error {
	s.end()
	return nil
}

// login gives the key of the settings or the token of the login.
func (s *webSource) login(ctx context.Context) (string, error) {
	if key := s.in.Settings.String("key", ""); key != "" {
		return key, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && s.flaw == "keeps the token" {
		return s.token, nil
	}
	token, err := s.in.Token(ctx)
	s.token = token
	if s.flaw == "asks all the same" {
		err = nil
	}
	return token, err
}

func (s *webSource) get(ctx context.Context, path string, into any) error {
	if s.alive.Err() != nil {
		return &connectors.Error{Class: connectors.Canceled, Code: "web.closed", Message: "Closed."}
	}
	token, err := s.login(ctx)
	if err != nil {
		return connectors.AsError(err)
	}
	bucket := "people"
	if s.flaw == "unknown bucket" {
		bucket = "persons"
	}
	if s.flaw != "asks no limiter" {
		if err := s.in.Calls.Wait(ctx, bucket); err != nil {
			return connectors.AsError(err)
		}
	}
	method := http.MethodGet
	if s.flaw == "deletes" {
		method = http.MethodDelete
	}
	r, err := http.NewRequestWithContext(ctx, method, s.in.Settings.String("address", "")+path, nil)
	if err != nil {
		return &connectors.Error{Class: connectors.Bug, Code: "web.request", Message: "No request.", Fix: "Tell us."}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if _, rest, ok := strings.Cut(path, "+"); ok && s.flaw == "tells in a header" {
		r.Header.Set("X-Tag", rest)
	}
	resp, err := s.calls.Do(r)
	if err == nil && resp.StatusCode >= 500 && s.flaw == "asks twice" {
		resp.Body.Close()
		_ = s.in.Calls.Wait(ctx, bucket)
		resp, err = s.calls.Do(r)
	}
	switch {
	case connectors.IsForbidden(err):
		return connectors.ForbiddenError(nil)
	case ctx.Err() != nil:
		return connectors.AsError(ctx.Err())
	case err != nil:
		return odd("web.network")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return s.refusal(resp)
	}
	return s.decode(ctx, resp, into)
}

func (s *webSource) decode(ctx context.Context, resp *http.Response, into any) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if ctx.Err() != nil {
		return connectors.AsError(ctx.Err())
	}
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	switch {
	case err == nil, s.flaw == "junk is nobody", s.flaw == "cuts are nobody" && len(body) < 300:
		return nil
	case s.flaw == "panics":
		panic("damage")
	}
	return odd("web.answer")
}

func odd(code string) error {
	return &connectors.Error{Class: connectors.Transient, Code: code, Message: "No sense.", Fix: "Try again."}
}

func (s *webSource) refusal(resp *http.Response) error {
	e := &connectors.Error{
		Class: connectors.Transient, Code: fmt.Sprintf("web.%d", resp.StatusCode), Message: "Refused.", Fix: "Wait, or enter the key again.",
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // a date is for the next line
	wait := time.Duration(seconds) * time.Second
	if at, err := http.ParseTime(resp.Header.Get("Retry-After")); err == nil {
		wait = at.Sub(s.in.Now())
	}
	if s.flaw != "believes any wait" {
		wait = min(max(wait, 0), time.Hour)
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		e.Class = connectors.AuthRevoked
		if s.in.Settings["key"] == nil && s.flaw != "expired is revoked" {
			e.Class = connectors.AuthExpired
		}
	case http.StatusForbidden:
		e.Class = connectors.Misconfigured
	case http.StatusTooManyRequests:
		e.Class, e.Bucket, e.RetryAfter = connectors.RateLimited, "people", wait
	}
	switch s.flaw {
	case "no bucket":
		e.Bucket = ""
	case "no wait told":
		e.RetryAfter = 0
	case "wrong code":
		e.Code = "web"
	}
	return e
}

func (s *webSource) Lookup(ctx context.Context, q connectors.Query) (connectors.Result, error) {
	a := s.LookupBatch(ctx, []connectors.Query{q})[0]
	return a.Result, a.Err
}

func (s *webSource) LookupBatch(ctx context.Context, queries []connectors.Query) []connectors.Answer {
	answers := make([]connectors.Answer, len(queries))
	if len(queries) == 0 {
		return answers
	}
	if len(queries) > 1 && s.flaw == "batch one by one" {
		for i, q := range queries {
			answers[i].Result, answers[i].Err = s.Lookup(ctx, q)
		}
		return answers
	}
	asked := make(url.Values)
	for _, q := range queries {
		asked.Add("email", strings.ToLower(q.Email))
	}
	query := asked.Encode()
	if s.flaw == "bare query" {
		query = "email=" + queries[0].Email
	}
	var found struct{ People []webPerson }
	err := s.get(ctx, "/people?"+query, &found)
	for i, q := range queries {
		answers[i] = connectors.Answer{Err: err}
		if err == nil {
			answers[i].Result = s.result(q, found.People)
		}
	}
	if err == nil && len(found.People) > 0 {
		s.namePlans(ctx, answers)
	}
	switch {
	case s.flaw == "batch drops" && len(queries) > 1:
		return answers[1:]
	case s.flaw == "batch in disorder" && len(queries) > 1:
		answers[0], answers[1] = answers[1], answers[0]
	}
	return answers
}

func (s *webSource) result(q connectors.Query, people []webPerson) connectors.Result {
	res := connectors.Result{}
	for _, p := range people {
		for i, email := range p.Emails {
			if !strings.EqualFold(email, q.Email) || i > 0 && s.flaw == "one address" {
				continue
			}
			res.Records, res.MatchedOn = append(res.Records, s.record(p.Fields)), "email"
			break
		}
	}
	res.Match = connectors.Match(min(len(res.Records), 2))
	return res
}

func (s *webSource) record(fields map[string]any) connectors.Record {
	record := connectors.Record{"plan": {Kind: connectors.Null}, "spent": {Kind: connectors.Null}}
	if plan, ok := fields["plan"].(string); ok {
		if len(plan) > 100 && s.flaw != "whole values" {
			plan = plan[:100]
		}
		record["plan"] = connectors.Value{Kind: connectors.Text, Text: strings.ToValidUTF8(plan, "")}
	}
	if spent, ok := fields["spent"].(float64); ok {
		form := byte('f')
		if s.flaw == "exponents" {
			form = 'e'
		}
		record["spent"] = connectors.Value{Kind: connectors.Number, Text: strconv.FormatFloat(spent, form, 2, 64)}
	}
	return record
}

// namePlans puts names in the place of ids. Answers are good without.
func (s *webSource) namePlans(ctx context.Context, answers []connectors.Answer) {
	var plans map[string]string
	err := s.get(ctx, "/plans", &plans)
	for i := range answers {
		res := &answers[i].Result
		if err != nil && res.Match != connectors.None {
			var e *connectors.Error
			switch {
			case s.flaw == "all or nothing", !errors.As(err, &e), e.Class != connectors.Transient:
				answers[i].Err = err
			case s.flaw != "silent" && s.flaw != "cuts are nobody":
				res.Partial = append(res.Partial, e)
			}
		}
		for _, record := range res.Records {
			if name, ok := plans[record["plan"].Text]; ok {
				record["plan"] = connectors.Value{Kind: connectors.Text, Text: strings.ToValidUTF8(name, "")}
			}
		}
	}
}

func (s *webSource) Check(ctx context.Context) (connectors.Report, error) {
	var found struct{ People []webPerson }
	step := connectors.Step{Name: "Ask", State: connectors.StepOK, Detail: "It answers."}
	if err := s.get(ctx, "/people?email=nobody", &found); err != nil {
		e := connectors.AsError(err)
		step = connectors.Step{Name: "Ask", State: connectors.StepFail, Detail: e.Message, Advice: e.Fix}
	}
	return connectors.Report{Steps: []connectors.Step{step}}, nil
}

func (s *webSource) Discover(ctx context.Context) (connectors.Catalog, error) {
	catalog := connectors.Catalog{Fields: []connectors.Field{
		{ID: "plan", Label: "Plan", Kind: connectors.Text}, {ID: "spent", Label: "Spent", Kind: connectors.Number},
	}}
	var more int
	if err := s.get(ctx, "/fields", &more); err != nil {
		return catalog, err
	}
	if s.flaw == "first thousand" {
		more = 998
	}
	for i := range more {
		name := "f" + strconv.Itoa(i)
		catalog.Fields = append(catalog.Fields, connectors.Field{ID: name, Label: name, Kind: connectors.Text})
	}
	return catalog, nil
}
