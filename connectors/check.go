package connectors

// Report is the outcome of a Check: named steps in the order they were tried. Steps after a failed one
// are absent, since they were not tried.
type Report struct {
	Steps []Step
}

// OK reports whether no step failed. Warnings do not count.
func (r Report) OK() bool {
	for _, s := range r.Steps {
		if s.State == StepFail {
			return false
		}
	}
	return len(r.Steps) > 0
}

// StepState is how one step of a check ended.
type StepState string

// The three states of a step.
const (
	StepOK   StepState = "ok"
	StepWarn StepState = "warn" // works, but the advice should be followed
	StepFail StepState = "fail"
)

// Step is one part of a check, such as "Sign in".
type Step struct {
	Name   string    // short, for people: "Find the server", "Sign in", "Read the table"
	State  StepState // ok, warn or fail
	Detail string    // what was seen, in one sentence without secrets or visitor values
	Advice string    // what to do; empty when ok
	Script string    // text to paste elsewhere that does it, such as SQL; may be empty
	// Suggest lists settings that would help. The portal offers them with a click.
	Suggest []Suggestion
}

// Suggestion is a value for a setting that is not secret.
type Suggestion struct {
	Setting string // name of the property
	Value   string
	Label   string // for people: "Trust this certificate"
}
