package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"sidecard/connectors"
)

// requestsKeepTheirShape looks strange addresses up: the requests over HTTP are the same as for a plain one but for
// values. What a database makes of an address shows in its answers, which is for "addresses are data".
func requestsKeepTheirShape(ctx context.Context, h Harness) error {
	if h.Host().HTTP == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	plain := make(map[string]bool)
	for _, email := range []string{h.Known.Email, h.Sparse.Email, unknown} {
		shapes, err := h.shapes(ctx, email)
		if err != nil {
			return err
		}
		for _, s := range shapes {
			plain[s] = true
		}
	}
	var broken []error
	for _, email := range slices.Concat(storable, askable) {
		shapes, err := h.shapes(ctx, email)
		if err != nil {
			return err
		}
		for _, s := range shapes {
			if !plain[s] {
				broken = append(broken, fmt.Errorf("%s changes a request to %s", excerpt(email), s))
			}
		}
	}
	return errors.Join(broken...)
}

// shapes gives the shape of each request that a fresh source makes for one lookup.
func (h Harness) shapes(ctx context.Context, email string) ([]string, error) {
	src, on, err := h.open(ctx, h.Good)
	if err != nil {
		return nil, err
	}
	if _, err := src.Lookup(ctx, connectors.Query{Email: email}); err != nil {
		return nil, errors.Join(fmt.Errorf("lookup of %s: %w", excerpt(email), err), src.Close())
	}
	var shapes []string
	for _, c := range on.made() {
		s, err := c.shape()
		if err != nil {
			return nil, errors.Join(err, src.Close())
		}
		shapes = append(shapes, s)
	}
	return shapes, src.Close()
}

// shape is all of a request but its values.
func (c call) shape() (string, error) {
	u, err := url.Parse(c.url)
	if err != nil {
		return "", fmt.Errorf("a request to no URL: %w", err)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", fmt.Errorf("a request with a broken query: %w", err)
	}
	headers := slices.Sorted(maps.Keys(c.header))
	for _, name := range headers {
		if v := strings.Join(c.header[name], ""); strings.ContainsAny(v, "\r\n\x00") {
			return "", fmt.Errorf("header %s breaks out of its line", name)
		}
	}
	return fmt.Sprintf("%s %s with %d path segments, parameters %q, headers %q, body %s", c.method, u.Host,
		strings.Count(u.EscapedPath(), "/"), names(query), headers, c.bodyShape()), nil
}

// names gives the names of parameters, each as often as it is there.
func names(form url.Values) []string {
	var all []string
	for name, values := range form {
		for range values {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func (c call) bodyShape() string {
	if c.body == "" {
		return "none"
	}
	var v any
	if json.Unmarshal([]byte(c.body), &v) == nil {
		return jsonShape(v)
	}
	if form, err := url.ParseQuery(c.body); err == nil && strings.Contains(c.header.Get("Content-Type"), "form") {
		return fmt.Sprintf("%q", names(form))
	}
	return "text"
}

func jsonShape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+":"+jsonShape(v[name]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, one := range v {
			parts = append(parts, jsonShape(one))
		}
		return "[" + strings.Join(parts, ",") + "]"
	default:
		return fmt.Sprintf("%T", v)
	}
}
