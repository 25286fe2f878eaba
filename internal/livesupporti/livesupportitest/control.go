package livesupportitest

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// maxControl bounds the body of a control request.
	maxControl = 64 << 10
	// shownChats is how many of the newest chats State lists.
	shownChats = 100
	// longestWait is how long GET /sim/chats/{id} may be made to wait.
	longestWait = 25 * time.Second
)

// State is everything that the page shows.
type State struct {
	Setup
	// Chats are the newest 100, newest first.
	Chats        []Chat   `json:"chats"`
	Posts        int      `json:"posts"`
	Speed        float64  `json:"speed"`
	SampleEmails []string `json:"sample_emails"`
	PortalURL    string   `json:"portal_url"`
}

// Setup is what has been set up.
type Setup struct {
	Accounts []Account `json:"accounts"`
	WebHooks []WebHook `json:"webhooks"`
	Faults   []Fault   `json:"faults"`
}

// State returns everything that the page shows.
func (s *Server) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := s.recent.last(shownChats)
	chats := make([]Chat, len(newest))
	for i, c := range newest {
		chats[len(newest)-1-i] = c.snapshot()
	}
	return State{
		Setup:        s.setup(),
		Chats:        chats,
		Posts:        s.postCount,
		Speed:        s.opts.Speed,
		SampleEmails: append([]string{}, s.opts.SampleEmails...),
		PortalURL:    s.opts.PortalURL,
	}
}

func (s *Server) setup() Setup {
	return Setup{Accounts: s.accountList(), WebHooks: s.hookList(), Faults: s.faultList()}
}

func (s *Server) getState(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.State())
}

func (s *Server) postAccount(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email  string `json:"email"`
		APIKey string `json:"api_key"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if in.Email == "" || strings.Contains(in.Email, ":") || in.APIKey == "" {
		problemJSON(w, http.StatusBadRequest, errors.New("an account needs an e-mail without a colon and an API key"))
		return
	}
	writeJSON(w, http.StatusCreated, s.addAccount(Account{Email: in.Email, APIKey: in.APIKey}))
}

// webHookRequest is the body of POST /sim/webhooks.
type webHookRequest struct {
	Account string `json:"account"`
	Registration
}

// webHookResult says whether the handshake passed, and why not.
type webHookResult struct {
	OK      bool     `json:"ok"`
	Reason  string   `json:"reason,omitempty"`
	WebHook *WebHook `json:"webhook,omitempty"`
}

func (s *Server) postWebHook(w http.ResponseWriter, r *http.Request) {
	var in webHookRequest
	if !readJSON(w, r, &in) {
		return
	}
	hook, err := s.RegisterWebHook(r.Context(), in.Account, in.Registration)
	var failed *HandshakeError
	switch {
	case errors.As(err, &failed):
		writeJSON(w, http.StatusOK, webHookResult{Reason: failed.Reason})
	case err != nil:
		problemJSON(w, http.StatusBadRequest, err)
	default:
		writeJSON(w, http.StatusOK, webHookResult{OK: true, WebHook: &hook})
	}
}

func (s *Server) deleteWebHook(w http.ResponseWriter, r *http.Request) {
	if !s.RemoveWebHook(r.PathValue("id")) {
		problemJSON(w, http.StatusNotFound, errors.New("there is no such WebHook"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// chatRequest is the body of POST /sim/chats.
type chatRequest struct {
	Account string `json:"account"`
	Visitor
}

func (s *Server) postChat(w http.ResponseWriter, r *http.Request) {
	var in chatRequest
	if !readJSON(w, r, &in) {
		return
	}
	chat, err := s.StartChat(r.Context(), in.Account, in.Visitor)
	if err != nil {
		problemJSON(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusCreated, chat)
}

// waits are what GET /sim/chats/{id}?wait= can wait for.
var waits = map[string]func(Chat) bool{
	"":          func(Chat) bool { return true },
	"shown":     IsShown,
	"announced": IsAnnounced,
}

func (s *Server) getChat(w http.ResponseWriter, r *http.Request) {
	wanted, ok := waits[r.URL.Query().Get("wait")]
	if !ok {
		problemJSON(w, http.StatusBadRequest, errors.New("wait must be shown or announced"))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), longestWait)
	defer cancel()
	chat, err := s.Wait(ctx, r.PathValue("id"), wanted)
	if errors.Is(err, errNoChat) {
		problemJSON(w, http.StatusNotFound, err)
		return
	}
	writeJSON(w, http.StatusOK, chat)
}

func (s *Server) getWire(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, slices.Concat([]Exchange{}, s.Wire(r.PathValue("id"))))
}

func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	var in Fault
	if !readJSON(w, r, &in) {
		return
	}
	if err := s.Misbehave(in); err != nil {
		problemJSON(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusCreated, s.Faults())
}

func (s *Server) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	s.Heal()
	w.WriteHeader(http.StatusNoContent)
}

// readJSON reads a control request. Asking for JSON's media type keeps forms of
// other sites out: a browser sends it across origins only when allowed to.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		problemJSON(w, http.StatusUnsupportedMediaType, errors.New("Content-Type must be application/json"))
		return false
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControl))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		problemJSON(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

func problemJSON(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]string{"error": err.Error()})
}
