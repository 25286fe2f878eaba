package livesupporti

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sidecard/internal/flaw"
)

const (
	// maxAnswer is how much of an answer to posted details is read.
	maxAnswer = 64 << 10
	// maxAgents is how much of a list of agents is read.
	maxAgents = 1 << 20
	// answerPatience is how long the rest of an answer may take once its
	// status is known. The status decides; the rest is for display.
	answerPatience = time.Second
)

// ErrNotAgents says that the agents resource answered with success and
// something else than a list, so that the base URL is probably wrong.
var ErrNotAgents = errors.New("the answer is not a list of agents")

var errVisitorID = errors.New("the visitor id cannot be part of a URL")

// Client posts details to LiveSupporti and tests credentials. It never follows
// a redirect, keeps no cookies and never retries. It is safe for concurrent
// use.
type Client struct {
	base string
	http *http.Client
}

// NewClient returns a Client for the API at baseURL, for example
// DefaultBaseURL. The http.Client decides which addresses may be reached and
// how long a request may take at most; it is copied, not changed, and must not
// be nil.
func NewClient(baseURL string, hc *http.Client) *Client {
	own := *hc
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if flaw.On(flaw.RedirectFollowed) {
		own.CheckRedirect = nil
	}
	return &Client{base: strings.TrimRight(baseURL, "/"), http: &own}
}

// PostDetails sends exactly these bytes, as Details rendered them, to
// {base}/visitors/{visitorID}/details. Whatever status comes back is an Answer.
// An error means that there was none: LiveSupporti may or may not have read the
// details. Problem words such an error for people; its own text is for the log
// and names neither the URL nor the visitor. Answer.Took is set in either case.
func (c *Client) PostDetails(ctx context.Context, cred Credentials, visitorID string, body []byte) (Answer, error) {
	if !addressable(visitorID) {
		return Answer{}, fmt.Errorf("post details: %w", errVisitorID)
	}
	answer, _, err := c.do(ctx, http.MethodPost, "/visitors/"+url.PathEscape(visitorID)+"/details", cred, body, maxAnswer)
	if err != nil {
		return answer, fmt.Errorf("post details: %w", err)
	}
	return answer, nil
}

// Agents asks for the account's list of agents, which any valid credentials may
// read, and returns how many there are. The answer says whether the credentials
// were accepted; only then count means something. An error means that there was
// no answer, or wraps ErrNotAgents.
func (c *Client) Agents(ctx context.Context, cred Credentials) (count int, a Answer, err error) {
	a, body, err := c.do(ctx, http.MethodGet, "/agents", cred, nil, maxAgents)
	if err != nil {
		return 0, a, fmt.Errorf("list agents: %w", err)
	}
	if a.Verdict() != Accepted {
		return 0, a, nil
	}
	count, ok := countAgents(body)
	if !ok {
		return 0, a, fmt.Errorf("list agents: %w", ErrNotAgents)
	}
	return count, a, nil
}

func (c *Client) do(ctx context.Context, method, path string, cred Credentials, body []byte, limit int64) (Answer, []byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, nil, errors.New("the base URL is not a URL")
	}
	req.SetBasicAuth(cred.Email, cred.APIKey)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "Sidecard")
	if body != nil {
		req.Header.Set("Content-Type", ContentType)
	}
	start := time.Now()
	resp, err := c.http.Do(req)
	took := time.Since(start)
	if err != nil {
		return Answer{Took: took}, nil, withoutURL(err)
	}
	defer resp.Body.Close()

	patience := time.AfterFunc(answerPatience, cancel)
	defer patience.Stop()
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	complete := err == nil && int64(len(text)) <= limit
	text = text[:min(int64(len(text)), limit)]
	return Answer{
		Status:     resp.StatusCode,
		RetryAfter: ParseRetryAfter(resp.Header.Get("Retry-After"), time.Now()),
		Excerpt:    excerpt(text, complete, cred),
		Took:       took,
	}, text, nil
}

// withoutURL drops what net/http puts around a transport's error: the URL names
// the visitor.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// countAgents counts the elements of a JSON array, or of the one array that a
// JSON object holds.
func countAgents(body []byte) (int, bool) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && list != nil {
		return len(list), true
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return 0, false
	}
	arrays, count := 0, 0
	for _, member := range members {
		var inner []json.RawMessage
		if json.Unmarshal(member, &inner) == nil && inner != nil {
			arrays, count = arrays+1, len(inner)
		}
	}
	return count, arrays == 1
}
