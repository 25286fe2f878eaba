package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
)

// A card is a few lines: one value, and a whole answer, are far below these.
const (
	longestValue  = 64 << 10
	longestRecord = 1 << 20
)

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// sound demands that a value is written as its kind says.
func sound(v connectors.Value) error {
	var ok bool
	switch v.Kind {
	case connectors.Null:
		ok = v.Text == ""
	case connectors.Number:
		ok = decimal.MatchString(v.Text)
	case connectors.Bool:
		ok = v.Text == "true" || v.Text == "false"
	case connectors.Date:
		_, err := time.Parse(time.DateOnly, v.Text)
		ok = err == nil
	case connectors.DateTime:
		_, err := time.Parse(time.RFC3339Nano, v.Text)
		ok = err == nil
	case connectors.JSON:
		var compact bytes.Buffer
		ok = json.Compact(&compact, []byte(v.Text)) == nil && compact.String() == v.Text
	default:
		ok = kinds[v.Kind]
	}
	switch {
	case !ok:
		return fmt.Errorf("%s is no value of kind %q", excerpt(v.Text), v.Kind)
	case !utf8.ValidString(v.Text):
		return fmt.Errorf("%s is no UTF-8", excerpt(v.Text))
	case len(v.Text) > longestValue:
		return fmt.Errorf("a value of %d bytes: cut it where it is read", len(v.Text))
	}
	return nil
}

// sane demands that a result is one, whatever it says.
func sane(res connectors.Result) error {
	records := len(res.Records)
	if res.Match.String() == "unknown" || (res.Match == connectors.None) != (records == 0) || (res.Match == connectors.Found) != (records == 1) {
		return fmt.Errorf("%s with %d records", res.Match, records)
	}
	for _, record := range res.Records {
		size := 0
		for id, v := range record {
			if err := sound(v); err != nil {
				return fmt.Errorf("field %s: %w", excerpt(id), err)
			}
			size += len(id) + len(v.Text)
		}
		if size > longestRecord {
			return fmt.Errorf("a record of %d bytes", size)
		}
	}
	return nil
}

// holds demands that a record has the wanted values.
func holds(record, want connectors.Record) error {
	for id, w := range want {
		if got, ok := record[id]; !ok || got != w {
			return fmt.Errorf("field %s is %+v (there: %v), want %+v", id, got, ok, w)
		}
	}
	return nil
}

func secondAddressFinds(ctx context.Context, h Harness) error {
	if h.Second.Never != "" {
		return nil // declared, and complete demands the reason
	}
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		return finds(ctx, src, connectors.Query{Email: h.Second.Email}, h.Known.Record)
	})
}

func hugeValueIsCut(ctx context.Context, h Harness) error {
	if h.Huge.Never != "" {
		return nil // declared, and complete demands the reason
	}
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		res, err := find(ctx, src, connectors.Query{Email: h.Huge.Email, Fields: []string{h.Huge.Field}}, connectors.Found)
		if err != nil {
			return err
		}
		if v := res.Records[0][h.Huge.Field]; v.Empty() {
			return fmt.Errorf("of a huge value nothing is left: %+v", v)
		}
		return sane(res)
	})
}

func failureBesideIsPartial(ctx context.Context, h Harness) error {
	if h.Beside.Never != "" {
		return nil // declared, and complete demands the reason
	}
	whole := func(ctx context.Context, src connectors.Source) error {
		res, err := find(ctx, src, connectors.Query{Email: h.Known.Email}, connectors.Found)
		if err == nil && len(res.Partial) > 0 {
			err = fmt.Errorf("when nothing fails, something is partial: %w", res.Partial[0])
		}
		return err
	}
	broken := func(ctx context.Context, src connectors.Source) error {
		res, err := find(ctx, src, connectors.Query{Email: h.Known.Email}, connectors.Found)
		if err != nil {
			return fmt.Errorf("when a part fails, all fails: %w", err)
		}
		if len(res.Partial) == 0 {
			return errors.New("nobody is told that a part failed")
		}
		for _, e := range res.Partial {
			if err := isError(e, e.Class); err != nil {
				return err
			}
		}
		rest := maps.Clone(h.Known.Record)
		for _, id := range h.Beside.Fields {
			delete(rest, id)
		}
		return holds(res.Records[0], rest)
	}
	end := h.Beside.Break()
	err := h.with(ctx, broken)
	end()
	return errors.Join(err, h.with(ctx, whole))
}
