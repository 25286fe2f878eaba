package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
	"sidecard/internal/vault"
)

func TestKeysRotateMovesADatabaseToTheFirstMasterKey(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	old, next := newMasterKey(t), newMasterKey(t)
	master, err := vault.New(old)
	if err != nil {
		t.Fatal(err)
	}
	ring := hub.NewKeyring(db.Store, master, nil)
	if _, err := ring.SigningKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	tenant := hub.NewID()
	if _, err := db.Owner.ExecContext(t.Context(), "insert into tenants (id, name, index_key, created_at) values ($1, 'T', '', now())", tenant.String()); err != nil {
		t.Fatal(err)
	}
	if err := ring.Hold(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, keys string
		args       []string
		ok         bool
		says       string
	}{
		{"the new key alone", next, nil, false, "MASTER_KEY does not open this database"},
		{"a key that is none", "hunter2," + old, nil, false, "key 1 of 2: MASTER_KEY is not a Sidecard key: make one with `sidecard keys new`"},
		{"no key", "", nil, false, "set MASTER_KEY"},
		{"flags that do not go together", next + "," + old, []string{"-data", "-signing"}, false, "use: sidecard keys rotate"},
		{"both", next + "," + old, nil, true, "1 data keys and 1 values moved; 0 data keys wait.\n"},
		{"both again", next + "," + old, nil, true, "0 data keys and 0 values moved"},
		{"the old key alone", old, nil, false, "MASTER_KEY does not open this database"},
		{"the new key alone, afterwards", next, nil, true, "can be the key " + name(t, next) + " alone; the old ones can be removed."},
		{"data keys", next, []string{"-data"}, true, "1 tenants have a new data key."},
		{"a signing key", next, []string{"-signing"}, true, "verifies everywhere within half a minute and signs access tokens from "},
		{"a signing key at once", next, []string{"-signing", "-now"}, true, "signs access tokens now."},
	} {
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"keys", "rotate"}, c.args...)...)
		cmd.Env = append(os.Environ(), "DATABASE_URL="+db.URL, "MASTER_KEY="+c.keys)
		out, err := cmd.CombinedOutput()
		if (err == nil) != c.ok || !strings.Contains(string(out), c.says) {
			t.Fatalf("%s: %v\n%s\nwant %q", c.name, err, out, c.says)
		}
		for _, key := range []string{old, next} {
			if strings.Contains(string(out), key[:12]) {
				t.Errorf("%s: a key is printed", c.name)
			}
		}
	}
}

func newMasterKey(t *testing.T) string {
	t.Helper()
	key, err := vault.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func name(t *testing.T, key string) string {
	t.Helper()
	v, err := vault.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return v.KeyName()
}
