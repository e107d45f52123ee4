// Command validator-javascript judges JavaScript and TypeScript with tests in
// the words of node:test, Jest or Vitest.
//
// Tests and expected values run in one process, the submission in another that
// only answers calls (integrity "split"); README.md says how values cross.
// Tests that reach into the submission's own world (fake timers, replaced
// modules and globals) share a process with it (integrity "shared"). TypeScript
// is compiled first, by the compiler that the plugin carries.
//
// Results are lines signed with the run's nonce. A test that did not report did
// not pass, whatever a process says with its exit code.
package main

import (
	"github.com/goals-tracker/tracker/sdk/validator"
)

const version = "1.0.0"

// options are what a task may set.
type options struct {
	Isolation   string   `json:"isolation" enum:"auto,shared" doc:"Where the submission runs: apart from the tests when they allow it, or always in their process."`
	Entry       string   `json:"entry" doc:"The program that is run when the task has no tests; by default main.js, index.js or the only file."`
	RunSkipped  bool     `json:"run_skipped" doc:"Run all tests that a word such as xtest or it.skip marks as skipped, and not only those of a track that hands its tests out one by one."`
	KeepSkipped bool     `json:"keep_skipped" doc:"Run no test that is marked as skipped, whatever its word."`
	IgnoreRules []string `json:"ignore_rules" doc:"Rules whose findings are left out, such as ts6133."`
}

var spec = &validator.Spec{
	Name:    "validator-javascript",
	Version: version,
	Languages: []validator.Language{
		{
			Name: "javascript", Aliases: []string{"js", "node", "nodejs"}, Extensions: []string{".js", ".mjs", ".cjs"}, DefaultFile: "main.js",
			TestGlobs: []string{"*.test.js", "*.spec.js", "*.test.mjs", "*.spec.mjs", "*.test.cjs", "*.spec.cjs"},
		},
		{
			Name: "typescript", Aliases: []string{"ts"}, Extensions: []string{".ts", ".mts", ".cts"}, DefaultFile: "main.ts",
			TestGlobs: []string{"*.test.ts", "*.spec.ts"},
		},
	},
	Runtimes:  runtimes(),
	Options:   options{Isolation: "auto"},
	Plan:      plan,
	More:      more,
	MaxRounds: 2,
	Mutate:    mutate,
	Judge:     judge,
}

// skips says which of the tests marked as skipped run.
func (o *options) skips() string {
	switch {
	case o.KeepSkipped:
		return "keep"
	case o.RunSkipped:
		return "run"
	}
	return "auto"
}

// optionsOf returns what the task has set.
func optionsOf(req *validator.Request) options {
	o, ok := req.Options.(options)
	if !ok {
		panic("the SDK hands over another type of options than the spec has")
	}
	return o
}

func main() { validator.Main(spec) }
