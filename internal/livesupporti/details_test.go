package livesupporti_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sidecard/internal/livesupporti"
)

func scalar(t *testing.T, text string) livesupporti.Scalar {
	t.Helper()
	var s livesupporti.Scalar
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDetailsRendersTheDocumentedBody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                    string
		account, agent, visitor string
		fields                  []livesupporti.Field
		want                    string
	}{
		{
			"the documented example", `"b943010f-b565-4731-9f34-42c54319957f"`, `"150"`, `"169.26.97.99-1231178"`,
			[]livesupporti.Field{{Name: "Name", Value: "Jason"}, {Name: "Age", Value: "25"}},
			`{"AccountId":"b943010f-b565-4731-9f34-42c54319957f","AgentId":"150","VisitorId":"169.26.97.99-1231178","Fields":[{"name":"Name","value":"Jason"},{"name":"Age","value":"25"}]}`,
		},
		{
			"ids as they came", `12`, `150.0`, `"\u0076"`, nil,
			`{"AccountId":12,"AgentId":150.0,"VisitorId":"\u0076","Fields":[]}`,
		},
		{
			"no agent", `"a"`, `null`, `"v"`, nil,
			`{"AccountId":"a","AgentId":null,"VisitorId":"v","Fields":[]}`,
		},
		{
			"text as it is", `"a<b"`, `"1"`, `"v"`,
			[]livesupporti.Field{{Name: "R&D", Value: "<b>\"Ünï\"</b>\n"}, {Name: "Empty", Value: ""}},
			`{"AccountId":"a<b","AgentId":"1","VisitorId":"v","Fields":[{"name":"R&D","value":"<b>\"Ünï\"</b>\n"},{"name":"Empty","value":""}]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := livesupporti.Details(scalar(t, tt.account), scalar(t, tt.agent), scalar(t, tt.visitor), tt.fields)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Fatalf("got  %s\nwant %s", got, tt.want)
			}
			back, err := livesupporti.ParseDetails(got)
			if err != nil {
				t.Fatal(err)
			}
			want := livesupporti.Posted{
				AccountID: scalar(t, tt.account), AgentID: scalar(t, tt.agent), VisitorID: scalar(t, tt.visitor),
				Fields: append([]livesupporti.Field{}, tt.fields...),
			}
			if !reflect.DeepEqual(back, want) {
				t.Errorf("read back %+v, want %+v", back, want)
			}
		})
	}
}

func TestDetailsRefusesWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	id := livesupporti.Text("x")
	tests := map[string]func() ([]byte, error){
		"no account": func() ([]byte, error) { return livesupporti.Details(livesupporti.Scalar{}, id, id, nil) },
		"no visitor": func() ([]byte, error) { return livesupporti.Details(id, id, livesupporti.Scalar{}, nil) },
		"no name": func() ([]byte, error) {
			return livesupporti.Details(id, id, id, []livesupporti.Field{{Value: "v"}})
		},
	}
	for name, render := range tests {
		if body, err := render(); err == nil {
			t.Errorf("%s: got %s", name, body)
		}
	}
}

func TestParseDetailsHoldsToTheDocumentedForm(t *testing.T) {
	t.Parallel()
	const ids = `"AccountId":"a","AgentId":"1","VisitorId":"v"`
	tests := []struct{ name, body, want string }{
		{"not JSON", `canary`, "the body is not a JSON object"},
		{"an array", `[]`, "the body is not a JSON object"},
		{"null", `null`, "the body is not a JSON object"},
		{"something behind it", `{` + ids + `,"Fields":[]}canary`, "the body is not a JSON object"},
		{"other spelling", `{"accountId":"a","AgentId":"1","VisitorId":"v","Fields":[]}`, "the body has a property that is not documented"},
		{"extra property", `{` + ids + `,"Fields":[],"canary":1}`, "the body has a property that is not documented"},
		{"no account", `{"AgentId":"1","VisitorId":"v","Fields":[]}`, "AccountId is missing"},
		{"account an object", `{"AccountId":{},"VisitorId":"v","Fields":[]}`, "AccountId must be a string or a number"},
		{"visitor null", `{"AccountId":"a","VisitorId":null,"Fields":[]}`, "VisitorId is missing"},
		{"agent a bool", `{"AccountId":"a","AgentId":true,"VisitorId":"v","Fields":[]}`, "AgentId must be a string or a number"},
		{"no fields", `{` + ids + `}`, "a Fields array is needed"},
		{"fields null", `{` + ids + `,"Fields":null}`, "a Fields array is needed"},
		{"fields an object", `{` + ids + `,"Fields":{"Name":"canary"}}`, "a Fields array is needed"},
		{"field a string", `{` + ids + `,"Fields":["canary"]}`, "Fields[0] is not a JSON object"},
		{"field with another name", `{` + ids + `,"Fields":[{"Name":"canary","value":""}]}`, "Fields[0] has a property that is not documented"},
		{"value a number", `{` + ids + `,"Fields":[{"name":"a","value":"b"},{"name":"Age","value":25}]}`, "Fields[1].value must be a string"},
		{"value missing", `{` + ids + `,"Fields":[{"name":"canary"}]}`, "Fields[0].value must be a string"},
		{"name empty", `{` + ids + `,"Fields":[{"name":"","value":"canary"}]}`, "Fields[0].name is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := livesupporti.ParseDetails([]byte(tt.body))
			if err == nil || err.Error() != tt.want {
				t.Errorf("ParseDetails = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestScalarKeepsItsText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		json, text string
		isText     bool
	}{
		{`"150"`, "150", true},
		{`150`, "150", false},
		{`-1.50e3`, "-1.50e3", false},
		{`"a\u00e9\/\n"`, "aé/\n", true},
		{`""`, "", true},
	}
	for _, tt := range tests {
		s := scalar(t, tt.json)
		if s.String() != tt.text || s.IsText() != tt.isText || s.IsZero() {
			t.Errorf("%s: String %q, IsText %v, IsZero %v", tt.json, s, s.IsText(), s.IsZero())
		}
		if raw(s) != tt.json {
			t.Errorf("%s is written as %s", tt.json, raw(s))
		}
	}
	if null := scalar(t, `null`); !null.IsZero() || null.String() != "" || raw(null) != "null" {
		t.Errorf("null is %q", raw(null))
	}
	for _, text := range []string{`true`, `{}`, `[1]`} {
		var s livesupporti.Scalar
		if err := json.Unmarshal([]byte(text), &s); err == nil || strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %v", text, err)
		}
	}
	if livesupporti.Text("150") != scalar(t, `"150"`) || livesupporti.Text("150") == scalar(t, `150`) {
		t.Error("a string and a number with the same digits must differ")
	}
}
