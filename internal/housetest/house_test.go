package housetest

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
)

const root = "../.."

func TestEveryPackageStandsWhereTheHouseAllows(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	for _, violation := range violations(packages) {
		t.Error(violation)
	}
	if len(packages) < 2 {
		t.Errorf("go list found %d packages: this test looked at nothing", len(packages))
	}
}

func TestNoFileGrowsTooLong(t *testing.T) {
	t.Parallel()
	long, err := longFiles(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, sentence := range long {
		t.Error(sentence)
	}
}

// listPackages asks go list; a package that does not compile is listed all the same (-e), its own tests tell. What it
// read is unknown to the cache of test results, but TestNoFileGrowsTooLong reads the same files.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestRulesCatchWhatTheHouseForbids(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		importer, imported string
		want               string // part of the sentence; empty when the import is fine
	}{
		"down":                              {"internal/store", "sidecard/internal/hub", ""},
		"far down":                          {"cmd/api", "sidecard/connectors", ""},
		"the hub to the ground":             {"internal/hub", "sidecard/internal/livesupporti", ""},
		"up":                                {"internal/hub", "sidecard/internal/store", "internal/hub (floor 0.5) imports internal/store (floor 1)"},
		"sideways between rooms":            {"internal/api", "sidecard/internal/store", "never up or sideways"},
		"sideways between connectors":       {"connectors/csv", "sidecard/connectors/postgres", "never up or sideways"},
		"sideways on the ground":            {"internal/vault", "sidecard/internal/egress", "never up or sideways"},
		"a connector to the hub":            {"connectors/csv", "sidecard/internal/hub", ""},
		"composition from a room":           {"internal/queue", "sidecard/internal/app", "never up or sideways"},
		"the room that owns Gin":            {"internal/api", "github.com/gin-gonic/gin/binding", ""},
		"Gin elsewhere":                     {"internal/app", "github.com/gin-gonic/gin", "only place that knows Gin"},
		"gorm in the hub":                   {"internal/hub", "gorm.io/gorm/clause", "every query lives in internal/store"},
		"a name that only starts alike":     {"internal/hub", "gorm.iota/x", ""},
		"Asynq in the hub":                  {"internal/hub", "github.com/hibiken/asynq", "only place that knows Asynq"},
		"JWT of any version elsewhere":      {"internal/api", "github.com/golang-jwt/jwt/v5", "only place that knows JWT"},
		"the contract in the hub":           {"internal/hub", "sidecard/internal/api/contract", "neither the domain nor the rows"},
		"a module in the contract":          {"connectors", "github.com/google/uuid", "the standard library alone"},
		"the house in the dialect":          {"internal/livesupporti", "sidecard/internal/egress", "the standard library alone"},
		"the standard library":              {"connectors", "encoding/json", ""},
		"embedded in a production binary":   {"cmd/api", "sidecard/internal/embedded", "production runs on PostgreSQL and Redis"},
		"embedded in the one process":       {"cmd/sidecard", "sidecard/internal/embedded", ""},
		"test servers in a room":            {"internal/store", "sidecard/internal/servertest", "(for tests)"},
		"the simulator in sidecard":         {"cmd/sidecard", "sidecard/internal/livesupporti/livesupportitest", ""},
		"test servers in sidecard":          {"cmd/sidecard", "sidecard/internal/servertest", "(for tests)"},
		"test servers in the benchmark":     {"bench/stack", "sidecard/internal/servertest", ""},
		"an emulator and its kind":          {"connectors/hubspot/hubspottest", "sidecard/connectors/hubspot", ""},
		"an emulator and another kind":      {"connectors/hubspot/hubspottest", "sidecard/connectors/csv", "(for tests) imports connectors/csv"},
		"a suite and what it is invited to": {"internal/store/storetest", "sidecard/internal/store/sqlite", ""},
		"a suite and another room":          {"internal/store/storetest", "sidecard/internal/queue", "(for tests) imports internal/queue"},
		"SQLite in the store":               {"internal/store", "sidecard/internal/store/sqlite", "never up or sideways"},
		"a suite and the hub":               {"connectors/connectortest", "sidecard/internal/hub", ""},
		"an unknown package":                {"internal/util", "fmt", "internal/util has no place in the house: add it"},
		"an unknown connector's helper":     {"connectors/csv/a/b", "fmt", "has no place in the house"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(violations([]pkg{{ImportPath: module + c.importer, Imports: []string{c.imported}}}), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%s imports %s: %q, want %q", c.importer, c.imported, got, c.want)
			}
		})
	}
}

func TestRulesCatchWhatProductionMustNotCarry(t *testing.T) {
	t.Parallel()
	for dep, want := range map[string]bool{
		"modernc.org/sqlite/lib":                          true,
		"github.com/alicebob/miniredis/v2":                true,
		"sidecard/internal/servertest":                    true,
		"sidecard/connectors/hubspot/hubspottest":         true,
		"sidecard/internal/livesupporti/livesupportitest": true,
		"sidecard/connectors/hubspot":                     false,
		"github.com/redis/go-redis/v9":                    false,
	} {
		for _, program := range []string{"cmd/api", "cmd/worker"} {
			found := violations([]pkg{{ImportPath: module + program, Deps: []string{"fmt", dep}}})
			if got := len(found) == 1; got != want {
				t.Errorf("%s linked with %s: %q", program, dep, found)
			}
		}
		if found := violations([]pkg{{ImportPath: module + "cmd/sidecard", Deps: []string{dep}}}); len(found) != 0 {
			t.Errorf("cmd/sidecard linked with %s: %q", dep, found)
		}
	}
}

func TestLongFilesAreFoundUnlessGenerated(t *testing.T) {
	t.Parallel()
	lines := strings.Repeat("x\n", longest)
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	long, err := longFiles(fstest.MapFS{
		"hub/long.go":              file(lines),
		"web/src/Long.tsx":         file(lines),
		"hub/fine.go":              file(lines[2:]),
		"hub/spec.gen.go":          file("// Package contract is.\n\n// Code generated by oapi-codegen. DO NOT EDIT.\n" + lines),
		"web/src/api/schema.ts":    file("/**\n * This file was auto-generated by openapi-typescript.\n */\n" + lines),
		"web/package-lock.json":    file(lines),
		"web/node_modules/m/m.ts":  file(lines),
		"build/long.go":            file(lines),
		"hub/data/long.go":         file(lines),
		"hub/pretends/pretends.go": file("package pretends\n" + lines + "// Code generated by hand. DO NOT EDIT.\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(long, "\n")
	for _, want := range []string{"hub/long.go", "web/src/Long.tsx", "hub/pretends/pretends.go", "hub/data/long.go"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s was not found in:\n%s", want, got)
		}
	}
	if len(long) != 4 {
		t.Errorf("found %d files, want 4:\n%s", len(long), got)
	}
}
