package housetest

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// What docs/security.md lists: attacks T01 to T66, in groups with gaps between them.
var attacks = slices.Concat(
	numbered(1, 5), numbered(10, 16), numbered(20, 26), numbered(30, 32), numbered(40, 46), numbered(50, 55), numbered(60, 66),
)

func numbered(from, to int) (ids []string) {
	for n := from; n <= to; n++ {
		ids = append(ids, fmt.Sprintf("T%02d", n))
	}
	return ids
}

// states are what can have become of a requirement; those that are true need a test.
var states = map[string]bool{"met": true, "read": false, "partly": false, "open": false, "n/a": false}

var (
	testName    = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)
	attackRow   = regexp.MustCompile(`(?m)^\| (T\d\d) \|(.*)\|$`)
	requirement = regexp.MustCompile(`^V\d+\.\d+\.\d+$`)
	testFunc    = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// testNames finds the tests and fuzz targets of a tree.
func testNames(tree fs.FS) (map[string]bool, error) {
	names := map[string]bool{}
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(tree, path)
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	return names, err
}

// checkSecurity says what is wrong with the page of attacks and the list of requirements, as sentences.
func checkSecurity(page, list string, tests map[string]bool) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, name := range testName.FindAllString(page+list, -1) {
		if !tests[name] {
			say("there is no test %s", name)
		}
	}
	var listed []string
	for _, m := range attackRow.FindAllStringSubmatch(page, -1) {
		listed = append(listed, m[1])
		if cells := strings.Split(m[2], " | "); len(cells) != 4 || testName.FindString(cells[3]) == "" && strings.HasPrefix(cells[2], "met") {
			say("%s has %d cells, or is met without a test", m[1], len(cells))
		}
	}
	if !slices.Equal(listed, attacks) {
		say("the attacks are %v, want %v", listed, attacks)
	}
	rows, err := csv.NewReader(strings.NewReader(list)).ReadAll()
	if err != nil || len(rows) == 0 {
		return append(wrong, fmt.Sprintf("the list is no CSV: %v", err))
	}
	seen, count := map[string]bool{}, map[string]int{}
	for _, r := range rows[1:] {
		id, level, state, cited := r[0], r[1], r[3], r[5]
		count[state]++
		needs, known := states[state]
		switch {
		case !requirement.MatchString(id) || seen[id]:
			say("%q is no requirement, or is there twice", id)
		case level != "1" && level != "2":
			say("%s is of level %q", id, level)
		case !known:
			say("%s is in an unknown state %q", id, state)
		case needs && cited == "":
			say("%s is met without a test", id)
		case !needs && r[4] == "":
			say("%s is %s and nothing says why", id, state)
		}
		seen[id] = true
	}
	summary := fmt.Sprintf("%d met with a test, %d judged by reading alone, %d partly, %d open, %d that do not apply",
		count["met"], count["read"], count["partly"], count["open"], count["n/a"])
	if !strings.Contains(strings.Join(strings.Fields(page), " "), summary) {
		say("the page does not say: %s", summary)
	}
	return wrong
}
