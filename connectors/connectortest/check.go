package connectortest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
)

func checkPasses(ctx context.Context, h Harness) error {
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		report, err := src.Check(ctx)
		if err != nil {
			return fmt.Errorf("check: %w", err)
		}
		if !report.OK() {
			return fmt.Errorf("check of a good source fails: %+v", report.Steps)
		}
		return stepsAreInWords(report)
	})
}

func checkNamesFaults(ctx context.Context, h Harness) error {
	var broken []error
	for _, f := range h.faults() {
		if f.Step == "" {
			continue
		}
		err := h.faulty(ctx, f, func(ctx context.Context, src connectors.Source, _ *host) error { return checkNames(ctx, src, f) })
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", f.Name, err))
		}
	}
	return errors.Join(broken...)
}

func checkNames(ctx context.Context, src connectors.Source, f Fault) error {
	report, err := src.Check(ctx)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if len(report.Steps) == 0 || report.OK() {
		return fmt.Errorf("no step fails: %+v", report.Steps)
	}
	last := report.Steps[len(report.Steps)-1]
	if last.State != connectors.StepFail || last.Name != f.Step {
		return fmt.Errorf("the last step is %q (%s), want %q to fail", last.Name, last.State, f.Step)
	}
	if !strings.Contains(last.Detail+" "+last.Advice, f.Says) {
		return fmt.Errorf("step %q does not name %q: %s %s", last.Name, f.Says, last.Detail, last.Advice)
	}
	return stepsAreInWords(report)
}

// stepsAreInWords demands a name, what was seen and, unless all is well, what to do. Nothing comes after a
// failed step.
func stepsAreInWords(report connectors.Report) error {
	seen := make(map[string]bool)
	for i, s := range report.Steps {
		switch {
		case s.Name == "" || seen[s.Name]:
			return fmt.Errorf("step %d has no name of its own: %q", i+1, s.Name)
		case s.Detail == "":
			return fmt.Errorf("step %q does not say what was seen", s.Name)
		case s.State != connectors.StepOK && s.State != connectors.StepWarn && s.State != connectors.StepFail:
			return fmt.Errorf("step %q ended as %q", s.Name, s.State)
		case (s.State == connectors.StepOK) != (s.Advice == ""):
			return fmt.Errorf("step %q is %s with advice %q", s.Name, s.State, s.Advice)
		case s.State == connectors.StepFail && i != len(report.Steps)-1:
			return fmt.Errorf("steps follow %q, which failed", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

func discoverIsStable(ctx context.Context, h Harness) error {
	return h.with(ctx, func(ctx context.Context, src connectors.Source) error {
		d, ok := src.(connectors.Discoverer)
		if !ok {
			return errors.New("the source lists no fields: a card could not be made from it")
		}
		catalog, err := d.Discover(ctx)
		if err != nil {
			return fmt.Errorf("discover: %w", err)
		}
		again, err := d.Discover(ctx)
		if err != nil {
			return fmt.Errorf("discover again: %w", err)
		}
		if !reflect.DeepEqual(catalog, again) {
			return errors.New("discovering twice gives two catalogs")
		}
		if err := fieldsAreInWords(catalog); err != nil {
			return err
		}
		q := connectors.Query{Email: h.Known.Email}
		for _, f := range catalog.Fields {
			q.Fields = append(q.Fields, f.ID)
		}
		res, err := find(ctx, src, q, connectors.Found)
		if err != nil {
			return err
		}
		return catalogFits(catalog, res.Records[0])
	})
}

func discoverIsWide(ctx context.Context, h Harness) error {
	if h.Wide.Never != "" {
		return nil // declared, and complete demands the reason
	}
	wide := Fault{Settings: h.Wide.Settings, Host: h.Wide.Host}
	return h.faulty(ctx, wide, func(ctx context.Context, src connectors.Source, _ *host) error {
		d, ok := src.(connectors.Discoverer)
		if !ok {
			return errors.New("the source lists no fields")
		}
		catalog, err := d.Discover(ctx)
		if err != nil {
			return fmt.Errorf("discover: %w", err)
		}
		if n := len(catalog.Fields); n < h.Wide.Fields {
			return fmt.Errorf("%d of %d fields are listed", n, h.Wide.Fields)
		}
		again, err := d.Discover(ctx)
		if err == nil && !reflect.DeepEqual(catalog, again) {
			err = errors.New("discovering twice gives two catalogs")
		}
		return errors.Join(err, fieldsAreInWords(catalog))
	})
}

func fieldsAreInWords(catalog connectors.Catalog) error {
	if len(catalog.Fields) == 0 {
		return errors.New("the catalog is empty")
	}
	seen := make(map[string]bool)
	for _, f := range catalog.Fields {
		switch {
		case f.ID == "" || seen[f.ID]:
			return fmt.Errorf("a field has no id of its own: %q", f.ID)
		case f.Label == "":
			return fmt.Errorf("field %s has no label", f.ID)
		case !kinds[f.Kind] || f.Kind == connectors.Null:
			return fmt.Errorf("field %s is of kind %q", f.ID, f.Kind)
		case utf8.RuneCountInString(f.Sample) > 80:
			return fmt.Errorf("the sample of field %s is longer than 80 characters", f.ID)
		}
		seen[f.ID] = true
	}
	return nil
}

// catalogFits demands that a record holds what the catalog promises, and nothing else.
func catalogFits(catalog connectors.Catalog, record connectors.Record) error {
	promised := make(map[string]connectors.Kind)
	for _, f := range catalog.Fields {
		promised[f.ID] = f.Kind
		if _, ok := record[f.ID]; !ok {
			return fmt.Errorf("field %s is in the catalog but not in a record", f.ID)
		}
	}
	for id, v := range record {
		kind, ok := promised[id]
		switch {
		case !ok:
			return fmt.Errorf("field %s is in a record but not in the catalog", id)
		case v.Kind != kind && v.Kind != connectors.Null:
			return fmt.Errorf("field %s is %s in a record and %s in the catalog", id, v.Kind, kind)
		}
	}
	return nil
}

var kinds = map[connectors.Kind]bool{
	connectors.Null: true, connectors.Text: true, connectors.Number: true, connectors.Bool: true, connectors.Date: true,
	connectors.DateTime: true, connectors.List: true, connectors.JSON: true,
}

func errorsHaveClasses(ctx context.Context, h Harness) error {
	var broken []error
	for _, f := range h.faults() {
		err := h.faulty(ctx, f, func(ctx context.Context, src connectors.Source, _ *host) error {
			return errorFits(ctx, src, h.Known.Email, f)
		})
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", f.Name, err))
		}
	}
	return errors.Join(broken...)
}

func errorFits(ctx context.Context, src connectors.Source, email string, f Fault) error {
	res, err := src.Lookup(ctx, connectors.Query{Email: email})
	if err == nil {
		return fmt.Errorf("lookup gives %s instead of an error", res.Match)
	}
	if err := isError(err, f.Class); err != nil {
		return err
	}
	e := connectors.AsError(err)
	switch {
	case f.Code != "" && e.Code != f.Code:
		return fmt.Errorf("code %q, want %q", e.Code, f.Code)
	case f.Bucket != e.Bucket:
		return fmt.Errorf("bucket %q, want %q", e.Bucket, f.Bucket)
	case f.RetryAfter != 0 && (e.RetryAfter > f.RetryAfter || e.RetryAfter < f.RetryAfter-2*time.Second):
		return fmt.Errorf("ask again after %s, want %s", e.RetryAfter, f.RetryAfter)
	}
	return nil
}

// isError demands an *Error of the class that tells people what to do.
func isError(err error, class connectors.Class) error {
	var e *connectors.Error
	switch {
	case err == nil:
		return fmt.Errorf("no error, want one of class %s", class)
	case !errors.As(err, &e):
		return fmt.Errorf("%T is no *connectors.Error: %w", err, err)
	case e.Class != class:
		return fmt.Errorf("class %q, want %q: %w", e.Class, class, err)
	case e.Code == "" || e.Message == "":
		return fmt.Errorf("an error without code (%q) or sentence (%q): %w", e.Code, e.Message, err)
	case e.Fix == "" && class != connectors.Canceled:
		return fmt.Errorf("error %s does not say what to do", e.Code)
	}
	return nil
}
