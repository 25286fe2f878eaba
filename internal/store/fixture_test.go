package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

// account is a tenant that signed up, with its owner and desk.
type account struct {
	hub.TenantStore
	tenant hub.Tenant
	user   hub.User
	desk   hub.Desk
}

var signUps atomic.Int64

// signUp makes an account. Its name is canary text that no other account contains.
func signUp(t testing.TB, s *store.Store) account {
	t.Helper()
	n := strconv.FormatInt(signUps.Add(1), 10)
	now := time.Now().UTC().Truncate(time.Microsecond)
	a := account{
		tenant: hub.Tenant{
			ID: hub.NewID(), Name: "Company " + n + ".", IndexKey: []byte("sealed key " + n), CreatedAt: now,
			Plan: hub.Unlimited, RetentionDays: hub.DefaultRetention,
		},
		user: hub.User{ID: hub.NewID(), Email: "owner" + n + "@example.com", Name: "Owner " + n, PasswordHash: "hash " + n, CreatedAt: now},
	}
	a.desk = hub.Desk{
		ID: hub.NewID(), TenantID: a.tenant.ID, TokenHash: sha256.Sum256([]byte("token " + n)),
		TokenSealed: []byte("sealed token " + n), Unsigned: hub.RefuseUnsigned,
	}
	if err := s.SignUp(t.Context(), signUpLink(t, s, a.user.Email, now), a.tenant, a.user, a.desk); err != nil {
		t.Fatalf("sign up: %v", err)
	}
	a.TenantStore = s.Tenant(a.tenant.ID)
	return a
}

var links atomic.Int64

// signUpLink adds a link to sign up with.
func signUpLink(t testing.TB, s *store.Store, email string, now time.Time) (hash [32]byte) {
	t.Helper()
	hash = sha256.Sum256([]byte("link " + strconv.FormatInt(links.Add(1), 10)))
	l := hub.Link{Hash: hash, Kind: hub.LinkSignUp, Email: email, CreatedAt: now, Until: now.Add(time.Hour)}
	if err := s.AddLink(t.Context(), l, hub.SealedMail{ID: hub.NewID(), Kind: hub.MailConfirmSignUp, Sealed: []byte("sealed mail")}); err != nil {
		t.Fatalf("add link: %v", err)
	}
	return hash
}

// chat is an arrival of a new chat of a visitor of an account.
func (a account) chat(visitor string) hub.Arrival {
	id := hub.NewID()
	return hub.Arrival{DeskID: a.desk.ID, ChatID: id, ExternalID: "ext " + id.String(), VisitorID: visitor, Body: []byte("body of " + id.String())}
}

// late is an arrival whose chat started some time before now.
func late(c hub.Arrival, ago time.Duration) hub.Arrival {
	c.Ago = ago
	return c
}

// queueTest is a store under test with what most tests of the queue do.
type queueTest struct {
	*testing.T
	storetest.Database
}

// onQueues runs a test of the queue on both databases.
func onQueues(t *testing.T, test func(q queueTest)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) { test(queueTest{t, db}) })
}

// onPostgres runs a test of the queue on PostgreSQL alone.
func onPostgres(t *testing.T, test func(q queueTest)) {
	t.Helper()
	test(queueTest{t, storetest.Postgres(t)})
}

func (q queueTest) accept(chats ...hub.Arrival) {
	q.Helper()
	for some := range slices.Chunk(chats, 100) {
		fresh, err := again(func() (int, error) { return q.Store.Accept(q.Context(), some) })
		if err != nil || fresh > len(some) {
			q.Fatalf("Accept = %d fresh, %v; want %d", fresh, err, len(some))
		}
	}
}

// again does what the hub and LiveSupporti do when the store is not available, as on a machine that is much
// too busy: the same once more.
func again[T any](do func() (T, error)) (result T, err error) {
	for range 20 {
		if result, err = do(); !errors.Is(err, hub.ErrUnavailable) {
			break
		}
	}
	return result, err
}

// claim takes a batch of the lookup lane with usual settings, changed by what is given.
func (q queueTest) claim(change ...func(*hub.ClaimRequest)) []hub.Claimed {
	q.Helper()
	c := hub.ClaimRequest{Lane: hub.LaneLookup, Limit: 64, Share: 8, Lease: time.Minute, Fence: rand.Int64()}
	for _, f := range change {
		f(&c)
	}
	claimed, err := q.Store.Claim(q.Context(), c)
	if err != nil {
		q.Fatalf("Claim: %v", err)
	}
	return claimed
}

// claimOne takes the one chat that must be ready, and checks that it is the one.
func (q queueTest) claimOne(want hub.Arrival, change ...func(*hub.ClaimRequest)) hub.Claimed {
	q.Helper()
	claimed := q.claim(change...)
	if len(claimed) != 1 || claimed[0].ChatID != want.ChatID {
		q.Fatalf("claimed %v, want only chat %s", chatIDs(claimed), want.ChatID)
	}
	return claimed[0]
}

func (q queueTest) claimNothing(why string) {
	q.Helper()
	if claimed := q.claim(); len(claimed) != 0 {
		q.Fatalf("claimed %v: %s", chatIDs(claimed), why)
	}
}

func delivery(c *hub.ClaimRequest) { c.Lane = hub.LaneDelivery }

// shown ends a chat as shown at its first attempt.
func shown(h hub.Hold) hub.Finish {
	return hub.Finish{
		Hold: h, Outcome: hub.Shown, MS: 12.5, CardVersion: 1, Trail: []byte(`{"n":1}`), Details: []byte("sealed details"),
		Attempt: &hub.Attempt{Number: 1, StartMS: 5, MS: 7, Status: 200, Verdict: "accepted", Message: "ok"},
	}
}

func (q queueTest) finish(f hub.Finish, want hub.Grip) {
	q.Helper()
	if grip, err := again(func() (hub.Grip, error) { return q.Store.Finish(q.Context(), f) }); err != nil || grip != want {
		q.Fatalf("Finish = %d, %v; want %d", grip, err, want)
	}
}

func (q queueTest) retry(r hub.Retry, want hub.Grip) {
	q.Helper()
	if grip, err := again(func() (hub.Grip, error) { return q.Store.Retry(q.Context(), r) }); err != nil || grip != want {
		q.Fatalf("Retry = %d, %v; want %d", grip, err, want)
	}
}

func (q queueTest) sweep() hub.Swept {
	q.Helper()
	swept, err := q.Store.Sweep(q.Context(), hub.SweepRequest{})
	if err != nil {
		q.Fatalf("Sweep: %v", err)
	}
	return swept
}

// due makes every lease and every later try due now, as if the time had passed.
func (q queueTest) due() {
	q.Helper()
	q.exec("update work set due_at = $1 where state <> 0", time.Now().UTC().Add(-time.Second))
}

func (q queueTest) exec(statement string, args ...any) {
	q.Helper()
	if _, err := q.Owner.ExecContext(q.Context(), statement, args...); err != nil {
		q.Fatalf("%s: %v", statement, err)
	}
}

func (q queueTest) count(query string, args ...any) int {
	q.Helper()
	var n int
	if err := q.Owner.QueryRowContext(q.Context(), query, args...).Scan(&n); err != nil {
		q.Fatalf("%s: %v", query, err)
	}
	return n
}

// wantOutcome checks how a chat ended; hub.Waiting means that it did not yet.
func (q queueTest) wantOutcome(a account, chat hub.Arrival, want hub.Outcome) hub.ChatRecord {
	q.Helper()
	record, err := a.Chat(q.Context(), chat.ChatID)
	if err != nil || record.Outcome != want {
		q.Fatalf("chat ended as %s (%v), want %s", record.Outcome, err, want)
	}
	return record
}

// wantWhole checks I2 against the tables themselves: every chat is named by one work row, or has an outcome.
func (q queueTest) wantWhole() {
	q.Helper()
	unfinished := unfinishedChats(q.Context(), q.T, q.Owner)
	rows, err := q.Owner.QueryContext(q.Context(), `select c.id, count(o.chat_id) from chats c
		left join outcomes o on o.chat_id = c.id and o.tenant_id = c.tenant_id group by c.id`)
	if err != nil {
		q.Fatal(err)
	}
	defer rows.Close()
	chats := 0
	for rows.Next() {
		var id hub.ID
		var outcomes int
		if err := rows.Scan(&id, &outcomes); err != nil {
			q.Fatal(err)
		}
		chats++
		if outcomes+unfinished[id] != 1 {
			q.Errorf("chat %s has %d outcomes and stands %d times in work, want 1 in all", id, outcomes, unfinished[id])
		}
		delete(unfinished, id)
	}
	if err := rows.Err(); err != nil {
		q.Fatal(err)
	}
	if len(unfinished) > 0 {
		q.Errorf("work names %d chats that are not there", len(unfinished))
	}
	if outcomes := q.count("select count(*) from outcomes"); outcomes > chats {
		q.Errorf("%d outcomes of %d chats", outcomes, chats)
	}
}

// unfinishedChats counts how often work names each chat. Ids are found in the texts of both databases' arrays.
func unfinishedChats(ctx context.Context, t *testing.T, db *sql.DB) map[hub.ID]int {
	t.Helper()
	rows, err := db.QueryContext(ctx, "select chat_id, cast(older as text) from work")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	named := map[hub.ID]int{}
	for rows.Next() {
		var id hub.ID
		var older string
		if err := rows.Scan(&id, &older); err != nil {
			t.Fatal(err)
		}
		named[id]++
		for _, text := range strings.FieldsFunc(older, func(r rune) bool { return strings.ContainsRune(`{}[]",`, r) }) {
			if err := id.UnmarshalText([]byte(text)); err != nil {
				t.Fatal(err)
			}
			named[id]++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return named
}

func chatIDs(claimed []hub.Claimed) []string {
	var ids []string
	for _, c := range claimed {
		ids = append(ids, fmt.Sprintf("%s/%s", c.VisitorID, c.ChatID))
	}
	return ids
}
