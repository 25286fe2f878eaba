package hub_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sidecard/internal/hub"
)

// device is an authenticator app, and recovery codes on paper.
type device struct {
	*office
	secret   string
	recovery []string
}

// code is what the app shows so many steps from now.
func (d *device) code(steps int) string {
	d.Helper()
	code, err := totp.GenerateCode(d.secret, d.now().Add(time.Duration(steps)*30*time.Second))
	must(d.T, err)
	return code
}

// next lets the clock go on by a step.
func (d *device) next() { d.stopped.Add(30) }

// secured stops the clock and sets up a second factor of dana's.
func (o *office) secured() *device {
	o.Helper()
	o.stopped.Store(time.Now().Unix())
	d := &device{office: o}
	secret, err := o.hubs[0].BeginSecondFactor(o.Context(), o.dana, danaPassword)
	must(o.T, err)
	d.secret = secret.Secret
	d.recovery, err = o.hubs[1].ConfirmSecondFactor(o.Context(), o.dana, d.code(0))
	must(o.T, err)
	return d
}

func TestASecondFactorIsSetUpByWhoHasTheApp(t *testing.T) {
	onBoth(t, func(o *office) {
		ctx, h := o.Context(), o.hubs[0]
		_, err := h.ConfirmSecondFactor(ctx, o.dana, "123456")
		o.refused("confirming what was not begun", err, hub.CodeNotReady)
		o.refused("removing what is not there", h.RemoveSecondFactor(ctx, o.dana, danaPassword, "123456"), hub.CodeNotReady)
		secret, err := h.BeginSecondFactor(ctx, o.dana, danaPassword)
		must(o.T, err)
		uri, err := url.Parse(secret.URI)
		must(o.T, err)
		if q := uri.Query(); uri.Scheme != "otpauth" || uri.Host != "totp" || q.Get("secret") != secret.Secret || q.Get("issuer") != "Sidecard" || !strings.Contains(uri.Path, danaEmail) {
			o.Errorf("uri %s", uri)
		}
		must(o.T, o.signsIn(danaEmail, danaPassword, "")) // it is not in use yet
		_, err = h.ConfirmSecondFactor(ctx, o.dana, "abcdef")
		o.refused("confirming with a wrong code", err, hub.CodeInvalid)

		d := o.secured()
		if distinct := slices.Compact(slices.Sorted(slices.Values(d.recovery))); len(distinct) != 10 || len(d.recovery[0]) != 19 {
			o.Errorf("recovery codes %v", d.recovery)
		}
		o.mailed(danaEmail, hub.MailTOTPOn)
		_, err = h.BeginSecondFactor(ctx, o.dana, danaPassword)
		o.refused("a second one", err, hub.CodeConflict)
		o.refused("signing in without a code", o.signsIn(danaEmail, danaPassword, ""), hub.CodeCodeRequired)
		o.refused("a wrong password without a code", o.signsIn(danaEmail, otherPassword, ""), hub.CodeWrongLogin)
		if got := o.audited(o.dana); got[0] != "user.second_factor_on" {
			o.Errorf("audit log: %v", got)
		}
	})
}

func TestACodeWorksOnceAndOneStepOff(t *testing.T) {
	onBoth(t, func(o *office) {
		d := o.secured()
		for range 3 {
			d.next()
		}
		for _, try := range []struct {
			steps int
			right bool
		}{{-2, false}, {2, false}, {-1, true}, {0, true}, {-1, false}, {0, false}, {1, true}, {1, false}} {
			err := o.signsIn(danaEmail, danaPassword, d.code(try.steps))
			if try.right {
				must(o.T, err)
				continue
			}
			o.refused("a code of a wrong step", err, hub.CodeWrongLogin)
		}
		for range 3 {
			d.next()
		}
		code := d.code(0)
		o.oneWins("signing in with one code", hub.CodeWrongLogin, func(h *hub.Hub) error {
			_, err := h.SignIn(o.Context(), hub.SignIn{Email: danaEmail, Password: danaPassword, Code: code})
			return err
		})
	})
}

func TestARecoveryCodeWorksOnceAndIsToldOf(t *testing.T) {
	onBoth(t, func(o *office) {
		d := o.secured()
		must(o.T, o.signsIn(danaEmail, danaPassword, " "+strings.ToUpper(strings.ReplaceAll(d.recovery[0], "-", " "))))
		if text := o.mailed(danaEmail, hub.MailRecoveryCodeUsed); !strings.Contains(text, "9 recovery codes left") {
			o.Errorf("mail: %s", text)
		}
		o.refused("the code again", o.signsIn(danaEmail, danaPassword, d.recovery[0]), hub.CodeWrongLogin)
		o.oneWins("signing in with one recovery code", hub.CodeWrongLogin, func(h *hub.Hub) error {
			_, err := h.SignIn(o.Context(), hub.SignIn{Email: danaEmail, Password: danaPassword, Code: d.recovery[1]})
			return err
		})
	})
}

func TestOfManyWhoConfirmASecondFactorOneGetsTheRecoveryCodes(t *testing.T) {
	onBoth(t, func(o *office) {
		o.stopped.Store(time.Now().Unix())
		secret, err := o.hubs[0].BeginSecondFactor(o.Context(), o.dana, danaPassword)
		must(o.T, err)
		d := &device{office: o, secret: secret.Secret}
		code := d.code(0)
		o.oneWins("confirming", hub.CodeNotReady, func(h *hub.Hub) error {
			_, err := h.ConfirmSecondFactor(o.Context(), o.dana, code)
			return err
		})
	})
}

func TestManyWhoBeginASecondFactorLeaveOneThatWorks(t *testing.T) {
	onBoth(t, func(o *office) {
		o.stopped.Store(time.Now().Unix())
		var secrets [6]string
		var all sync.WaitGroup
		for i := range secrets {
			all.Go(func() {
				s, err := o.hubs[i%len(o.hubs)].BeginSecondFactor(o.Context(), o.dana, danaPassword)
				if err != nil {
					o.Error(err)
				}
				secrets[i] = s.Secret
			})
		}
		all.Wait()
		var works atomic.Int32
		for i, s := range secrets {
			d := &device{office: o, secret: s}
			if _, err := o.hubs[i%len(o.hubs)].ConfirmSecondFactor(o.Context(), o.dana, d.code(0)); err == nil {
				works.Add(1)
			}
		}
		if works.Load() != 1 {
			o.Errorf("%d of the secrets work, want 1", works.Load())
		}
	})
}

func TestASecondFactorIsRemovedByPasswordAndCodeUnlessATenantRequiresIt(t *testing.T) {
	onBoth(t, func(o *office) {
		ctx, h := o.Context(), o.hubs[0]
		d := o.secured()
		d.next()
		o.refused("with a wrong password", h.RemoveSecondFactor(ctx, o.dana, otherPassword, d.code(0)), hub.CodeInvalid)
		o.refused("with a wrong code", h.RemoveSecondFactor(ctx, o.dana, danaPassword, "abcdef"), hub.CodeInvalid)
		required := func(yes bool) {
			_, err := h.UpdateTenant(ctx, o.dana, hub.TenantChange{FactorRequired: &yes})
			must(o.T, err)
		}
		required(true)
		o.refused("while it is required", h.RemoveSecondFactor(ctx, o.dana, danaPassword, d.code(0)), hub.CodeConflict)
		required(false)
		must(o.T, h.RemoveSecondFactor(ctx, o.dana, danaPassword, d.code(0)))
		o.mailed(danaEmail, hub.MailTOTPOff)
		must(o.T, o.signsIn(danaEmail, danaPassword, ""))
		if got := o.audited(o.dana); got[0] != "user.second_factor_off" {
			o.Errorf("audit log: %v", got)
		}
	})
}

func TestCodesAreGuessedSlowlyEvenWithTheRightPassword(t *testing.T) {
	onBoth(t, func(o *office) {
		d := o.secured()
		d.next()
		tried := 0
		for range 12 {
			err := o.signsIn(danaEmail, danaPassword, "abcdef")
			if hub.CodeOf(err) == hub.CodeWrongLogin {
				tried++
				continue
			}
			o.refused("a guess too many", err, hub.CodeTooMany)
		}
		if tried != 5 {
			o.Errorf("%d codes were tried at once, want 5", tried)
		}
		o.refused("the right code, just then", o.signsIn(danaEmail, danaPassword, d.code(0)), hub.CodeTooMany)
	})
}

func TestTheLogSaysWhoseSecretWasTriedAndNotTheSecret(t *testing.T) {
	onBoth(t, func(o *office) {
		o.refused("a wrong password", o.signsIn(danaEmail, "hunter2 hunter2", ""), hub.CodeWrongLogin)
		o.refused("an account that does not exist", o.signsIn("nobody@brightwater-bikes.example", danaPassword, ""), hub.CodeWrongLogin)
		must(o.T, o.signsIn(danaEmail, danaPassword, ""))
		o.logs.Lock()
		defer o.logs.Unlock()
		log := o.log.String()
		for _, want := range []string{
			`"kind":"password","right":false,"user":"` + o.dana.UserID.String() + `"`,
			`"kind":"password","right":false,"user":"` + hub.ID{}.String() + `"`,
			`"kind":"password","right":true,"user":"` + o.dana.UserID.String() + `"`,
		} {
			if strings.Count(log, want) != 1 {
				o.Errorf("%s is %d times in %s", want, strings.Count(log, want), log)
			}
		}
		for _, secret := range []string{"hunter2", danaPassword, danaEmail, "nobody@"} {
			if strings.Contains(log, secret) {
				o.Errorf("%s is in the log: %s", secret, log)
			}
		}
	})
}
