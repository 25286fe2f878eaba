package egress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/connectors"
	httpapi "sidecard/connectors/http"
	"sidecard/connectors/mysql"
	"sidecard/connectors/postgres"
	"sidecard/internal/livesupporti"
)

// errUnsayable says that a host got no further than the form: it is no URL, or
// no setting that the connector takes.
var errUnsayable = errors.New("not a host")

// user is one way in which a tenant's host reaches the door. It returns the
// refusal, nil if there was none.
type user struct {
	name string
	try  func(ctx context.Context, host, port string) error
}

// usersOf are all of the door's users, each by its real code.
func usersOf(t *testing.T, d *Door) []user {
	t.Helper()
	client := d.HTTP(HTTPOptions{})
	t.Cleanup(client.CloseIdleConnections)
	users := []user{
		{"LookupHost", func(ctx context.Context, host, _ string) error {
			_, err := d.LookupHost(ctx, host)
			return err
		}},
	}
	for _, k := range kinds() {
		users = append(users,
			user{k.name + " check", func(ctx context.Context, host, port string) error { return k.check(ctx, d, host, port) }},
			user{k.name + " lookup", func(ctx context.Context, host, port string) error { return k.lookUp(ctx, d, host, port) }},
		)
	}
	for _, network := range []string{"tcp", "tcp4", "tcp6"} {
		users = append(users, user{"dial " + network, func(ctx context.Context, host, port string) error {
			conn, err := d.DialContext(ctx, network, net.JoinHostPort(host, port))
			if err == nil {
				_ = conn.Close()
			}
			return err
		}})
	}
	for _, target := range targets(client) {
		users = append(users, user{target.name, func(ctx context.Context, host, port string) error {
			return target.visit(ctx, "http://"+urlHost(host)+":"+port)
		}})
	}
	return append(users, user{"GET https", func(ctx context.Context, host, port string) error {
		return send(ctx, client, http.MethodGet, "https://"+urlHost(host)+":"+port)
	}})
}

// visitor is a user that takes a whole URL.
type visitor struct {
	name  string
	visit func(ctx context.Context, base string) error
}

func targets(client *http.Client) []visitor {
	cred := livesupporti.Credentials{Email: "agent@example.com", APIKey: "key"}
	return []visitor{
		{"GET", func(ctx context.Context, base string) error { return send(ctx, client, http.MethodGet, base) }},
		{"POST", func(ctx context.Context, base string) error { return send(ctx, client, http.MethodPost, base) }},
		{"details", func(ctx context.Context, base string) error {
			_, err := livesupporti.NewClient(base, client).PostDetails(ctx, cred, "7", []byte(`[{"name":"Plan","value":"Gold"}]`))
			return sayable(base, err)
		}},
		{"agents", func(ctx context.Context, base string) error {
			_, _, err := livesupporti.NewClient(base, client).Agents(ctx, cred)
			return sayable(base, err)
		}},
	}
}

// sayable tells a URL that net/http won't have from one that the door refused.
func sayable(target string, err error) error {
	if _, bad := http.NewRequest(http.MethodGet, target, nil); bad != nil && err != nil {
		return errUnsayable
	}
	return err
}

// send makes a request with everything that must not get to a stranger.
func send(ctx context.Context, client *http.Client, method, target string) error {
	var body *strings.Reader
	if body = strings.NewReader(""); method == http.MethodPost {
		body = strings.NewReader("private")
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return errUnsayable
	}
	req.SetBasicAuth("agent@example.com", "key")
	req.Header.Set("X-Api-Key", "key")
	resp, err := client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err // its own text holds the URL
	}
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

// urlHost writes a host as a URL has it; a name stays as it is.
func urlHost(host string) string {
	if !strings.Contains(host, ":") || strings.HasPrefix(host, "[") {
		return host
	}
	return "[" + strings.ReplaceAll(host, "%", "%25") + "]"
}

// kind is a connector whose settings name a host.
type kind struct {
	name      string
	connector connectors.Connector
	settings  func(host, port string) map[string]any
	field     string // that holds the host
}

var onPostgres = kind{"postgres", postgres.New(), func(host, port string) map[string]any {
	return map[string]any{
		"host": host, "port": json.Number(port), "database": "shop", "user": "app", "password": "long secret",
		"tls": "off", "table": "people", "email_column": "email",
	}
}, "host"}

func kinds() []kind {
	return []kind{
		onPostgres,
		{"mysql", mysql.New(), onPostgres.settings, "host"},
		{"tunnel", postgres.New(), func(host, port string) map[string]any {
			s := onPostgres.settings("db.internal", "5432")
			s["tunnel"], s["tunnel_host"], s["tunnel_port"] = "ssh", host, json.Number(port)
			s["tunnel_user"], s["tunnel_password"] = "app", "long secret"
			return s
		}, "tunnel_host"},
		{"http", httpapi.New(), func(host, port string) map[string]any {
			return map[string]any{"url": "http://" + urlHost(host) + ":" + port + "/?email={{email}}", "auth": "bearer", "secret": "long secret"}
		}, "url"},
	}
}

func (k kind) open(ctx context.Context, d *Door, host, port string) (connectors.Source, error) {
	settings := connectors.Settings{}
	for name, v := range k.settings(host, port) {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		settings[name] = raw
	}
	src, err := k.connector.Open(ctx, connectors.OpenInput{
		Settings: settings, HTTP: d.HTTP(HTTPOptions{}), Dial: d.DialContext, Resolve: d.LookupHost, Now: time.Now,
	})
	if e := connectors.AsError(err); e != nil && e.Class == connectors.Misconfigured && e.Field == k.field {
		return nil, errUnsayable
	}
	return src, err
}

func (k kind) lookUp(ctx context.Context, d *Door, host, port string) error {
	src, err := k.open(ctx, d, host, port)
	if err != nil {
		return err
	}
	defer src.Close()
	_, err = src.Lookup(ctx, connectors.Query{Email: "ana@toy.example"})
	return err
}

// check turns the failed step into an error whose text is the whole report: all of it must be the same for
// every address.
func (k kind) check(ctx context.Context, d *Door, host, port string) error {
	src, err := k.open(ctx, d, host, port)
	if err != nil {
		return err
	}
	defer src.Close()
	report, err := src.Check(ctx)
	if err != nil || report.OK() {
		return err
	}
	e := connectors.ForbiddenError(fmt.Errorf("%+v", report.Steps))
	if last := report.Steps[len(report.Steps)-1]; last.Detail != e.Message || last.Advice != e.Fix {
		e.Class = connectors.Bug
	}
	return e
}

// isRefusal reports whether the door said no, and nothing else went wrong.
func isRefusal(err error) bool {
	e, ok := errors.AsType[*connectors.Error](err)
	return errors.Is(err, ErrForbidden) || ok && e.Class == connectors.Forbidden
}

// tally counts attempts and what they were told.
type tally struct {
	refused, unsayable int
	told               map[string]map[string]string // user, text, first host
}

func newTally() *tally { return &tally{told: map[string]map[string]string{}} }

func (c *tally) attempts() int { return c.refused + c.unsayable }

// attempt lets every user try a host, which none may reach.
func (c *tally) attempt(t *testing.T, users []user, host, port string) {
	t.Helper()
	for _, u := range users {
		c.count(t, u.name, host, u.try(t.Context(), host, port))
	}
}

func (c *tally) count(t *testing.T, who, host string, err error) {
	t.Helper()
	switch {
	case errors.Is(err, errUnsayable):
		c.unsayable++
	case isRefusal(err):
		c.refused++
		if c.told[who] == nil {
			c.told[who] = map[string]string{}
		}
		if _, ok := c.told[who][err.Error()]; !ok {
			c.told[who][err.Error()] = host
		}
	default:
		t.Errorf("%s of %q: %v, want a refusal", who, host, err)
	}
}

// expect asserts how many attempts were made and that each user is told one
// thing whatever the address, so that refusals draw no map of the network.
func (c *tally) expect(t *testing.T, least int) {
	t.Helper()
	t.Logf("%d attempts: %d refused by the door, %d by the form of the host", c.attempts(), c.refused, c.unsayable)
	if c.refused < least {
		t.Errorf("%d attempts came to the door, want at least %d", c.refused, least)
	}
	for _, who := range slices.Sorted(maps.Keys(c.told)) {
		if len(c.told[who]) != 1 {
			t.Errorf("%s is told different things: %q", who, c.told[who])
		}
	}
}

// bare is net/http without the door: what it reaches shows what an attempt is
// worth.
type bare struct {
	client *http.Client
	port   string
	calls  atomic.Int64 // connections to port
}

func newBare(resolver *net.Resolver, port string) *bare {
	b := &bare{port: port}
	dialer := &net.Dialer{Resolver: resolver, Timeout: 5 * time.Second}
	b.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err == nil && strings.HasSuffix(conn.RemoteAddr().String(), ":"+port) {
				b.calls.Add(1)
			}
			return conn, err
		},
	}}
	return b
}

// reaches reports whether a GET of target connects to the port.
func (b *bare) reaches(ctx context.Context, target string) bool {
	before := b.calls.Load()
	_ = send(ctx, b.client, http.MethodGet, target)
	return b.calls.Load() > before
}
