package livesupporti

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What Parse returns, wrapped with a detail that is safe to show to anyone.
var (
	ErrNotJSON         = errors.New("the body is not one JSON object")
	ErrNoNotifications = errors.New("the body has no Notifications")
	ErrNoID            = errors.New("the body has no usable Id")
)

// maxEmail is the longest address that SMTP can carry (RFC 5321: 64 octets,
// the at sign, 255 octets).
const maxEmail = 320

// maxAction bounds an Action, which is for display only.
const maxAction = 100

// Notification is one firing of a WebHook as it was received.
type Notification struct {
	// ID identifies the firing. It stays the same on every attempt.
	ID string
	// Attempt says which try this is, from 1. A missing or senseless one is 1.
	Attempt int
	// Chats holds the elements of Notifications that announce a chat.
	Chats []Chat
	// Others holds all remaining elements.
	Others []Other
}

// Chat is an element of Notifications that announces a chat: its Data has an
// account id and a visitor with an id. LiveSupporti documents no value of
// Action for it, so the shape decides and the Action does not.
type Chat struct {
	// Index is the element's position in Notifications, from 0.
	Index int
	// Action is kept for display.
	Action string
	// AccountID, AgentID and VisitorID go back with the details exactly as
	// they came. AgentID may be zero; the others never are.
	AccountID, AgentID, VisitorID Scalar
	// Email is the visitor's address without surrounding white space. It is ""
	// when the visitor gave none, or one that cannot be an address because it
	// has control characters or more than 320 bytes.
	Email string
}

// Other is an element of Notifications that is not a chat. It is acknowledged
// and otherwise ignored.
type Other struct {
	Index  int
	Action string
}

// Parse reads the body of a notification whose signature has been checked.
//
// It is tolerant, because real senders vary: property names may be in any
// letter case, a documented string may be a number, unknown properties are
// ignored, Properties and a visitor's Email may be null or absent, and a byte
// order mark may come first. Of a repeated property the last one counts, as a
// whole. It is strict where tolerance would store rubbish: the body must be
// valid UTF-8 and one JSON object with nothing behind it, and an id must have
// 1 to MaxID bytes without control characters. An element whose ids are not
// usable is no chat; the same holds for a visitor id of "." or "..", which
// could not be put into the path of a URL.
func Parse(body []byte) (Notification, error) {
	body = bytes.Trim(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), jsonSpace)
	if !utf8.Valid(body) {
		return Notification{}, fmt.Errorf("%w: it is not UTF-8", ErrNotJSON)
	}
	if !json.Valid(body) {
		return Notification{}, fmt.Errorf("%w: %s", ErrNotJSON, whyNotJSON(body))
	}
	envelope, ok := pick(body, "Id", "Attempt", "Notifications")
	if !ok {
		return Notification{}, fmt.Errorf("%w: it holds another kind of value", ErrNotJSON)
	}
	notifications, ok := elements(envelope[2])
	if !ok {
		return Notification{}, fmt.Errorf("%w: the property is missing or is not an array", ErrNoNotifications)
	}
	if len(notifications) == 0 {
		return Notification{}, fmt.Errorf("%w: the array is empty", ErrNoNotifications)
	}
	id, ok := toScalar(envelope[0])
	if !ok || !usableID(id.String()) {
		return Notification{}, fmt.Errorf("%w: it must have 1 to %d bytes without control characters", ErrNoID, MaxID)
	}
	n := Notification{ID: id.String(), Attempt: readAttempt(envelope[1])}
	for i, element := range notifications {
		chat, action, isChat := readElement(element)
		if !isChat {
			n.Others = append(n.Others, Other{Index: i, Action: action})
			continue
		}
		chat.Index, chat.Action = i, action
		n.Chats = append(n.Chats, chat)
	}
	return n, nil
}

func readElement(raw []byte) (chat Chat, action string, isChat bool) {
	element, ok := pick(raw, "Action", "Data")
	if !ok {
		return Chat{}, "", false
	}
	action = readAction(element[0])
	data, ok := pick(element[1], "AccountId", "AgentId", "Visitor")
	if !ok {
		return Chat{}, action, false
	}
	visitor, ok := pick(data[2], "Id", "Email")
	if !ok {
		return Chat{}, action, false
	}
	account, okAccount := toScalar(data[0])
	visitorID, okVisitor := toScalar(visitor[0])
	if !okAccount || !okVisitor || !usableID(account.String()) || !addressable(visitorID.String()) {
		return Chat{}, action, false
	}
	agent, okAgent := toScalar(data[1])
	if !okAgent || len(agent.raw) > MaxID {
		agent = Scalar{}
	}
	return Chat{
		AccountID: account,
		AgentID:   agent,
		VisitorID: visitorID,
		Email:     readEmail(visitor[1]),
	}, action, true
}

func readEmail(raw []byte) string {
	email, ok := toScalar(raw)
	if !ok {
		return ""
	}
	text := strings.TrimSpace(email.String())
	if len(text) > maxEmail || strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return text
}

// readAction makes an Action fit for display: one line, at most maxAction
// characters.
func readAction(raw []byte) string {
	action, ok := toScalar(raw)
	if !ok {
		return ""
	}
	text := []rune(oneLine(action.String()))
	return string(text[:min(len(text), maxAction)])
}

// readAttempt accepts any spelling of a whole number from 1 to a million.
func readAttempt(raw []byte) int {
	const most = 1_000_000
	attempt, ok := toScalar(raw)
	if !ok {
		return 1
	}
	n, err := strconv.ParseFloat(attempt.String(), 64)
	if err != nil || !(n >= 1 && n <= most) || n != float64(int(n)) {
		return 1
	}
	return int(n)
}

func usableID(id string) bool {
	return id != "" && len(id) <= MaxID && !strings.ContainsFunc(id, unicode.IsControl)
}

// addressable says whether an id can be one segment of a URL's path. The two
// dot segments cannot, however they are escaped: servers resolve them.
func addressable(id string) bool {
	return usableID(id) && id != "." && id != ".."
}

// whyNotJSON words a JSON error without quoting the body.
func whyNotJSON(body []byte) string {
	if len(body) == 0 {
		return "it is empty"
	}
	var value json.RawMessage
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal(body, &value), &syntax) {
		return fmt.Sprintf("it cannot be read from byte %d on", syntax.Offset)
	}
	return "it cannot be read"
}

// oneLine replaces control characters, among them those that change the
// direction of text, joins runs of white space and trims both ends.
func oneLine(text string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(clean), " ")
}
