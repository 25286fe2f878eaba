package livesupportitest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"sidecard/internal/livesupporti"
)

// maxDetails is the greatest details body that is read.
const maxDetails = 256 << 10

// Why details are not accepted, in words.
const (
	reasonCredentials = "The e-mail and API key are not those of an account."
	reasonVisitor     = "This account has no visitor with that id."
	reasonMediaType   = "Content-Type must be application/json; charset=utf-8."
	reasonBody        = "The body cannot be read or is larger than 256 KiB."
)

// Post is one details request.
type Post struct {
	At time.Time
	// AccountID is the account whose credentials were sent, "" for wrong ones.
	AccountID string
	// VisitorID is the one in the path. ChatID is the chat that the details
	// are for, "" when there is none.
	VisitorID string
	ChatID    string
	// Status is the answer, 0 when a fault withheld it. Accepted says whether
	// the agent sees the details, whatever was answered.
	Status   int
	Accepted bool
	// Reason says why the details were not accepted.
	Reason string
	// Fault is the mode of the fault that was played, "" for none.
	Fault Mode
	Body  []byte
	// After is the time since the chat started, 0 when there is no chat.
	After time.Duration
}

// Posts returns the latest details requests, oldest first; see
// Options.KeepPosts.
func (s *Server) Posts() []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posts.last(s.opts.KeepPosts)
}

// serveDetails is POST /api/visitors/{id}/details.
func (s *Server) serveDetails(w http.ResponseWriter, r *http.Request) {
	post := Post{At: s.opts.Clock.Now(), VisitorID: r.PathValue("id")}
	exchange := Exchange{At: post.At}
	var err error
	post.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxDetails))
	if s.opts.KeepWire > 0 {
		exchange.describeRequest(r)
		exchange.Body = strings.ToValidUTF8(string(post.Body), "\uFFFD")
	}
	if err != nil {
		post.Status, post.Reason = http.StatusBadRequest, reasonBody
		s.judged(&post, nil, exchange)
		refuse(w, post.Status, post.Reason)
		return
	}
	fault, played := s.takeFault(RouteDetails, r)
	if played {
		post.Fault = fault.Mode
	}
	if played && fault.Mode.early() {
		post.Status, post.Reason = fault.Status, fault.describe()
		s.judged(&post, nil, exchange)
		s.actBefore(w, r, fault)
		return
	}
	var fields []livesupporti.Field
	post.Status, post.Reason, fields = s.judge(r, &post)
	post.Accepted = post.Status == http.StatusOK
	answered := post.Status
	if fault.Mode == ModeResetAfter {
		post.Status = 0
	}
	exchange.Note = fault.describe()
	s.judged(&post, fields, exchange)
	if s.actAfter(w, r, fault) {
		return
	}
	if answered != http.StatusOK {
		refuse(w, answered, post.Reason)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// judge checks a details request as strictly as the documentation allows.
func (s *Server) judge(r *http.Request, post *Post) (status int, reason string, fields []livesupporti.Field) {
	account, ok := s.authenticate(r)
	if !ok {
		return http.StatusUnauthorized, reasonCredentials, nil
	}
	post.AccountID = account.ID
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" || !strings.EqualFold(params["charset"], "utf-8") {
		return http.StatusBadRequest, reasonMediaType, nil
	}
	s.mu.Lock()
	chats := slices.Clone(s.byVisitor[post.VisitorID])
	s.mu.Unlock()
	chats = slices.DeleteFunc(chats, func(c *chat) bool { return c.AccountID != account.ID })
	if len(chats) == 0 {
		return http.StatusNotFound, reasonVisitor, nil
	}
	newest := chats[len(chats)-1]
	post.ChatID = newest.ID
	posted, err := livesupporti.ParseDetails(post.Body)
	if err != nil {
		return http.StatusBadRequest, sentence(err), nil
	}
	// A visitor who came back may have been given to another agent: details
	// for the earlier chat carry that chat's agent.
	for _, c := range slices.Backward(chats) {
		if err = c.matches(posted); err == nil {
			post.ChatID = c.ID
			return http.StatusOK, "", posted.Fields
		}
	}
	return http.StatusBadRequest, sentence(newest.matches(posted)), nil
}

var (
	errAccountDiffers = errors.New("AccountId is not the one that was sent with the notification")
	errAgentDiffers   = errors.New("AgentId is not the one that was sent with the notification")
	errVisitorDiffers = errors.New("VisitorId is not the one that was sent with the notification")
)

// matches compares the ids by value and by JSON type.
func (c *chat) matches(posted livesupporti.Posted) error {
	same := func(a, b livesupporti.Scalar) bool {
		return a == b || a.IsText() == b.IsText() && a.String() == b.String()
	}
	switch {
	case !same(posted.AccountID, c.account):
		return errAccountDiffers
	case !same(posted.VisitorID, c.visitor):
		return errVisitorDiffers
	case !same(posted.AgentID, c.agent):
		return errAgentDiffers
	}
	return nil
}

// judged records a details request and puts what was accepted on the agent's
// screen.
func (s *Server) judged(post *Post, fields []livesupporti.Field, exchange Exchange) {
	s.mu.Lock()
	c := s.chats[post.ChatID]
	if c == nil {
		c = s.newestOf(post.VisitorID)
	}
	if c != nil {
		post.ChatID = c.ID
		post.After = post.At.Sub(c.StartedAt)
		s.settle(c, *post, fields, exchange)
	}
	s.posts.push(*post)
	s.postCount++
	s.mu.Unlock()
	if s.opts.OnPost != nil {
		s.opts.OnPost(*post)
	}
}

func (s *Server) settle(c *chat, post Post, fields []livesupporti.Field, exchange Exchange) {
	c.Posts++
	if post.Accepted {
		if c.Shown == nil {
			c.Shown = &Shown{At: post.At, AfterMS: milliseconds(post.After)}
		}
		c.Shown.Fields = fields
		c.Shown.Times++
	} else {
		if len(c.Refusals) == maxRefusals {
			c.Refusals = slices.Delete(c.Refusals, 0, 1)
		}
		c.Refusals = append(c.Refusals, Refusal{
			At: post.At, AfterMS: milliseconds(post.After), Status: post.Status, Reason: post.Reason, Played: post.Fault != "",
		})
	}
	switch {
	case post.Status == 0:
		exchange.Problem = "no answer"
	case post.Reason == "":
		exchange.describeAnswer(post.Status, nil, nil)
	default:
		exchange.describeAnswer(post.Status, http.Header{"Content-Type": {contentJSON}}, refusalBody(post.Reason))
	}
	s.addWire(c, exchange)
	s.changedChat(c)
}

func (s *Server) newestOf(visitorID string) *chat {
	chats := s.byVisitor[visitorID]
	if len(chats) == 0 {
		return nil
	}
	return chats[len(chats)-1]
}

// refuse answers as ASP.NET does, with the reason under Message.
func refuse(w http.ResponseWriter, status int, reason string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="LiveSupporti"`)
	}
	w.Header().Set("Content-Type", contentJSON)
	w.WriteHeader(status)
	w.Write(refusalBody(reason))
}

func refusalBody(reason string) []byte {
	body, err := json.Marshal(map[string]string{"Message": reason})
	if err != nil { // a string always has a JSON form
		panic(err)
	}
	return body
}

func sentence(err error) string {
	return err.Error() + "."
}
