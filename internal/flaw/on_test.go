//go:build flaws

package flaw

import (
	"testing"
	"time"
)

func TestAProgramHasTheFlawThatIsNamed(t *testing.T) {
	t.Parallel()
	if got := choose("no-jitter"); got != NoJitter {
		t.Errorf("chose %q", got)
	}
	if got := choose(""); got != "" || On(NoJitter) {
		t.Errorf("chose %q where none is named", got)
	}
	if got := readAhead("-10m"); got != -10*time.Minute {
		t.Errorf("the clock is %v ahead", got)
	}
}

func TestAMisspeltFlawEndsTheProgram(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(){
		"flaw":  func() { choose("no-jiter") },
		"clock": func() { readAhead("ten minutes") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: taken for none", name)
				}
			}()
			read()
		}()
	}
}
