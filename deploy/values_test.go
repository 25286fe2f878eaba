package deploy

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
)

func TestMissingValuesAreAllNamedInOneSentence(t *testing.T) {
	t.Parallel()
	_, err := render(load(t), map[string]any{})
	if err == nil {
		t.Fatal("the chart renders without a value")
	}
	const want = "Sidecard needs these values: image.repository, publicURL, secrets.databaseOwnerURL.existingSecret, " +
		"secrets.databaseURL.existingSecret, secrets.masterKey.existingSecret, secrets.redisURL.existingSecret. " +
		"The chart's README says what they are."
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %q\nwant %q", err, want)
	}
}

func TestEachMissingValueIsNamed(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"image.repository", "publicURL", "secrets.databaseURL.existingSecret", "secrets.redisURL.existingSecret",
		"secrets.masterKey.existingSecret", "secrets.databaseOwnerURL.existingSecret",
	} {
		_, err := render(load(t), put(set(t, "minimal"), path, ""))
		if want := "Sidecard needs these values: " + path + ". "; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", path, err)
		}
	}
}

func TestAMailServerNeedsASender(t *testing.T) {
	t.Parallel()
	_, err := render(load(t), put(set(t, "minimal"), "secrets.smtpURL.existingSecret", "smtp"))
	if want := "Sidecard needs these values: settings.MAIL_FROM. "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("without a sender: %v", err)
	}
}

func TestMisspeltAndImpossibleValuesAreRefused(t *testing.T) {
	t.Parallel()
	for path, value := range map[string]any{
		"replica":                            3,
		"api.replica":                        3,
		"api.replicas":                       0,
		"api.autoscaling.targetCPU":          50,
		"api.service.type":                   "Ingress",
		"image.tag":                          "latest",
		"image.repository":                   "registry.example.com/sidecard:0.1.0",
		"publicURL":                          "sidecard.example.com",
		"secrets.masterKey.value":            "a key in the values",
		"secrets.masterKey.existingSecret":   "postgres://somebody@db",
		"settings.CHAT_DEADLIN":              "5m",
		"settings.MASTER_KEY":                "a key in the settings",
		"settings.DATABASE_OWNER_URL":        "postgres://owner@db",
		"settings.LISTEN_ADDR":               ":80",
		"worker.service":                     map[string]any{"port": 80},
		"serviceAccount.automount":           true,
		"podDisruptionBudget.minAvailable":   1,
		"secrets.databaseOwnerURL.mountInto": "api",
	} {
		_, err := render(load(t), put(set(t, "minimal"), path, value))
		if err == nil {
			t.Errorf("%s: %v was taken", path, value)
			continue
		}
		where := "at '"
		if dot := strings.LastIndex(path, "."); dot > 0 {
			where += "/" + strings.ReplaceAll(path[:dot], ".", "/")
		}
		if !strings.Contains(err.Error(), where) {
			t.Errorf("%s: %v is refused by %q, which does not say where", path, value, err)
		}
	}
}

func TestNoObjectHoldsASecret(t *testing.T) {
	t.Parallel()
	for name, values := range valueSets(t) {
		files, err := render(load(t), values)
		if err != nil {
			t.Fatal(err)
		}
		for file, text := range files {
			if strings.Contains(text, "kind: Secret\n") || strings.Contains(text, "stringData") {
				t.Errorf("%s: %s holds a secret:\n%s", name, file, text)
			}
		}
	}
}

func TestSchemaKnowsTheValuesAndNoOthers(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	if err := json.Unmarshal([]byte(read(t, chartDir+"/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	var settings []string
	known := leaves(schema, func(node map[string]any) map[string]any {
		if ref, ok := node["$ref"].(string); ok {
			node = get(schema, "definitions."+strings.TrimPrefix(ref, "#/definitions/")).(map[string]any)
		}
		children, _ := node["properties"].(map[string]any)
		return children
	})
	known = slices.DeleteFunc(known, func(path string) bool {
		name, isSetting := strings.CutPrefix(path, "settings.")
		if isSetting {
			settings = append(settings, name)
		}
		return isSetting || path == "global" // Helm gives global to every chart
	})
	known = append(known, "settings")
	slices.Sort(known)
	if want := leaves(defaultValues(t), itself); !slices.Equal(known, want) {
		t.Errorf("the schema knows %v\nvalues.yaml has %v", known, want)
	}
	offered := documented(t)
	maps.DeleteFunc(offered, func(_ string, s setting) bool { return s.secret || s.ofTheChart() })
	if want := slices.Sorted(maps.Keys(offered)); !slices.Equal(settings, want) {
		t.Errorf("the schema knows the settings %v\nthe programs read %v", settings, want)
	}
}

func TestREADMEListsTheValuesAndNoOthers(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*?) \\|")
	defaults := defaultValues(t)
	var listed []string
	for _, m := range row.FindAllStringSubmatch(read(t, chartDir+"/README.md"), -1) {
		listed = append(listed, m[1])
		text, isLiteral := strings.CutPrefix(m[2], "`")
		value := get(defaults, m[1])
		if literal, _ := json.Marshal(value); isLiteral && strings.Trim(string(literal), `"`) != strings.TrimSuffix(text, "`") {
			t.Errorf("the README says that %s is %s, it is %s", m[1], m[2], literal)
		}
		if !isLiteral && value != "" && m[2] != "see `values.yaml`" {
			t.Errorf("the README says that %s is %s, it is %v", m[1], m[2], value)
		}
	}
	slices.Sort(listed)
	if want := leaves(defaults, itself); !slices.Equal(listed, want) {
		t.Errorf("the README lists %v\nvalues.yaml has %v", listed, want)
	}
}

func TestNotesSayWhatToDoNext(t *testing.T) {
	t.Parallel()
	for name, wants := range map[string][]string{
		"minimal": {
			"rollout status deployment/sidecard-api deployment/sidecard-worker", "port-forward service/sidecard-api 8080:80",
			"Set ingress.enabled", "settings.TRUSTED_PROXIES", "(Secret sidecard)",
		},
		"full": {"Sidecard 0.1.0-rc.1 is being rolled out", "open https://sidecard.example.com/ and sign up", "(Secret sidecard-key)"},
		"bare": {"run `sidecard migrate` yourself"},
	} {
		notes := rendered(t, set(t, name)).notes
		for _, want := range wants {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, notes)
			}
		}
	}
	if notes := rendered(t, set(t, "full")).notes; strings.Contains(notes, "TRUSTED_PROXIES") || strings.Contains(notes, "ingress.enabled") {
		t.Errorf("the notes ask for what was given:\n%s", notes)
	}
}

// setting is a row of docs/configuration.md.
type setting struct {
	name   string
	secret bool // may come from a file
}

// ofTheChart reports whether the chart itself gives the setting, from a value or because of the container.
func (s setting) ofTheChart() bool { return s.name == "PUBLIC_URL" || s.name == "LISTEN_ADDR" }

// documented reads docs/configuration.md, which is generated from the programs' configuration.
func documented(t *testing.T) map[string]setting {
	t.Helper()
	all := map[string]setting{}
	row := regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|.*$")
	for _, m := range row.FindAllStringSubmatch(read(t, "../docs/configuration.md"), -1) {
		all[m[1]] = setting{name: m[1], secret: strings.Contains(m[0], m[1]+"_FILE")}
	}
	if len(all) < 10 || !all["MASTER_KEY"].secret {
		t.Fatalf("docs/configuration.md has the settings %v", all)
	}
	return all
}

func defaultValues(t *testing.T) map[string]any {
	t.Helper()
	values, err := common.ReadValuesFile(chartDir + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// leaves are the paths of a tree's values, in order. Resources are one value.
func leaves(tree map[string]any, children func(map[string]any) map[string]any) []string {
	var paths []string
	for name, child := range children(tree) {
		node, _ := child.(map[string]any)
		if len(children(node)) == 0 || name == "resources" {
			paths = append(paths, name)
			continue
		}
		for _, path := range leaves(node, children) {
			paths = append(paths, name+"."+path)
		}
	}
	slices.Sort(paths)
	return paths
}

// itself is for trees whose nodes hold their children directly.
func itself(node map[string]any) map[string]any { return node }

// get returns the value at a path, nil when there is none.
func get(tree map[string]any, path string) any {
	name, rest, isDeeper := strings.Cut(path, ".")
	if !isDeeper {
		return tree[name]
	}
	node, _ := tree[name].(map[string]any)
	return get(node, rest)
}

// put sets the value at a path and returns the tree.
func put(tree map[string]any, path string, value any) map[string]any {
	name, rest, isDeeper := strings.Cut(path, ".")
	if !isDeeper {
		tree[name] = value
		return tree
	}
	node, ok := tree[name].(map[string]any)
	if !ok {
		node = map[string]any{}
	}
	tree[name] = put(node, rest, value)
	return tree
}
