package embedded_test

import (
	"testing"

	"sidecard/internal/api/contract"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/tour"
)

func TestAHalfSetUpTenantLearnsWhatIsMissing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		const email = "other@elsewhere.example"
		c := tour.NewClient(w.client.Base)
		if _, err := c.SignUp(t.Context(), contract.SignUp{Company: "Elsewhere", Email: email, Password: "umbrella-under-the-bridge"}, w.inbox); err != nil {
			t.Fatal(err)
		}
		refuse := contract.UnsignedPolicyRefuse
		desk, secret, err := c.ConnectDesk(t.Context(), contract.DeskUpdate{Unsigned: &refuse}) // a secret, no credentials
		if err == nil {
			_, err = w.live.RegisterWebHook(t.Context(), email, livesupportitest.Registration{CallbackURL: desk.CallbackUrl, Secret: secret.Secret})
		}
		if err != nil {
			t.Fatal(err)
		}
		w.work()
		w.client = c
		w.chatAt(email, livesupportitest.Visitor{Email: maya})
		w.ends(contract.OutcomeNameNoCard)
		if _, err := c.ConnectSample(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.chatAt(email, livesupportitest.Visitor{Email: maya})
		w.ends(contract.OutcomeNameNoCredentials)
	})
}
