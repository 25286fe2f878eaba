package connectors_test

import (
	"context"
	"testing"

	"sidecard/connectors"
)

func TestTheEndOfALifeEndsItsUsesAndWaitsForThem(t *testing.T) {
	t.Parallel()
	l := connectors.NewLife()
	use, end, err := l.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	outlived := make(chan struct{})
	l.Go(func(ctx context.Context) {
		<-ctx.Done()
		close(outlived)
	})
	ended := make(chan struct{})
	go func() {
		l.End()
		close(ended)
	}()
	<-use.Done()
	select {
	case <-ended:
		t.Error("the end did not wait for a use")
	default:
	}
	end()
	<-ended
	<-outlived
	if _, _, err := l.Begin(t.Context()); connectors.AsError(err).Class != connectors.Canceled {
		t.Errorf("a use after the end: %v", err)
	}
	l.End()
}
