package livesupporti

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// What Verify accepts is told here a second time, in other words: one header, and behind "sha256=" the HMAC of exactly
// this body under one of the secrets that are not empty.
func FuzzVerify(f *testing.F) {
	body, secret := []byte(`{"Id":"1"}`), []byte("a secret of the desk")
	f.Add(Sign(body, secret), "", body, secret, []byte("the one before"), uint16(0))
	f.Add(strings.ToLower(Sign(body, secret)), Sign(body, secret), body, []byte{}, secret, uint16(3))
	f.Add("SHA256="+Sign(body, nil)[7:], "", body, []byte{}, []byte{}, uint16(70))
	f.Add("sha256=", "sha256=", []byte{}, []byte{0}, []byte{}, uint16(999))
	f.Fuzz(func(t *testing.T, first, second string, body, secret, before []byte, at uint16) {
		header := []string{first}
		if second != "" {
			header = append(header, second)
		}
		want := false
		for _, s := range [][]byte{secret, before} {
			mac := hmac.New(sha256.New, s)
			mac.Write(body)
			sum := mac.Sum(nil)
			digits, prefixed := strings.CutPrefix(strings.ToLower(first), "sha256=")
			given, err := hex.DecodeString(digits)
			want = want || len(header) == 1 && len(s) > 0 && prefixed && err == nil && bytes.Equal(given, sum)
		}
		if err := Verify(header, body, secret, before); (err == nil) != want {
			t.Errorf("Verify(%q, %q, %q, %q) = %v, want accepted: %v", header, body, secret, before, err, want)
		}
		if len(secret) == 0 {
			return
		}
		right := Sign(body, secret)
		if err := Verify([]string{right}, body, before, secret); err != nil {
			t.Errorf("the right signature is refused: %v", err)
		}
		forged := []byte(right)
		forged[int(at)%len(forged)] ^= 1 << (at % 5) // every bit but the one that tells letter cases apart
		if err := Verify([]string{string(forged)}, body, secret, secret); err == nil {
			t.Errorf("%s is accepted for %s", forged, right)
		}
		if err := Verify([]string{right}, append(bytes.Clone(body), ' '), secret); err == nil {
			t.Error("a body that grew is accepted")
		}
	})
}

// What a sender writes is what is read, however it spells the names; and what is read keeps its bounds.
func FuzzNotification(f *testing.F) {
	f.Add("firing", "Chat started", "150", "agent", "visitor", "dana@example.com", 1, uint16(0), []byte(`{"x":[1]}`))
	f.Add("\u017f\u212a", "\u202eevil", "", "", "..", " a@b\n", 1_000_000, uint16(0xffff), []byte(`null`))
	f.Add(strings.Repeat("x", MaxID+1), "", "a\x00", "\ufffd", "<&>", strings.Repeat("e", maxEmail), -1, uint16(0xaaaa), []byte(`{"Id":{}}`))
	f.Add("f", "a\r\nb", "150", "", "..", "", 1_000_001, uint16(1), []byte(`{}`))
	f.Add("f", "", "150", "", ".", "", 0, uint16(1), []byte(`7`))
	f.Add("f", strings.Repeat("long ", 50), "12", strings.Repeat("g", MaxID), "\u00fc\"\\", "\u0085", 2, uint16(9), []byte(`[`))
	f.Fuzz(func(t *testing.T, id, action, account, agent, visitor, email string, attempt int, bits uint16, more []byte) {
		if !json.Valid(more) || !utf8.Valid(more) {
			more = []byte("null")
		}
		name := func(s string) string { return `"` + spelled(s, bits) + `":` }
		text := func(s *string) string {
			*s = strings.ToValidUTF8(*s, "\ufffd")
			return Text(*s).raw
		}
		body := `{"other":` + string(more) + `,` + name("Id") + text(&id) + `, ` + name("Attempt") + strconv.Itoa(attempt) + `,` +
			name("Notifications") + `[{` + name("Action") + text(&action) + `,` + name("Data") + `{` + name("AccountId") + text(&account) +
			`,` + name("AgentId") + text(&agent) + `,"other":` + string(more) + `,` + name("Visitor") + `{` + name("Email") + text(&email) +
			` ,` + name("Id") + text(&visitor) + `}}}` + "\t,[" + string(more) + `]]}`

		n, err := Parse([]byte(body))
		fits := func(s string) bool {
			return s != "" && len(s) <= MaxID && !strings.ContainsFunc(s, unicode.IsControl)
		}
		isChat := fits(account) && fits(visitor) && visitor != "." && visitor != ".."
		switch {
		case (err == nil) != fits(id):
			t.Fatalf("Parse(%s) = %v", body, err)
		case err != nil:
			return
		case n.ID != id || len(n.Chats)+len(n.Others) != 2 || (len(n.Chats) == 1) != isChat:
			t.Fatalf("%s is read as %+v", body, n)
		case n.Attempt != attempt && attempt >= 1 && attempt <= 1_000_000, n.Attempt != 1 && (attempt < 1 || attempt > 1_000_000):
			t.Errorf("attempt %d is read as %d", attempt, n.Attempt)
		case !isChat:
			return
		}
		chat := n.Chats[0]
		if chat.AccountID.String() != account || chat.VisitorID.String() != visitor {
			t.Errorf("account %q and visitor %q are read as %+v", account, visitor, chat)
		}
		if chat.AgentID.String() != agent && len(chat.AgentID.raw)+len(Text(agent).raw) <= MaxID {
			t.Errorf("agent %q is read as %q", agent, chat.AgentID)
		}
		email = strings.TrimSpace(email)
		if usable := len(email) <= maxEmail && !strings.ContainsFunc(email, unicode.IsControl); usable && chat.Email != email || !usable && chat.Email != "" {
			t.Errorf("address %q is read as %q", email, chat.Email)
		}
		if utf8.RuneCountInString(chat.Action) > maxAction || len(chat.Action) > len(action) || !isOneLine(chat.Action) {
			t.Errorf("action %q is read as %q", action, chat.Action)
		}
	})
}

// spelled writes a name with the letters in the other case for which a bit is set.
func spelled(name string, bits uint16) string {
	letters := []byte(name)
	for i := range letters {
		if bits>>(i%16)&1 == 1 {
			letters[i] ^= 'a' - 'A'
		}
	}
	return string(letters)
}

func isOneLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
}

// Details are what was given, in valid JSON with no other property; and whatever ParseDetails takes, Details writes again.
func FuzzDetails(f *testing.F) {
	f.Add(`"150"`, `null`, `1e5`, "Plan", "Gold <b>&amp;</b>", []byte(`{"AccountId":1,"VisitorId":"v","Fields":[{"name":"a","value":"b"}]}`))
	f.Add(`"\u00fc\ud800"`, ``, `-0.0`, "\xff", "\u2028\x00", []byte(`{"accountid":1,"VisitorId":2,"Fields":[]}`))
	f.Add(`1`, `2`, `3`, "", "", []byte(`{"AccountId":1,"VisitorId":2,"Fields":[{"name":"a","value":5}]}`))
	f.Add(`1`, `2`, `3`, "", "", []byte(`{"AccountId":1,"VisitorId":2,"Fields":[],"Note":1}`))
	f.Add(`{}`, `true`, `" "`, "", "", []byte(`{"AccountId":1,"VisitorId":2,"Fields":[{"name":"","value":null}]}`))
	f.Fuzz(func(t *testing.T, account, agent, visitor, name, value string, posted []byte) {
		if again, err := ParseDetails(posted); err == nil {
			body, err := Details(again.AccountID, again.AgentID, again.VisitorID, again.Fields)
			if err != nil {
				t.Fatalf("%s was taken and cannot be written: %v", posted, err)
			}
			if back, err := ParseDetails(body); err != nil || !reflect.DeepEqual(back, again) {
				t.Errorf("%s means %+v, and is written as %s (%v)", posted, again, body, err)
			}
			var documented struct {
				AccountID, AgentID, VisitorID any
				Fields                        []struct{ Name, Value string }
			}
			strict := json.NewDecoder(bytes.NewReader(posted))
			strict.DisallowUnknownFields()
			if err := strict.Decode(&documented); err != nil || documented.AccountID == nil || documented.VisitorID == nil || documented.Fields == nil {
				t.Errorf("%s was taken (%v)", posted, err)
			}
		} else if len(err.Error()) > 100 {
			t.Errorf("the error may quote the body: %v", err)
		}

		ids := make([]Scalar, 3)
		for i, raw := range []string{account, agent, visitor} {
			if err := ids[i].UnmarshalJSON([]byte(raw)); err == nil && !ids[i].IsZero() && !json.Valid([]byte(raw)) {
				t.Fatalf("%q was taken for a value", raw)
			}
		}
		body, err := Details(ids[0], ids[1], ids[2], []Field{{Name: name, Value: value}})
		if wrong := ids[0].IsZero() || ids[2].IsZero() || name == ""; (err != nil) != wrong {
			t.Fatalf("Details(%v, %q) = %v", ids, name, err)
		}
		if err != nil {
			return
		}
		back, err := ParseDetails(body)
		if err != nil || !utf8.Valid(body) {
			t.Fatalf("%q cannot be read: %v", body, err)
		}
		want := Posted{ids[0], ids[1], ids[2], []Field{{Name: asUTF8(name), Value: asUTF8(value)}}}
		if !reflect.DeepEqual(back, want) {
			t.Errorf("%+v went out as %s", want, body)
		}
		if most := len(account) + len(agent) + len(visitor) + 6*(len(name)+len(value)) + 100; len(body) > most {
			t.Errorf("%d bytes, want at most %d", len(body), most)
		}
	})
}

// asUTF8 replaces each wrong byte, as encoding/json does.
func asUTF8(s string) string { return string([]rune(s)) }

// An excerpt is short, plain and without credentials, wherever in an answer those stand and however they are escaped.
func FuzzExcerpt(f *testing.F) {
	cred := Credentials{Email: "owner+desk@brightwater.example", APIKey: "k3y/with+odd&<signs>=="}
	f.Add([]byte("Unauthorized: \x01\x02\x03\x04"), true)
	f.Add([]byte("<p>\x05\x06\x07\x08\x0e\x0f</p>\xff\xfe\u202e\r\n"), true)
	f.Add(append(bytes.Repeat([]byte("a long answer "), 40), 1, 2, 3), false)
	f.Add([]byte("\x01\x01\x01"), false)
	f.Fuzz(func(t *testing.T, body []byte, complete bool) {
		spellings := cred.spellings()
		var woven []byte
		for _, b := range body { // a control character stands for a spelling, some of them in upper case
			if i := int(b) - 1; i >= 0 && i < 2*len(spellings) && b != '\t' && b != '\n' {
				secret := spellings[i%len(spellings)]
				if i >= len(spellings) {
					secret = strings.ToUpper(secret)
				}
				woven = append(woven, secret...)
				continue
			}
			woven = append(woven, b)
		}
		if !complete { // cut anywhere
			woven = woven[:len(woven)-min(len(woven), len(body)%40)]
		}
		got := excerpt(woven, complete, cred)
		if len(got) > maxExcerpt || !isOneLine(got) {
			t.Errorf("excerpt %q", got)
		}
		for _, secret := range spellings {
			// What is left when its end was cut off counts, too.
			for _, part := range []string{secret, secret[:max(len(secret)-4, 8)]} {
				if strings.Contains(lowerASCII(got), lowerASCII(part)) && !strings.Contains(lowerASCII(string(body)), lowerASCII(part)) {
					t.Errorf("%q is in the excerpt %q", part, got)
				}
			}
		}
	})
}

// The wait is the one that the header asks for, told here by arithmetic without bounds.
func FuzzParseRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 22, 14, 5, 31, 0, time.UTC)
	f.Add("120", int64(10))
	f.Add(" 3600\t", int64(3601))
	f.Add("3601", int64(-1))
	f.Add("99999999999999999999", int64(1<<62))
	f.Add("+5", int64(0))
	f.Add("1.5", int64(-1<<63))
	f.Add("\u0663", int64(3599))
	f.Fuzz(func(t *testing.T, header string, ahead int64) {
		want := time.Duration(0)
		if seconds, ok := new(big.Int).SetString(strings.TrimSpace(header), 10); ok && !strings.ContainsAny(header, "+-_") {
			want = time.Hour
			if seconds.Cmp(big.NewInt(3600)) < 0 {
				want = time.Duration(seconds.Int64()) * time.Second
			}
		} else if at, err := http.ParseTime(strings.TrimSpace(header)); err == nil {
			want = min(max(at.Sub(now), 0), time.Hour)
		}
		if got := ParseRetryAfter(header, now); got != want {
			t.Errorf("ParseRetryAfter(%q) = %v, want %v", header, got, want)
		}
		ahead %= 5_000_000_000 // 158 years, well within a time.Duration
		date := now.Add(time.Duration(ahead) * time.Second)
		if got, want := ParseRetryAfter(date.Format(http.TimeFormat), now), time.Duration(min(max(ahead, 0), 3600))*time.Second; got != want {
			t.Errorf("%s is %v ahead, want %v", date, got, want)
		}
	})
}
