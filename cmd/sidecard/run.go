package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"sidecard/connectors/hubspot/hubspottest"
	"sidecard/internal/app"
	"sidecard/internal/embedded"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/mail"
	"sidecard/internal/tour"
)

// The demo tenant of the first start; it exists only in the embedded program's own folder.
var demoTenant = tour.Newcomer{
	Company: "Brightwater Bikes", Name: "Dana Okafor", Email: "dana@brightwater-bikes.example", Password: "trekker-in-the-rain",
	DeskEmail: "dana@brightwater-bikes.example", APIKey: "demo-api-key-of-brightwater-4f1c",
}

// run is everything in one process with a simulated LiveSupporti: what make run starts.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	dir := flags.String("data", "data", "folder for the database and its master key")
	portal := flags.String("listen", "127.0.0.1:8080", "address of portal and API")
	simulator := flags.String("simulator-listen", "127.0.0.1:8090", "address of the simulated LiveSupporti")
	crm := flags.String("hubspot-listen", "127.0.0.1:8091", "address of the emulated HubSpot; empty leaves it out, and HUBSPOT_API_URL counts")
	mails := flags.String("mailbox-listen", "127.0.0.1:8092", "address of the mailbox that takes all mails; empty leaves its page out")
	noDemo := flags.Bool("no-demo", false, "do not create the demo tenant at the first start")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p, err := start(ctx, *dir, addresses{*portal, *simulator, *crm, *mails})
	if err != nil {
		return err
	}
	defer p.close()
	fmt.Printf("Portal   %s\nConsole  %s\nAPI docs %s/docs\n", p.url, p.simulatorURL, p.url)
	if p.mailboxURL != "" {
		fmt.Printf("Mailbox  %s\n", p.mailboxURL)
	}
	if p.hubSpotURL != "" {
		fmt.Printf("HubSpot  emulated, to be connected in the portal (%s)\n", p.hubSpotURL)
	}
	if !*noDemo {
		if err := p.welcome(ctx, filepath.Join(*dir, "demo-tenant")); err != nil {
			return fmt.Errorf("set up the demo tenant: %w", err)
		}
		fmt.Printf("\nSign in as %s with the password %s,\nthen start a chat in the console as %s.\n",
			demoTenant.Email, demoTenant.Password, tour.SampleEmails[0])
	}
	fmt.Println("\nStop with Ctrl-C; the data stays in " + *dir + ".")
	return p.wait()
}

// program is the embedded Sidecard with its simulated LiveSupporti, running.
type program struct {
	url, simulatorURL string
	hubSpotURL        string // empty without one
	mailboxURL        string // empty when its page is left out
	mailbox           *mail.Mailbox
	app               *app.App
	simulator         *livesupportitest.Server
	group             *errgroup.Group
	stop              context.CancelFunc
}

// addresses say where the program listens; an empty hubSpot or mailbox leaves that page out.
type addresses struct{ portal, simulator, hubSpot, mailbox string }

// start brings everything up over a data folder; all addresses answer from then on.
func start(ctx context.Context, dir string, at addresses) (*program, error) {
	front, err := listen(ctx, "the portal", at.portal)
	if err != nil {
		return nil, err
	}
	back, err := listen(ctx, "the simulated LiveSupporti", at.simulator)
	if err != nil {
		return nil, errors.Join(err, front.Close())
	}
	p := &program{url: "http://" + front.Addr().String(), simulatorURL: "http://" + back.Addr().String()}
	var crm net.Listener
	if at.hubSpot != "" {
		if crm, err = listen(ctx, "the emulated HubSpot", at.hubSpot); err != nil {
			return nil, errors.Join(err, front.Close(), back.Close())
		}
		p.hubSpotURL = "http://" + crm.Addr().String()
	}
	var letters net.Listener
	if at.mailbox != "" {
		if letters, err = listen(ctx, "the mailbox", at.mailbox); err != nil {
			return nil, errors.Join(err, front.Close(), back.Close(), closeIf(crm))
		}
		p.mailboxURL = "http://" + letters.Addr().String()
	}
	if p.app, err = p.compose(ctx, dir); err != nil {
		return nil, err
	}
	handler, err := p.app.Handler()
	if err != nil {
		p.app.Close()
		return nil, err
	}
	p.simulator = livesupportitest.New(livesupportitest.Options{
		Accounts:     []livesupportitest.Account{{Email: demoTenant.DeskEmail, APIKey: demoTenant.APIKey}},
		SampleEmails: tour.SampleEmails, PortalURL: p.url,
	})
	if err := p.simulator.Remember(filepath.Join(dir, "livesupporti.json")); err != nil {
		p.app.Close()
		return nil, fmt.Errorf("simulated LiveSupporti: %w", err)
	}
	ctx, p.stop = context.WithCancel(ctx)
	p.group, ctx = errgroup.WithContext(ctx)
	p.group.Go(func() error { return app.Serve(ctx, front, handler) })
	p.group.Go(func() error { return p.simulator.Serve(ctx, back) })
	p.group.Go(func() error { return p.app.Work(ctx) })
	if letters != nil {
		p.group.Go(func() error { return app.Serve(ctx, letters, p.mailbox.Handler()) })
	}
	if crm != nil {
		hubSpot := hubspottest.New(hubspottest.Options{})
		hubSpot.Register(hubSpotClient.ID, hubSpotClient.Secret, "Sidecard", p.url+"/connect/callback")
		hubSpot.Seed(tour.SampleEmails[:len(tour.SampleEmails)-1]...) // the last is the stranger
		if err := hubSpot.Remember(filepath.Join(dir, "hubspot.json")); err != nil {
			p.close()
			return nil, err
		}
		p.group.Go(func() error { return hubSpot.Serve(ctx, crm) })
	}
	return p, nil
}

func closeIf(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// hubSpotClient is how the embedded program is registered at the emulated HubSpot.
var hubSpotClient = hub.OAuthClient{ID: "sidecard-at-the-emulator", Secret: "known-to-everybody"}

func listen(ctx context.Context, what, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", what, err)
	}
	return l, nil
}

// compose is production's composition over embedded backends, with a log that stays out of the
// newcomer's terminal.
func (p *program) compose(ctx context.Context, dir string) (*app.App, error) {
	c, err := app.FromEnv()
	if err != nil {
		return nil, err
	}
	if c.MasterKey, err = embedded.MasterKey(dir); err != nil {
		return nil, err
	}
	c.PublicURL, c.LiveSupporti = p.url, p.simulatorURL+"/api"
	if p.hubSpotURL != "" {
		c.HubSpotAPI, c.HubSpotApp = p.hubSpotURL, p.hubSpotURL
		c.HubSpotClientID, c.HubSpotClientSecret = hubSpotClient.ID, hubSpotClient.Secret
	}
	if c.AllowCIDRs == "" {
		c.AllowCIDRs = "127.0.0.0/8,::1/128"
	}
	file, err := os.OpenFile(filepath.Join(dir, "sidecard.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	log := app.Log(file, c.LogLevel)
	backends, err := embedded.Open(ctx, dir, log)
	if err != nil {
		return nil, err
	}
	p.mailbox = backends.Mailbox
	a, err := app.New(ctx, c, backends, log)
	if err != nil {
		backends.Close()
	}
	return a, err
}

// wait returns when the program was stopped or broke.
func (p *program) wait() error { return p.group.Wait() }

func (p *program) close() {
	p.stop()
	_ = p.group.Wait()
	p.app.Close()
}

// welcome creates the demo tenant once; the marker file remembers that it did.
func (p *program) welcome(ctx context.Context, marker string) error {
	if _, err := os.Stat(marker); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := tour.NewClient(p.url).Walk(ctx, demoTenant, p.inbox, p.register, func(string) {}); err != nil {
		return err
	}
	return os.WriteFile(marker, []byte(demoTenant.Email+"\n"), 0o600)
}

// inbox waits for a mail.
func (p *program) inbox(ctx context.Context, to, kind string) (string, error) {
	m, err := p.mailbox.Wait(ctx, to, kind)
	return m.Text, err
}

// register puts a WebHook into the simulated LiveSupporti.
func (p *program) register(ctx context.Context, callbackURL, secret string) error {
	_, err := p.simulator.RegisterWebHook(ctx, demoTenant.DeskEmail,
		livesupportitest.Registration{CallbackURL: callbackURL, Secret: secret})
	return err
}

// simulate is the simulated LiveSupporti alone, for a Sidecard that runs elsewhere.
func simulate(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	at := flags.String("listen", "127.0.0.1:8090", "address to listen on")
	email := flags.String("email", demoTenant.DeskEmail, "sign-in e-mail of the account it knows")
	key := flags.String("api-key", demoTenant.APIKey, "API key of that account")
	portal := flags.String("portal", "", "address of the portal, for the link back")
	speed := flags.Float64("speed", 1, "how many times faster it repeats notifications")
	if err := flags.Parse(args); err != nil {
		return err
	}
	l, err := listen(ctx, "the simulated LiveSupporti", *at)
	if err != nil {
		return err
	}
	s := livesupportitest.New(livesupportitest.Options{
		Accounts: []livesupportitest.Account{{Email: *email, APIKey: *key}}, Speed: *speed,
		SampleEmails: tour.SampleEmails, PortalURL: *portal,
	})
	fmt.Printf("Console  http://%s\nAPI      http://%s/api (LIVESUPPORTI_API_URL)\nAccount  %s with the API key %s\n", l.Addr(), l.Addr(), *email, *key)
	return s.Serve(ctx, l)
}
