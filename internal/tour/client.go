// Package tour walks a newcomer's way over the public API: sign up, connect a desk, upload a list,
// publish a card, look at a chat. The demonstration, the first start's demo tenant and the benchmark all
// walk it, so it is also the smallest example of a client.
package tour

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"sidecard/internal/api/contract"
)

// Client speaks to one Sidecard as one member. It is not safe for concurrent sign-ins.
type Client struct {
	Base  string // address of the API, without a slash at the end
	HTTP  *http.Client
	token string
}

// NewClient makes a client that is not signed in.
func NewClient(base string) *Client {
	return &Client{Base: strings.TrimSuffix(base, "/"), HTTP: &http.Client{}}
}

// Inbox waits for a mail of a kind to an address and gives its text.
type Inbox func(ctx context.Context, to, kind string) (text string, err error)

// link finds the token of the link in a mail.
var link = regexp.MustCompile(`[?&]token=([A-Za-z0-9_]+)`)

// SignUp asks for a tenant, follows the link that is mailed, and stays signed in as the tenant's owner.
func (c *Client) SignUp(ctx context.Context, in contract.SignUp, inbox Inbox) (contract.Session, error) {
	if _, err := call[struct{}](ctx, c, http.MethodPost, "/api/v1/auth/signup", in); err != nil {
		return contract.Session{}, err
	}
	text, err := inbox(ctx, in.Email, "confirm_sign_up")
	if err != nil {
		return contract.Session{}, fmt.Errorf("wait for the mail: %w", err)
	}
	token := link.FindStringSubmatch(text)
	if token == nil {
		return contract.Session{}, errors.New("the mail holds no link")
	}
	return c.session(ctx, "/api/v1/auth/signup/confirm", contract.LinkConfirm{Token: token[1]})
}

// SignIn signs in.
func (c *Client) SignIn(ctx context.Context, in contract.SignIn) (contract.Session, error) {
	return c.session(ctx, "/api/v1/auth/signin", in)
}

func (c *Client) session(ctx context.Context, path string, in any) (contract.Session, error) {
	s, err := call[contract.Session](ctx, c, http.MethodPost, path, in)
	c.token = s.AccessToken
	return s, err
}

// Desk reads the desk.
func (c *Client) Desk(ctx context.Context) (contract.Desk, error) {
	return call[contract.Desk](ctx, c, http.MethodGet, "/api/v1/desk", nil)
}

// ConnectDesk stores LiveSupporti credentials and makes a webhook secret.
func (c *Client) ConnectDesk(ctx context.Context, u contract.DeskUpdate) (contract.Desk, contract.NewSecret, error) {
	desk, err := call[contract.Desk](ctx, c, http.MethodPatch, "/api/v1/desk", u)
	if err != nil {
		return desk, contract.NewSecret{}, err
	}
	secret, err := call[contract.NewSecret](ctx, c, http.MethodPost, "/api/v1/desk/secret", contract.SecretRotation{})
	return desk, secret, err
}

// TestDesk tries the stored credentials.
func (c *Client) TestDesk(ctx context.Context) (contract.DeskTest, error) {
	return call[contract.DeskTest](ctx, c, http.MethodPost, "/api/v1/desk/test", nil)
}

// Rejections lists the refused requests to the callback URL.
func (c *Client) Rejections(ctx context.Context) (contract.RejectionList, error) {
	return call[contract.RejectionList](ctx, c, http.MethodGet, "/api/v1/desk/rejections", nil)
}

// Connect creates a connection.
func (c *Client) Connect(ctx context.Context, in contract.ConnectionCreate) (contract.Connection, error) {
	return call[contract.Connection](ctx, c, http.MethodPost, "/api/v1/connections", in)
}

// Connection gives one connection.
func (c *Client) Connection(ctx context.Context, connection string) (contract.Connection, error) {
	return call[contract.Connection](ctx, c, http.MethodGet, "/api/v1/connections/"+connection, nil)
}

// Check tries a connection step by step.
func (c *Client) Check(ctx context.Context, connection string) (contract.CheckReport, error) {
	return call[contract.CheckReport](ctx, c, http.MethodPost, "/api/v1/connections/"+connection+"/check", nil)
}

// BeginLogin gives the address at the vendor where a browser has to go.
func (c *Client) BeginLogin(ctx context.Context, connection string) (string, error) {
	begun, err := call[contract.LoginBegun](ctx, c, http.MethodPost, "/api/v1/connections/"+connection+"/login", nil)
	return begun.AuthorizeUrl, err
}

// FinishLogin hands over what the vendor sent back.
func (c *Client) FinishLogin(ctx context.Context, state, code string) (contract.Connection, error) {
	return call[contract.Connection](ctx, c, http.MethodPost, "/api/v1/connections/login/finish", contract.LoginFinish{State: state, Code: &code})
}

// Upload replaces a connection's rows with a CSV file's.
func (c *Client) Upload(ctx context.Context, connection, filename string, file io.Reader) (contract.ImportReport, error) {
	path := "/api/v1/connections/" + connection + "/import?filename=" + url.QueryEscape(filename)
	return send[contract.ImportReport](ctx, c, http.MethodPost, path, "text/csv", file)
}

// Publish publishes a card.
func (c *Client) Publish(ctx context.Context, lines []contract.CardLine) (contract.Card, error) {
	return call[contract.Card](ctx, c, http.MethodPut, "/api/v1/card", contract.CardPublish{Lines: lines})
}

// Preview asks what an agent would see.
func (c *Client) Preview(ctx context.Context, email string) (contract.Preview, error) {
	return call[contract.Preview](ctx, c, http.MethodPost, "/api/v1/card/preview", contract.PreviewRequest{Email: email})
}

// Chats lists the newest chats.
func (c *Client) Chats(ctx context.Context) (contract.ChatList, error) {
	return call[contract.ChatList](ctx, c, http.MethodGet, "/api/v1/chats", nil)
}

// Chat reads one chat.
func (c *Client) Chat(ctx context.Context, id string) (contract.ChatPage, error) {
	return call[contract.ChatPage](ctx, c, http.MethodGet, "/api/v1/chats/"+id, nil)
}

// CountReplays says how many chats a replay would take.
func (c *Client) CountReplays(ctx context.Context, s contract.ReplaySelection) (contract.ReplayCount, error) {
	return call[contract.ReplayCount](ctx, c, http.MethodPost, "/api/v1/replays/count", s)
}

// Replay replays chats.
func (c *Client) Replay(ctx context.Context, r contract.ReplayRequest) (contract.ReplayResult, error) {
	return call[contract.ReplayResult](ctx, c, http.MethodPost, "/api/v1/replays", r)
}

// DryRun asks what a replay of a chat would send.
func (c *Client) DryRun(ctx context.Context, id string) (contract.DryRun, error) {
	return call[contract.DryRun](ctx, c, http.MethodPost, "/api/v1/chats/"+id+"/dry-run", nil)
}

func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	if in == nil {
		return send[T](ctx, c, method, path, "", nil)
	}
	body, err := json.Marshal(in)
	if err != nil {
		var none T
		return none, err
	}
	return send[T](ctx, c, method, path, "application/json", bytes.NewReader(body))
}

func send[T any](ctx context.Context, c *Client, method, path, contentType string, body io.Reader) (out T, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return out, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return out, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		return out, refusal(method+" "+strings.SplitN(path, "?", 2)[0], resp)
	}
	if resp.StatusCode == http.StatusAccepted || resp.StatusCode == http.StatusNoContent {
		return out, nil
	}
	return out, json.NewDecoder(resp.Body).Decode(&out)
}

// Refusal is a problem that the API answered with.
type Refusal struct {
	What    string // method and path
	Problem contract.Problem
}

func (r *Refusal) Error() string {
	text := fmt.Sprintf("%s: %d %s", r.What, r.Problem.Status, r.Problem.Detail)
	if r.Problem.Errors != nil {
		for _, e := range *r.Problem.Errors {
			text += " (" + e.Pointer + ": " + e.Detail + ")"
		}
	}
	return text
}

func refusal(what string, resp *http.Response) error {
	r := &Refusal{What: what, Problem: contract.Problem{Status: resp.StatusCode, Detail: http.StatusText(resp.StatusCode)}}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&r.Problem); err != nil {
		return fmt.Errorf("%s: %s", what, resp.Status)
	}
	return r
}
