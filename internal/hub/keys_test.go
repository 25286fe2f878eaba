package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
	"sidecard/internal/vault"
)

// safe is a database with keyrings on it, as of several processes.
type safe struct {
	*testing.T
	storetest.Database
	ahead atomic.Int64
}

func onSafes(t *testing.T, test func(s *safe)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) { test(&safe{T: t, Database: db}) })
}

func (s *safe) now() time.Time       { return time.Now().Add(time.Duration(s.ahead.Load())) }
func (s *safe) pass(d time.Duration) { s.ahead.Add(int64(d)) }

// ring is a keyring with these master keys, as in a process of its own.
func (s *safe) ring(masterKeys ...string) *hub.Keyring {
	return hub.NewKeyring(s.Store, s.vault(masterKeys...), s.now)
}

func (s *safe) vault(masterKeys ...string) *vault.Vault {
	s.Helper()
	v, err := vault.New(strings.Join(masterKeys, ","))
	must(s.T, err)
	return v
}

func (s *safe) exec(statement string, args ...any) {
	s.Helper()
	_, err := s.Owner.ExecContext(s.Context(), fmt.Sprintf(statement, args...))
	must(s.T, err)
}

// blob writes bytes as SQL.
func (s *safe) blob(b []byte) string {
	if s.URL == "" {
		return fmt.Sprintf("x'%x'", b)
	}
	return fmt.Sprintf(`'\x%x'::bytea`, b)
}

// tenant is one from before there were data keys, whose index key a master key sealed itself.
func (s *safe) tenant(master *vault.Vault) hub.ID {
	s.Helper()
	id := hub.NewID()
	sealed, err := master.Seal(indexRef(id), []byte("index of "+id.String()))
	must(s.T, err)
	s.exec("insert into tenants (id, name, index_key, revision, created_at) values ('%s', 'T', %s, 1, '2026-01-02 03:04:05')", id, s.blob(sealed))
	return id
}

func indexRef(id hub.ID) vault.Ref {
	return vault.Ref{Tenant: id.String(), Table: "tenants", Column: "index_key", Row: id.String()}
}

func secretRef(id hub.ID) vault.Ref {
	return vault.Ref{Tenant: id.String(), Table: "desks", Column: "secret", Row: "1"}
}

func (s *safe) stored(id hub.ID) []byte {
	s.Helper()
	t, err := s.Store.Tenant(id).Tenant(s.Context())
	must(s.T, err)
	return t.IndexKey
}

func (s *safe) opens(r *hub.Keyring, ref vault.Ref, sealed []byte, want string) {
	s.Helper()
	if got, err := r.Open(s.Context(), ref, sealed); err != nil || string(got) != want {
		s.Errorf("opened %q, %v; want %q", got, err, want)
	}
}

func newMaster(t *testing.T) string {
	t.Helper()
	key, err := vault.NewKey()
	must(t, err)
	return key
}

func TestTenantFromBeforeGetsOneDataKeyOnFirstUse(t *testing.T) {
	onSafes(t, func(s *safe) {
		master := newMaster(t)
		id := s.tenant(s.vault(master))
		rings := []*hub.Keyring{s.ring(master), s.ring(master)}
		s.opens(rings[0], indexRef(id), s.stored(id), "index of "+id.String())
		sealed := make([][]byte, 8)
		var callers sync.WaitGroup
		for i := range sealed {
			callers.Go(func() {
				var err error
				if sealed[i], err = rings[i%2].Seal(s.Context(), secretRef(id), []byte("hunter2")); err != nil {
					s.Error(err)
				}
			})
		}
		callers.Wait()
		for i := range sealed {
			s.opens(rings[(i+1)%2], secretRef(id), sealed[i], "hunter2")
			if version, ok := vault.DataKeyOf(sealed[i]); !ok || version != 1 {
				s.Errorf("sealed with version %d, %v", version, ok)
			}
		}
		keys, err := s.Store.Tenant(id).DataKeys(s.Context())
		if err != nil || len(keys) != 1 || keys[0].MasterKey != s.vault(master).KeyName() {
			s.Errorf("keys %v, %v; want one", keys, err)
		}
		if _, err := rings[0].Seal(s.Context(), secretRef(hub.NewID()), nil); !errors.Is(err, hub.ErrNotFound) {
			s.Errorf("a tenant that is not there: %v, want ErrNotFound", err)
		}
	})
}

func TestWithoutItsKeysNothingOfATenantCanBeRead(t *testing.T) {
	onSafes(t, func(s *safe) {
		master := newMaster(t)
		id, other := s.tenant(s.vault(master)), s.tenant(s.vault(master))
		ring := s.ring(master)
		sealed, err := ring.Seal(s.Context(), secretRef(id), []byte("hunter2"))
		must(s.T, err)
		kept, err := ring.Seal(s.Context(), secretRef(other), []byte("hunter3"))
		must(s.T, err)
		_, err = ring.RotateMaster(s.Context(), func(hub.Rotation) {})
		must(s.T, err)
		index := s.stored(id)
		s.exec("delete from tenant_keys where tenant_id = '%s'", id)
		s.pass(5 * time.Minute) // what is held ends then
		for _, r := range []*hub.Keyring{ring, s.ring(master)} {
			if _, err := r.Open(s.Context(), secretRef(id), sealed); !errors.Is(err, vault.ErrNoDataKey) {
				s.Errorf("a secret: %v, want ErrNoDataKey", err)
			}
			if _, err := r.Open(s.Context(), indexRef(id), index); !errors.Is(err, vault.ErrNoDataKey) {
				s.Errorf("what the master key had sealed: %v, want ErrNoDataKey", err)
			}
			s.opens(r, secretRef(other), kept, "hunter3")
		}
		if _, err := ring.Seal(s.Context(), secretRef(id), nil); err != nil {
			s.Errorf("a new first key: %v", err)
		}
		if _, err := ring.Open(s.Context(), secretRef(id), sealed); err == nil {
			s.Error("a new key with the old version opened")
		}
	})
}

func TestValueOfAnotherTenantDoesNotOpen(t *testing.T) {
	onSafes(t, func(s *safe) {
		master := newMaster(t)
		a, b := s.tenant(s.vault(master)), s.tenant(s.vault(master))
		ring := s.ring(master)
		sealed, err := ring.Seal(s.Context(), secretRef(a), []byte("hunter2"))
		must(s.T, err)
		must(s.T, ring.Hold(s.Context(), b))
		elsewhere := secretRef(a)
		elsewhere.Column = "api_key"
		row := secretRef(a)
		row.Row = "2"
		global := secretRef(a)
		global.Tenant = ""
		for name, ref := range map[string]vault.Ref{"tenant": secretRef(b), "column": elsewhere, "row": row, "installation": global} {
			if _, err := ring.Open(s.Context(), ref, sealed); !errors.Is(err, vault.ErrDamaged) {
				s.Errorf("moved to another %s: %v, want ErrDamaged", name, err)
			}
		}
		s.exec("update tenants set index_key = %s where id = '%s'", s.blob(s.stored(a)), b)
		if _, err := ring.Open(s.Context(), indexRef(b), s.stored(b)); !errors.Is(err, vault.ErrDamaged) {
			s.Errorf("a value of before, moved: %v, want ErrDamaged", err)
		}
		keys, err := s.Store.Tenant(a).DataKeys(s.Context())
		must(s.T, err)
		s.exec("update tenant_keys set wrapped = %s where tenant_id = '%s'", s.blob(keys[0].Wrapped), b)
		if _, err := s.ring(master).Seal(s.Context(), secretRef(b), nil); !errors.Is(err, vault.ErrDamaged) {
			s.Errorf("another tenant's data key: %v, want ErrDamaged", err)
		}
	})
}

// countingStore counts how often data keys are read.
type countingStore struct {
	hub.Store
	reads *atomic.Int64
}

func (c countingStore) Tenant(id hub.ID) hub.TenantStore {
	return countingTenant{c.Store.Tenant(id), c.reads}
}

type countingTenant struct {
	hub.TenantStore
	reads *atomic.Int64
}

func (c countingTenant) DataKeys(ctx context.Context) ([]hub.DataKey, error) {
	c.reads.Add(1)
	return c.TenantStore.DataKeys(ctx)
}

func TestDataKeysAreReadOnceInFiveMinutes(t *testing.T) {
	onSafes(t, func(s *safe) {
		master := newMaster(t)
		id := s.tenant(s.vault(master))
		sealed, err := s.ring(master).Seal(s.Context(), secretRef(id), []byte("hunter2"))
		must(s.T, err)
		var reads atomic.Int64
		ring := hub.NewKeyring(countingStore{s.Store, &reads}, s.vault(master), s.now)
		for range 200 {
			s.opens(ring, secretRef(id), sealed, "hunter2")
			_, err := ring.Seal(s.Context(), secretRef(id), []byte("x"))
			must(s.T, err)
		}
		if n := reads.Load(); n != 1 {
			s.Errorf("read %d times, want once", n)
		}
		s.pass(5 * time.Minute)
		s.opens(ring, secretRef(id), sealed, "hunter2")
		if n := reads.Load(); n != 2 {
			s.Errorf("read %d times after five minutes, want twice", n)
		}
	})
}

func TestNewDataKeySealsAndAllVersionsOpenInEveryProcess(t *testing.T) {
	onSafes(t, func(s *safe) {
		master := newMaster(t)
		id := s.tenant(s.vault(master))
		old, operator := s.ring(master), s.ring(master)
		first, err := old.Seal(s.Context(), secretRef(id), []byte("first"))
		must(s.T, err)
		r, err := operator.RotateData(s.Context(), func(hub.Rotation) {})
		if err != nil || r.Tenants != 1 {
			s.Errorf("rotated %+v, %v", r, err)
		}
		second, err := s.ring(master).Seal(s.Context(), secretRef(id), []byte("second"))
		must(s.T, err)
		if version, _ := vault.DataKeyOf(second); version != 2 {
			s.Errorf("sealed with version %d, want 2", version)
		}
		s.opens(old, secretRef(id), second, "second") // it held version 1 alone
		s.opens(s.ring(master), secretRef(id), first, "first")
	})
}

// BenchmarkSealingAChat compares what a chat costs with the tenant's data key to the master key's own sealing.
func BenchmarkSealingAChat(b *testing.B) {
	text, err := vault.NewKey()
	if err != nil {
		b.Fatal(err)
	}
	master, err := vault.New(text)
	if err != nil {
		b.Fatal(err)
	}
	db := storetest.SQLite(b)
	id := hub.NewID()
	if _, err := db.Owner.ExecContext(b.Context(), fmt.Sprintf(
		"insert into tenants (id, name, index_key, revision, created_at) values ('%s', 'T', x'00', 1, '2026-01-02 03:04:05')", id)); err != nil {
		b.Fatal(err)
	}
	ring := hub.NewKeyring(db.Store, master, nil)
	ref := vault.Ref{Tenant: id.String(), Table: "chats", Column: "body", Row: hub.NewID().String()}
	body := make([]byte, 400)
	for name, how := range map[string]struct {
		seal func(context.Context, vault.Ref, []byte) ([]byte, error)
		open func(context.Context, vault.Ref, []byte) ([]byte, error)
	}{
		"data key": {ring.Seal, ring.Open},
		"master key": {
			func(_ context.Context, r vault.Ref, p []byte) ([]byte, error) { return master.Seal(r, p) },
			func(_ context.Context, r vault.Ref, s []byte) ([]byte, error) { return master.Open(r, s) },
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sealed, err := how.seal(b.Context(), ref, body)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := how.open(b.Context(), ref, sealed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
