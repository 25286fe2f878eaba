package hub_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// noon is the middle of a day that is over.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// drawnAt gives the n-th id that was drawn at a time.
func drawnAt(at time.Time, n int) (id hub.ID) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6], id[8] = 0x70, 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

// came lets chats come that are nothing to work on, with ids that were drawn at a time.
func (o *office) came(at time.Time, first, n int) (last hub.ID) {
	o.Helper()
	desk, err := o.store.Tenant(o.dana.TenantID).Desk(o.Context())
	must(o.T, err)
	var chats []hub.Arrival
	for i := range n {
		last = drawnAt(at, first+i)
		chats = append(chats, hub.Arrival{DeskID: desk.ID, ChatID: last, ExternalID: last.String(), Body: []byte("sealed"), NotAChat: true})
	}
	for some := range slices.Chunk(chats, 100) {
		_, err := o.store.Accept(o.Context(), some)
		must(o.T, err)
	}
	return last
}

// on gives dana's tenant a plan.
func (o *office) on(plan string) hub.Tenant {
	o.Helper()
	p, err := hub.ParsePlan(plan)
	must(o.T, err)
	t, err := hub.SetPlan(o.Context(), o.store, o.dana.TenantID, p, o.now())
	must(o.T, err)
	return t
}

func TestTheFirstChatBeyondADaysNumberAndAllAfterItAreOverQuota(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		o := open(t, db)
		tenant := o.on("free")
		o.came(noon, 1, 497)
		for n := 498; n <= 503; n++ { // one by one
			chat := o.came(noon, n, 1)
			o.pass(5 * time.Second)
			if over := o.hubs[0].OverQuota(t.Context(), tenant, chat); over != (n > 500) {
				t.Errorf("chat %d of 500 is over quota: %v", n, over)
			}
		}
		for n, over := range map[int]bool{1: false, 500: false, 501: true} {
			if o.hubs[1].OverQuota(t.Context(), tenant, drawnAt(noon, n)) != over || o.hubs[0].OverQuota(t.Context(), tenant, drawnAt(noon, n)) != over {
				t.Errorf("workers judge chat %d differently later", n)
			}
		}
		dayBefore, nextDay := o.came(noon.AddDate(0, 0, -1), 1, 1), o.came(noon.AddDate(0, 0, 1), 1, 1)
		lastMoment := time.Date(2026, 3, 14, 23, 59, 59, 999e6, time.UTC)
		late, early := o.came(lastMoment, 1, 1), o.came(lastMoment.Add(time.Millisecond), 1, 1)
		for what, c := range map[string]struct {
			chat hub.ID
			over bool
		}{
			"the day before": {dayBefore, false}, "the day's last moment": {late, true},
			"the next day's first": {early, false}, "the next day": {nextDay, false},
		} {
			if o.hubs[0].OverQuota(t.Context(), tenant, c.chat) != c.over {
				t.Errorf("a chat of %s: want over quota %v", what, c.over)
			}
		}
		if larger := o.on("team"); o.hubs[0].OverQuota(t.Context(), larger, drawnAt(noon, 503)) {
			t.Error("a larger plan does not let the next ones through")
		}
		// Other tenants have days of their own.
		other := o.signUp("other@elsewhere.example")
		if o.hubs[0].OverQuota(t.Context(), hub.Tenant{ID: other.TenantID, Plan: "free"}, drawnAt(noon, 503)) {
			t.Error("a tenant's chats use up another's")
		}
	})
}

// watched counts how often the chats of a day are looked at, and can be out of reach.
type watched struct {
	hub.Store
	looks int
	down  bool
}

type watchedTenant struct {
	hub.TenantStore
	w *watched
}

func (w *watched) Tenant(id hub.ID) hub.TenantStore { return watchedTenant{w.Store.Tenant(id), w} }

func (t watchedTenant) ChatAfter(ctx context.Context, from, to time.Time, skip int) (hub.ID, error) {
	t.w.looks++
	if t.w.down {
		return hub.ID{}, hub.ErrUnavailable
	}
	return t.TenantStore.ChatAfter(ctx, from, to, skip)
}

func TestCountingADaysChatsCostsLittle(t *testing.T) {
	t.Parallel()
	o := open(t, storetest.SQLite(t))
	h := o.hubs[0]
	w := &watched{Store: h.Store}
	h.Store = w
	looks := func(what string, want int, plan string, chats ...hub.ID) {
		t.Helper()
		w.looks = 0
		for _, c := range chats {
			h.OverQuota(t.Context(), hub.Tenant{ID: o.dana.TenantID, Plan: plan}, c)
		}
		if w.looks != want {
			t.Errorf("%s: %d looks, want %d", what, w.looks, want)
		}
	}
	a, b := o.came(noon, 1, 1), o.came(noon, 2, 1)
	looks("a plan without a limit", 0, hub.Unlimited, a, b)
	looks("a plan that this version does not know", 0, "enormous", a, b)
	looks("within five seconds", 1, "free", a, b, a, b)
	o.pass(6 * time.Second)
	looks("after them", 1, "free", a, b)
	last := o.came(noon, 3, 500)
	o.pass(6 * time.Second)
	looks("used up", 1, "free", last)
	o.pass(time.Hour)
	looks("once it is known", 0, "free", a, b, last)

	w.down = true
	tomorrow := drawnAt(noon.AddDate(0, 0, 1), 1)
	if h.OverQuota(t.Context(), hub.Tenant{ID: o.dana.TenantID, Plan: "free"}, tomorrow) {
		t.Error("a chat is refused because the database is away")
	}
	looks("out of reach", 0, "free", tomorrow) // not again at once
}

func TestAPlanIsFoundByItsNameAlone(t *testing.T) {
	t.Parallel()
	for _, name := range hub.PlanNames() {
		if p, err := hub.ParsePlan(name); err != nil || p.Name != name {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	for _, name := range []string{"", "Free", "free ", "teem"} {
		if _, err := hub.ParsePlan(name); err == nil || err.Error() != `there is no plan "`+name+`"; the plans are free, team, business, unlimited` {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, plan := range []string{hub.Unlimited, "of a newer version"} {
		limits := hub.Tenant{Plan: plan}.Limits()
		if limits.AllowConnections(1e9) != nil || limits.AllowMembers(1e9) != nil || limits.AllowCSVRows(1e9) != nil || limits.ChatsPerDay != 0 {
			t.Errorf("the plan %q has limits: %+v", plan, limits)
		}
	}
	const want = `Your plan "free" has 20,000 rows from files, and this would be more. Upload a shorter file, remove a list you no longer use, or ask for a larger plan. The rows from before are still there.`
	e := (*hub.Error)(nil)
	if err := (hub.Tenant{Plan: "free"}).Limits().AllowCSVRows(20_001); !errors.As(err, &e) || e.Message != want || e.Code != hub.CodeQuota {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestDaysThatAreOverAreCountedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		o := open(t, db)
		o.on("free")
		today := o.now().UTC().Truncate(24 * time.Hour)
		o.came(today, 1, 3)
		o.pass(15 * 24 * time.Hour) // the tenant is older than the days that are told of
		later := today.AddDate(0, 0, 15)
		o.came(later.AddDate(0, 0, -3), 1, 7)
		o.came(later.Add(time.Millisecond), 1, 2)
		usage := func(h *hub.Hub) hub.Usage {
			u, err := h.Usage(t.Context(), o.dana)
			must(t, err)
			return u
		}
		u := usage(o.hubs[0])
		if len(u.Days) != 14 || u.Plan != "free" || !u.ResetsAt.Equal(later.AddDate(0, 0, 1)) || u.ChatsToday != (hub.Used{Used: 2, Limit: 500}) {
			t.Fatalf("usage = %+v", u)
		}
		for i, d := range u.Days {
			want := map[int]int{10: 7, 13: 2}[i]
			if !d.Day.Equal(later.AddDate(0, 0, i-13)) || d.Chats != want {
				t.Errorf("day %d: %+v, want %d chats", i, d, want)
			}
		}
		o.came(later.AddDate(0, 0, -3), 100, 1) // as nothing does
		o.came(later.Add(time.Millisecond), 100, 1)
		if again := usage(o.hubs[0]); again.Days[10].Chats != 7 || again.ChatsToday.Used != 3 {
			t.Errorf("again: %+v", again)
		}
		if elsewhere := usage(o.hubs[1]); elsewhere.Days[10].Chats != 8 {
			t.Errorf("in another process: %+v", elsewhere)
		}
	})
}
