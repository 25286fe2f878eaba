package embedded_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/app"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/vault"
)

// TestEveryKeyIsRotatedUnderLoadWithoutAnError rotates as an operator does, beside a Sidecard that has both master
// keys and still seals with the old one.
func TestEveryKeyIsRotatedUnderLoadWithoutAnError(t *testing.T) {
	old, next := newMasterKey(t), newMasterKey(t)
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		l := w.load()
		operator := hub.NewKeyring(w.app.Hub.Store, openVault(t, next+","+old), nil)
		quiet := func(hub.Rotation) {}
		l.goesOn(3)

		if r, err := operator.RotateData(t.Context(), quiet); err != nil || r.Tenants != 1 {
			t.Fatalf("data keys: %+v, %v", r, err)
		}
		l.goesOn(3)

		if _, secret, err := w.client.ConnectDesk(t.Context(), contract.DeskUpdate{ApiKey: &newcomer.APIKey}); err != nil || secret.Secret == w.secret {
			t.Fatalf("webhook secret: %v", err)
		}
		l.goesOn(3)

		// The new key has been known for the ten minutes that it takes before it signs.
		early := hub.NewKeyring(w.app.Hub.Store, openVault(t, next+","+old), func() time.Time { return time.Now().Add(-11 * time.Minute) })
		before := w.app.Hub.Tokens.JWKS()
		added, err := early.RotateSigning(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.app.ReadKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := string(w.app.Hub.Tokens.JWKS()); !strings.Contains(now, added.KeyID) || strings.Contains(string(before), added.KeyID) ||
			strings.Count(now, `"kid"`) != 2 || strings.Index(now, added.KeyID) > len(now)/2 {
			t.Errorf("keys in use: %s", now)
		}
		l.goesOn(3)

		r, err := operator.RotateMaster(t.Context(), quiet)
		if err != nil || !r.Done() || r.DataKeys < 1 || r.Values < 1 {
			t.Fatalf("master key: %+v, %v, %v", r, err, r.Problem)
		}
		l.goesOn(3)
		l.stop()

		if again, err := operator.RotateMaster(t.Context(), quiet); err != nil || !again.Done() {
			t.Errorf("once more: %+v, %v", again, err)
		}
		alone := hub.NewKeyring(w.app.Hub.Store, openVault(t, next), nil)
		if _, err := alone.SigningKeys(t.Context()); err != nil {
			t.Errorf("signing keys with the new master key alone: %v", err)
		}
		ids, err := w.app.Hub.Store.TenantsAfter(t.Context(), hub.ID{}, 10)
		if err != nil || len(ids) != 1 || alone.Hold(t.Context(), ids[0]) != nil {
			t.Errorf("data keys with the new master key alone: %v, %v", ids, err)
		}
		refused, err := w.client.Rejections(t.Context())
		if err != nil || len(refused.Rejections) > 0 {
			t.Errorf("refused notifications: %+v, %v", refused, err)
		}
		if strings.Contains(w.log.String(), `"level":"ERROR"`) {
			t.Errorf("errors in the log: %s", w.log)
		}
	}, func(c *app.Config) { c.MasterKey = old + "," + next })
}

// load is chats and calls of the API that go on until they are stopped.
type load struct {
	w       *world
	shown   atomic.Int64
	called  atomic.Int64
	done    chan struct{} // closed by stop
	step    chan struct{} // something was done
	workers sync.WaitGroup
}

func (w *world) load() *load {
	l := &load{w: w, done: make(chan struct{}), step: make(chan struct{}, 1)}
	ctx := w.t.Context()
	l.forever(&l.shown, func() error {
		c, err := w.live.StartChat(ctx, newcomer.DeskEmail, livesupportitest.Visitor{Email: maya})
		if err == nil {
			_, err = w.live.WaitShown(ctx, c.ID)
		}
		return err
	})
	for range 2 {
		l.forever(&l.called, func() error {
			if _, err := w.client.Desk(ctx); err != nil {
				return err
			}
			list, err := w.client.Chats(ctx)
			if err == nil && len(list.Chats) > 0 {
				_, err = w.client.Chat(ctx, list.Chats[len(list.Chats)-1].Id.String())
			}
			return err
		})
	}
	return l
}

func (l *load) forever(count *atomic.Int64, do func() error) {
	l.workers.Go(func() {
		for {
			select {
			case <-l.done:
				return
			default:
			}
			if err := do(); err != nil {
				l.w.t.Errorf("under load: %v", err)
				return
			}
			count.Add(1)
			select {
			case l.step <- struct{}{}:
			default:
			}
		}
	})
}

// goesOn waits until so many more chats were shown and calls answered.
func (l *load) goesOn(n int64) {
	l.w.t.Helper()
	ctx, cancel := context.WithTimeout(l.w.t.Context(), 20*time.Second)
	defer cancel()
	for shown, called := l.shown.Load()+n, l.called.Load()+n; l.shown.Load() < shown || l.called.Load() < called; {
		select {
		case <-l.step:
		case <-ctx.Done():
			l.w.t.Fatalf("the load stands still after %d chats and %d calls\nlog: %s", l.shown.Load(), l.called.Load(), l.w.log)
		}
	}
}

func (l *load) stop() {
	close(l.done)
	l.workers.Wait()
	l.w.t.Logf("%d chats shown, %d rounds of calls", l.shown.Load(), l.called.Load())
}

func newMasterKey(t *testing.T) string {
	t.Helper()
	key, err := vault.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func openVault(t *testing.T, keys string) *vault.Vault {
	t.Helper()
	v, err := vault.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
