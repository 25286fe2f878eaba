// Package app is configuration and composition: what cmd/api, cmd/worker and the embedded program share.
package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"sidecard/internal/egress"
)

// Config is everything an operator can set. The same struct documents itself: docs/configuration.md is
// generated from the comment tags. A name with _FILE reads the value from a file, for mounted secrets.
type Config struct {
	ListenAddr   string `env:"LISTEN_ADDR" envDefault:":8080" comment:"Address to listen on. The worker serves only /livez and /readyz there."`
	PublicURL    string `env:"PUBLIC_URL" comment:"Address at which browsers and LiveSupporti reach the API, such as https://sidecard.example.com. Callback URLs begin with it."`
	DatabaseURL  string `env:"DATABASE_URL" comment:"PostgreSQL URL of the application's login. It may not own the tables; sidecard migrate sets it up. Or DATABASE_URL_FILE." secret:"true"`
	OwnerURL     string `env:"DATABASE_OWNER_URL" comment:"PostgreSQL URL of the owner, for sidecard migrate only. Or DATABASE_OWNER_URL_FILE." secret:"true"`
	RedisURL     string `env:"REDIS_URL" comment:"Redis URL. Nothing is lost when Redis is. Or REDIS_URL_FILE." secret:"true"`
	MasterKey    string `env:"MASTER_KEY" comment:"Seals all secrets at rest. Make one with sidecard keys new, and keep a copy away from the database. Or MASTER_KEY_FILE." secret:"true"`
	LiveSupporti string `env:"LIVESUPPORTI_API_URL" envDefault:"https://livesupporti.com/api" comment:"Where details are posted."`

	AllowCIDRs     string   `env:"EGRESS_ALLOW_CIDRS" comment:"Private networks that connections may reach, comma separated. Default: none."`
	TrustedProxies []string `env:"TRUSTED_PROXIES" comment:"Addresses or networks of the proxies in front, whose X-Forwarded-For is believed, comma separated. Default: none."`

	ChatDeadline   time.Duration `env:"CHAT_DEADLINE" envDefault:"10m" comment:"A chat older than this is not delivered any more."`
	LookupDeadline time.Duration `env:"LOOKUP_DEADLINE" envDefault:"3s" comment:"All sources of one chat together get this long."`
	MaxUploadMiB   int64         `env:"MAX_UPLOAD_MIB" envDefault:"100" comment:"Largest file that can be uploaded."`
	DatabaseConns  int           `env:"DATABASE_CONNECTIONS" envDefault:"12" comment:"Connections of one process to PostgreSQL, beside the 8 of its queue."`
	LogLevel       slog.Level    `env:"LOG_LEVEL" envDefault:"INFO" comment:"DEBUG, INFO, WARN or ERROR."`
}

// fileVariants are the settings that a mounted file may hold instead.
var fileVariants = []string{"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MASTER_KEY"}

// FromEnv reads the configuration from the environment. It checks values, not whether they are there:
// each program asks for what it needs with Require.
func FromEnv() (Config, error) {
	environ := env.ToMap(os.Environ())
	for _, name := range fileVariants {
		path := environ[name+"_FILE"]
		if path == "" {
			continue
		}
		if environ[name] != "" {
			return Config{}, fmt.Errorf("%s and %s_FILE are both set; keep one", name, name)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fmt.Errorf("%s_FILE: %w", name, err)
		}
		environ[name] = strings.TrimSpace(string(text))
	}
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: environ}); err != nil {
		return Config{}, configError(err)
	}
	return c, c.check()
}

// configError names the variable without its value, which may be secret.
func configError(err error) error {
	var aggregate env.AggregateError
	if !errors.As(err, &aggregate) {
		return err
	}
	var wrong []string
	for _, e := range aggregate.Errors {
		if p := (env.ParseError{}); errors.As(e, &p) {
			wrong = append(wrong, p.Name+" must be a "+p.Type.String())
			continue
		}
		wrong = append(wrong, e.Error())
	}
	return errors.New(strings.Join(wrong, "; "))
}

func (c *Config) check() error {
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	c.LiveSupporti = strings.TrimSuffix(c.LiveSupporti, "/")
	for _, u := range []struct{ name, value string }{{"PUBLIC_URL", c.PublicURL}, {"LIVESUPPORTI_API_URL", c.LiveSupporti}} {
		if u.value == "" {
			continue
		}
		parsed, err := url.Parse(u.value)
		if err != nil || parsed.Host == "" || !slices.Contains([]string{"http", "https"}, parsed.Scheme) || parsed.RawQuery != "" {
			return fmt.Errorf("%s must be an address such as https://sidecard.example.com", u.name)
		}
	}
	if _, err := c.allowed(); err != nil {
		return fmt.Errorf("EGRESS_ALLOW_CIDRS: %w", err)
	}
	if c.ChatDeadline < 10*time.Second || c.ChatDeadline > 24*time.Hour {
		return errors.New("CHAT_DEADLINE must be between 10s and 24h")
	}
	if c.LookupDeadline < 100*time.Millisecond || c.LookupDeadline > time.Minute {
		return errors.New("LOOKUP_DEADLINE must be between 100ms and 1m")
	}
	if c.MaxUploadMiB < 1 || c.DatabaseConns < 2 {
		return errors.New("MAX_UPLOAD_MIB must be at least 1 and DATABASE_CONNECTIONS at least 2")
	}
	return nil
}

func (c *Config) allowed() ([]netip.Prefix, error) { return egress.ParseCIDRs(c.AllowCIDRs) }

// Require says which of the named settings are missing, in one sentence.
func (c Config) Require(names ...string) error {
	values := map[string]string{"PUBLIC_URL": c.PublicURL, "DATABASE_URL": c.DatabaseURL, "DATABASE_OWNER_URL": c.OwnerURL,
		"REDIS_URL": c.RedisURL, "MASTER_KEY": c.MasterKey}
	var missing []string
	for _, n := range names {
		if values[n] == "" {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("set %s (see docs/configuration.md)", strings.Join(missing, ", "))
}
