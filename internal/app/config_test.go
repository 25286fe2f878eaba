package app_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sidecard/internal/app"
	"sidecard/internal/vault"
)

// canary stands for a secret in values; it must not come back in any error.
const canary = "hunter2-canary"

// fromEnv reads a configuration from these settings and no others.
func fromEnv(t *testing.T, set map[string]string) (app.Config, error) {
	t.Helper()
	for _, s := range settings() {
		for _, name := range []string{s.name, s.name + "_FILE"} {
			t.Setenv(name, "") // so that it comes back after the test
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, value := range set {
		t.Setenv(name, value)
	}
	return app.FromEnv()
}

// newKey makes a master key that FromEnv takes.
func newKey(t *testing.T) string {
	t.Helper()
	key, err := vault.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// file makes a file with this text.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// isSentence fails for an error of several lines, of a foreign library's words, or with the canary in it.
func isSentence(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	for _, wrong := range []string{canary, "\n", "env:", "parse error", "strconv", "time.Duration", "slog.Level"} {
		if strings.Contains(text, wrong) {
			t.Errorf("%q holds %q", text, wrong)
		}
	}
}

func TestFromEnvWithoutSettingsGivesTheDefaults(t *testing.T) {
	want := app.Config{
		ListenAddr: ":8080", LiveSupporti: "https://livesupporti.com/api", ChatDeadline: 10 * time.Minute,
		HubSpotAPI: "https://api.hubapi.com", HubSpotApp: "https://app.hubspot.com",
		LookupDeadline: 3 * time.Second, MaxUploadMiB: 100, DrainDelay: 2 * time.Second, DatabaseConns: 12, LogLevel: slog.LevelInfo,
		TriesPerAddress: 100, SignUpsPerAddress: 20, CallsPerMinute: 6000, DefaultPlan: "unlimited",
	}
	for name, set := range map[string]map[string]string{
		"none":  {},
		"empty": {"LISTEN_ADDR": "", "CHAT_DEADLINE": "", "MASTER_KEY_FILE": "", "LOG_LEVEL": ""},
	} {
		got, err := fromEnv(t, set)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", name, got, err, want)
		}
	}
}

func TestFromEnvReadsEverySetting(t *testing.T) {
	key := newKey(t)
	set := map[string]string{
		"LISTEN_ADDR": "127.0.0.1:9000", "PUBLIC_URL": "https://sidecard.example.com/", "DATABASE_URL": "postgres://app@db/s",
		"DATABASE_OWNER_URL": "postgres://owner@db/s", "REDIS_URL": "redis://r:6379/1", "MASTER_KEY": key,
		"LIVESUPPORTI_API_URL": "http://127.0.0.1:8090/api/", "EGRESS_ALLOW_CIDRS": "10.0.0.0/8, fd00::/8", "EGRESS_DENY_CIDRS": "10.0.0.5/32",
		"TRUSTED_PROXIES": "10.1.0.0/16,10.2.0.1", "CHAT_DEADLINE": "5m30s", "LOOKUP_DEADLINE": "900ms", "MAX_UPLOAD_MIB": "7",
		"DRAIN_DELAY": "0s", "DATABASE_CONNECTIONS": "2", "LOG_LEVEL": "debug", "HUBSPOT_API_URL": "http://127.0.0.1:8091/",
		"HUBSPOT_APP_URL": "http://127.0.0.1:8091", "HUBSPOT_CLIENT_ID": "id", "HUBSPOT_CLIENT_SECRET": canary,
		"SMTP_URL": "smtps://sidecard:" + canary + "@smtp.example.com", "MAIL_FROM": "Sidecard <no-reply@example.com>",
		"TRIES_PER_ADDRESS": "10", "SIGN_UPS_PER_ADDRESS": "1", "API_CALLS_PER_MINUTE": "60", "DEFAULT_PLAN": "team",
	}
	for _, s := range settings() {
		if set[s.name] == "" {
			t.Errorf("this test sets no %s", s.name)
		}
	}
	got, err := fromEnv(t, set)
	want := app.Config{
		ListenAddr: "127.0.0.1:9000", PublicURL: "https://sidecard.example.com", DatabaseURL: "postgres://app@db/s",
		OwnerURL: "postgres://owner@db/s", RedisURL: "redis://r:6379/1", MasterKey: key,
		LiveSupporti: "http://127.0.0.1:8090/api", AllowCIDRs: "10.0.0.0/8, fd00::/8", DenyCIDRs: "10.0.0.5/32",
		TrustedProxies: []string{"10.1.0.0/16", "10.2.0.1"}, ChatDeadline: 5*time.Minute + 30*time.Second,
		HubSpotAPI: "http://127.0.0.1:8091", HubSpotApp: "http://127.0.0.1:8091", HubSpotClientID: "id", HubSpotClientSecret: canary,
		SMTPURL: "smtps://sidecard:" + canary + "@smtp.example.com", MailFrom: "Sidecard <no-reply@example.com>",
		TriesPerAddress: 10, SignUpsPerAddress: 1, CallsPerMinute: 60, DefaultPlan: "team",
		LookupDeadline: 900 * time.Millisecond, MaxUploadMiB: 7, DatabaseConns: 2, LogLevel: slog.LevelDebug,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestFromEnvSaysWhichSettingIsWrong(t *testing.T) {
	const (
		address  = " must be an address such as https://sidecard.example.com"
		duration = " must be a duration such as 90s or 10m"
		number   = " must be a whole number"
		chat     = "CHAT_DEADLINE must be between 10s and 24h"
		lookup   = "LOOKUP_DEADLINE must be between 100ms and 1m"
		upload   = "MAX_UPLOAD_MIB must be between 1 and 10240"
		conns    = "DATABASE_CONNECTIONS must be between 2 and 1000"
	)
	for _, c := range []struct{ name, value, want string }{
		{"PUBLIC_URL", "sidecard.example.com", "PUBLIC_URL" + address},
		{"PUBLIC_URL", "sidecard.example.com:8080", "PUBLIC_URL" + address},
		{"PUBLIC_URL", "ftp://sidecard.example.com", "PUBLIC_URL" + address},
		{"PUBLIC_URL", "https://", "PUBLIC_URL" + address},
		{"PUBLIC_URL", "https://:443", "PUBLIC_URL" + address},
		{"PUBLIC_URL", "https://sidecard.example.com?key=" + canary, "PUBLIC_URL" + address},
		{"PUBLIC_URL", "https://sidecard.example.com/#here", "PUBLIC_URL" + address},
		{"PUBLIC_URL", "https://user:" + canary + "@sidecard.example.com", "PUBLIC_URL" + address},
		{"PUBLIC_URL", "https://%zz" + canary, "PUBLIC_URL" + address},
		{"HUBSPOT_API_URL", "api.hubapi.com", "HUBSPOT_API_URL" + address},
		{"HUBSPOT_APP_URL", "https://app.hubspot.com?x=" + canary, "HUBSPOT_APP_URL" + address},
		{"HUBSPOT_CLIENT_ID", "id", "set both HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET, or neither"},
		{"HUBSPOT_CLIENT_SECRET", canary, "set both HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET, or neither"},
		{"SMTP_URL", "smtp://sidecard:" + canary + "@smtp.example.com?tls=off", "SMTP_URL: tls=off is for a mail server on this machine, such as 127.0.0.1; leave it out for smtp.example.com"},
		{"SMTP_URL", "https://sidecard:" + canary + "@smtp.example.com", "SMTP_URL: it must begin with smtp:// or smtps://"},
		{"SMTP_URL", "smtp://sidecard:" + canary + "@smtp.example.com", `MAIL_FROM: it must be an address such as "Sidecard <no-reply@example.com>"`},
		{"MAIL_FROM", "no-reply@example.com", "MAIL_FROM is set without SMTP_URL, the mail server to send by"},
		{"LIVESUPPORTI_API_URL", "/api", "LIVESUPPORTI_API_URL" + address},
		{"LIVESUPPORTI_API_URL", "https://desk:" + canary + "@example.com/api", "LIVESUPPORTI_API_URL" + address},
		{"EGRESS_ALLOW_CIDRS", "10.0.0.0/8;10.1.0.0/16", `EGRESS_ALLOW_CIDRS: "10.0.0.0/8;10.1.0.0/16" is not a network: write it like 10.20.0.0/16`},
		{"EGRESS_ALLOW_CIDRS", "10.0.0.1/8", `EGRESS_ALLOW_CIDRS: "10.0.0.1/8" starts inside its network: did you mean 10.0.0.0/8?`},
		{"EGRESS_DENY_CIDRS", "db", `EGRESS_DENY_CIDRS: "db" is not a network: write it like 10.20.0.0/16`},
		{"EGRESS_DENY_CIDRS", "database", `EGRESS_DENY_CIDRS: "database" is not a network: write it like 10.20.0.0/16`},
		{"TRUSTED_PROXIES", "10.0.0.0/8,proxy.internal", `TRUSTED_PROXIES: "proxy.internal" is neither an address nor a network`},
		{"CHAT_DEADLINE", canary, "CHAT_DEADLINE" + duration},
		{"CHAT_DEADLINE", "600", "CHAT_DEADLINE" + duration},
		{"CHAT_DEADLINE", "9s", chat},
		{"CHAT_DEADLINE", "25h", chat},
		{"CHAT_DEADLINE", "-10m", chat},
		{"LOOKUP_DEADLINE", "3", "LOOKUP_DEADLINE" + duration},
		{"LOOKUP_DEADLINE", "99ms", lookup},
		{"LOOKUP_DEADLINE", "61s", lookup},
		{"MAX_UPLOAD_MIB", "100MB" + canary, "MAX_UPLOAD_MIB" + number},
		{"MAX_UPLOAD_MIB", "0", upload},
		{"MAX_UPLOAD_MIB", "-1", upload},
		{"MAX_UPLOAD_MIB", "9007199254740993", upload},
		{"DRAIN_DELAY", "2", "DRAIN_DELAY" + duration},
		{"DRAIN_DELAY", "-1s", "DRAIN_DELAY must be between 0s and 1m"},
		{"DRAIN_DELAY", "2m", "DRAIN_DELAY must be between 0s and 1m"},
		{"DATABASE_CONNECTIONS", "1.5", "DATABASE_CONNECTIONS" + number},
		{"DATABASE_CONNECTIONS", "1", conns},
		{"DATABASE_CONNECTIONS", "1001", conns},
		{"DEFAULT_PLAN", "teem", `DEFAULT_PLAN: there is no plan "teem"; the plans are free, team, business, unlimited`},
		{"LOG_LEVEL", "VERBOSE" + canary, "LOG_LEVEL must be DEBUG, INFO, WARN or ERROR"},
	} {
		_, err := fromEnv(t, map[string]string{c.name: c.value})
		if err == nil {
			t.Errorf("%s=%s was taken", c.name, c.value)
			continue
		}
		isSentence(t, err)
		if err.Error() != c.want {
			t.Errorf("%s=%s: %q\nwant %q", c.name, c.value, err, c.want)
		}
	}
}

func TestFromEnvTakesTheLimits(t *testing.T) {
	for name, values := range map[string][]string{
		"PUBLIC_URL":           {"http://localhost:8080", "https://[::1]:8443", "https://example.com/sidecard"},
		"CHAT_DEADLINE":        {"10s", "24h"},
		"LOOKUP_DEADLINE":      {"100ms", "1m"},
		"MAX_UPLOAD_MIB":       {"1", "10240"},
		"DRAIN_DELAY":          {"0s", "1m"},
		"DATABASE_CONNECTIONS": {"2", "1000"},
		"TRUSTED_PROXIES":      {"10.0.0.1", "fd00::/8", " 10.0.0.0/8 , 10.1.0.1"},
		"LOG_LEVEL":            {"WARN", "error"},
	} {
		for _, value := range values {
			if _, err := fromEnv(t, map[string]string{name: value}); err != nil {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		}
	}
}

func TestFromEnvNamesAllSettingsOfAWrongKindAtOnce(t *testing.T) {
	_, err := fromEnv(t, map[string]string{"CHAT_DEADLINE": "soon", "MAX_UPLOAD_MIB": "much", "LOG_LEVEL": "loud"})
	const want = "CHAT_DEADLINE must be a duration such as 90s or 10m; MAX_UPLOAD_MIB must be a whole number; " +
		"LOG_LEVEL must be DEBUG, INFO, WARN or ERROR"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestSecretsMayComeFromFiles(t *testing.T) {
	key := newKey(t)
	for _, s := range settings() {
		text, set := key, map[string]string{}
		switch s.name {
		case "HUBSPOT_CLIENT_SECRET":
			set["HUBSPOT_CLIENT_ID"] = "id"
		case "SMTP_URL":
			text, set["MAIL_FROM"] = "smtp://smtp.example.com", "no-reply@example.com"
		}
		set[s.name+"_FILE"] = file(t, " "+text+"\r\n")
		got, err := fromEnv(t, set)
		if err != nil {
			t.Fatalf("%s_FILE: %v", s.name, err)
		}
		value := reflect.ValueOf(got).FieldByName(s.field)
		if isRead := value.Kind() == reflect.String && value.String() == text; isRead != s.isSecret {
			t.Errorf("%s_FILE was read: %t, want %t", s.name, isRead, s.isSecret)
		}
	}
}

func TestSecretsFromFilesSayWhatIsWrong(t *testing.T) {
	for _, s := range settings() {
		if !s.isSecret {
			continue
		}
		missing := filepath.Join(t.TempDir(), "missing")
		for _, c := range []struct {
			set  map[string]string
			want string
		}{
			{
				map[string]string{s.name: canary, s.name + "_FILE": file(t, canary)},
				s.name + " and " + s.name + "_FILE are both set; keep one",
			},
			{
				map[string]string{s.name + "_FILE": missing},
				s.name + "_FILE: open " + missing + ": no such file or directory",
			},
			{
				map[string]string{s.name + "_FILE": file(t, " \n")},
				s.name + "_FILE names an empty file",
			},
		} {
			_, err := fromEnv(t, c.set)
			if err == nil {
				t.Errorf("%v was taken", c.set)
				continue
			}
			isSentence(t, err)
			if err.Error() != c.want {
				t.Errorf("got %q\nwant %q", err, c.want)
			}
		}
	}
}

func TestRequireNamesEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	all := []string{"PUBLIC_URL", "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MASTER_KEY"}
	full := app.Config{
		PublicURL: "https://sidecard.example.com", DatabaseURL: canary, OwnerURL: canary, RedisURL: canary, MasterKey: canary,
	}
	if err := full.Require(all...); err != nil {
		t.Errorf("everything is there: %v", err)
	}
	if err := (app.Config{}).Require(); err != nil {
		t.Errorf("nothing is needed: %v", err)
	}
	for name, c := range map[string]struct {
		config app.Config
		want   string
	}{
		"all": {app.Config{}, "set PUBLIC_URL, DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL, MASTER_KEY (see docs/configuration.md)"},
		"one": {app.Config{PublicURL: "x", DatabaseURL: canary, OwnerURL: canary, RedisURL: canary}, "set MASTER_KEY (see docs/configuration.md)"},
		"two": {app.Config{PublicURL: "x", DatabaseURL: canary, MasterKey: canary}, "set DATABASE_OWNER_URL, REDIS_URL (see docs/configuration.md)"},
	} {
		if err := c.config.Require(all...); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
	}
}

func TestProgramsNameWhatTheyNeed(t *testing.T) {
	t.Parallel()
	const want = "set PUBLIC_URL, DATABASE_URL, REDIS_URL, MASTER_KEY (see docs/configuration.md)"
	if err := app.RunAPI(t.Context(), app.Config{}); err == nil || err.Error() != want {
		t.Errorf("api: got %v\nwant %s", err, want)
	}
	if err := app.RunWorker(t.Context(), app.Config{}); err == nil || err.Error() != want {
		t.Errorf("worker: got %v\nwant %s", err, want)
	}
}

func TestProgramsSayWhatIsWrongWithTheDatabase(t *testing.T) {
	config := app.Config{PublicURL: "https://sidecard.example.com", RedisURL: "redis://127.0.0.1:1", MasterKey: newKey(t)}
	for url, want := range map[string]string{
		canary: "DATABASE_URL is not a PostgreSQL URL",
		"postgres://app:" + canary + "@db:port/s":            "DATABASE_URL is not a PostgreSQL URL",
		"postgres://app:" + canary + "@db/s?sslmode=perhaps": "DATABASE_URL is not a PostgreSQL URL",
		"postgres://app:" + canary + "@127.0.0.1:1/s":        "connect to the database: ",
	} {
		config.DatabaseURL = url
		for program, run := range map[string]func(context.Context, app.Config) error{"api": app.RunAPI, "worker": app.RunWorker} {
			err := run(t.Context(), config)
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), canary) {
				t.Errorf("%s with %s: got %v\nwant %s", program, url, err, want)
			}
		}
	}
}

func TestProgramsRefuseAMasterKeyThatIsNone(t *testing.T) {
	config := app.Config{PublicURL: "https://sidecard.example.com", RedisURL: "redis://127.0.0.1:1", DatabaseURL: canary}
	const want = "MASTER_KEY is not a Sidecard key: make one with `sidecard keys new`"
	for _, key := range []string{canary, "c2lkZWNhcmQ=", strings.Repeat("A", 64)} {
		config.MasterKey = key
		for program, run := range map[string]func(context.Context, app.Config) error{"api": app.RunAPI, "worker": app.RunWorker} {
			if err := run(t.Context(), config); err == nil || err.Error() != want {
				t.Errorf("%s with the master key %q: got %v\nwant %s", program, key, err, want)
			}
		}
	}
}
