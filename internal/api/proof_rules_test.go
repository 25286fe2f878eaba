package api

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"sidecard/internal/api/contract"
)

// A contract that leaves open who may do something is not served: the program does not start with it.
func TestAContractThatDoesNotSayWhoMayIsRefused(t *testing.T) {
	t.Parallel()
	const document = "openapi: 3.0.3\ninfo: {title: x, version: '1'}\nsecurity: [{bearer: []}]\n" +
		"components: {securitySchemes: {bearer: {type: http, scheme: bearer}}}\n" +
		"paths: {/x: {get: {%s responses: {'200': {description: x}}}}}\n"
	for guard, want := range map[string]string{
		"x-role: admin, x-scope: 'desk:read',":                 "",
		"x-role: viewer, x-scope: none,":                       "",
		"security: [],":                                        "",
		"":                                                     "x-role",
		"x-scope: 'desk:read',":                                "x-role",
		"x-role: '', x-scope: 'desk:read',":                    "x-role",
		"x-role: boss, x-scope: 'desk:read',":                  "x-role",
		"x-role: Admin, x-scope: 'desk:read',":                 "x-role",
		"x-role: true, x-scope: 'desk:read',":                  "x-role",
		"x-role: [admin], x-scope: 'desk:read',":               "x-role",
		"x-role: none, x-scope: none,":                         "x-role",
		"x-role: admin,":                                       "x-scope",
		"x-role: admin, x-scope: '',":                          "x-scope",
		"x-role: admin, x-scope: 'desk:everything',":           "x-scope",
		"x-role: admin, x-scope: ['desk:read'],":               "x-scope",
		"x-role: admin, x-scope: false,":                       "x-scope",
		"security: [], x-role: viewer,":                        "public",
		"security: [], x-scope: 'desk:read',":                  "public",
		"security: [], x-role: viewer, x-scope: none,":         "public",
		"x-without-second-factor: true, x-scope: 'desk:read',": "x-role",
		"x-without-second-factor: true, x-role: viewer,":       "x-scope",
		"security: [{bearer: []}], x-role: admin,":             "x-scope",
		"security: [{bearer: []}], x-scope: none,":             "x-role",
		"security: [{}], x-role: none, x-scope: none,":         "x-role",
	} {
		_, err := readRules(fmt.Appendf(nil, document, guard))
		switch {
		case want == "" && err != nil:
			t.Errorf("{%s}: %v", guard, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("{%s}: %v, want an error that speaks of %s", guard, err, want)
		}
	}
}

// The contract itself, with the guard of any one operation taken away, is refused as well.
func TestProofNoOperationIsServedWithoutItsGuard(t *testing.T) {
	t.Parallel()
	lines := bytes.Split(contract.Document, []byte("\n"))
	tried := 0
	for i, line := range lines {
		for _, guard := range []string{"x-role: ", "x-scope: "} {
			if !bytes.HasPrefix(bytes.TrimSpace(line), []byte(guard)) {
				continue
			}
			tried++
			without := bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), []byte("\n"))
			if _, err := readRules(without); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(guard, ": ")) {
				t.Errorf("without line %d, %q: %v", i+1, line, err)
			}
		}
	}
	if tried < 2*50 {
		t.Errorf("only %d guards were taken away", tried)
	}
}
