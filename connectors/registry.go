package connectors

import (
	"fmt"
	"slices"
)

// Registry holds the kinds of source this program knows, in the order the portal shows them. It is
// filled once at start and read-only afterwards.
type Registry struct {
	kinds []Connector
}

// NewRegistry makes a registry. It refuses two connectors of one kind and a kind without a name.
func NewRegistry(kinds ...Connector) (*Registry, error) {
	r := &Registry{}
	for _, c := range kinds {
		kind := c.Spec().Kind
		if kind == "" {
			return nil, fmt.Errorf("connector %T has no kind", c)
		}
		if _, known := r.Find(kind); known {
			return nil, fmt.Errorf("two connectors of kind %q", kind)
		}
		r.kinds = append(r.kinds, c)
	}
	return r, nil
}

// Find returns the connector of a kind.
func (r *Registry) Find(kind string) (Connector, bool) {
	i := slices.IndexFunc(r.kinds, func(c Connector) bool { return c.Spec().Kind == kind })
	if i < 0 {
		return nil, false
	}
	return r.kinds[i], true
}

// All returns the connectors in order.
func (r *Registry) All() []Connector { return slices.Clone(r.kinds) }
