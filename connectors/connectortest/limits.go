package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"sidecard/connectors"
)

// limitsAreKept asks ten times as often as the vendor allows. The suite's limiter lets only what is allowed pass: a
// call that it has not seen has gone around it.
func limitsAreKept(ctx context.Context, h Harness) error {
	limits := h.Connector.Spec().Limits
	if len(limits) == 0 {
		return nil
	}
	for _, limit := range limits {
		if limit.Calls < 1 || limit.Per <= 0 {
			return fmt.Errorf("limit %q allows %d calls in %s", limit.Bucket, limit.Calls, limit.Per)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src, on, err := h.open(ctx, h.Good)
	if err != nil {
		return err
	}
	defer src.Close()
	const allowed = 5
	on.limits.only(allowed)
	broken := make([]error, 10*allowed)
	var all sync.WaitGroup
	for i := range broken {
		all.Go(func() {
			if _, err := src.Lookup(ctx, connectors.Query{Email: fmt.Sprintf("load%d@visitor.example", i)}); err != nil {
				broken[i] = isError(err, connectors.RateLimited)
			}
		})
	}
	all.Wait()
	calls := on.made()
	around := slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return c.asked })
	switch odd := on.limits.unknown(); {
	case len(odd) > 0:
		return fmt.Errorf("the spec has no limit called %q", odd[0])
	case len(around) > 0:
		return fmt.Errorf("%d of %d calls were made without asking the limiter, one of them %s", len(around), len(calls), around[0].method)
	case len(calls) > allowed:
		return fmt.Errorf("%d calls were made where %d are allowed", len(calls), allowed)
	}
	return errors.Join(broken...)
}

// nothingIsAskedTwice has the source fail: how often to ask again is the host's business.
func nothingIsAskedTwice(ctx context.Context, h Harness) error {
	var broken []error
	for _, f := range h.faults() {
		if f.Class == connectors.AuthRevoked || f.Class == connectors.AuthExpired {
			continue // a renewed sign-in may be tried once
		}
		err := h.faulty(ctx, f, func(ctx context.Context, src connectors.Source, on *host) error {
			_, _ = src.Lookup(ctx, connectors.Query{Email: h.Known.Email}) // what it says is for other promises
			return asksOnce(on.made())
		})
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", f.Name, err))
		}
	}
	return errors.Join(append(broken, h.eachAnswer(ctx, func(a answer, on *host, _ error) error {
		if a.status == 401 {
			return nil
		}
		return asksOnce(on.made())
	}))...)
}

func asksOnce(calls []call) error {
	for i, c := range calls {
		if slices.ContainsFunc(calls[:i], c.same) {
			return fmt.Errorf("the same %s was sent again: only the host asks again", c.method)
		}
	}
	return nil
}
