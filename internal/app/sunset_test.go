package app

import (
	"testing"
	"time"
)

// A vendor's version that ends needs work that takes months to reach all operators. This test begins to fail when 120
// days are left, on purpose.
func TestNoVendorsVersionEndsSoon(t *testing.T) {
	t.Parallel()
	registry, err := kinds(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range registry.All() {
		if s := c.Spec(); !s.Sunset.IsZero() && time.Until(s.Sunset) < 120*24*time.Hour {
			t.Errorf("%s ends the version that Sidecard uses on %s", s.Name, s.Sunset.Format(time.DateOnly))
		}
	}
}
