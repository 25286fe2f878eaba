package app_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"sidecard/internal/app"
)

var update = flag.Bool("update", false, "write what is generated instead of comparing it")

const (
	documentFile = "../../docs/configuration.md"
	remake       = "go test ./internal/app -run TestConfigurationDoc -update"
)

const documentHead = `# Configuration

<!-- Generated from internal/app/config.go by: ` + remake + ` -->

Sidecard reads environment variables, and nothing else.

- ` + "`api` and `worker` need `PUBLIC_URL`, `DATABASE_URL`, `REDIS_URL` and `MASTER_KEY`" + `.
- ` + "`sidecard migrate` needs `DATABASE_OWNER_URL` and `DATABASE_URL`" + `. No other program should be given the owner's.
- ` + "`sidecard run` and `sidecard demo`" + ` need none: they bring their own database, Redis, master key and LiveSupporti.

Secrets may come from files, as orchestrators mount them: set ` + "`MASTER_KEY_FILE`" + ` to the path instead of ` + "`MASTER_KEY`" + `
to the value. Space around the value in the file does not count; setting both is an error. Durations are written like
` + "`90s`, `10m` or `1h30m`" + `. A setting that is missing or wrong ends the start with a sentence that names it.

| setting | default | what |
| --- | --- | --- |
`

// setting is a field of app.Config as its tags describe it.
type setting struct {
	field, name, defaultValue, comment string
	isSecret                           bool
}

func settings() []setting {
	var all []setting
	for _, f := range reflect.VisibleFields(reflect.TypeFor[app.Config]()) {
		all = append(all, setting{
			field: f.Name, name: f.Tag.Get("env"), defaultValue: f.Tag.Get("envDefault"), comment: f.Tag.Get("comment"),
			isSecret: f.Tag.Get("secret") == "true",
		})
	}
	return all
}

func document() string {
	var b strings.Builder
	b.WriteString(documentHead)
	for _, s := range settings() {
		shown := ""
		if s.defaultValue != "" {
			shown = "`" + s.defaultValue + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.name, shown, s.comment)
	}
	return b.String()
}

func TestConfigurationDoc(t *testing.T) {
	t.Parallel()
	want := document()
	if *update {
		if err := os.WriteFile(documentFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/configuration.md is older than its source; run: %s", remake)
	}
}

func TestEverySettingExplainsItself(t *testing.T) {
	t.Parallel()
	for _, s := range settings() {
		if s.name == "" || !strings.HasSuffix(s.comment, ".") || strings.ContainsAny(s.comment, "|\n") {
			t.Errorf("%s needs the tags env and comment, the comment a sentence for a table's cell: %q", s.field, s.comment)
		}
		if offersFile := strings.Contains(s.comment, "Or "+s.name+"_FILE."); offersFile != s.isSecret {
			t.Errorf("%s is secret: %t; its comment offers a file: %t", s.name, s.isSecret, offersFile)
		}
		if s.isSecret && s.defaultValue != "" {
			t.Errorf("%s is a secret with a default", s.name)
		}
	}
}
