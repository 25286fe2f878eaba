package mail_test

import (
	"strings"
	"testing"

	"sidecard/internal/mail"
)

func TestAServerIsReadFromItsURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]mail.Server{
		"smtp://u:p%40ss@smtp.example.com":  {Host: "smtp.example.com", Port: 587, User: "u", Password: "p@ss"},
		"smtp://smtp.example.com:2525":      {Host: "smtp.example.com", Port: 2525},
		"smtps://u:p@smtp.example.com/":     {Host: "smtp.example.com", Port: 465, User: "u", Password: "p", Security: mail.TLS},
		"smtp://127.0.0.1:1025?tls=off":     {Host: "127.0.0.1", Port: 1025, Security: mail.None},
		"smtp://[::1]:1025?tls=off":         {Host: "::1", Port: 1025, Security: mail.None},
		"smtp://u:p@localhost:1025?tls=off": {Host: "localhost", Port: 1025, User: "u", Password: "p", Security: mail.None},
	} {
		if got, err := mail.ParseServer(text); err != nil || got != want {
			t.Errorf("ParseServer(%s) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestAServerThatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		"":                                    "must look like",
		"smtp.example.com:587":                "must look like",
		"smtp://u:hunter2%zz@x":               "must look like",
		"smtp://u:hunter2@x/path":             "must look like",
		"http://u:hunter2@smtp.example.com":   "must begin with",
		"smtp://hunter2@smtp.example.com":     "both a user and a password",
		"smtp://u:hunter2@x:0":                "port",
		"smtp://u:hunter2@x:65536":            "port",
		"smtp://u:hunter2@x?tls=off":          "on this machine",
		"smtp://u:hunter2@10.0.0.1?tls=off":   "on this machine",
		"smtps://u:hunter2@[::1]?tls=off":     "with smtp://",
		"smtp://u:hunter2@x?tls=maybe":        "tls=off",
		"smtp://u:hunter2@x?insecure=1":       "tls=off",
		"smtp://u:hunter2@127.0.0.1?tls=off&": "tls=off",
	} {
		_, err := mail.ParseServer(text)
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("ParseServer(%s) = %v, want that it says %q", text, err, reason)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %q holds the password", err)
		}
	}
}
