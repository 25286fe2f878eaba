// Package app is configuration and composition: what cmd/api, cmd/worker and the embedded program share.
package app

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"sidecard/internal/egress"
	"sidecard/internal/hub"
	"sidecard/internal/mail"
)

// Config is everything an operator can set. The same struct documents itself: docs/configuration.md is
// generated from the comment tags. A name with _FILE reads the value from a file, for mounted secrets.
type Config struct {
	ListenAddr   string `env:"LISTEN_ADDR" envDefault:":8080" comment:"Address to listen on. The worker serves only /livez and /readyz there."`
	PublicURL    string `env:"PUBLIC_URL" comment:"Address at which browsers and LiveSupporti reach the API, such as https://sidecard.example.com. Callback URLs begin with it."`
	DatabaseURL  string `env:"DATABASE_URL" comment:"PostgreSQL URL of the application's login. It may not own the tables; sidecard migrate sets it up. Or DATABASE_URL_FILE." secret:"true"`
	OwnerURL     string `env:"DATABASE_OWNER_URL" comment:"PostgreSQL URL of the owner, for sidecard migrate only. Or DATABASE_OWNER_URL_FILE." secret:"true"`
	RedisURL     string `env:"REDIS_URL" comment:"Redis URL. Nothing is lost when Redis is. Or REDIS_URL_FILE." secret:"true"`
	MasterKey    string `env:"MASTER_KEY" comment:"Seals all secrets at rest. Make one with sidecard keys new, and keep a copy away from the database. Of several keys, separated by commas or white space, the first seals and all open: see docs/keys.md. Or MASTER_KEY_FILE." secret:"true"`
	SMTPURL      string `env:"SMTP_URL" comment:"Mail server: smtp://user:password@smtp.example.com:587 (STARTTLS is required), smtps://user:password@smtp.example.com:465, or smtp://127.0.0.1:1025?tls=off on this machine. Without it mails wait, for a day. Or SMTP_URL_FILE." secret:"true"`
	MailFrom     string `env:"MAIL_FROM" comment:"Sender of all mails, such as Sidecard <no-reply@example.com>. Needed with SMTP_URL."`
	LiveSupporti string `env:"LIVESUPPORTI_API_URL" envDefault:"https://livesupporti.com/api" comment:"Where details are posted."`

	AllowCIDRs     string   `env:"EGRESS_ALLOW_CIDRS" comment:"Private networks that connections may reach, comma separated. Default: none."`
	DenyCIDRs      string   `env:"EGRESS_DENY_CIDRS" comment:"Networks that connections may never reach, comma separated; wins over the allowed ones. Sidecard's own database, Redis and mail server are never reached in any case."`
	TrustedProxies []string `env:"TRUSTED_PROXIES" comment:"Addresses or networks of the proxies in front, whose X-Forwarded-For is believed, comma separated. Default: none."`

	HubSpotAPI          string `env:"HUBSPOT_API_URL" envDefault:"https://api.hubapi.com" comment:"HubSpot's API."`
	HubSpotApp          string `env:"HUBSPOT_APP_URL" envDefault:"https://app.hubspot.com" comment:"HubSpot's pages, where tenants consent."`
	HubSpotClientID     string `env:"HUBSPOT_CLIENT_ID" comment:"Client id of your app at HubSpot, with PUBLIC_URL/connect/callback as its redirect URL. Without it tenants connect HubSpot with a service key only."`
	HubSpotClientSecret string `env:"HUBSPOT_CLIENT_SECRET" comment:"Client secret of that app. Or HUBSPOT_CLIENT_SECRET_FILE." secret:"true"`

	ChatDeadline      time.Duration `env:"CHAT_DEADLINE" envDefault:"10m" comment:"A chat older than this is not delivered any more."`
	LookupDeadline    time.Duration `env:"LOOKUP_DEADLINE" envDefault:"3s" comment:"All sources of one chat together get this long."`
	TriesPerAddress   int           `env:"TRIES_PER_ADDRESS" envDefault:"100" comment:"Attempts to sign in, to reset a password and the like from one network (IPv4 /24, IPv6 /64) in ten minutes."`
	SignUpsPerAddress int           `env:"SIGN_UPS_PER_ADDRESS" envDefault:"20" comment:"Sign-ups from one network in an hour."`
	CallsPerMinute    int           `env:"API_CALLS_PER_MINUTE" envDefault:"6000" comment:"Calls of the API by one tenant in a minute."`
	DefaultPlan       string        `env:"DEFAULT_PLAN" envDefault:"unlimited" comment:"Plan of new tenants: free, team, business or unlimited. sidecard plan sets a tenant's own."`

	MaxUploadMiB  int64         `env:"MAX_UPLOAD_MIB" envDefault:"100" comment:"Largest file that can be uploaded."`
	DrainDelay    time.Duration `env:"DRAIN_DELAY" envDefault:"2s" comment:"After a stop signal the API still serves for so long, while /readyz says that it leaves, so that whoever spreads the load stops sending here first."`
	DatabaseConns int           `env:"DATABASE_CONNECTIONS" envDefault:"12" comment:"Connections of one process to PostgreSQL, beside the 8 of its queue."`
	LogLevel      slog.Level    `env:"LOG_LEVEL" envDefault:"INFO" comment:"DEBUG, INFO, WARN or ERROR."`
}

// fileVariants are the settings that a mounted file may hold instead.
var fileVariants = []string{"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MASTER_KEY", "SMTP_URL", "HUBSPOT_CLIENT_SECRET"}

// FromEnv reads the configuration from the environment. It checks values, not whether they are there:
// each program asks for what it needs with Require. No error holds a secret's value.
func FromEnv() (Config, error) {
	environ := env.ToMap(os.Environ())
	for _, name := range fileVariants {
		if err := readFile(environ, name); err != nil {
			return Config{}, err
		}
	}
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: environ}); err != nil {
		return Config{}, wrongKinds(err)
	}
	return c, c.check()
}

// readFile takes a setting from the file that NAME_FILE names.
func readFile(environ map[string]string, name string) error {
	path := environ[name+"_FILE"]
	if path == "" {
		return nil
	}
	if environ[name] != "" {
		return fmt.Errorf("%s and %s_FILE are both set; keep one", name, name)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s_FILE: %w", name, err)
	}
	if environ[name] = strings.TrimSpace(string(text)); environ[name] == "" {
		return fmt.Errorf("%s_FILE names an empty file", name)
	}
	return nil
}

// kindsOfSetting say in words what a field's type takes.
var kindsOfSetting = map[reflect.Type]string{
	reflect.TypeFor[time.Duration](): "a duration such as 90s or 10m",
	reflect.TypeFor[slog.Level]():    "DEBUG, INFO, WARN or ERROR",
	reflect.TypeFor[int]():           "a whole number",
	reflect.TypeFor[int64]():         "a whole number",
}

// wrongKinds names the settings whose text does not fit their type, without that text.
func wrongKinds(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	var wrong []string
	for _, e := range all.Errors {
		var p env.ParseError
		field, ok := reflect.StructField{}, errors.As(e, &p)
		if ok {
			field, ok = reflect.TypeFor[Config]().FieldByName(p.Name)
		}
		if !ok {
			return err
		}
		wrong = append(wrong, field.Tag.Get("env")+" must be "+kindsOfSetting[field.Type])
	}
	return errors.New(strings.Join(wrong, "; "))
}

func (c *Config) check() error {
	for _, u := range []struct {
		name  string
		value *string
	}{{"PUBLIC_URL", &c.PublicURL}, {"LIVESUPPORTI_API_URL", &c.LiveSupporti}, {"HUBSPOT_API_URL", &c.HubSpotAPI}, {"HUBSPOT_APP_URL", &c.HubSpotApp}} {
		*u.value = strings.TrimSuffix(*u.value, "/")
		if *u.value != "" && !isAddress(*u.value) {
			return fmt.Errorf("%s must be an address such as https://sidecard.example.com", u.name)
		}
	}
	if _, err := c.door(); err != nil {
		return err
	}
	if (c.HubSpotClientID == "") != (c.HubSpotClientSecret == "") {
		return errors.New("set both HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET, or neither")
	}
	if _, err := c.mailer(); err != nil {
		return err
	}
	if _, err := hub.ParsePlan(c.DefaultPlan); err != nil {
		return fmt.Errorf("DEFAULT_PLAN: %w", err)
	}
	for i, p := range c.TrustedProxies {
		c.TrustedProxies[i] = strings.TrimSpace(p)
		_, notNetwork := netip.ParsePrefix(c.TrustedProxies[i])
		if _, notAddress := netip.ParseAddr(c.TrustedProxies[i]); notNetwork != nil && notAddress != nil {
			return fmt.Errorf("TRUSTED_PROXIES: %q is neither an address nor a network", c.TrustedProxies[i])
		}
	}
	return cmp.Or(
		between("CHAT_DEADLINE", c.ChatDeadline, 10*time.Second, 24*time.Hour, "10s and 24h"),
		between("LOOKUP_DEADLINE", c.LookupDeadline, 100*time.Millisecond, time.Minute, "100ms and 1m"),
		between("DRAIN_DELAY", c.DrainDelay, 0, time.Minute, "0s and 1m"),
		between("MAX_UPLOAD_MIB", c.MaxUploadMiB, 1, 10240, "1 and 10240"),
		between("TRIES_PER_ADDRESS", c.TriesPerAddress, 10, 1_000_000, "10 and 1000000"),
		between("SIGN_UPS_PER_ADDRESS", c.SignUpsPerAddress, 1, 1_000_000, "1 and 1000000"),
		between("API_CALLS_PER_MINUTE", c.CallsPerMinute, 60, 1_000_000, "60 and 1000000"),
		between("DATABASE_CONNECTIONS", c.DatabaseConns, 2, 1000, "2 and 1000"),
	)
}

// isAddress reports whether s is a plain http address, without credentials, query or fragment.
func isAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Hostname() != "" && (u.Scheme == "http" || u.Scheme == "https") &&
		u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
}

func between[T cmp.Ordered](name string, value, low, high T, words string) error {
	if value < low || value > high {
		return fmt.Errorf("%s must be between %s", name, words)
	}
	return nil
}

// door is where connections may go.
func (c *Config) door() (o egress.Options, err error) {
	if o.AllowCIDRs, err = egress.ParseCIDRs(c.AllowCIDRs); err != nil {
		return o, fmt.Errorf("EGRESS_ALLOW_CIDRS: %w", err)
	}
	if o.DenyCIDRs, err = egress.ParseCIDRs(c.DenyCIDRs); err != nil {
		return o, fmt.Errorf("EGRESS_DENY_CIDRS: %w", err)
	}
	o.Own = ownServers(c.DatabaseURL, c.OwnerURL, c.RedisURL, c.SMTPURL)
	return o, nil
}

// ownServers lists the servers of URLs as host:port. What cannot be read is left to who connects.
func ownServers(urls ...string) (servers []string) {
	ports := map[string]string{"postgres": "5432", "postgresql": "5432", "redis": "6379", "rediss": "6379", "smtp": "587", "smtps": "465"}
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil && u.Hostname() != "" {
			servers = append(servers, net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme])))
		}
	}
	return servers
}

// mailer sends mails by the mail server; without one it sends none.
func (c *Config) mailer() (hub.Mailer, error) {
	if c.SMTPURL == "" {
		if c.MailFrom != "" {
			return nil, errors.New("MAIL_FROM is set without SMTP_URL, the mail server to send by")
		}
		return mail.Waiting{}, nil
	}
	server, err := mail.ParseServer(c.SMTPURL)
	if err != nil {
		return nil, fmt.Errorf("SMTP_URL: %w", err)
	}
	m, err := mail.NewSMTP(server, c.MailFrom)
	if err != nil {
		return nil, fmt.Errorf("MAIL_FROM: %w", err)
	}
	return m, nil
}

// oauthClients are the operator's registrations at vendors, by kind of connector.
func (c *Config) oauthClients() map[string]hub.OAuthClient {
	clients := map[string]hub.OAuthClient{}
	if c.HubSpotClientID != "" {
		clients["hubspot"] = hub.OAuthClient{ID: c.HubSpotClientID, Secret: c.HubSpotClientSecret}
	}
	return clients
}

// Require says which of the named settings are missing, in one sentence.
func (c Config) Require(names ...string) error {
	values := map[string]string{
		"PUBLIC_URL": c.PublicURL, "DATABASE_URL": c.DatabaseURL, "DATABASE_OWNER_URL": c.OwnerURL,
		"REDIS_URL": c.RedisURL, "MASTER_KEY": c.MasterKey,
	}
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
