package connectortest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"

	"go.uber.org/goleak"

	"sidecard/connectors"
)

// sourceIsOnlyRead lets everything happen and compares the source's state before and after.
func sourceIsOnlyRead(ctx context.Context, h Harness) error {
	before, err := h.State()
	if err != nil {
		return fmt.Errorf("read the source's state: %w", err)
	}
	if err := usesAll(ctx, h); err != nil {
		return err
	}
	after, err := h.State()
	if err != nil {
		return fmt.Errorf("read the source's state again: %w", err)
	}
	if before != after {
		return errors.New("reading has changed the source")
	}
	return nil
}

// usesAll asks a source for all it can say. Over HTTP it asks by verbs that can be meant to read.
func usesAll(ctx context.Context, h Harness) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src, on, err := h.open(ctx, h.Good)
	if err != nil {
		return err
	}
	defer src.Close()
	var broken []error
	for _, email := range slices.Concat(storable, askable, []string{h.Known.Email, h.Sparse.Email, unknown}) {
		if _, err := src.Lookup(ctx, connectors.Query{Email: email}); err != nil {
			broken = append(broken, fmt.Errorf("lookup of %s: %w", excerpt(email), err))
		}
	}
	_, err = src.Check(ctx)
	broken = append(broken, err)
	if d, ok := src.(connectors.Discoverer); ok {
		_, err := d.Discover(ctx)
		broken = append(broken, err)
	}
	for _, c := range on.made() {
		if c.method != http.MethodGet && c.method != http.MethodHead && c.method != http.MethodPost {
			broken = append(broken, fmt.Errorf("a %s was sent: connectors only read", c.method))
		}
	}
	return errors.Join(broken...)
}

func closeIsCalm(ctx context.Context, h Harness) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return errors.Join(closesUnused(ctx, h), closesTwice(ctx, h), closesUnderLoad(ctx, h), closesDuringLookup(ctx, h))
}

func closesUnused(ctx context.Context, h Harness) error {
	src, _, err := h.open(ctx, h.Good)
	if err != nil {
		return err
	}
	return src.Close()
}

func closesTwice(ctx context.Context, h Harness) error {
	src, _, err := h.open(ctx, h.Good)
	if err != nil {
		return err
	}
	_, err = find(ctx, src, connectors.Query{Email: h.Known.Email}, connectors.Found)
	if err := errors.Join(err, src.Close(), src.Close()); err != nil {
		return err
	}
	_, err = src.Lookup(ctx, connectors.Query{Email: h.Known.Email})
	if err := isError(err, connectors.Canceled); err != nil {
		return fmt.Errorf("lookup after close: %w", err)
	}
	return nil
}

// closesUnderLoad closes while lookups come and go: each of them ends with an answer or says that it was
// cancelled.
func closesUnderLoad(ctx context.Context, h Harness) error {
	src, _, err := h.open(ctx, h.Good)
	if err != nil {
		return err
	}
	broken := make([]error, 16)
	started := make(chan struct{}, len(broken))
	var all sync.WaitGroup
	for i := range broken {
		all.Go(func() {
			for range 20 {
				_, err := src.Lookup(ctx, connectors.Query{Email: h.Known.Email})
				if err != nil {
					broken[i] = errors.Join(broken[i], isError(err, connectors.Canceled))
				}
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	<-started
	err = src.Close()
	all.Wait()
	return errors.Join(err, errors.Join(broken...))
}

// closesDuringLookup closes while a lookup hangs. Close may wait for the lookup, but not beyond its end.
func closesDuringLookup(ctx context.Context, h Harness) error {
	entered := make(chan struct{}, 1)
	src, _, err := h.open(ctx, h.Good, stuckAndTelling(entered))
	if err != nil {
		return err
	}
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	looked := make(chan error, 1)
	go func() {
		_, err := src.Lookup(asked, connectors.Query{Email: h.Known.Email})
		looked <- err
	}()
	<-entered
	done := make(chan error, 1)
	go func() { done <- src.Close() }()
	cancel()
	return inTime("lookup and close", func() error {
		return errors.Join(isError(<-looked, connectors.Canceled), <-done)
	})
}

// stuckAndTelling has every way out hang until its context ends, and tell when it is entered.
func stuckAndTelling(entered chan<- struct{}) func(*connectors.OpenInput) {
	hold := func(ctx context.Context) error {
		select {
		case entered <- struct{}{}:
		default:
		}
		return untilDone(ctx)
	}
	return func(in *connectors.OpenInput) {
		in.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, hold(ctx) }
		in.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return nil, hold(r.Context())
		})}
		if in.Rows != nil {
			in.Rows = tellingRows{hold}
		}
	}
}

type tellingRows struct{ hold func(context.Context) error }

func (r tellingRows) FindRows(ctx context.Context, _ string, _ int) ([]map[string]string, error) {
	return nil, r.hold(ctx)
}

func (r tellingRows) Columns(ctx context.Context) ([]string, error) { return nil, r.hold(ctx) }

func closeLeavesNothing(ctx context.Context, h Harness) error {
	already := goleak.IgnoreCurrent()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	use := func(edits ...func(*connectors.OpenInput)) error {
		src, _, err := h.open(ctx, h.Good, edits...)
		if err != nil {
			return err
		}
		short, done := context.WithTimeout(ctx, deadline)
		defer done()
		// What they find is for other promises; here they only have to end.
		_, _ = src.Lookup(short, connectors.Query{Email: h.Known.Email})
		_, _ = src.Check(short)
		return src.Close()
	}
	err := errors.Join(use(), h.eachHang(ctx, func(stuck hang) error { return use(stuck.edit) }))
	cancel()
	if err != nil {
		return err
	}
	return goleak.Find(already)
}
