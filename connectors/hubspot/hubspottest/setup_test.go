package hubspottest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sidecard/connectors/hubspot/hubspottest"
)

// clock is the time that the tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// portal is a started emulator, with a service key for everything and a client that follows no redirects.
type portal struct {
	*hubspottest.Server
	*clock
	t      *testing.T
	url    string
	key    string
	client *http.Client
}

// noon is when the tests begin; midnight in the account's time zone is 17 hours later.
var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

func start(t *testing.T, o hubspottest.Options) *portal {
	t.Helper()
	c := &clock{at: noon}
	o.Now = c.now
	s := hubspottest.New(o)
	server := s.Start()
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &portal{Server: s, clock: c, t: t, url: server.URL, key: s.ServiceKey(), client: client}
}

// answer is a whole answer.
type answer struct {
	status int
	header http.Header
	body   string
}

func (p *portal) do(method, path, contentType, body string, header ...string) answer {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (p *portal) getAs(token, path string) answer {
	p.t.Helper()
	return p.do(http.MethodGet, path, "", "", "Authorization", "Bearer "+token)
}

func (p *portal) get(path string) answer {
	p.t.Helper()
	return p.getAs(p.key, path)
}

func (p *portal) postAs(token, path, body string) answer {
	p.t.Helper()
	return p.do(http.MethodPost, path, "application/json", body, "Authorization", "Bearer "+token)
}

func (p *portal) post(path, body string) answer {
	p.t.Helper()
	return p.postAs(p.key, path, body)
}

// form sends a form with the credentials of the app.
func (p *portal) form(path string, pairs ...string) answer {
	p.t.Helper()
	values := url.Values{"client_id": {"app"}, "client_secret": {"secret"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return p.do(http.MethodPost, path, "application/x-www-form-urlencoded", values.Encode())
}

// decoded reads an answer that must have the status.
func decoded[T any](t *testing.T, a answer, status int) (v T) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

// record is what the tests read of a record.
type record struct {
	ID           string             `json:"id"`
	Properties   map[string]*string `json:"properties"`
	CreatedAt    string             `json:"createdAt"`
	Archived     bool               `json:"archived"`
	URL          string             `json:"url"`
	Associations map[string]struct {
		Results []struct{ ID, Type string } `json:"results"`
	} `json:"associations"`
}

// many is what the tests read of a list.
type many struct {
	Status    string   `json:"status"`
	Total     int      `json:"total"`
	Results   []record `json:"results"`
	NumErrors int      `json:"numErrors"`
	Errors    []struct {
		Category string              `json:"category"`
		Context  map[string][]string `json:"context"`
	} `json:"errors"`
	Paging *struct {
		Next struct{ After string } `json:"next"`
	} `json:"paging"`
}

func contact(email string, more ...string) hubspottest.Record {
	r := hubspottest.Record{Properties: map[string]string{"email": email}}
	for i := 0; i+1 < len(more); i += 2 {
		r.Properties[more[i]] = more[i+1]
	}
	return r
}

// refused checks an answer's status and that its body has all the texts.
func refused(t *testing.T, a answer, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("no %q in %s", text, a.body)
		}
	}
}
