package hub

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"sidecard/internal/vault"
)

// Factors keeps second factors.
type Factors interface {
	Factor(ctx context.Context, user ID) (Factor, error) // ErrNotFound when there is none, not even one begun
	// BeginFactor stores a factor that is not in use yet, in place of another such; CodeConflict when one is in use.
	BeginFactor(ctx context.Context, f Factor) error
	// ConfirmFactor puts the factor into use with its first step and recovery codes; ErrNotFound when none was begun.
	ConfirmFactor(ctx context.Context, user ID, step int64, codes [][32]byte, now time.Time, m SealedMail) error
	RemoveFactor(ctx context.Context, user ID, m SealedMail) error
	// UseStep takes a step that is later than every one before; false when it is not.
	UseStep(ctx context.Context, user ID, step int64) (bool, error)
	// UseRecoveryCode takes a code and says how many are left; ErrNotFound when there is no such code.
	UseRecoveryCode(ctx context.Context, user ID, hash [32]byte) (left int, err error)
}

// Factor is a user's second factor: one-time passwords by time (RFC 6238: SHA-1, six digits, 30 seconds), which is
// what all authenticator apps know.
type Factor struct {
	UserID      ID
	Sealed      []byte    // the secret
	ConfirmedAt time.Time // zero: begun, not in use
}

// FactorSecret is what an authenticator app needs.
type FactorSecret struct {
	Secret string // base32
	URI    string // otpauth://
}

const (
	totpPeriod      = 30 // seconds
	totpSecretBytes = 20
	recoveryCodes   = 10
	recoveryBytes   = 10 // 16 letters
)

var totpOptions = totp.ValidateOpts{Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

var errFactorNotBegun = fail(CodeNotReady, "Begin to set up a second factor first.")

var errWrongCode = fail(CodeWrongLogin, "The code is not right. Take the one that the app shows now; each works once.")

func factorRef(user ID) vault.Ref {
	return vault.Ref{Table: "second_factors", Column: "secret", Row: user.String()}
}

func (h *Hub) hasFactor(ctx context.Context, user ID) (bool, error) {
	f, err := h.Store.Factor(ctx, user)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return !f.ConfirmedAt.IsZero(), err
}

// BeginSecondFactor draws a secret for the actor's app. Nothing changes until ConfirmSecondFactor.
func (h *Hub) BeginSecondFactor(ctx context.Context, a Actor, password string) (FactorSecret, error) {
	user, err := h.provePassword(ctx, a, password, "/password")
	if err != nil {
		return FactorSecret{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Sidecard", AccountName: user.Email, Period: totpPeriod, SecretSize: totpSecretBytes})
	if err != nil {
		return FactorSecret{}, err
	}
	sealed, err := h.seal(ctx, factorRef(user.ID), []byte(key.Secret()))
	if err != nil {
		return FactorSecret{}, err
	}
	if err := h.Store.BeginFactor(ctx, Factor{UserID: user.ID, Sealed: sealed}); err != nil {
		return FactorSecret{}, err
	}
	return FactorSecret{Secret: key.Secret(), URI: key.URL()}, nil
}

// ConfirmSecondFactor puts the factor into use, when the app's code proves that it was set up, and gives recovery
// codes, which are nowhere else.
func (h *Hub) ConfirmSecondFactor(ctx context.Context, a Actor, code string) ([]string, error) {
	f, err := h.Store.Factor(ctx, a.UserID)
	if errors.Is(err, ErrNotFound) || err == nil && !f.ConfirmedAt.IsZero() {
		return nil, errFactorNotBegun
	}
	if err != nil {
		return nil, err
	}
	if err := h.guess(ctx, "code", a.UserID.String()); err != nil {
		return nil, err
	}
	step, err := h.stepOf(ctx, f, code)
	if err != nil {
		return nil, err
	}
	h.guessed(ctx, "code", a.UserID.String(), a.UserID, step != 0)
	if step == 0 {
		return nil, invalid("/code", "The code is not right. Take the one that the app shows now, and check that this device's clock is right.")
	}
	codes, hashes := newRecoveryCodes()
	user, err := h.Store.User(ctx, a.UserID)
	if err != nil {
		return nil, err
	}
	notice, err := h.mail(ctx, totpOn(user.Email))
	if err != nil {
		return nil, err
	}
	err = h.Store.ConfirmFactor(ctx, a.UserID, step, hashes, h.Now(), notice)
	if errors.Is(err, ErrNotFound) { // somebody else confirmed it meanwhile, and has the recovery codes
		return nil, errFactorNotBegun
	}
	if err != nil {
		return nil, err
	}
	h.standings.forget()
	h.WakeCourier()
	return codes, h.auditUser(ctx, a, "user.second_factor_on")
}

// RemoveSecondFactor lets the actor sign in by password alone again.
func (h *Hub) RemoveSecondFactor(ctx context.Context, a Actor, password, code string) error {
	user, err := h.provePassword(ctx, a, password, "/password")
	if err != nil {
		return err
	}
	has, err := h.hasFactor(ctx, user.ID)
	if err != nil {
		return err
	}
	if !has {
		return fail(CodeNotReady, "You have no second factor.")
	}
	me, err := h.Me(ctx, a)
	if err != nil {
		return err
	}
	for _, p := range me.Places {
		if p.Tenant.FactorRequired {
			return fail(CodeConflict, p.Tenant.Name+" requires a second factor of its members.")
		}
	}
	if err := h.proveFactor(ctx, user, code); err != nil {
		if CodeOf(err) == CodeWrongLogin {
			return invalid("/code", errWrongCode.Message)
		}
		return err
	}
	notice, err := h.mail(ctx, totpOff(user.Email))
	if err != nil {
		return err
	}
	if err := h.Store.RemoveFactor(ctx, user.ID, notice); err != nil {
		return err
	}
	h.standings.forget()
	h.WakeCourier()
	return h.auditUser(ctx, a, "user.second_factor_off")
}

// proveFactor checks the code of a user who has a second factor, and lets everybody else pass. Each code works once.
func (h *Hub) proveFactor(ctx context.Context, user User, code string) error {
	f, err := h.Store.Factor(ctx, user.ID)
	if errors.Is(err, ErrNotFound) || err == nil && f.ConfirmedAt.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	if code == "" {
		return fail(CodeCodeRequired, "Give the code of your authenticator app as well, or a recovery code.")
	}
	if err := h.guess(ctx, "code", user.ID.String()); err != nil {
		return err
	}
	right, err := h.useCode(ctx, user, f, code)
	if err != nil {
		return err
	}
	h.guessed(ctx, "code", user.ID.String(), user.ID, right)
	if !right {
		return errWrongCode
	}
	return nil
}

func (h *Hub) useCode(ctx context.Context, user User, f Factor, code string) (bool, error) {
	step, err := h.stepOf(ctx, f, code)
	if err != nil {
		return false, err
	}
	if step != 0 {
		return h.Store.UseStep(ctx, user.ID, step)
	}
	left, err := h.Store.UseRecoveryCode(ctx, user.ID, hashRecoveryCode(code))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, h.Post(ctx, recoveryCodeUsed(user.Email, left))
}

// stepOf finds the step whose code this is, now or one step off, as clocks are; 0 when it is none of theirs.
func (h *Hub) stepOf(ctx context.Context, f Factor, code string) (step int64, err error) {
	secret, err := h.open(ctx, factorRef(f.UserID), f.Sealed)
	if err != nil {
		return 0, err
	}
	code = strings.ReplaceAll(code, " ", "")
	now := h.Now().Unix() / totpPeriod
	for _, at := range []int64{now - 1, now, now + 1} {
		want, err := totp.GenerateCodeCustom(string(secret), time.Unix(at*totpPeriod, 0), totpOptions)
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step = at
		}
	}
	return step, nil
}

// newRecoveryCodes draws codes of the form abcd-efgh-ijkl-mnop.
func newRecoveryCodes() (codes []string, hashes [][32]byte) {
	for range recoveryCodes {
		random := make([]byte, recoveryBytes)
		_, _ = rand.Read(random) // never fails
		text := strings.ToLower(base32.StdEncoding.EncodeToString(random))
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
		hashes = append(hashes, hashRecoveryCode(text))
	}
	return codes, hashes
}

// hashRecoveryCode forgives how a code is typed. A plain hash will do: 80 random bits are too many to try.
func hashRecoveryCode(code string) [32]byte {
	return sha256.Sum256([]byte("recovery code " + strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))))
}
