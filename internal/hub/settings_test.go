package hub

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"sidecard/connectors"
)

var toySpec = connectors.Spec{Kind: "toy", Settings: json.RawMessage(`{
	"type": "object", "additionalProperties": false, "required": ["host", "password"],
	"properties": {
		"host": {"type": "string", "minLength": 1, "pattern": "^[a-z.]+$"},
		"port": {"type": "integer", "minimum": 1024},
		"password": {"type": "string", "x-secret": true},
		"tls": {"oneOf": [{"const": "on"}, {"const": "off"}]}
	}}`)}

func TestWrongSettingsAreNamedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		settings string
		want     []string // pointers
	}{
		{"good", `{"host":"db","password":"p"}`, nil},
		{"nothing", `{}`, []string{"/settings/host", "/settings/password"}},
		{"unknown", `{"host":"db","password":"p","dsn":"canary"}`, []string{"/settings/dsn"}},
		{"pattern", `{"host":"CANARY/x","password":"p"}`, []string{"/settings/host"}},
		{"type", `{"host":"db","password":"p","port":"canary"}`, []string{"/settings/port"}},
		{"range", `{"host":"db","password":"p","port":22}`, []string{"/settings/port"}},
		{"choice", `{"host":"db","password":"p","tls":"canary"}`, []string{"/settings/tls"}},
		{"several", `{"host":"","password":1}`, []string{"/settings/host", "/settings/password"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s connectors.Settings
			if err := json.Unmarshal([]byte(tt.settings), &s); err != nil {
				t.Fatal(err)
			}
			err := checkSettings(toySpec, s)
			var refusal *Error
			if errors.As(err, &refusal) != (tt.want != nil) {
				t.Fatalf("err = %v, want fields %v", err, tt.want)
			}
			if refusal == nil {
				return
			}
			var got []string
			for _, f := range refusal.Fields {
				if !slices.Contains(got, f.Pointer) {
					got = append(got, f.Pointer)
				}
				if strings.Contains(strings.ToLower(f.Detail), "canary") || f.Detail == "" {
					t.Errorf("detail %q is empty or holds the value", f.Detail)
				}
			}
			if slices.Sort(got); !slices.Equal(got, tt.want) {
				t.Errorf("pointers = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSecretSettingsAreSplitOff(t *testing.T) {
	t.Parallel()
	schema, err := readSchema(toySpec)
	if err != nil {
		t.Fatal(err)
	}
	open, secret := schema.split(connectors.Settings{"host": json.RawMessage(`"db"`), "password": json.RawMessage(`"p"`)})
	if len(open) != 1 || open["host"] == nil || len(secret) != 1 || secret["password"] == nil {
		t.Errorf("open %v, secret %v", names(open), names(secret))
	}
}

var choosySpec = connectors.Spec{Kind: "choosy", Settings: json.RawMessage(`{
	"type": "object", "additionalProperties": false,
	"properties": {
		"host": {"type": "string", "pattern": "^[a-z.]+$", "x-binds-secrets": true, "x-fix": "Enter the name alone, as in db.example.com."},
		"auth": {"type": "string", "default": "key"},
		"key": {"type": "string", "x-secret": true, "x-when": {"auth": ["key"]}},
		"password": {"type": "string", "x-secret": true, "x-when": {"auth": ["basic", "digest"]}},
		"second": {"type": "string", "default": "none", "x-when": {"auth": ["basic"]}},
		"code": {"type": "string", "x-secret": true, "x-when": {"second": ["code"]}}
	}}`)}

func settings(t *testing.T, text string) (s connectors.Settings) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func choosy(t *testing.T) settingsSchema {
	t.Helper()
	schema, err := readSchema(choosySpec)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestAPatternSaysWhatToTypeInstead(t *testing.T) {
	t.Parallel()
	var refusal *Error
	if err := checkSettings(choosySpec, settings(t, `{"host":"https://db"}`)); !errors.As(err, &refusal) || len(refusal.Fields) != 1 ||
		refusal.Fields[0].Detail != "Enter the name alone, as in db.example.com." {
		t.Errorf("refused with %+v", refusal)
	}
}

func TestSecretsWithoutUseAreForgotten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ settings, left string }{
		{`{"key":"k","password":"p"}`, "key"}, // auth is key unless it says otherwise
		{`{"auth":"digest","key":"k","password":"p"}`, "password"},
		{`{"auth":"none","key":"k","password":"p"}`, ""},
		{`{"auth":"basic","second":"code","code":"c"}`, "code"},
		{`{"auth":"digest","second":"code","code":"c"}`, ""}, // what it depends on is itself of no use
	} {
		s := settings(t, tt.settings)
		schema := choosy(t)
		schema.forgetUseless(s)
		_, secret := schema.split(s)
		if left := strings.Join(names(secret), " "); left != tt.left {
			t.Errorf("%s: left %q", tt.settings, left)
		}
	}
}

func TestStoredSecretsNeverGoToAnotherPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ open, secret, change, asked string }{
		{`{"host":"a"}`, `{"key":"k"}`, `{"host":"a","auth":"key"}`, ""},
		{`{"host":"a"}`, `{"key":"k"}`, `{"host":"b"}`, "/settings/key"},
		{`{"host":"a"}`, `{"key":"k"}`, `{}`, "/settings/key"}, // the host's default may be anybody
		{`{"host":"a"}`, `{"key":"k"}`, `{"host":"b","key":"k2"}`, ""},
		{`{"host":"a"}`, `{"key":"k"}`, `{"host":"b","auth":"none"}`, ""}, // it is not sent any more
		{`{"host":"a"}`, `{}`, `{"host":"b"}`, ""},
	} {
		err := choosy(t).askAgain(settings(t, tt.open), settings(t, tt.secret), settings(t, tt.change))
		var refusal *Error
		asked := ""
		if errors.As(err, &refusal) {
			asked = refusal.Fields[0].Pointer
		}
		if asked != tt.asked {
			t.Errorf("%s with %s changed to %s: asked for %q, want %q", tt.open, tt.secret, tt.change, asked, tt.asked)
		}
	}
}
