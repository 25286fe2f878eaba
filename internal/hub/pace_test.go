package hub

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sidecard/connectors"
	"sidecard/connectors/hubspot"
	"sidecard/connectors/hubspot/hubspottest"
	"sidecard/internal/meter"
)

// Two workers get a thousand chats in ten seconds, whose visitors are in a HubSpot account that allows 110 calls in
// that time. The vendor never has to refuse, and everybody is answered within the deadline. It takes the ten seconds.
func TestAThousandChatsInTenSecondsStayWithinHubSpotsLimit(t *testing.T) {
	t.Parallel()
	const chats, workers = 1000, 2
	crm := hubspottest.New(hubspottest.Options{Burst: 110})
	server := crm.Start()
	t.Cleanup(server.Close)
	for n := range chats {
		crm.Add(hubspottest.Contacts, hubspottest.Record{Properties: map[string]string{"email": emailOf(n), "firstname": fmt.Sprint("Visitor ", n)}})
	}
	settings, err := json.Marshal(map[string]string{"auth": "service_key", "service_key": crm.ServiceKey()})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := connectors.NewRegistry(hubspot.New(hubspot.Options{API: server.URL}))
	if err != nil {
		t.Fatal(err)
	}
	shared := miniredis.RunT(t).Addr()
	c := Connection{ID: NewID(), Kind: "hubspot", Name: "CRM", SpecVersion: 1, Settings: settings}
	card := Card{Version: 1, Lines: []Line{{Label: "Name", Connection: c.ID, Field: "firstname"}}}
	hubs, setups := make([]*Hub, workers), make([]*openSetup, workers)
	for i := range hubs {
		client := redis.NewClient(&redis.Options{Addr: shared, ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = client.Close() })
		hubs[i] = New(Config{
			Connectors: registry, Meter: meter.New(client), Log: slog.New(slog.DiscardHandler),
			Way: Way{HTTP: func(int64) *http.Client { return &http.Client{} }},
		})
		setups[i] = &openSetup{sources: map[ID]*openSource{c.ID: {Connection: c, breaker: sourceBreaker()}}}
	}

	var all sync.WaitGroup
	took := make([]time.Duration, chats)
	tick := time.NewTicker(10 * time.Second / chats)
	defer tick.Stop()
	for n := range chats {
		all.Go(func() {
			began := time.Now()
			f := hubs[n%workers].askAll(t.Context(), hubs[n%workers].askForChat, setups[n%workers], card, emailOf(n), 0)
			took[n] = time.Since(began)
			if a := f.answers[c.ID]; a.Err != nil || a.Result.Match != connectors.Found || a.Result.Records[0]["firstname"].Text != fmt.Sprint("Visitor ", n) {
				t.Errorf("chat %d: %v, %v", n, a.Result, a.Err)
			}
		})
		<-tick.C
	}
	all.Wait()
	const lookups = "POST /objects/contacts/batch/read"
	refused := 0
	for _, r := range crm.Requests() {
		if r.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused > 0 {
		t.Errorf("%d calls were refused", refused)
	}
	slices.Sort(took)
	t.Logf("%d chats in %d lookups and %d calls in all; p50 %v, p99 %v, longest %v", chats, crm.Count(lookups, 0), len(crm.Requests()),
		took[chats/2].Round(time.Millisecond), took[chats*99/100].Round(time.Millisecond), took[chats-1].Round(time.Millisecond))
}

func emailOf(n int) string { return fmt.Sprintf("visitor%d@example.com", n) }
