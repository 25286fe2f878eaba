package livesupportitest

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
)

// Control is the client of a Server's control API, for other processes.
type Control struct {
	// BaseURL is where the Server is, such as "http://127.0.0.1:8090".
	BaseURL string
	// HTTP makes the requests; nil means http.DefaultClient. A time-out of its
	// own must be above 30 seconds.
	HTTP *http.Client
}

// AddAccount creates an account, or gives an existing one a new API key.
func (c Control) AddAccount(ctx context.Context, email, apiKey string) (Account, error) {
	var account Account
	err := c.call(ctx, http.MethodPost, "/sim/accounts", map[string]string{"email": email, "api_key": apiKey}, &account)
	return account, err
}

// RegisterWebHook creates a WebHook as Server.RegisterWebHook does. A
// *HandshakeError says why it was not created.
func (c Control) RegisterWebHook(ctx context.Context, account string, reg Registration) (WebHook, error) {
	var result webHookResult
	err := c.call(ctx, http.MethodPost, "/sim/webhooks", webHookRequest{Account: account, Registration: reg}, &result)
	if err != nil {
		return WebHook{}, err
	}
	if !result.OK || result.WebHook == nil {
		return WebHook{}, &HandshakeError{Reason: result.Reason}
	}
	return *result.WebHook, nil
}

// RemoveWebHook deletes a WebHook.
func (c Control) RemoveWebHook(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/sim/webhooks/"+url.PathEscape(id), nil, nil)
}

// StartChat starts a chat and returns before it has been announced.
func (c Control) StartChat(ctx context.Context, account string, visitor Visitor) (Chat, error) {
	var chat Chat
	err := c.call(ctx, http.MethodPost, "/sim/chats", chatRequest{Account: account, Visitor: visitor}, &chat)
	return chat, err
}

// Chat returns a chat as it stands.
func (c Control) Chat(ctx context.Context, id string) (Chat, error) {
	var chat Chat
	err := c.call(ctx, http.MethodGet, "/sim/chats/"+url.PathEscape(id), nil, &chat)
	return chat, err
}

// WaitShown waits until the agent sees details, or ctx ends; it then returns
// the chat as it last stood together with ctx's error.
func (c Control) WaitShown(ctx context.Context, id string) (Chat, error) {
	return c.wait(ctx, id, "shown", IsShown)
}

// WaitAnnounced waits until every WebHook has accepted the chat or will not be
// told again.
func (c Control) WaitAnnounced(ctx context.Context, id string) (Chat, error) {
	return c.wait(ctx, id, "announced", IsAnnounced)
}

func (c Control) wait(ctx context.Context, id, wait string, reached func(Chat) bool) (Chat, error) {
	for {
		var chat Chat
		err := c.call(ctx, http.MethodGet, "/sim/chats/"+url.PathEscape(id)+"?wait="+wait, nil, &chat)
		switch {
		case ctx.Err() != nil:
			return c.asItStood(ctx, id), ctx.Err()
		case err != nil:
			return Chat{}, err
		case reached(chat):
			return chat, nil
		}
	}
}

// asItStood asks once more although ctx has ended, for whoever wants to say
// what was missing. It returns the zero Chat when that fails too.
func (c Control) asItStood(ctx context.Context, id string) Chat {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	chat, err := c.Chat(ctx, id)
	if err != nil {
		return Chat{}
	}
	return chat
}

// Wire returns what went over the wire for a chat, oldest first.
func (c Control) Wire(ctx context.Context, id string) ([]Exchange, error) {
	var wire []Exchange
	err := c.call(ctx, http.MethodGet, "/sim/chats/"+url.PathEscape(id)+"/wire", nil, &wire)
	return wire, err
}

// State returns everything that the page shows. It is also how to find out
// whether the Server is up.
func (c Control) State(ctx context.Context) (State, error) {
	var state State
	err := c.call(ctx, http.MethodGet, "/sim/state", nil, &state)
	return state, err
}

// Misbehave adds a fault.
func (c Control) Misbehave(ctx context.Context, f Fault) error {
	return c.call(ctx, http.MethodPost, "/sim/faults", f, nil)
}

// Heal ends all faults.
func (c Control) Heal(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/sim/faults", nil, nil)
}

func (c Control) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.BaseURL, "/")+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	hc := c.HTTP
	if hc == nil {
		hc = http.DefaultClient
	}
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %w", method, path, refusal(resp))
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func refusal(resp *http.Response) error {
	var problem struct {
		Error string `json:"error"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxControl)).Decode(&problem) == nil && problem.Error != "" {
		return errors.New(problem.Error)
	}
	return errors.New(statusText(resp.StatusCode))
}
