package livesupporti_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sidecard/internal/livesupporti"
)

func TestParseReadsWhatTheASPNETSenderWrites(t *testing.T) {
	t.Parallel()
	got, err := livesupporti.Parse(vectorBody)
	if err != nil {
		t.Fatal(err)
	}
	want := livesupporti.Notification{
		ID:      "3f2a7b0c9d1e4f5a8b6c7d8e9f0a1b2c",
		Attempt: 1,
		Chats: []livesupporti.Chat{{
			Action:    "ChatStarted",
			AccountID: livesupporti.Text("b943010f-b565-4731-9f34-42c54319957f"),
			AgentID:   livesupporti.Text("150"),
			VisitorID: livesupporti.Text("169.26.97.99-1231178"),
			Email:     "jörgen.o'hara+vip@example.com",
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Parse = %+v\nwant    %+v", got, want)
	}
}

// envelope wraps elements of Notifications.
func envelope(elements string) string {
	return `{"Id":"f1","Attempt":1,"Notifications":[` + elements + `]}`
}

// visitor wraps the members of a visitor.
func visitor(members string) string {
	return envelope(`{"Data":{"AccountId":"a","AgentId":"1","Visitor":{` + members + `}}}`)
}

func TestParseIsTolerantWhereSendersVary(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		body string
		want string // id/attempt, then each chat as index:action:account,agent,visitor,email
	}{
		{
			"lower-case names", `{"id":"f1","attempt":2,"notifications":[{"action":"x","data":{"accountid":"a","agentid":"1","visitor":{"id":"v","email":"e@x"}}}]}`,
			`f1/2 0:x:"a","1","v",e@x`,
		},
		{
			"upper-case names", `{"ID":"f1","ATTEMPT":3,"NOTIFICATIONS":[{"ACTION":"x","DATA":{"ACCOUNTID":"a","AGENTID":"1","VISITOR":{"ID":"v","EMAIL":"e@x"}}}]}`,
			`f1/3 0:x:"a","1","v",e@x`,
		},
		{
			"numbers for strings", `{"Id":77,"Notifications":[{"Action":5,"Data":{"AccountId":12,"AgentId":150,"Visitor":{"Id":1.50,"Email":9}}}]}`,
			`77/1 0:5:12,150,1.50,9`,
		},
		{"attempt as a string", `{"Id":"f1","Attempt":"2","Notifications":[1]}`, `f1/2 other 0:`},
		{"attempt as a decimal", `{"Id":"f1","Attempt":3.0,"Notifications":[1]}`, `f1/3 other 0:`},
		{"attempt null", `{"Id":"f1","Attempt":null,"Notifications":[1]}`, `f1/1 other 0:`},
		{"attempt zero", `{"Id":"f1","Attempt":0,"Notifications":[1]}`, `f1/1 other 0:`},
		{"attempt half", `{"Id":"f1","Attempt":1.5,"Notifications":[1]}`, `f1/1 other 0:`},
		{"attempt huge", `{"Id":"f1","Attempt":1e999,"Notifications":[1]}`, `f1/1 other 0:`},
		{"attempt an object", `{"Id":"f1","Attempt":{},"Notifications":[1]}`, `f1/1 other 0:`},
		{"attempt not a number", `{"Id":"f1","Attempt":"NaN","Notifications":[1]}`, `f1/1 other 0:`},
		{"properties null", `{"Id":"f1","Properties":null,"Notifications":[1]}`, `f1/1 other 0:`},
		{"unknown properties", `{"Id":"f1","Extra":[{}],"Notifications":[{"More":1,"Data":{"AccountId":"a","X":{},"Visitor":{"Id":"v","Name":"N"}}}]}`, `f1/1 0::"a",null,"v",`},
		{"byte order mark", "\xef\xbb\xbf" + visitor(`"Id":"v"`), `f1/1 0::"a","1","v",`},
		{"e-mail absent", visitor(`"Id":"v"`), `f1/1 0::"a","1","v",`},
		{"e-mail null", visitor(`"Id":"v","Email":null`), `f1/1 0::"a","1","v",`},
		{"e-mail empty", visitor(`"Id":"v","Email":"  "`), `f1/1 0::"a","1","v",`},
		{"e-mail trimmed", visitor(`"Id":"v","Email":"\t e@x \n"`), `f1/1 0::"a","1","v",e@x`},
		{"e-mail with a NUL", visitor(`"Id":"v","Email":"e\u0000@x"`), `f1/1 0::"a","1","v",`},
		{"e-mail too long", visitor(`"Id":"v","Email":"` + strings.Repeat("e", 321) + `"`), `f1/1 0::"a","1","v",`},
		{"e-mail an object", visitor(`"Id":"v","Email":{}`), `f1/1 0::"a","1","v",`},
		{"agent an object", envelope(`{"Data":{"AccountId":"a","AgentId":[],"Visitor":{"Id":"v"}}}`), `f1/1 0::"a",null,"v",`},
		{"ids keep their escapes", visitor(`"Id":"\u0076\/1"`), `f1/1 0::"a","1","\u0076\/1",`},
		{
			"several notifications", envelope(`{"Action":"a","Data":{"AccountId":"a","Visitor":{"Id":"v1"}}},{"Action":"left","Data":{}},{"Action":"b","Data":{"AccountId":"a","Visitor":{"Id":"v2"}}}`),
			`f1/1 0:a:"a",null,"v1", 2:b:"a",null,"v2", other 1:left`,
		},
		{"names with escapes", `{"\u0049d":"f1","Noti\u0066ications" : [ {"D\u0061ta":{"AccountId":"a","Visitor":{"Id":"v"}}} ] }`, `f1/1 0::"a",null,"v",`},
		{"brackets and quotes in strings", visitor(`"Note":"}]\\\",{[","Id":"v","More":[{"x":"]}"},[]]`), `f1/1 0::"a","1","v",`},
		{"empty pieces", `{"Id":"f1","":{},"X":[],"Notifications":[{},[],"",{"Data":{}}]}`, `f1/1 other 0: other 1: other 2: other 3:`},
		{"repeated properties: the last one, as a whole", visitor(`"Id":"x"},"Visitor":{"Email":"old@x"},"Visitor":{"Id":"v"`), `f1/1 0::"a","1","v",`},
		{"action in one clean line", envelope(`{"Action":" a\u0000\u202eb\n c "}`), `f1/1 other 0:a b c`},
		{"action cut", envelope(`{"Action":"` + strings.Repeat("ü", 101) + `"}`), `f1/1 other 0:` + strings.Repeat("ü", 100)},
		{"white space around", " \r\n" + envelope(`1`) + "\r\n ", `f1/1 other 0:`},

		{"element without data", envelope(`{"Action":"x"}`), `f1/1 other 0:x`},
		{"element with null data", envelope(`{"Action":"x","Data":null}`), `f1/1 other 0:x`},
		{"element with data of another kind", envelope(`{"Action":"x","Data":[1]}`), `f1/1 other 0:x`},
		{"no account", envelope(`{"Data":{"Visitor":{"Id":"v"}}}`), `f1/1 other 0:`},
		{"empty account", envelope(`{"Data":{"AccountId":"","Visitor":{"Id":"v"}}}`), `f1/1 other 0:`},
		{"account an object", envelope(`{"Data":{"AccountId":{},"Visitor":{"Id":"v"}}}`), `f1/1 other 0:`},
		{"no visitor", envelope(`{"Data":{"AccountId":"a"}}`), `f1/1 other 0:`},
		{"visitor null", envelope(`{"Data":{"AccountId":"a","Visitor":null}}`), `f1/1 other 0:`},
		{"visitor a string", envelope(`{"Data":{"AccountId":"a","Visitor":"v"}}`), `f1/1 other 0:`},
		{"visitor without id", visitor(`"Email":"e@x"`), `f1/1 other 0:`},
		{"visitor id with a NUL", visitor(`"Id":"v\u0000"`), `f1/1 other 0:`},
		{"visitor id too long", visitor(`"Id":"` + strings.Repeat("v", 257) + `"`), `f1/1 other 0:`},
		{"visitor id that is a dot segment", visitor(`"Id":"\u002e."`), `f1/1 other 0:`},
		{"elements of every kind", envelope(`null,true,"s",1,[]`), `f1/1 other 0: other 1: other 2: other 3: other 4:`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, err := livesupporti.Parse([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(n); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func summary(n livesupporti.Notification) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s/%d", n.ID, n.Attempt)
	for _, chat := range n.Chats {
		fmt.Fprintf(&out, " %d:%s:%s,%s,%s,%s", chat.Index, chat.Action,
			raw(chat.AccountID), raw(chat.AgentID), raw(chat.VisitorID), chat.Email)
	}
	for _, other := range n.Others {
		fmt.Fprintf(&out, " other %d:%s", other.Index, other.Action)
	}
	return out.String()
}

func raw(s livesupporti.Scalar) string {
	text, _ := s.MarshalJSON()
	return string(text)
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		body string
		want error
	}{
		{"nothing", "", livesupporti.ErrNotJSON},
		{"white space", " \r\n", livesupporti.ErrNotJSON},
		{"a byte order mark alone", "\xef\xbb\xbf", livesupporti.ErrNotJSON},
		{"two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf{}", livesupporti.ErrNotJSON},
		{"a form", "payload=canary", livesupporti.ErrNotJSON},
		{"an array", `[{"Id":"canary"}]`, livesupporti.ErrNotJSON},
		{"a string", `"canary"`, livesupporti.ErrNotJSON},
		{"cut off", `{"Id":"canary","Notifications":[`, livesupporti.ErrNotJSON},
		{"something behind it", envelope(`{"Action":"canary"}`) + "x", livesupporti.ErrNotJSON},
		{"a space that is none in JSON behind it", envelope("1") + "\u00a0", livesupporti.ErrNotJSON},
		{"a second object behind it", envelope("1") + envelope("1"), livesupporti.ErrNotJSON},
		{"not UTF-8", `{"Id":"canary` + "\xff" + `","Notifications":[1]}`, livesupporti.ErrNotJSON},
		{"UTF-16", "{\x00\"\x00I\x00d\x00", livesupporti.ErrNotJSON},
		{"nested without end", strings.Repeat("[", 60_000), livesupporti.ErrNotJSON},
		{"nested very deeply", `{"X":` + strings.Repeat(`{"a":`, 12_000) + "1" + strings.Repeat("}", 12_000) + "}", livesupporti.ErrNotJSON},
		{"null", "null", livesupporti.ErrNotJSON},
		{"a number", "5", livesupporti.ErrNotJSON},
		{"no notifications", `{"Id":"canary"}`, livesupporti.ErrNoNotifications},
		{"notifications null", `{"Id":"canary","Notifications":null}`, livesupporti.ErrNoNotifications},
		{"notifications an object", `{"Id":"canary","Notifications":{"0":{}}}`, livesupporti.ErrNoNotifications},
		{"notifications empty", `{"Id":"canary","Notifications":[]}`, livesupporti.ErrNoNotifications},
		{"no id", `{"Notifications":["canary"]}`, livesupporti.ErrNoID},
		{"id null", `{"Id":null,"Notifications":["canary"]}`, livesupporti.ErrNoID},
		{"id empty", `{"Id":"","Notifications":["canary"]}`, livesupporti.ErrNoID},
		{"id an object", `{"Id":{"canary":1},"Notifications":[1]}`, livesupporti.ErrNoID},
		{"id with a NUL", `{"Id":"canary\u0000","Notifications":[1]}`, livesupporti.ErrNoID},
		{"id too long", `{"Id":"` + strings.Repeat("canary", 43) + `","Notifications":[1]}`, livesupporti.ErrNoID},
		{"id a huge number", `{"Id":` + strings.Repeat("9", 257) + `,"Notifications":[1]}`, livesupporti.ErrNoID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := livesupporti.Parse([]byte(tt.body))
			if !errors.Is(err, tt.want) {
				t.Fatalf("Parse = %v, want %v", err, tt.want)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the body: %v", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(vectorBody)
	f.Add([]byte(`{"id":77,"notifications":[{"data":{"accountid":12,"agentid":null,"visitor":{"id":1e5}}},7]}`))
	f.Add([]byte("\xef\xbb\xbf" + visitor(`"Id":"\u0076","Email":null`)))
	f.Add([]byte(`{"Id":"f","Id":{},"Notifications":[[[[[]]]]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := livesupporti.Parse(body)
		if err != nil {
			if len(n.Chats)+len(n.Others) > 0 || len(err.Error()) > 120 {
				t.Errorf("Parse(%q) = %+v, %v", body, n, err)
			}
			return
		}
		var reference struct{ Notifications []json.RawMessage }
		if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &reference); err != nil || len(reference.Notifications) != len(n.Chats)+len(n.Others) {
			t.Errorf("Parse(%q) = %+v, encoding/json reads %d (%v)", body, n, len(reference.Notifications), err)
		}
		if n.ID == "" || n.Attempt < 1 || len(n.Chats)+len(n.Others) == 0 {
			t.Errorf("Parse(%q) = %+v", body, n)
		}
		for _, chat := range n.Chats {
			if !utf8.ValidString(chat.Email) || strings.ContainsFunc(chat.Email, unicode.IsControl) {
				t.Errorf("e-mail %q", chat.Email)
			}
			details, err := livesupporti.Details(chat.AccountID, chat.AgentID, chat.VisitorID, nil)
			if err != nil {
				t.Fatalf("details for %+v: %v", chat, err)
			}
			back, err := livesupporti.ParseDetails(details)
			if err != nil || back.AccountID != chat.AccountID || back.AgentID != chat.AgentID || back.VisitorID != chat.VisitorID {
				t.Errorf("%+v went back as %s (%v)", chat, details, err)
			}
		}
	})
}

func BenchmarkVerifyAndParse(b *testing.B) {
	header := []string{vectorSignature}
	b.ReportAllocs()
	b.SetBytes(int64(len(vectorBody)))
	for b.Loop() {
		if err := livesupporti.Verify(header, vectorBody, vectorSecret); err != nil {
			b.Fatal(err)
		}
		if _, err := livesupporti.Parse(vectorBody); err != nil {
			b.Fatal(err)
		}
	}
}
