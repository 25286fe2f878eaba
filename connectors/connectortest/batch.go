package connectortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sidecard/connectors"
)

// batchAnswersAlike asks many at once and each by itself: the answers are the same, in order.
func batchAnswersAlike(ctx context.Context, h Harness) error {
	most := h.Connector.Spec().Batch
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		batch, ok := src.(connectors.BatchLooker)
		switch {
		case ok != (most > 1):
			return fmt.Errorf("Spec.Batch is %d, but implementing BatchLooker is %v", most, ok)
		case !ok:
			return nil
		}
		if answers := batch.LookupBatch(ctx, nil); len(answers) != 0 {
			return fmt.Errorf("%d answers to no question", len(answers))
		}
		for part := range slices.Chunk(h.questions(), most) {
			if err := answersAlike(ctx, src, batch, part); err != nil {
				return err
			}
		}
		return batchIsOneCall(ctx, h, most)
	})
}

// questions repeat addresses, mix the known with the unknown, and want different fields.
func (h Harness) questions() []connectors.Query {
	ids := slices.Sorted(maps.Keys(h.Known.Record))
	questions := []connectors.Query{
		{Email: h.Known.Email, Fields: ids},
		{Email: unknown, Fields: ids},
		{Email: h.Sparse.Email, Fields: []string{h.Sparse.Null, h.Sparse.Absent}},
		{Email: h.Known.Email, Fields: ids[:1]},
		{Email: strings.ToUpper(h.Known.Email), Fields: ids},
		{Email: unknown, Fields: ids[:1]},
	}
	for _, email := range append([]string{h.Twins.Email, h.Second.Email}, askable...) {
		if email != "" {
			questions = append(questions, connectors.Query{Email: email, Fields: ids})
		}
	}
	return questions
}

func answersAlike(ctx context.Context, src connectors.Source, batch connectors.BatchLooker, questions []connectors.Query) error {
	answers := batch.LookupBatch(ctx, questions)
	if len(answers) != len(questions) {
		return fmt.Errorf("%d answers to %d questions", len(answers), len(questions))
	}
	var broken []error
	for i, q := range questions {
		single, err := src.Lookup(ctx, q)
		if err := errors.Join(err, answers[i].Err); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", excerpt(q.Email), err))
			continue
		}
		if err := alike(q, answers[i].Result, single); err != nil {
			broken = append(broken, fmt.Errorf("question %d, %s, in a batch: %w", i+1, excerpt(q.Email), err))
		}
	}
	return errors.Join(broken...)
}

// alike compares what was asked for; a source may return more.
func alike(q connectors.Query, got, want connectors.Result) error {
	if got.Match != want.Match || got.MatchedOn != want.MatchedOn || len(got.Records) != len(want.Records) {
		return fmt.Errorf("%s on %q with %d records, alone %s on %q with %d",
			got.Match, got.MatchedOn, len(got.Records), want.Match, want.MatchedOn, len(want.Records))
	}
	for i, record := range want.Records {
		for _, id := range q.Fields {
			w, there := record[id]
			if v, ok := got.Records[i][id]; ok != there || v != w {
				return fmt.Errorf("field %s is %+v (there: %v), alone %+v (%v)", id, v, ok, w, there)
			}
		}
	}
	return nil
}

// batchIsOneCall asks fresh sources about strangers: as many calls are made for a batch as for one of them.
func batchIsOneCall(ctx context.Context, h Harness, most int) error {
	var strangers []connectors.Query
	for i := range most {
		strangers = append(strangers, connectors.Query{Email: fmt.Sprintf("nobody%d@visitor.example", i)})
	}
	count := func(questions []connectors.Query) (int, error) {
		src, on, err := h.open(ctx, h.Good)
		if err != nil {
			return 0, err
		}
		defer src.Close()
		var broken []error
		for _, a := range src.(connectors.BatchLooker).LookupBatch(ctx, questions) {
			broken = append(broken, a.Err)
		}
		return len(on.used()), errors.Join(broken...)
	}
	one, err := count(strangers[:1])
	if err != nil {
		return err
	}
	all, err := count(strangers)
	if err == nil && all > one {
		err = fmt.Errorf("%d questions take %d calls, one takes %d", most, all, one)
	}
	return err
}
