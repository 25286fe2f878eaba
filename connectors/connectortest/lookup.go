package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sidecard/connectors"
)

// storable are addresses that can be in a source. None of them may be read as syntax.
var storable = []string{
	"o'brien@visitor.example",
	`"quoted"@visitor.example`,
	"100%@visitor.example",
	"under_score@visitor.example",
	"a/b/../c@visitor.example",
	`back\slash@visitor.example`,
	"jürgen.öst@bücher.example",
	"ana+tag@visitor.example",
	"$1@visitor.example",
	"{{7*7}}@visitor.example",
	`"};--@visitor.example`,
	"<b>&amp;@visitor.example",
	"a;b,c|d@visitor.example",
	"'||pg_sleep(9)||'@visitor.example",
}

// askable are addresses that a visitor may send and no source holds.
var askable = []string{
	"",
	"%",
	"%@visitor.example",
	"_____@visitor.example",
	"*",
	"' OR 1=1 --",
	"x' OR 'a'='a'@visitor.example",
	"x\r\nX-Injected: 1@visitor.example",
	"nul\x00byte@visitor.example",
	"broken\xff\xfeutf8@visitor.example",
	"not an address",
	strings.Repeat("a", 10<<10) + "@visitor.example",
}

func lookupFinds(ctx context.Context, h Harness) error {
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		var ids []string
		for id := range h.Known.Record {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		upper := strings.ToUpper(h.Known.Email)
		return errors.Join(
			finds(ctx, src, connectors.Query{Email: h.Known.Email}, h.Known.Record),
			finds(ctx, src, connectors.Query{Email: upper}, h.Known.Record),
			finds(ctx, src, connectors.Query{Email: h.Known.Email, Fields: ids}, h.Known.Record),
			finds(ctx, src, connectors.Query{Email: h.Known.Email, Fields: append(ids, "no such field")}, h.Known.Record),
			finds(ctx, src, connectors.Query{Email: h.Known.Email, Fields: []string{"no such field"}}, nil),
		)
	})
}

// finds demands exactly one record that holds what is wanted, in values that are sound.
func finds(ctx context.Context, src connectors.Source, q connectors.Query, want connectors.Record) error {
	res, err := find(ctx, src, q, connectors.Found)
	if err != nil {
		return err
	}
	record := res.Records[0]
	if err := errors.Join(sane(res), holds(record, want)); err != nil {
		return fmt.Errorf("asked for %q: %w", q.Fields, err)
	}
	if v, ok := record["no such field"]; ok {
		return fmt.Errorf("a field that the source does not have is there: %+v", v)
	}
	return nil
}

func lookupFindsNobody(ctx context.Context, h Harness) error {
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		_, err := find(ctx, src, connectors.Query{Email: unknown}, connectors.None)
		return err
	})
}

func lookupIsAmbiguous(ctx context.Context, h Harness) error {
	if h.Twins.Never != "" {
		return nil // declared, and complete demands the reason
	}
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		_, err := find(ctx, src, connectors.Query{Email: h.Twins.Email}, connectors.Ambiguous)
		return err
	})
}

func lookupTellsNothings(ctx context.Context, h Harness) error {
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		s := h.Sparse
		fields := []string{s.Null, s.Absent}
		if s.NoEmpty == "" {
			fields = append(fields, s.Empty)
		}
		var broken []error
		for _, asked := range [][]string{nil, fields} {
			res, err := find(ctx, src, connectors.Query{Email: s.Email, Fields: asked}, connectors.Found)
			if err != nil {
				return err
			}
			record := res.Records[0]
			if v, ok := record[s.Null]; !ok || v.Kind != connectors.Null {
				broken = append(broken, fmt.Errorf("a field without a value is %+v (there: %v)", v, ok))
			}
			if v, ok := record[s.Empty]; s.NoEmpty == "" && (!ok || v != (connectors.Value{Kind: connectors.Text})) {
				broken = append(broken, fmt.Errorf("an empty text is %+v (there: %v)", v, ok))
			}
			if v, ok := record[s.Absent]; ok {
				broken = append(broken, fmt.Errorf("a field that is not there is %+v", v))
			}
		}
		return errors.Join(broken...)
	})
}

func addressesAreData(ctx context.Context, h Harness) error {
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		var broken []error
		for _, email := range slices.Concat(storable, askable) {
			_, err := find(ctx, src, connectors.Query{Email: email}, connectors.None)
			broken = append(broken, err)
		}
		for _, email := range storable {
			if err := h.Add(email); err != nil {
				return fmt.Errorf("add %s: %w", excerpt(email), err)
			}
		}
		for _, email := range storable {
			_, err := find(ctx, src, connectors.Query{Email: email}, connectors.Found)
			broken = append(broken, err)
		}
		for _, email := range append([]string{"ana@visitor.example"}, askable...) {
			_, err := find(ctx, src, connectors.Query{Email: email}, connectors.None)
			broken = append(broken, err)
		}
		return errors.Join(broken...)
	})
}

func lookupsInParallel(ctx context.Context, h Harness) error {
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		broken := make([]error, 64)
		var all sync.WaitGroup
		for i := range broken {
			all.Go(func() {
				if i%2 == 0 {
					broken[i] = finds(ctx, src, connectors.Query{Email: h.Known.Email}, h.Known.Record)
					return
				}
				_, broken[i] = find(ctx, src, connectors.Query{Email: unknown}, connectors.None)
			})
		}
		all.Wait()
		return errors.Join(broken...)
	})
}
