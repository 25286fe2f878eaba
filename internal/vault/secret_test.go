package vault

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = "canary-7f3a"

type open struct {
	Key   Secret
	Other *Secret
	Many  []Secret
	Named map[string]Secret
	Any   any
}

type closed struct {
	key  Secret
	many []Secret
}

func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	s := NewSecret(canary)
	values := map[string]any{
		"value":      s,
		"pointer":    &s,
		"exported":   open{s, &s, []Secret{s}, map[string]Secret{"k": s}, s},
		"unexported": closed{s, []Secret{s}},
		"nested":     &struct{ in closed }{closed{s, []Secret{s}}},
		"slice":      []any{s, &s},
		"error":      errors.Join(fmt.Errorf("failed: %v", s)),
	}
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%U", "%e", "%10.3v", "%-20s", "% x", "%#q", "%b", "%o", "%T"}
	for name, v := range values {
		for _, verb := range verbs {
			expectHidden(t, name+" "+verb, fmt.Sprintf(verb, v))
		}
		expectHidden(t, name+" Sprint", fmt.Sprint(v))
		if j, err := json.Marshal(v); err == nil {
			expectHidden(t, name+" json", string(j))
		}
		for _, h := range handlers() {
			h.log.Info("message", "key", v, slog.Group("group", slog.Any("key", v)))
			expectHidden(t, name+" slog", h.out.String())
		}
	}
	if x, err := xml.Marshal(s); err != nil || string(x) != "<Secret>[secret]</Secret>" {
		t.Errorf("xml: %s, %v", x, err)
	}
}

// expectHidden looks for the canary as it is and in the two ways that verbs
// spell it.
func expectHidden(t *testing.T, name, out string) {
	t.Helper()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), canary[:6]} {
		if strings.Contains(strings.ReplaceAll(out, " ", ""), form) {
			t.Errorf("%s shows the secret", name)
		}
	}
}

type handler struct {
	log *slog.Logger
	out *bytes.Buffer
}

func handlers() []handler {
	text, js := &bytes.Buffer{}, &bytes.Buffer{}
	return []handler{
		{slog.New(slog.NewTextHandler(text, nil)), text},
		{slog.New(slog.NewJSONHandler(js, nil)), js},
	}
}

func TestSecretSaysThatItIsOne(t *testing.T) {
	t.Parallel()
	for _, s := range []Secret{NewSecret(canary), {}} {
		text, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		j, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{s.String(), s.GoString(), string(text), fmt.Sprintf("%v", s), fmt.Sprintf("%#v", s), s.LogValue().String()} {
			if got != "[secret]" {
				t.Errorf("got %q, want [secret]", got)
			}
		}
		if string(j) != `"[secret]"` {
			t.Errorf("json %s", j)
		}
	}
}

func TestSecretReveals(t *testing.T) {
	t.Parallel()
	if s := NewSecret(canary); s.Reveal() != canary || s.IsZero() {
		t.Error("the secret is not what was put in")
	}
	for _, s := range []Secret{{}, NewSecret("")} {
		if s.Reveal() != "" || !s.IsZero() {
			t.Error("the empty secret is not empty")
		}
	}
}
