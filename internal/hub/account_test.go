package hub_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
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

const (
	danaEmail     = "dana@brightwater-bikes.example"
	danaPassword  = "trekker-in-the-rain"
	otherPassword = "seven green umbrellas 3"
)

// oneWins does something eight times at once, by all hubs: one succeeds, the others are told so.
func (o *office) oneWins(what string, refusal hub.Code, do func(h *hub.Hub) error) {
	o.Helper()
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			err := do(o.hubs[i%len(o.hubs)])
			for range 20 {
				if hub.CodeOf(err) != hub.CodeBusy { // passwords are hashed few at a time, and nothing was done yet
					break
				}
				err = do(o.hubs[i%len(o.hubs)])
			}
			switch {
			case err == nil:
				won.Add(1)
			case hub.CodeOf(err) != refusal:
				o.Errorf("%s: %v, want %s", what, err, refusal)
			}
		})
	}
	all.Wait()
	if n := won.Load(); n != 1 {
		o.Errorf("%s: %d of 8 succeeded, want 1", what, n)
	}
}

// refused holds an error against the code that it is to have.
func (o *office) refused(what string, err error, code hub.Code) {
	o.Helper()
	if err == nil || hub.CodeOf(err) != code {
		o.Errorf("%s: %v, want %s", what, err, code)
	}
}

func (o *office) signsIn(email, password, code string) error {
	_, err := o.hubs[0].SignIn(o.Context(), hub.SignIn{Email: email, Password: password, Code: code})
	return err
}

// asksReset gives the token of a link to reset dana's password.
func (o *office) asksReset() string {
	o.Helper()
	must(o.T, o.hubs[0].AskReset(o.Context(), danaEmail))
	return o.tokenIn(danaEmail, hub.MailResetPassword)
}

// asksEmail gives the token of a link to change dana's address.
func (o *office) asksEmail(email string) string {
	o.Helper()
	must(o.T, o.hubs[0].ChangeEmail(o.Context(), o.dana, email, danaPassword))
	return o.tokenIn(email, hub.MailChangeEmail)
}

// audited gives the actions in a tenant's audit log, newest first.
func (o *office) audited(a hub.Actor) (actions []string) {
	o.Helper()
	page, _, err := o.hubs[0].AuditPage(o.Context(), a, hub.AuditQuery{Limit: 100})
	must(o.T, err)
	for _, e := range page {
		actions = append(actions, e.Action)
	}
	return actions
}

func TestOfManyWhoFollowAMailsLinkAtOnceOneWins(t *testing.T) {
	onBoth(t, func(o *office) {
		ctx := o.Context()
		must(o.T, o.hubs[0].SignUp(ctx, hub.SignUp{Company: "Newcomer", Email: "new@example.com", Password: otherPassword}))
		token := o.tokenIn("new@example.com", hub.MailConfirmSignUp)
		o.oneWins("confirming a sign-up", hub.CodeLinkEnded, func(h *hub.Hub) error {
			_, err := h.ConfirmSignUp(ctx, token)
			return err
		})
		must(o.T, o.signsIn("new@example.com", otherPassword, ""))

		token = o.asksReset()
		o.oneWins("a reset", hub.CodeLinkEnded, func(h *hub.Hub) error { return h.ConfirmReset(ctx, token, otherPassword) })
		must(o.T, o.signsIn(danaEmail, otherPassword, ""))
	})
}

func TestASignUpEndsWhenItsAddressGotAnAccountMeanwhile(t *testing.T) {
	onBoth(t, func(o *office) {
		var tokens []string
		for range 2 {
			must(o.T, o.hubs[0].SignUp(o.Context(), hub.SignUp{Company: "Newcomer", Email: " New@Example.com", Password: otherPassword}))
			tokens = append(tokens, o.tokenIn("new@example.com", hub.MailConfirmSignUp))
		}
		in, err := o.hubs[0].ConfirmSignUp(o.Context(), tokens[1])
		must(o.T, err)
		_, err = o.hubs[1].ConfirmSignUp(o.Context(), tokens[0])
		o.refused("the older link", err, hub.CodeLinkEnded)
		if err == nil || !strings.Contains(err.Error(), "Sign in") {
			o.Errorf("%v does not say what to do", err)
		}
		if got := o.audited(hub.Actor{UserID: in.Me.User.ID, TenantID: in.Me.Tenant.ID}); !slices.Equal(got, []string{"tenant.created"}) {
			o.Errorf("audit log: %v", got)
		}
	})
}

func TestANewPasswordEndsEveryLinkOfTheAccount(t *testing.T) {
	onBoth(t, func(o *office) {
		ctx := o.Context()
		// Somebody who stole the password asks for another address, and dana changes the password then.
		stolen, old := o.asksEmail("thief@example.com"), o.asksReset()
		must(o.T, o.hubs[0].ChangePassword(ctx, o.dana, danaPassword, otherPassword))
		o.refused("the address after a change of password", o.hubs[1].ConfirmEmail(ctx, stolen), hub.CodeLinkEnded)
		o.refused("a reset that was asked for before", o.hubs[1].ConfirmReset(ctx, old, danaPassword), hub.CodeLinkEnded)
		o.mailed(danaEmail, hub.MailPasswordChanged)

		must(o.T, o.hubs[0].ConfirmReset(ctx, o.asksReset(), danaPassword))
		stolen = o.asksEmail("thief@example.com")
		must(o.T, o.hubs[0].ConfirmReset(ctx, o.asksReset(), otherPassword))
		o.refused("the address after a reset", o.hubs[1].ConfirmEmail(ctx, stolen), hub.CodeLinkEnded)
		want := []string{"user.password_reset", "user.password_reset", "user.password_changed", "tenant.created"}
		if got := o.audited(o.dana); !slices.Equal(got, want) {
			o.Errorf("audit log: %v, want %v", got, want)
		}
	})
}

func TestAnAddressThatGotAnAccountMeanwhileIsNotTaken(t *testing.T) {
	onBoth(t, func(o *office) {
		ctx := o.Context()
		token := o.asksEmail("new@example.com")
		o.signUp("new@example.com")
		o.refused("an address of somebody else", o.hubs[1].ConfirmEmail(ctx, token), hub.CodeLinkEnded)
		must(o.T, o.signsIn(danaEmail, danaPassword, ""))

		token = o.asksEmail("dana@new.example")
		reset := o.asksReset()
		o.oneWins("a change of address", hub.CodeLinkEnded, func(h *hub.Hub) error { return h.ConfirmEmail(ctx, token) })
		o.refused("a reset sent to the old address", o.hubs[0].ConfirmReset(ctx, reset, otherPassword), hub.CodeLinkEnded)
		o.mailed(danaEmail, hub.MailEmailChanged)
		must(o.T, o.signsIn("dana@new.example", danaPassword, ""))
		o.refused("signing in by the old address", o.signsIn(danaEmail, danaPassword, ""), hub.CodeWrongLogin)
		if got := o.audited(o.dana); got[0] != "user.email_changed" {
			o.Errorf("audit log: %v", got)
		}
	})
}

func TestAnAccountIsChangedOnlyByWhoKnowsItsPassword(t *testing.T) {
	onBoth(t, func(o *office) {
		ctx, h := o.Context(), o.hubs[0]
		_, factor := h.BeginSecondFactor(ctx, o.dana, otherPassword)
		for what, err := range map[string]error{
			"the password":    h.ChangePassword(ctx, o.dana, otherPassword, danaPassword),
			"the address":     h.ChangeEmail(ctx, o.dana, "new@example.com", otherPassword),
			"a second factor": factor,
		} {
			o.refused(what, err, hub.CodeInvalid)
		}
		o.refused("a weak password", h.ChangePassword(ctx, o.dana, danaPassword, "brightwater-bikes"), hub.CodeInvalid)
		o.refused("its own address", h.ChangeEmail(ctx, o.dana, strings.ToUpper(danaEmail), danaPassword), hub.CodeInvalid)
		for _, email := range []string{"nowhere", "@example.com", "dana@", "a@b@c", "da na@example.com", "dana@example.com\r\nBcc: x@example.com"} {
			o.refused("no address", h.ChangeEmail(ctx, o.dana, email, danaPassword), hub.CodeInvalid)
		}
		must(o.T, o.signsIn(danaEmail, danaPassword, ""))
	})
}

func TestWhoResetsAPasswordIsNotSlowedDownByGuessesBefore(t *testing.T) {
	onBoth(t, func(o *office) {
		token := o.asksReset()
		for range 5 {
			o.refused("a guess", o.signsIn(danaEmail, otherPassword, ""), hub.CodeWrongLogin)
		}
		o.refused("one guess too many", o.signsIn(danaEmail, danaPassword, ""), hub.CodeTooMany)
		must(o.T, o.hubs[0].ConfirmReset(o.Context(), token, otherPassword))
		must(o.T, o.signsIn(danaEmail, otherPassword, ""))
	})
}

func TestAMailboxIsNotFilledByStrangers(t *testing.T) {
	onBoth(t, func(o *office) {
		for _, email := range []string{danaEmail, "nobody@example.com"} {
			mails := 0
			for range 10 {
				err := o.hubs[1].AskReset(o.Context(), email)
				if err == nil {
					mails++
					continue
				}
				o.refused("one mail too many", err, hub.CodeTooMany)
				if e := (*hub.Error)(nil); !errors.As(err, &e) || e.RetryAfter <= 0 {
					o.Errorf("%v says not when to try again", err)
				}
			}
			if mails != 5 {
				o.Errorf("%d mails at once to %s, want 5", mails, email)
			}
		}
	})
}

// frugal counts what is written for somebody who asks without having signed in.
type frugal struct {
	hub.Store
	links, mails, seals int
}

func (f *frugal) AddLink(ctx context.Context, l hub.Link, m hub.SealedMail) error {
	f.links++
	if m.ID != (hub.ID{}) {
		f.mails++
	}
	if len(l.Sealed) > 0 {
		f.seals++
	}
	return f.Store.AddLink(ctx, l, m)
}

// Not parallel: it counts password hashes by the 46 MiB that each of them takes.
func TestAskingCostsTheSameWhoeverHasAnAccount(t *testing.T) {
	db := storetest.SQLite(t)
	master, err := vault.NewKey()
	must(t, err)
	seal, err := vault.New(master)
	must(t, err)
	key, err := auth.NewSigningKey()
	must(t, err)
	tokens, err := auth.NewTokens("https://sidecard.example.com", "https://sidecard.example.com", time.Now, key)
	must(t, err)
	registry, err := connectors.NewRegistry()
	must(t, err)
	counted := &frugal{Store: db.Store}
	h := hub.New(hub.Config{
		Store: counted, Connectors: registry, Vault: seal, Passwords: auth.NewPasswords(1), Tokens: tokens, Meter: meter.New(nil),
		Mailer: mail.NewMailbox(), PublicURL: "https://sidecard.example.com", Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(h.Close)
	ctx := t.Context()
	known := hub.User{ID: hub.NewID(), Email: "dana@example.com", CreatedAt: time.Now()}
	known.PasswordHash, err = h.Passwords.Hash(ctx, danaPassword)
	must(t, err)
	link := hub.Link{Hash: [32]byte{1}, Kind: hub.LinkSignUp, Email: known.Email, CreatedAt: time.Now(), Until: time.Now().Add(time.Hour)}
	must(t, db.Store.AddLink(ctx, link, hub.SealedMail{}))
	tenant := hub.Tenant{ID: hub.NewID(), Name: "Brightwater", IndexKey: []byte("sealed"), CreatedAt: time.Now()}
	desk := hub.Desk{ID: hub.NewID(), TenantID: tenant.ID, TokenSealed: []byte("sealed"), Unsigned: hub.RefuseUnsigned}
	must(t, db.Store.SignUp(ctx, link.Hash, tenant, known, desk))

	type cost struct{ hashes, links, seals, mails int }
	of := func(ask func() error) (c cost, answer string) {
		var before, after runtime.MemStats
		*counted = frugal{Store: db.Store}
		runtime.ReadMemStats(&before)
		if err := ask(); err != nil {
			answer = err.Error()
		}
		runtime.ReadMemStats(&after)
		hashes := float64(after.TotalAlloc-before.TotalAlloc) / (46 << 20)
		return cost{int(hashes + 0.5), counted.links, counted.seals, counted.mails}, answer
	}
	for _, try := range []struct {
		what           string
		ask            func(email string) error
		known, unknown cost
	}{
		{"signing up", func(email string) error {
			return h.SignUp(ctx, hub.SignUp{Company: "Other", Email: email, Password: otherPassword})
		}, cost{hashes: 1, links: 1, seals: 1, mails: 1}, cost{hashes: 1, links: 1, seals: 1, mails: 1}},
		{"signing in", func(email string) error {
			_, err := h.SignIn(ctx, hub.SignIn{Email: email, Password: otherPassword})
			return err
		}, cost{hashes: 1}, cost{hashes: 1}},
		// Nobody is written to who has no account; all else is the same.
		{"a reset", func(email string) error { return h.AskReset(ctx, email) }, cost{links: 1, mails: 1}, cost{links: 1}},
	} {
		gotKnown, told := of(func() error { return try.ask(known.Email) })
		gotUnknown, toldUnknown := of(func() error { return try.ask("nobody@example.com") })
		if gotKnown != try.known || gotUnknown != try.unknown {
			t.Errorf("%s costs %+v with an account and %+v without, want %+v and %+v", try.what, gotKnown, gotUnknown, try.known, try.unknown)
		}
		if told != toldUnknown {
			t.Errorf("%s: %q with an account, %q without", try.what, told, toldUnknown)
		}
	}
}
