package hub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sidecard/internal/auth"
	"sidecard/internal/hub"
	"sidecard/internal/vault"
)

func TestAfterARotationTheNewMasterKeyAloneOpensEverything(t *testing.T) {
	onSafes(t, func(s *safe) {
		old, next := newMaster(t), newMaster(t)
		before := s.ring(old)
		_, err := before.SigningKeys(s.Context())
		must(s.T, err)
		var ids []hub.ID
		sealed := map[hub.ID][]byte{}
		for range 5 {
			id := s.tenant(s.vault(old))
			ids = append(ids, id)
			sealed[id], err = before.Seal(s.Context(), secretRef(id), []byte("hunter2"))
			must(s.T, err)
		}
		for i, column := range []string{"token", "secret"} { // of the same desk
			value, err := s.vault(old).Seal(vault.Ref{Tenant: ids[0].String(), Table: "desks", Column: column, Row: ids[1].String()}, []byte(column))
			must(s.T, err)
			if i == 0 {
				s.exec(`insert into desks (id, tenant_id, token_hash, token_sealed, email, api_key_hint, unsigned, problem_code)
					values ('%s', '%s', %s, %s, '', '', 'refuse', '')`, ids[1], ids[0], s.blob(make([]byte, 32)), s.blob(value))
			} else {
				s.exec("update desks set secret_sealed = %s", s.blob(value))
			}
		}
		told := 0
		r, err := s.ring(next, old).RotateMaster(s.Context(), func(hub.Rotation) { told++ })
		must(s.T, err)
		if !r.Done() || r.DataKeys != 5 || r.Values != 5+2+1 || told == 0 {
			s.Errorf("rotated %+v, told %d times", r, told)
		}
		after := s.ring(next)
		for _, id := range ids {
			s.opens(after, secretRef(id), sealed[id], "hunter2")
			s.opens(after, indexRef(id), s.stored(id), "index of "+id.String())
		}
		d, err := s.Store.Tenant(ids[0]).Desk(s.Context())
		must(s.T, err)
		s.opens(after, vault.Ref{Tenant: ids[0].String(), Table: "desks", Column: "token", Row: d.ID.String()}, d.TokenSealed, "token")
		s.opens(after, vault.Ref{Tenant: ids[0].String(), Table: "desks", Column: "secret", Row: d.ID.String()}, d.SecretSealed, "secret")
		if keys, err := after.SigningKeys(s.Context()); err != nil || len(keys) != 1 {
			s.Errorf("signing keys: %v, %v", keys, err)
		}
		again, err := s.ring(next, old).RotateMaster(s.Context(), func(hub.Rotation) {})
		if err != nil || again.DataKeys != 0 || again.Values != 0 || !again.Done() {
			s.Errorf("once more: %+v, %v; want nothing to do", again, err)
		}
	})
}

func TestRotationSaysWhatKeepsTheOldKey(t *testing.T) {
	onSafes(t, func(s *safe) {
		lost, old, next := newMaster(t), newMaster(t), newMaster(t)
		id := s.tenant(s.vault(lost))
		good := s.tenant(s.vault(old))
		r, err := s.ring(next, old).RotateMaster(s.Context(), func(hub.Rotation) {})
		must(s.T, err)
		if r.Done() || r.Stuck != 1 || !errors.Is(r.Problem, vault.ErrWrongKey) || !strings.Contains(r.Problem.Error(), "tenants.index_key, row "+id.String()) {
			s.Errorf("%+v, %v", r, r.Problem)
		}
		s.opens(s.ring(next), indexRef(good), s.stored(good), "index of "+good.String())
		sealed, err := s.ring(old).Seal(s.Context(), secretRef(s.tenant(s.vault(old))), nil) // by a process without the new key first
		if err != nil || sealed == nil {
			s.Fatal(err)
		}
		if n, err := s.Store.DataKeysNotOf(s.Context(), s.vault(next).KeyName()); err != nil || n != 1 {
			s.Errorf("%d data keys wait, %v; want 1", n, err)
		}
	})
}

func TestNewSigningKeyVerifiesAtOnceSignsLaterAndReplacesTheOldOne(t *testing.T) {
	onSafes(t, func(s *safe) {
		ring := s.ring(newMaster(t))
		first := s.signing(ring, 1)[0]
		added, err := ring.RotateSigning(s.Context(), false)
		must(s.T, err)
		if keys := s.signing(ring, 2); keys[0].ID != first.ID || keys[1].ID != added.KeyID {
			s.Errorf("at first %v", keys)
		}
		s.pass(9 * time.Minute)
		if keys := s.signing(ring, 2); keys[0].ID != first.ID {
			s.Errorf("after nine minutes %v", keys)
		}
		s.pass(time.Minute + time.Second)
		if keys := s.signing(ring, 2); keys[0].ID != added.KeyID || keys[1].ID != first.ID {
			s.Errorf("after ten minutes %v", keys)
		}
		s.pass(24*time.Hour - 2*time.Second)
		s.signing(ring, 2)
		s.pass(2 * time.Second)
		if keys := s.signing(ring, 1); keys[0].ID != added.KeyID {
			s.Errorf("a day later %v", keys)
		}
		leaked, err := ring.RotateSigning(s.Context(), true)
		must(s.T, err)
		if keys := s.signing(ring, 1); keys[0].ID != leaked.KeyID {
			s.Errorf("at once: %v", keys)
		}
		if _, err := s.ring(newMaster(t)).SigningKeys(s.Context()); err == nil || !strings.HasPrefix(err.Error(), "MASTER_KEY does not open this database") {
			s.Errorf("another master key: %v", err)
		}
	})
}

func (s *safe) signing(r *hub.Keyring, want int) []auth.Key {
	s.Helper()
	keys, err := r.SigningKeys(s.Context())
	if err != nil || len(keys) != want {
		s.Fatalf("signing keys %v, %v; want %d", keys, err, want)
	}
	return keys
}
