package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/plugins/internal/cases"
	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// prebuilt holds what toolchain/install made of our own sources, if it did.
//
//go:embed prebuilt
var prebuilt embed.FS

const (
	// outputLimit is what tests and submission may print, unless the task says
	// otherwise.
	outputLimit = 1 << 20
	mostCases   = 50
	mostModules = 40
)

var errNotSplit = validator.TaskErrorf("the task requires integrity split, but tests that call Rust functions share a process with them: judge by stdin and stdout (option cases) or allow shared")

func plan(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l := arrange(req)
	opts := optionsOf(req)
	tested := len(l.modules)+len(l.inside) > 0
	switch {
	case len(l.cases) > mostCases:
		return nil, validator.TaskErrorf("the task has %d cases; at most %d are possible", len(l.cases), mostCases)
	case len(l.modules) > mostModules:
		return nil, validator.TaskErrorf("the task has %d test files; at most %d are possible", len(l.modules), mostModules)
	case tested && len(l.cases) > 0:
		return nil, validator.TaskErrorf("the task has both tests in code and cases of stdin and stdout: keep one")
	case tested && req.Task.RequiredIntegrity == validator.IntegritySplit:
		return nil, errNotSplit
	case l.root == "" && l.program == "" || len(l.refusals) > 0:
		return nil, nil
	case tested:
		return planTests(req, l, opts)
	case len(l.cases) == 0 && slices.ContainsFunc(req.Task.Tests, func(f validator.File) bool { return strings.HasSuffix(f.Path, ".rs") }):
		return nil, validator.TaskErrorf("the task's test files hold no #[test]")
	case l.program == "":
		return []validator.Step{compileStep("submission", l.libraryScript(req.Toolchain["rust"], opts), l.source(), nil)}, nil
	}
	program := judgeDir + "/program"
	steps := []validator.Step{compileStep("submission", l.programScript(req.Toolchain["rust"], opts), l.source(), []string{program})}
	if len(l.cases) == 0 {
		return append(steps, programStep(req, l, "run", cases.Case{}, "run")), nil
	}
	for i, c := range l.cases {
		steps = append(steps, programStep(req, l, cases.StepID(i), c, "test"))
	}
	return steps, nil
}

func programStep(req *validator.Request, l *layout, id string, c cases.Case, stage string) validator.Step {
	program := judgeDir + "/program"
	return validator.Step{
		ID: id, Runtime: "rust", Stage: stage, Limits: limits(req.Task.Limits),
		Processes: []validator.Process{{Role: "main", Argv: append([]string{validator.WorkDir + "/" + program}, c.Args...), Files: l.data(), Stdin: []byte(c.Stdin)}},
		Carry:     []validator.Carry{{StepID: "submission", Role: "main", Path: program, ToRole: "main", ToPath: program, Executable: true}},
	}
}

// reachesIn says whether a test file takes in files of the submission's.
var reachesIn = regexp.MustCompile(`#\s*\[\s*path\s*=|\binclude\s*!`)

func planTests(req *validator.Request, l *layout, opts options) ([]validator.Step, error) {
	toolchain := req.Toolchain["rust"]
	var steps []validator.Step
	files := slices.Clone(l.tests)
	if len(l.inside) > 0 || slices.ContainsFunc(l.tests, func(f validator.File) bool { return reachesIn.Match(f.Content) }) {
		files = append(files, l.submission...)
	}
	own, err := forkparent.Files(judgeDir)
	if err != nil {
		return nil, err
	}
	source, err := harness.ReadFile("rust/gt_harness.rs")
	if err != nil {
		return nil, fmt.Errorf("read the plugin's own files: %w", err)
	}
	files = append(files, own...)
	files = append(files, validator.File{Path: judgeDir + "/gt_harness.rs", Content: source})
	objects, err := builtFor(toolchain, source)
	if err != nil {
		return nil, err
	}
	files = append(files, objects...)

	programs := slices.Clone(l.modules)
	if len(l.inside) > 0 {
		programs = append(programs, unitProgram)
	}
	var collect []string
	for _, m := range programs {
		collect = append(collect, exe(m))
	}
	second := compileStep("tests", l.testsScript(toolchain, opts, len(objects) > 0), files, collect)
	if l.root != "" && len(l.modules) > 0 {
		library := judgeDir + "/lib" + l.crate + ".rlib"
		steps = append(steps, compileStep("submission", l.libraryScript(toolchain, opts), l.source(), []string{library}))
		second.Carry = []validator.Carry{{StepID: "submission", Role: "main", Path: library, ToRole: "main", ToPath: library}}
	}
	steps = append(steps, second)

	limit := req.Task.Limits.OutputBytes
	if limit == 0 {
		limit = outputLimit
	}
	for i, m := range programs {
		var ids []string
		for _, id := range l.expected {
			if strings.HasPrefix(id, m+"::") {
				ids = append(ids, id)
			}
		}
		env := map[string]string{"RUST_BACKTRACE": "0"}
		if opts.RunIgnored {
			env["GT_RUN_IGNORED"] = "1"
		}
		run := validator.Step{
			ID: runID(i), Runtime: "rust", Stage: "test", Limits: limits(req.Task.Limits),
			Processes: []validator.Process{{Role: "main", Argv: []string{validator.WorkDir + "/" + exe(m)}, Env: env, Files: l.data(), Stdin: forkparent.Job(req.Nonce, limit, ids)}},
			Carry:     []validator.Carry{{StepID: "tests", Role: "main", Path: exe(m), ToRole: "main", ToPath: exe(m), Executable: true}},
		}
		run.Limits.OutputBytes = forkparent.Output(limit)
		steps = append(steps, run)
	}
	return steps, nil
}

func runID(i int) string { return "run" + strconv.Itoa(i+1) }

// builtFor returns our own libraries if they were built by this compiler of these
// sources, or none.
func builtFor(toolchain string, source []byte) ([]validator.File, error) {
	built, err := fs.Sub(prebuilt, "prebuilt")
	if err != nil {
		return nil, fmt.Errorf("read the plugin's own files: %w", err)
	}
	return forkparent.Prebuilt(built, toolchain, judgeDir, source, "libgt_harness.rlib", "supervisor.o", "report.o")
}

// limits gives tests of threads the room that they take, where the task is silent.
func limits(l validator.Limits) validator.Limits {
	if l.Processes == 0 {
		l.Processes = 256
	}
	return l
}

// compileLimits are the compiler's, which runs no code of the learner's.
var compileLimits = validator.Limits{Wall: 60 * time.Second, CPU: 60 * time.Second, MemoryBytes: 1 << 30, OutputBytes: 1 << 20, DiskBytes: 256 << 20, Processes: 128}

func compileStep(id, text string, files []validator.File, collect []string) validator.Step {
	files = slices.Clone(files)
	for i := range files {
		files[i].Writable = false
	}
	return validator.Step{
		ID: id, Runtime: "rust", Stage: "compile", StopOnFailure: true, Limits: compileLimits,
		Processes: []validator.Process{{
			Role: "main", Argv: []string{"/bin/sh", judgeDir + "/compile.sh"},
			Files:   append(files, validator.File{Path: judgeDir + "/compile.sh", Content: []byte(text)}),
			Collect: append(collect, judgeDir+"/d/*", judgeDir+"/o/early"),
		}},
	}
}
