package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// compiler holds typescript.bin when it was there at build time.
//
//go:embed compiler
var compiler embed.FS

var errNoCompiler = errors.New("this build of validator-javascript carries no TypeScript compiler: run plugins/validator-javascript/toolchain/install (make setup does), then build the plugin again")

// compileStep checks types and emits JavaScript. The compiler is with the files
// of the runtime's warm-up.
func compileStep(l *layout) (validator.Step, error) {
	if _, err := readCompiler(); err != nil {
		return validator.Step{}, err
	}
	var tests []string
	config := false
	for _, f := range l.tests {
		if isCode(f.Path) && !isConfig(f.Path) {
			tests = append(tests, f.Path)
		}
		config = config || f.Path == "tsconfig.json"
	}
	var names []string
	for _, n := range l.names {
		if !isConfig(n) || isTypes(n) {
			names = append(names, n)
		}
	}
	// Only the task says how strict the compiler is.
	job := map[string]any{"files": nonNil(names), "tests": nonNil(tests), "config": config, "mild": mild}
	p, err := node("compile", map[string]any{"job": job}, slices.Concat(l.tests, l.submission))
	if err != nil {
		return validator.Step{}, err
	}
	p.Collect = []string{emitTests, emitCode}
	return validator.Step{ID: "compile", Runtime: "typescript", Stage: "compile", StopOnFailure: true, Limits: compileLimits, Processes: []validator.Process{p}}, nil
}

func readCompiler() ([]byte, error) {
	bin, err := compiler.ReadFile("compiler/typescript.bin")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoCompiler
	}
	return bin, err
}

func isTypes(name string) bool {
	for _, suffix := range []string{".d.ts", ".d.mts", ".d.cts"} {
		if len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix {
			return true
		}
	}
	return false
}

// compiled is what the compile step says.
type compiled struct {
	Version    string       `json:"version"`
	Submission []diagnostic `json:"submission"`
	Tests      []diagnostic `json:"tests"`
	Broken     []diagnostic `json:"broken"`
}

// diagnostic is one of the compiler's, in its own words of both languages.
type diagnostic struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
	Text      string `json:"text"`
	Code      int    `json:"code"`
	Syntax    bool   `json:"syntax"`
	En        string `json:"en"`
	Es        string `json:"es"`
}

func readCompiled(res *validator.StepResult) (*compiled, error) {
	p := res.Process("main")
	if p == nil {
		return nil, errors.New("the compile step was not executed")
	}
	var c compiled
	if err := json.Unmarshal(p.Stdout, &c); err != nil {
		return nil, fmt.Errorf("read what the compiler says (exit code %d, %.300s): %w", p.ExitCode, p.Stderr, err)
	}
	return &c, nil
}
