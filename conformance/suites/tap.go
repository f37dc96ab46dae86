// Package tap prints the Test Anything Protocol for the programs of runtime-tools, whose own choice of a package for it
// is in no Debian release. It has what they call.
package tap

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// T counts the tests of one program.
type T struct {
	Writer io.Writer
	count  int
	todo   bool
}

// New makes a T that prints to standard output.
func New() *T { return &T{Writer: os.Stdout} }

// Header begins the output; a plan of 0 tests means that AutoPlan will tell.
func (t *T) Header(tests int) {
	fmt.Fprintln(t.Writer, "TAP version 13")
	if tests > 0 {
		fmt.Fprintf(t.Writer, "1..%d\n", tests)
	}
}

// AutoPlan tells how many tests there were.
func (t *T) AutoPlan() { fmt.Fprintf(t.Writer, "1..%d\n", t.count) }

// Todo makes the next result one that is known to be unfinished.
func (t *T) Todo() *T {
	t.todo = true
	return t
}

// Ok is one result.
func (t *T) Ok(passed bool, description string) {
	result, directive := "ok", ""
	if !passed {
		result = "not ok"
	}
	if t.todo {
		directive = " # TODO"
	}
	t.todo = false
	t.count++
	fmt.Fprintf(t.Writer, "%s %d - %s%s\n", result, t.count, strings.ReplaceAll(description, "\n", " "), directive)
}

// Pass is a result that is good.
func (t *T) Pass(description string) { t.Ok(true, description) }

// Fail is a result that is bad.
func (t *T) Fail(description string) { t.Ok(false, description) }

// Skip is as many results that could not be had.
func (t *T) Skip(count int, reason string) {
	for ; count > 0; count-- {
		t.count++
		fmt.Fprintf(t.Writer, "ok %d # SKIP %s\n", t.count, reason)
	}
}

// Diagnostic is for people.
func (t *T) Diagnostic(text string) {
	fmt.Fprintln(t.Writer, "# "+strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n# "))
}

// Diagnosticf is Diagnostic with a format.
func (t *T) Diagnosticf(format string, values ...interface{}) { t.Diagnostic(fmt.Sprintf(format, values...)) }

// YAML is for people too, and JSON is YAML.
func (t *T) YAML(value interface{}) error {
	text, err := json.Marshal(value)
	if err == nil {
		t.Diagnostic(string(text))
	}
	return err
}
