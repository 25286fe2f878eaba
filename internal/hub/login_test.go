package hub_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/internal/auth"
	"sidecard/internal/hub"
	"sidecard/internal/mail"
	"sidecard/internal/meter"
	"sidecard/internal/store/storetest"
	"sidecard/internal/vault"
)

// office is several hubs over one database, each as in a process of its own, and a vendor.
type office struct {
	*testing.T
	hubs   []*hub.Hub
	store  hub.Store
	vendor *vendor
	mails  *mail.Mailbox
	dana   hub.Actor
	ahead  atomic.Int64
	// stopped is where the clock stands still, in Unix seconds; 0: it goes.
	stopped atomic.Int64
	log     bytes.Buffer
	logs    sync.Mutex
}

func (o *office) Write(line []byte) (int, error) {
	o.logs.Lock()
	defer o.logs.Unlock()
	return o.log.Write(line)
}

func (o *office) now() time.Time {
	if at := o.stopped.Load(); at != 0 {
		return time.Unix(at, 0)
	}
	return time.Now().Add(time.Duration(o.ahead.Load()))
}

func (o *office) pass(d time.Duration) { o.ahead.Add(int64(d)) }

// open builds an office with one tenant.
func open(t *testing.T, db storetest.Database) *office {
	t.Helper()
	o := &office{T: t, store: db.Store, mails: mail.NewMailbox()}
	o.vendor = newVendor(t, o.now)
	master, err := vault.NewKey()
	must(t, err)
	seal, err := vault.New(master)
	must(t, err)
	key, err := auth.NewSigningKey()
	must(t, err)
	signing, err := auth.NewTokens("https://sidecard.example.com", "https://sidecard.example.com", o.now, key)
	must(t, err)
	registry, err := connectors.NewRegistry(people{o.vendor.url})
	must(t, err)
	for range 3 {
		h := hub.New(hub.Config{
			Store: db.Store, Connectors: registry, Vault: seal, Passwords: auth.NewPasswords(2), Tokens: signing,
			Meter: meter.New(nil), Mailer: o.mails,
			Way: hub.Way{HTTP: func(int64) *http.Client {
				return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			}},
			OAuth:     map[string]hub.OAuthClient{"people": {ID: clientID, Secret: clientSecret}},
			PublicURL: "https://sidecard.example.com", Now: o.now, Log: slog.New(slog.NewJSONHandler(o, nil)),
		})
		t.Cleanup(h.Close)
		o.hubs = append(o.hubs, h)
	}
	couriers, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	go func() { _ = o.hubs[0].Courier(couriers) }()
	o.dana = o.signUp("dana@brightwater-bikes.example")
	t.Cleanup(func() {
		o.logs.Lock()
		defer o.logs.Unlock()
		if strings.Contains(o.log.String(), "canary") {
			t.Errorf("a secret is in the log: %s", o.log.String())
		}
	})
	return o
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) signUp(email string) hub.Actor {
	o.Helper()
	must(o.T, o.hubs[0].SignUp(o.Context(), hub.SignUp{Company: "Brightwater", Name: "D", Email: email, Password: "trekker-in-the-rain"}))
	m, err := o.mails.Wait(o.Context(), email, hub.MailConfirmSignUp)
	must(o.T, err)
	_, token, _ := strings.Cut(m.Text, "token=")
	in, err := o.hubs[0].ConfirmSignUp(o.Context(), strings.Fields(token)[0])
	must(o.T, err)
	return hub.Actor{UserID: in.Me.User.ID, TenantID: in.Me.Tenant.ID, Role: in.Me.Role}
}

// connection makes a connection that nobody has connected yet.
func (o *office) connection() hub.ID {
	o.Helper()
	v, err := o.hubs[0].CreateConnection(o.Context(), o.dana, "people", "People", nil)
	must(o.T, err)
	if v.Login == nil || v.Login.State != "none" || v.Status != "new" {
		o.Errorf("a new connection has the login %+v and is %s", v.Login, v.Status)
	}
	return v.Connection.ID
}

// connect goes the way to a login.
func (o *office) connect(id hub.ID) hub.ConnectionView {
	o.Helper()
	to, err := o.hubs[0].BeginLogin(o.Context(), o.dana, id)
	must(o.T, err)
	state, code := o.vendor.consent(o.T, to)
	v, err := o.hubs[1].FinishLogin(o.Context(), o.dana, hub.LoginReturn{State: state, Code: code})
	must(o.T, err)
	return v
}

// lookUp asks by one of the hubs.
func (o *office) lookUp(hub int, id hub.ID) string {
	one, err := o.hubs[hub].LookUpOne(o.Context(), o.dana, id, "ana@example.com")
	switch {
	case err != nil:
		return err.Error()
	case one.Problem != nil:
		return one.Problem.Code
	}
	return one.Match
}

func (o *office) login(id hub.ID) hub.LoginView {
	o.Helper()
	v, err := o.hubs[2].GetConnection(o.Context(), o.dana, id)
	must(o.T, err)
	return *v.Login
}

func onBoth(t *testing.T, test func(o *office)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) { test(open(t, db)) })
}

func TestALoginIsMadeRenewedAndForgotten(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		if got := o.lookUp(0, id); got != "login.none" {
			o.Errorf("before the login a lookup says %s", got)
		}
		v := o.connect(id)
		if v.Connection.ID != id || v.Login.State != "connected" || v.Login.Account != "62515" || strings.Join(v.Login.Scopes, " ") != "people.read" {
			o.Errorf("connected as %+v", v.Login)
		}
		if got := o.lookUp(0, id); got != "found" {
			o.Errorf("after the login a lookup says %s", got)
		}
		o.pass(31 * time.Minute)
		o.vendor.set(func() { o.vendor.rotates = true })
		for range 3 {
			if got := o.lookUp(1, id); got != "found" {
				o.Errorf("half an hour later a lookup says %s", got)
			}
			o.pass(31 * time.Minute)
		}
		if o.vendor.refreshes != 3 {
			o.Errorf("the login was renewed %d times", o.vendor.refreshes)
		}
		after, err := o.hubs[0].EndLogin(o.Context(), o.dana, id)
		must(o.T, err)
		if after.Login.State != "none" || len(o.vendor.revoked) != 1 || o.vendor.revoked[0] != o.vendor.grant {
			o.Errorf("after disconnecting the login is %s and the vendor revoked %v", after.Login.State, o.vendor.revoked)
		}
		if got := o.lookUp(1, id); got != "login.none" {
			o.Errorf("after disconnecting a lookup says %s", got)
		}
		if o.connect(id); o.lookUp(1, id) != "found" {
			o.Error("connecting again does not work")
		}
		must(o.T, o.hubs[0].DeleteConnection(o.Context(), o.dana, id))
		if len(o.vendor.revoked) != 2 {
			o.Error("removing the connection did not revoke its login")
		}
	})
}

func TestFiftyWorkersRenewAnExpiredLoginOnce(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		for name, expire := range map[string]func(){
			"its time is over":      func() { o.pass(31 * time.Minute) },
			"the vendor refuses it": o.vendor.forget,
		} {
			o.connect(id)
			before := o.vendor.refreshes
			expire()
			var all sync.WaitGroup
			for n := range 50 {
				all.Go(func() {
					if got := o.lookUp(n%len(o.hubs), id); got != "found" {
						o.Errorf("%s: a lookup says %s", name, got)
					}
				})
			}
			all.Wait()
			if n := o.vendor.refreshes - before; n != 1 {
				o.Errorf("%s: renewed %d times", name, n)
			}
		}
	})
}

func TestWhoDiesWhileRenewingHoldsUpNobodyForLong(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		o.connect(id)
		o.pass(31 * time.Minute)
		leased, err := o.store.Tenant(o.dana.TenantID).LeaseLogin(o.Context(), id, 1, 300*time.Millisecond)
		if err != nil || !leased {
			o.Fatalf("leased %v, %v", leased, err)
		}
		if got := o.lookUp(0, id); got != "found" || o.vendor.refreshes != 1 {
			o.Errorf("a lookup says %s after %d renewals", got, o.vendor.refreshes)
		}
	})
}

func TestARefusedRenewalAsksTheTenantToConnectAgain(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		o.connect(id)
		o.pass(31 * time.Minute)
		o.vendor.set(func() { o.vendor.grant = "revoked at the vendor's" })
		for range 3 {
			if got := o.lookUp(0, id); got != "login.revoked" {
				o.Errorf("a lookup says %s", got)
			}
		}
		if o.vendor.refreshes != 1 {
			o.Errorf("the vendor was asked %d times", o.vendor.refreshes)
		}
		if state := o.login(id).State; state != "needs_reconnect" {
			o.Errorf("the login is %s", state)
		}
		if o.connect(id); o.lookUp(0, id) != "found" || o.login(id).State != "connected" {
			o.Error("connecting again does not mend it")
		}
	})
}

func TestAVendorInTroubleIsAskedAgainLater(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		o.connect(id)
		o.pass(31 * time.Minute)
		for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusOK, http.StatusFound, http.StatusTeapot} {
			o.vendor.set(func() { o.vendor.says = status })
			want := "login.answer"
			if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
				want = "login.unavailable"
			}
			if got := o.lookUp(0, id); got != want {
				o.Errorf("at %d a lookup says %s, want %s", status, got, want)
			}
		}
		o.vendor.set(func() { o.vendor.says = 0 })
		if got := o.lookUp(1, id); got != "found" || o.login(id).State != "connected" {
			o.Errorf("afterwards a lookup says %s", got)
		}
	})
}

func TestOnlyWhoBeganMayFinishOnce(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		mallory := o.signUp("mallory@elsewhere.example")
		colleague := o.dana
		colleague.UserID = mallory.UserID
		begin := func() (state, code string) {
			to, err := o.hubs[0].BeginLogin(o.Context(), o.dana, id)
			must(o.T, err)
			return o.vendor.consent(o.T, to)
		}
		finish := func(a hub.Actor, state, code string) error {
			_, err := o.hubs[1].FinishLogin(o.Context(), a, hub.LoginReturn{State: state, Code: code})
			return err
		}
		ended := func(name string, err error) {
			o.Helper()
			if e := (*hub.Error)(nil); !errors.As(err, &e) || e.Code != hub.CodeConflict {
				o.Errorf("%s: %v", name, err)
			}
		}
		state, code := begin()
		ended("another tenant", finish(mallory, state, code))
		ended("another user", finish(colleague, state, code))
		ended("no state", finish(o.dana, "", code))
		ended("a forged state", finish(o.dana, state+"x", code))
		newer, newCode := begin()
		ended("an attempt that another replaced", finish(o.dana, state, code))
		must(o.T, finish(o.dana, newer, newCode))
		ended("twice", finish(o.dana, newer, newCode))
		state, code = begin()
		o.pass(attemptTime + time.Second)
		ended("too late", finish(o.dana, state, code))
		if got := o.lookUp(0, id); got != "found" {
			o.Errorf("failed attempts broke the login that was there: %s", got)
		}
	})
}

const attemptTime = 10 * time.Minute

func TestWhatTheVendorSendsBackIsPutIntoWords(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		for _, r := range []hub.LoginReturn{{Error: "access_denied"}, {Error: "canary"}, {}, {Code: "canary-never-issued"}} {
			to, err := o.hubs[0].BeginLogin(o.Context(), o.dana, id)
			must(o.T, err)
			r.State, _ = o.vendor.consent(o.T, to)
			_, err = o.hubs[0].FinishLogin(o.Context(), o.dana, r)
			e := (*hub.Error)(nil)
			if !errors.As(err, &e) || e.Code != hub.CodeNotReady || !strings.Contains(e.Message, "Connect") || strings.Contains(err.Error(), "canary") {
				o.Errorf("%+v: %v", r, err)
			}
		}
	})
}

func TestATokenIsRenewedBeforeItEnds(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		o.connect(id)
		preview := func() {
			o.Helper()
			p, err := o.hubs[0].Preview(o.Context(), o.dana, "ana@example.com", []hub.Line{{Label: "x", Connection: id, Field: "x"}})
			if err != nil || len(p.Sources) != 1 || p.Sources[0].Match != "found" {
				o.Errorf("preview: %+v, %v", p.Sources, err)
			}
		}
		preview()
		o.pass(25 * time.Minute) // 24 are four fifths
		preview()
		ctx, cancel := context.WithTimeout(o.Context(), 10*time.Second)
		defer cancel()
		for { // it is renewed behind the scenes
			l, err := o.store.Tenant(o.dana.TenantID).Login(ctx, id)
			must(o.T, err)
			if l.Generation == 2 {
				break
			}
		}
		o.pass(6 * time.Minute)
		if preview(); o.vendor.refreshes != 1 {
			o.Errorf("renewed %d times", o.vendor.refreshes)
		}
	})
}
