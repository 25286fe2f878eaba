package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/sqlite"
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A name may hold what means something in a URL.
func TestChatsSurviveARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a file?with=odd#chars & 100%.db")
	s := open(t, path)
	tenant := hub.Tenant{ID: hub.NewID(), Name: "n", IndexKey: []byte("k")}
	desk := hub.Desk{ID: hub.NewID(), TokenSealed: []byte("t"), Unsigned: hub.RefuseUnsigned}
	link := hub.Link{Hash: [32]byte{1}, Kind: hub.LinkSignUp, Until: time.Now().Add(time.Hour)}
	if err := s.AddLink(t.Context(), link, hub.SealedMail{ID: hub.NewID(), Sealed: []byte("m")}); err != nil {
		t.Fatal(err)
	}
	if err := s.SignUp(t.Context(), link.Hash, tenant, hub.User{ID: hub.NewID(), Email: "e"}, desk); err != nil {
		t.Fatal(err)
	}
	chat := hub.Arrival{DeskID: desk.ID, ChatID: hub.NewID(), ExternalID: "e", VisitorID: "v", Body: []byte("b")}
	if _, err := s.Accept(t.Context(), []hub.Arrival{chat}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}

	s = open(t, path)
	defer s.Close()
	claimed, err := s.Claim(t.Context(), hub.ClaimRequest{Limit: 1, Share: 1, Lease: time.Minute, Fence: 1})
	if err != nil || len(claimed) != 1 || claimed[0].ChatID != chat.ChatID {
		t.Errorf("claimed %+v (%v), want the chat from before", claimed, err)
	}
}

func TestOpenSaysWhichFileItCannotUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "no such folder", "x.db")
	if _, err := sqlite.Open(t.Context(), path, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error = %v, want one that names the file", err)
	}
}
