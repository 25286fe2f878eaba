package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/hubspot"
	"sidecard/connectors/hubspot/hubspottest"
	"sidecard/internal/meter"
)

// Two hubs that share a meter get a thousand chats in ten seconds, whose visitors are in a HubSpot account that allows
// 110 calls in that time and takes 60 to 140 ms for each. The vendor never has to refuse, and everybody is answered
// within the deadline. The clock is the bubble's, so that a busy machine changes nothing; that a limit holds over
// processes is shown by the tests of package meter.
func TestAThousandChatsInTenSecondsStayWithinHubSpotsLimit(t *testing.T) {
	t.Parallel()
	const chats, hubs = 1000, 2
	crm := hubspottest.New(hubspottest.Options{Burst: 110})
	for n := range chats {
		crm.Add(hubspottest.Contacts, hubspottest.Record{Properties: map[string]string{"email": emailOf(n), "firstname": fmt.Sprint("Visitor ", n)}})
	}
	settings, err := json.Marshal(map[string]string{"auth": "service_key", "service_key": crm.ServiceKey()})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := connectors.NewRegistry(hubspot.New(hubspot.Options{API: "http://api.hubspot.test"}))
	if err != nil {
		t.Fatal(err)
	}
	c := Connection{ID: NewID(), Kind: "hubspot", Name: "CRM", SpecVersion: 1, Settings: settings}
	card := Card{Version: 1, Lines: []Line{{Label: "Name", Connection: c.ID, Field: "firstname"}}}
	shared := meter.New(nil)
	var askers [hubs]func(ctx context.Context, email string) found
	for i := range askers { // outside the bubble: a hub's caches have goroutines that never end
		h := New(Config{
			Connectors: registry, Meter: shared, Log: slog.New(slog.DiscardHandler),
			Way: Way{HTTP: func(int64) *http.Client { return &http.Client{Transport: farAway{crm}} }},
		})
		s := &openSetup{sources: map[ID]*openSource{c.ID: {Connection: c, breaker: sourceBreaker()}}}
		askers[i] = func(ctx context.Context, email string) found { return h.askAll(ctx, h.askForChat, s, card, email, 0) }
	}
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		took := make([]time.Duration, chats)
		tick := time.NewTicker(10 * time.Second / chats)
		defer tick.Stop()
		for n := range chats {
			all.Go(func() {
				began := time.Now()
				a := askers[n%hubs](t.Context(), emailOf(n)).answers[c.ID]
				took[n] = time.Since(began)
				if a.Err != nil || a.Result.Match != connectors.Found || a.Result.Records[0]["firstname"].Text != fmt.Sprint("Visitor ", n) {
					t.Errorf("chat %d: %v, %v", n, a.Result, a.Err)
				}
			})
			<-tick.C
		}
		all.Wait()
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
		p50, p99 := took[chats/2], took[chats*99/100]
		if p99 > time.Second {
			t.Errorf("one chat in a hundred waits longer than %v", p99)
		}
		const lookups = "POST /objects/contacts/batch/read"
		t.Logf("%d chats in %d lookups and %d calls in all; p50 %v, p99 %v, longest %v", chats, crm.Count(lookups, 0), len(crm.Requests()),
			p50, p99, took[chats-1])
	})
}

// farAway carries requests to a handler in this process, and takes the time of a network for it.
type farAway struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (f farAway) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(60*time.Millisecond + rand.N(80*time.Millisecond)):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	answer := httptest.NewRecorder()
	inner := r.Clone(r.Context())
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	f.handler.ServeHTTP(answer, inner)
	return answer.Result(), nil
}

func emailOf(n int) string { return fmt.Sprintf("visitor%d@example.com", n) }
