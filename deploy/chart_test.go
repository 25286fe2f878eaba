// Package deploy tests the chart with Helm's own libraries: it is linted, rendered with every set of values in ci/, and
// decoded into the types of the Kubernetes API, which refuse a field they do not know. The package is a module of its
// own, so that Helm and Kubernetes stay out of the product's dependencies.
package deploy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	chartDir  = "helm/sidecard"
	release   = "sidecard"
	namespace = "support"
)

func TestLintFindsNothing(t *testing.T) {
	t.Parallel()
	sets := valueSets(t)
	sets["none"] = nil // as plain helm lint does
	for name, values := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, m := range lint.RunAll(chartDir, values, namespace).Messages {
				if m.Severity > support.InfoSev {
					t.Error(m)
				}
			}
		})
	}
}

func TestDecodingRefusesWhatKubernetesDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"field":       "apiVersion: v1\nkind: Service\nspec: {port: 80}",
		"kind":        "apiVersion: v1\nkind: Servize",
		"type":        "apiVersion: v1\nkind: Service\nspec: {ports: [{port: eighty}]}",
		"version":     "apiVersion: networking.k8s.io/v9\nkind: Ingress",
		"written two": "apiVersion: v1\nkind: Service\nspec: {type: ClusterIP, type: NodePort}",
	} {
		if _, err := decode([]byte(document)); err == nil {
			t.Errorf("%s: decoded without an error:\n%s", name, document)
		}
	}
}

// valueSets reads ci/, one set of values a file.
func valueSets(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(chartDir + "/ci/*-values.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d sets of values, want 3 or more: %v", len(files), err)
	}
	sets := map[string]map[string]any{}
	for _, file := range files {
		values, err := common.ReadValuesFile(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		sets[strings.TrimSuffix(filepath.Base(file), "-values.yaml")] = values
	}
	return sets
}

// set reads one set of values.
func set(t *testing.T, name string) map[string]any {
	t.Helper()
	values, ok := valueSets(t)[name]
	if !ok {
		t.Fatalf("ci/%s-values.yaml is missing", name)
	}
	return values
}

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render is renderAs for the release of most tests.
func render(c *chart.Chart, values map[string]any) (map[string]string, error) {
	return renderAs(c, release, values)
}

// renderAs does what helm template does: it checks the values against the schema and fills the templates in.
func renderAs(c *chart.Chart, release string, values map[string]any) (map[string]string, error) {
	all, err := chartutil.ToRenderValues(c, values, common.ReleaseOptions{Name: release, Namespace: namespace, IsInstall: true}, nil)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, all)
}

// manifest is the objects of a rendered chart, and what helm prints after it.
type manifest struct {
	objects []runtime.Object
	notes   string
}

// rendered renders a set of values and decodes every document.
func rendered(t *testing.T, values map[string]any) manifest {
	t.Helper()
	c := load(t)
	files, err := render(c, values)
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Base(name) == "NOTES.txt" {
			m.notes = files[name]
			continue
		}
		objects, err := decodeAll(files[name])
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, files[name])
		}
		m.objects = append(m.objects, objects...)
	}
	if len(m.objects) == 0 {
		t.Fatal("the chart rendered nothing")
	}
	return m
}

// of returns the objects of one kind by their names.
func of[T interface {
	runtime.Object
	GetName() string
}](m manifest) map[string]T {
	found := map[string]T{}
	for _, object := range m.objects {
		if o, ok := object.(T); ok {
			found[o.GetName()] = o
		}
	}
	return found
}

func decodeAll(text string) ([]runtime.Object, error) {
	var objects []runtime.Object
	for reader := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		object, err := decode(document)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

var strict = kjson.NewSerializerWithOptions(kjson.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
	kjson.SerializerOptions{Yaml: true, Strict: true})

// decode refuses unknown kinds, versions and fields, wrong types, and fields written twice.
func decode(document []byte) (runtime.Object, error) {
	object, kind, err := strict.Decode(document, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("decode %v: %w", kind, err)
	}
	return object, nil
}

// read returns a file's text.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
