package hub

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sidecard/internal/auth"
	"sidecard/internal/flaw"
	"sidecard/internal/livesupporti"
)

// Incoming is one POST to a callback URL, as it came.
type Incoming struct {
	Token     string
	Signature []string          // every value of the ms-signature header
	Headers   map[string]string // safe ones, kept with a rejection
	Body      []byte            // the raw bytes; nil when TooLarge
	Bytes     int64             // how many there were, as far as known
	TooLarge  bool              // more than Limits.MaxBody
	Began     time.Time         // when the request's first byte was seen; the chat's clock starts here
}

// Receipt says what became of a notification that was accepted.
type Receipt struct {
	Fresh    int // chats that will be looked up
	Repeated int // chats that were here before
	NotChats int // elements that are about something else
}

// keptChat is the body of a chat as it is kept, sealed: the notification's element, and how it came.
type keptChat struct {
	Notification string              `json:"id"`
	Attempt      int                 `json:"attempt"`
	Action       string              `json:"action,omitempty"`
	Account      livesupporti.Scalar `json:"account"`
	Agent        livesupporti.Scalar `json:"agent"`
	Visitor      livesupporti.Scalar `json:"visitor"`
	Email        string              `json:"email,omitempty"`
	Unsigned     bool                `json:"unsigned,omitempty"`
	TookMS       float64             `json:"took_ms"` // from the first byte until it was handed to the store
	// Of a replay:
	ReplayOf ID       `json:"replay_of,omitzero"`
	Forced   bool     `json:"forced,omitempty"` // its deadline counts from when it was accepted
	By       Replayer `json:"by,omitzero"`
}

// Echo answers LiveSupporti's check of a callback URL: it fails with CodeNotFound for an unknown token,
// and remembers the handshake otherwise.
func (h *Hub) Echo(ctx context.Context, token string) error {
	d, err := h.Store.DeskByToken(ctx, auth.HashToken(token))
	if errors.Is(err, ErrNotFound) {
		return h.unknownCallback(ctx)
	}
	if err != nil {
		return err
	}
	_, err = h.Store.Tenant(d.TenantID).UpdateDesk(ctx, func(d *Desk) error { d.HandshakeAt = h.Now(); return nil })
	if err != nil { // the check itself passed; only our note of it is missing
		h.Log.WarnContext(ctx, "handshake not noted", "tenant", d.TenantID, "error", err)
	}
	return nil
}

// Receive takes one notification. When it returns nil, every chat in it is safely kept; a repeated
// notification changes nothing. CodeUnavailable means that nothing is sure and it should be sent again.
func (h *Hub) Receive(ctx context.Context, in Incoming) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Limits.ReceiveTimeout)
	defer cancel()
	desk, err := h.desks.find(ctx, h, in.Token)
	if errors.Is(err, ErrNotFound) {
		// The same work as for a known token, so that the time says nothing.
		_ = livesupporti.Verify(in.Signature, in.Body, unknownSecret)
		return Receipt{}, h.unknownCallback(ctx)
	}
	if err != nil {
		return Receipt{}, err
	}
	if in.TooLarge {
		return Receipt{}, h.reject(ctx, desk, in, CodeTooLarge, "The request is larger than "+strconv.FormatInt(h.Limits.MaxBody>>10, 10)+" KiB.")
	}
	unsigned, err := h.verify(ctx, desk, in)
	if err != nil {
		return Receipt{}, err
	}
	n, err := livesupporti.Parse(in.Body)
	if err != nil {
		return Receipt{}, h.reject(ctx, desk, in, CodeBadNotification, "The request was signed rightly, but "+err.Error()+".")
	}
	return h.accept(ctx, desk, n, unsigned, in.Began)
}

// unknownCallback answers who asks for a callback URL that is nobody's, ever less patiently. It slows down no call of
// a URL that is somebody's, which may come from the same address.
func (h *Hub) unknownCallback(ctx context.Context) error {
	return cmp.Or(h.limit(ctx, "hooks/from/"+addressBlock(OriginOf(ctx).Address), unknownCallbacks, addressPer), ErrNotFound)
}

// unknownCallbacks is how many unknown callback URLs may be asked for from one address, per addressPer.
const unknownCallbacks = 300

var unknownSecret = []byte("a secret of the usual length that nobody has")

// verify checks the signature against the desk's secrets. What is remembered of a desk may be some
// seconds old, so before refusing it looks again.
func (h *Hub) verify(ctx context.Context, desk *cachedDesk, in Incoming) (unsigned bool, err error) {
	bad := livesupporti.Verify(in.Signature, in.Body, desk.secrets(h.Now())...)
	if bad != nil && !desk.fresh {
		if err := h.desks.reload(ctx, h, desk); err != nil {
			return false, err
		}
		bad = livesupporti.Verify(in.Signature, in.Body, desk.secrets(h.Now())...)
	}
	switch {
	case bad == nil:
		return false, nil
	case errors.Is(bad, livesupporti.ErrUnsigned) && desk.Unsigned == AcceptUnsigned:
		return true, nil
	case errors.Is(bad, livesupporti.ErrUnsigned):
		return false, h.reject(ctx, desk, in, CodeUnsigned, "The request carried no ms-signature header.")
	case errors.Is(bad, livesupporti.ErrWrongSignature) && len(desk.SecretSealed) == 0:
		return false, h.reject(ctx, desk, in, CodeSignature, "The request was signed, but no secret is stored here yet.")
	case errors.Is(bad, livesupporti.ErrWrongSignature):
		return false, h.reject(ctx, desk, in, CodeSignature, "The request was signed with another secret.")
	case errors.Is(bad, livesupporti.ErrManySignatures):
		return false, h.reject(ctx, desk, in, CodeBadSignature, "The request carried more than one ms-signature header.")
	default:
		return false, h.reject(ctx, desk, in, CodeBadSignature, "The ms-signature header is not sha256= and 64 hex digits.")
	}
}

func (h *Hub) accept(ctx context.Context, desk *cachedDesk, n livesupporti.Notification, unsigned bool, began time.Time) (Receipt, error) {
	arrivals := make([]Arrival, 0, len(n.Chats)+len(n.Others))
	took := milliseconds(h.Now().Sub(began))
	for _, c := range n.Chats {
		a, err := h.arrival(ctx, desk.Desk, n, c.Index, keptChat{
			Action: c.Action, Account: c.AccountID, Agent: c.AgentID,
			Visitor: c.VisitorID, Email: c.Email, Unsigned: unsigned, TookMS: took,
		})
		if err != nil {
			return Receipt{}, err
		}
		a.VisitorID = key(c.VisitorID.String())
		arrivals = append(arrivals, a)
	}
	for _, o := range n.Others[:min(len(n.Others), keptOthers)] {
		a, err := h.arrival(ctx, desk.Desk, n, o.Index, keptChat{Action: o.Action, Unsigned: unsigned, TookMS: took})
		if err != nil {
			return Receipt{}, err
		}
		a.NotAChat = true
		arrivals = append(arrivals, a)
	}
	if flaw.On(flaw.AckBeforeCommit) {
		go func() { _, _ = h.Store.Accept(context.WithoutCancel(ctx), arrivals); h.Ringer.Ring(LaneLookup) }()
		return Receipt{}, nil
	}
	fresh, err := h.Store.Accept(ctx, arrivals)
	if err != nil {
		return Receipt{}, err
	}
	if len(n.Chats) > 0 {
		h.Ringer.Ring(LaneLookup)
	}
	if !unsigned && desk.FirstSignedAt.IsZero() {
		h.noteFirstSigned(ctx, desk)
	}
	return Receipt{Fresh: fresh, Repeated: len(arrivals) - fresh, NotChats: len(n.Others)}, nil
}

func (h *Hub) arrival(ctx context.Context, d Desk, n livesupporti.Notification, index int, kept keptChat) (Arrival, error) {
	kept.Notification, kept.Attempt = n.ID, n.Attempt
	plain, err := json.Marshal(kept)
	if err != nil {
		return Arrival{}, err
	}
	a := Arrival{DeskID: d.ID, ChatID: NewID(), Ago: senderDelay(n.Attempt), ExternalID: key(n.ID)}
	if index > 0 {
		a.ExternalID = key(n.ID + "#" + strconv.Itoa(index))
	}
	if flaw.On(flaw.NoDedupe) && n.Attempt > 1 {
		a.ExternalID += "/" + strconv.Itoa(n.Attempt)
	}
	a.Body, err = h.seal(ctx, chatRef(d.TenantID, a.ChatID, "body"), plain)
	return a, err
}

// keptOthers bounds how many elements of one notification are kept as "not a chat"; a hostile body could
// hold tens of thousands.
const keptOthers = 10

// senderDelay estimates how long ago the chat started: LiveSupporti sends no time, but repeats after one
// minute and after four more (docs: the ASP.NET WebHooks sender's schedule).
func senderDelay(attempt int) time.Duration {
	switch {
	case attempt <= 1:
		return 0
	case attempt == 2:
		return time.Minute
	default:
		return 5 * time.Minute
	}
}

// key makes a stranger's text fit for an index: short texts stay as they are, others are hashed, and so is
// what looks like a key that we made.
func key(s string) string {
	ours := strings.HasPrefix(s, "sha256:") || strings.HasPrefix(s, replayPrefix)
	if s != "" && len(s) <= 200 && utf8.ValidString(s) && !strings.ContainsRune(s, 0) && !ours {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (h *Hub) noteFirstSigned(ctx context.Context, desk *cachedDesk) {
	_, err := h.Store.Tenant(desk.TenantID).UpdateDesk(ctx, func(d *Desk) error {
		if d.FirstSignedAt.IsZero() {
			d.FirstSignedAt = h.Now()
		}
		return nil
	})
	if err != nil {
		h.Log.WarnContext(ctx, "first signed notification not noted", "tenant", desk.TenantID, "error", err)
		return
	}
	h.desks.forget(desk.TokenHash)
}

// keptChat opens the body of a chat. Of one that was forgotten there is none.
func (h *Hub) keptChat(ctx context.Context, tenant, chat ID, sealed []byte) (keptChat, error) {
	var k keptChat
	plain, err := h.open(ctx, chatRef(tenant, chat, "body"), sealed)
	if err != nil || plain == nil {
		return k, err
	}
	return k, json.Unmarshal(plain, &k)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
