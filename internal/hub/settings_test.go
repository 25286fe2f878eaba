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
