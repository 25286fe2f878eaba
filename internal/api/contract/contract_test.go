package contract_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is generated is what the document says: it is generated again elsewhere, as contract.go asks, and compared.
func TestGeneratedCodeIsUpToDate(t *testing.T) {
	t.Parallel()
	_, rest, ok := strings.Cut(string(read(t, "contract.go")), "//go:generate ")
	if !ok {
		t.Fatal("contract.go asks for nothing to be generated")
	}
	command, _, _ := strings.Cut(rest, "\n")
	dir := t.TempDir()
	for _, name := range []string{"openapi.yaml", "oapi-codegen.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), read(t, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	words := strings.Fields(command)
	generate := exec.CommandContext(t.Context(), words[0], words[1:]...)
	generate.Dir = dir
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	if !bytes.Equal(read(t, "contract.gen.go"), read(t, filepath.Join(dir, "contract.gen.go"))) {
		t.Error("contract.gen.go is older than openapi.yaml: run go generate ./internal/api/contract")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
