package housetest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

const module = "sidecard/"

// pkg is what the rules need to know of a package; the names are those of go list -json.
type pkg struct {
	ImportPath string
	Imports    []string // without those of its tests
	Deps       []string // everything it is linked with
}

// violations returns a sentence for each import that the house forbids, in the packages' order.
func violations(packages []pkg) []string {
	var found []string
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module)
		height, ok := place(name)
		if !ok {
			found = append(found, fmt.Sprintf(
				"%s has no place in the house: add it to the map floors in internal/housetest/house.go, "+
					"and to docs/architecture.md if it is a new room", name))
			continue
		}
		for _, imported := range p.Imports {
			found = append(found, forbidden(name, height, imported)...)
		}
		if slices.Contains(production, name) {
			found = append(found, carried(name, p.Deps)...)
		}
	}
	return found
}

// forbidden tells what is wrong with one import.
func forbidden(name string, height floor, imported string) []string {
	var found []string
	for _, f := range fences {
		if height != forTests && under(imported, f.path) && !slices.Contains(f.inside, name) {
			found = append(found, fmt.Sprintf("%s imports %s, which only %s may: %s",
				name, imported, strings.Join(f.inside, ", "), f.because))
		}
	}
	target, ours := strings.CutPrefix(imported, module)
	if slices.Contains(standardOnly, name) && (ours || !standard(imported)) && !slices.Contains(guests[name], target) {
		found = append(found, fmt.Sprintf("%s imports %s, but may import the standard library alone", name, imported))
	}
	if !ours {
		return found
	}
	if below, ok := place(target); ok && !mayImport(name, height, target, below) {
		found = append(found, fmt.Sprintf("%s (%s) imports %s (%s): an import goes down the house, never up or sideways",
			name, height, target, below))
	}
	return found
}

func mayImport(name string, height floor, target string, below floor) bool {
	switch {
	case slices.Contains(guests[name], target):
		return true
	case height == forTests:
		return below < 1 || target == path.Dir(name)
	case below == forTests:
		return false
	default:
		return below < height
	}
}

// carried tells what a production program is linked with and must not be.
func carried(name string, deps []string) []string {
	var found []string
	for _, dep := range deps {
		target, ours := strings.CutPrefix(dep, module)
		height, placed := place(target)
		ofTests := ours && placed && height == forTests
		isUnwanted := func(unwanted string) bool { return under(dep, unwanted) }
		if ofTests || slices.ContainsFunc(unwanted, isUnwanted) {
			found = append(found, fmt.Sprintf("%s is linked with %s, which has no business in production", name, dep))
		}
	}
	return found
}

// place looks a package up: its own entry comes before the pattern it matches.
func place(name string) (floor, bool) {
	if height, ok := floors[name]; ok {
		return height, true
	}
	for pattern := range maps.Keys(floors) {
		if matched, err := path.Match(pattern, name); err == nil && matched {
			return floors[pattern], true
		}
	}
	return 0, false
}

// under reports whether the import path is the given one, a package below it, or a major version of it.
func under(imported, start string) bool {
	return imported == start || strings.HasPrefix(imported, start+"/")
}

// standard reports whether a package is part of Go: its path starts with a word without a dot.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func (f floor) String() string {
	if f == forTests {
		return "for tests"
	}
	return fmt.Sprintf("floor %g", float64(f))
}
