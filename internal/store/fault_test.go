package store_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/servertest"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

// throughProxy opens a store that reaches its database through a proxy.
func throughProxy(t *testing.T) (queueTest, *servertest.Proxy) {
	t.Helper()
	db := storetest.PostgresDatabase(t)
	proxy := servertest.NewProxy(t, servertest.Postgres(t).Addr())
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = proxy.Addr()
	db.Store = storetest.OpenPostgres(t, u.String(), 0)
	return queueTest{t, db}, proxy
}

// Connections that break between two requests are not the sender's business.
func TestAcceptSurvivesBrokenConnections(t *testing.T) {
	t.Parallel()
	q, proxy := throughProxy(t)
	a := signUp(t, q.Store)
	for i := range 5 {
		q.accept(a.chat(fmt.Sprint("v", i)))
		proxy.Cut()
	}
	if n := q.count("select count(*) from chats"); n != 5 {
		t.Errorf("%d chats, want 5", n)
	}
}

// Of a database that hangs, the sender hears in time to be told 503, and again when it is back.
func TestAcceptGivesUpOnADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	q, proxy := throughProxy(t)
	a := signUp(t, q.Store)
	q.accept(a.chat("v1"))
	proxy.Freeze()
	lost := a.chat("v2")
	began := time.Now()
	if _, err := q.Store.Accept(t.Context(), []hub.Arrival{lost}); !errors.Is(err, hub.ErrUnavailable) || hub.CodeOf(err) != hub.CodeUnavailable {
		t.Errorf("Accept = %v, want ErrUnavailable", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to give up", took)
	}
	proxy.Thaw()
	waitFor(t, "the database to be back", func() bool {
		_, err := q.Store.Accept(t.Context(), []hub.Arrival{lost})
		return err == nil
	})
	if n := q.count("select count(*) from chats"); n != 2 {
		t.Errorf("%d chats, want 2: what was sent again is one chat", n)
	}
	q.wantWhole()
}

func TestEverythingIsUnavailableWhileTheDatabaseIs(t *testing.T) {
	t.Parallel()
	q, proxy := throughProxy(t)
	a := signUp(t, q.Store)
	c := fill(t, a)
	chat := a.chat("v")
	q.accept(chat)
	k := q.claimOne(chat)
	proxy.Refuse()
	ctx, s := t.Context(), q.Store
	for what, do := range map[string]func() error{
		"Ping":        func() error { return s.Ping(ctx) },
		"SignUp":      func() error { return s.SignUp(ctx, token(0), a.tenant, a.user, a.desk) },
		"UserByEmail": func() error { _, err := s.UserByEmail(ctx, "x"); return err },
		"DeskByToken": func() error { _, err := s.DeskByToken(ctx, a.desk.TokenHash); return err },
		"Setup":       func() error { _, err := a.Setup(ctx); return err },
		"UpdateDesk":  func() error { _, err := a.UpdateDesk(ctx, func(*hub.Desk) error { return nil }); return err },
		"FindRows":    func() error { _, err := a.FindRows(ctx, c.ID, nil, 1); return err },
		"Accept":      func() error { _, err := s.Accept(ctx, []hub.Arrival{a.chat("w")}); return err },
		"Claim":       func() error { _, err := s.Claim(ctx, hub.ClaimRequest{Limit: 1, Share: 1}); return err },
		"Finish":      func() error { _, err := s.Finish(ctx, shown(k.Hold)); return err },
		"Retry":       func() error { _, err := s.Retry(ctx, hub.Retry{Hold: k.Hold}); return err },
		"Extend":      func() error { _, err := s.Extend(ctx, []hub.Hold{k.Hold}, time.Minute); return err },
		"Sweep":       func() error { _, err := s.Sweep(ctx, hub.SweepRequest{}); return err },
		"ReplaceRows": func() error { _, err := a.ReplaceRows(ctx, c.ID, nil, nil); return err },
		"SigningKeys": func() error { _, err := s.SigningKeys(ctx); return err },
		"RotateSession": func() error {
			_, _, err := s.RotateSession(ctx, hub.Exchange{Old: token(0), Next: token(1), Now: time.Now()})
			return err
		},
	} {
		if err := do(); !errors.Is(err, hub.ErrUnavailable) {
			t.Errorf("%s = %v, want ErrUnavailable", what, err)
		}
	}
	if err := proxy.Heal(); err != nil {
		t.Fatal(err)
	}
	q.finish(shown(k.Hold), hub.Kept)
}

// The database's own faults: backends that are ended at random must cost nothing that was confirmed.
func TestNothingConfirmedIsLostWhenBackendsAreEnded(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	q := queueTest{t, db}
	a := signUp(t, q.Store)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		pace := time.NewTicker(20 * time.Millisecond) // longer than it takes to connect, or nothing would ever be confirmed
		defer pace.Stop()
		for {
			select {
			case <-stop:
				return
			case <-pace.C:
			}
			if _, err := q.Owner.ExecContext(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and usename <> current_user and random() < 0.3`); err != nil {
				t.Errorf("end backends: %v", err)
			}
		}
	}()
	var mu sync.Mutex
	confirmed := 0
	var senders sync.WaitGroup
	for s := range 8 {
		senders.Go(func() {
			for i := range 25 {
				_, err := q.Store.Accept(t.Context(), []hub.Arrival{a.chat(fmt.Sprint(s, "-", i))})
				if err != nil && !errors.Is(err, hub.ErrUnavailable) {
					t.Errorf("Accept: %v", err)
				}
				if err == nil {
					mu.Lock()
					confirmed++
					mu.Unlock()
				}
			}
		})
	}
	senders.Wait()
	close(stop)
	<-stopped
	if n := q.count("select count(*) from chats"); n < confirmed || confirmed == 0 {
		t.Errorf("%d chats stored, %d of 200 confirmed", n, confirmed)
	}
	q.wantWhole()
}

func TestOpenPostgresRefusesWithOneSentence(t *testing.T) {
	t.Parallel()
	cluster := servertest.Postgres(t)
	db := storetest.PostgresDatabase(t)
	u, err := url.Parse(db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	database := strings.TrimPrefix(u.Path, "/")
	q := queueTest{t, db}
	stranger := "stranger_" + database
	q.exec("create role " + stranger + " login password 'x'")
	empty, err := url.Parse(cluster.NewDatabase(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, url, want string }{
		{"a superuser", db.OwnerURL, "is a superuser"},
		{"a user that was not prepared", cluster.URL(stranger, "x", database), "run `sidecard migrate`"},
		{"an empty database", cluster.URL("sidecard_test", "a password for tests", strings.TrimPrefix(empty.Path, "/")), "run `sidecard migrate`"},
		{"a wrong password", cluster.URL("sidecard_test", "hush-hush", database), "connect to the database"},
		{"no URL", "hush-hush", "DATABASE_URL is not a PostgreSQL URL"},
	} {
		s, err := store.OpenPostgres(t.Context(), store.Options{URL: c.url})
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush-hush") || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("opening as %s: %v; want one sentence with %q", c.what, err, c.want)
		}
	}
	q.exec("drop role " + stranger)
}

// What is handed over is written, and afterwards everybody is told that it is over.
func TestCloseWritesWhatWasHandedOver(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		var callers sync.WaitGroup
		results := make(chan error, 50)
		for i := range 50 {
			callers.Go(func() {
				_, err := q.Store.Accept(q.Context(), []hub.Arrival{a.chat(fmt.Sprint("v", i))})
				results <- err
			})
		}
		if err := q.Store.Close(); err != nil {
			q.Error(err)
		}
		callers.Wait()
		close(results)
		confirmed := 0
		for err := range results {
			if err == nil {
				confirmed++
			} else if !errors.Is(err, hub.ErrUnavailable) {
				q.Errorf("Accept: %v", err)
			}
		}
		if n := q.count("select count(*) from chats"); n != confirmed {
			q.Errorf("%d chats, %d confirmed", n, confirmed)
		}
	})
}
