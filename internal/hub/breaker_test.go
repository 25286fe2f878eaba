package hub

import (
	"context"
	"errors"
	"testing"

	"sidecard/connectors"
	"sidecard/connectors/csv"
	"sidecard/connectors/postgres"
)

// A list lies in our own database: when asking it takes too long, that says nothing about the source.
func TestATimeOutOfOurOwnDatabaseCountsAgainstNoSource(t *testing.T) {
	t.Parallel()
	registry, err := connectors.NewRegistry(csv.New(), postgres.New())
	if err != nil {
		t.Fatal(err)
	}
	h := &Hub{Config: Config{Connectors: registry}}
	list, shop := NewID(), NewID()
	s := &openSetup{sources: map[ID]*openSource{
		list: {Connection: Connection{Kind: "csv"}}, shop: {Connection: Connection{Kind: "postgres"}},
	}}
	for name, tt := range map[string]struct {
		id   ID
		err  error
		ours bool
	}{
		"a list":            {list, context.DeadlineExceeded, true},
		"a tenant's server": {shop, context.DeadlineExceeded, false},
		"another failure":   {list, errors.New("broken"), false},
	} {
		told := h.whoseTime(s, tt.id, tt.err)
		if saysNothing(told) != tt.ours || (found{answers: map[ID]Answer{tt.id: {Err: told}}}).ourFault() != tt.ours {
			t.Errorf("%s: %v counts against the source: %t", name, told, !tt.ours)
		}
		if !errors.Is(told, tt.err) {
			t.Errorf("%s: %v lost its cause", name, told)
		}
	}
}
