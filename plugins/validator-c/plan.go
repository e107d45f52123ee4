package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
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
)

var errNotSplit = validator.TaskErrorf("the task requires integrity split, but tests that call C or C++ functions share a process with them: judge by stdin and stdout (option cases) or allow shared")

func plan(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l := arrange(req)
	opts := optionsOf(req)
	switch {
	case len(l.cases) > mostCases:
		return nil, validator.TaskErrorf("the task has %d cases; at most %d are possible", len(l.cases), mostCases)
	case l.hasTests() && len(l.cases) > 0:
		return nil, validator.TaskErrorf("the task has both tests in code and cases of stdin and stdout: keep one")
	case l.hasTests() && req.Task.RequiredIntegrity == validator.IntegritySplit:
		return nil, errNotSplit
	case len(l.sources)+len(l.headers) == 0 || len(l.refusals) > 0:
		return nil, nil
	case len(l.sources) > 200:
		return nil, nil
	}
	switch {
	case l.hasTests():
		return planTests(req, l, opts)
	case len(l.cases) > 0:
		return planCases(req, l, opts)
	case len(req.Task.Tests) > 0 && slices.ContainsFunc(l.modules, func(module) bool { return true }):
		return nil, validator.TaskErrorf("the task's test files hold no test: no TEST_CASE, RUN_TEST, main or void test_…(void)")
	case !l.runnable():
		compile := compileStep("submission", submissionScript(l, opts, false), append(l.code(), l.sharedHeaders()...), nil)
		return []validator.Step{compile}, nil
	}
	compile := compileStep("submission", submissionScript(l, opts, true), append(l.code(), l.sharedHeaders()...), []string{judgeDir + "/program"})
	return []validator.Step{compile, programStep(req, l, "run", cases.Case{}, "run")}, nil
}

// runnable says whether the submission has a main.
func (l *layout) runnable() bool {
	return slices.ContainsFunc(l.submission, func(f validator.File) bool {
		return isSource(f.Path) && hasMain.MatchString(bare(string(f.Content), true))
	})
}

// code is the submission's code.
func (l *layout) code() []validator.File {
	var out []validator.File
	for _, f := range l.submission {
		if isCode(f.Path) {
			out = append(out, f)
		}
	}
	return out
}

func planTests(req *validator.Request, l *layout, opts options) ([]validator.Step, error) {
	library, clashes := judgeDir+"/libsubmission.so", judgeDir+"/o/clash"
	first := compileStep("submission", submissionScript(l, opts, false), append(l.code(), l.sharedHeaders()...), []string{library, clashes})

	files := slices.Clone(l.tests)
	for _, f := range l.submission {
		if isHeader(f.Path) || l.includedByTests(f.Path) {
			files = append(files, f)
		}
	}
	own, err := ownFiles()
	if err != nil {
		return nil, err
	}
	files = append(files, own...)
	files = append(files, validator.File{Path: judgeDir + "/table.c", Content: []byte(table(l))})
	for i := range l.modules {
		if m := &l.modules[i]; m.style == functions {
			files = append(files, validator.File{Path: testFile(i, m), Content: []byte(calls(i, m))})
		}
	}
	objects, err := builtFor(req.Toolchain["gcc"])
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if l.usesCatch || path.Ext(o.Path) != ".gz" {
			files = append(files, o)
		}
	}
	second := compileStep("tests", testsScript(l, opts, len(objects) > 0), files, []string{judgeDir + "/tests"})
	second.Carry = []validator.Carry{{StepID: "submission", Role: "main", Path: library, ToRole: "main", ToPath: library},
		{StepID: "submission", Role: "main", Path: clashes, ToRole: "main", ToPath: clashes}}

	limit := req.Task.Limits.OutputBytes
	if limit == 0 {
		limit = outputLimit
	}
	run := validator.Step{
		ID: "run", Runtime: "gcc", Stage: "test", Limits: limits(req.Task.Limits),
		Processes: []validator.Process{{Role: "main", Argv: []string{validator.WorkDir + "/" + judgeDir + "/tests"}, Files: l.data(), Stdin: forkparent.Job(req.Nonce, limit, l.expected())}},
		Carry: []validator.Carry{
			{StepID: "tests", Role: "main", Path: judgeDir + "/tests", ToRole: "main", ToPath: judgeDir + "/tests", Executable: true},
			{StepID: "submission", Role: "main", Path: library, ToRole: "main", ToPath: library},
		},
	}
	run.Limits.OutputBytes = forkparent.Output(limit)
	return []validator.Step{first, second, run}, nil
}

func (l *layout) includedByTests(name string) bool {
	return slices.ContainsFunc(l.modules, func(m module) bool {
		for _, i := range includes.FindAllStringSubmatch(m.content, -1) {
			if i[1] == name || strings.HasSuffix(i[1], "/"+name) || strings.HasSuffix(name, "/"+i[1]) {
				return true
			}
		}
		return false
	})
}

func planCases(req *validator.Request, l *layout, opts options) ([]validator.Step, error) {
	compile := compileStep("submission", submissionScript(l, opts, true), append(l.code(), l.sharedHeaders()...), []string{judgeDir + "/program"})
	steps := make([]validator.Step, 0, 1+len(l.cases))
	steps = append(steps, compile)
	for i, c := range l.cases {
		steps = append(steps, programStep(req, l, cases.StepID(i), c, "test"))
	}
	return steps, nil
}

func programStep(req *validator.Request, l *layout, id string, c cases.Case, stage string) validator.Step {
	p := validator.Process{
		Role: "main", Argv: append([]string{validator.WorkDir + "/" + judgeDir + "/program"}, c.Args...), Files: l.data(), Stdin: []byte(c.Stdin),
		Env: map[string]string{"ASAN_OPTIONS": asanOptions, "UBSAN_OPTIONS": "print_stacktrace=0:color=never:exitcode=98"},
	}
	return validator.Step{
		ID: id, Runtime: "gcc", Stage: stage, Limits: limits(req.Task.Limits), Processes: []validator.Process{p},
		Carry: []validator.Carry{{StepID: "submission", Role: "main", Path: judgeDir + "/program", ToRole: "main", ToPath: judgeDir + "/program", Executable: true}},
	}
}

// asanOptions are those of harness.c. Leaks can't be looked for: the search
// traces its own process, which the sandbox forbids.
const asanOptions = "detect_leaks=0:exitcode=98:color=never:quarantine_size_mb=8:allocator_may_return_null=1:strict_string_checks=1:print_legend=0:malloc_context_size=12"

func compileStep(id, text string, files []validator.File, collect []string) validator.Step {
	for i := range files {
		files[i].Writable = false
	}
	return validator.Step{
		ID: id, Runtime: "gcc", Stage: "compile", StopOnFailure: true, Limits: compileLimits,
		Processes: []validator.Process{{
			Role: "main", Argv: []string{"/bin/sh", judgeDir + "/compile.sh"},
			Files:   append(files, validator.File{Path: judgeDir + "/compile.sh", Content: []byte(text)}),
			Collect: append(collect, judgeDir+"/d/*", judgeDir+"/o/early", judgeDir+"/o/symbols", judgeDir+"/o/limited"),
		}},
	}
}

func ownFiles() ([]validator.File, error) {
	out, err := forkparent.Files(judgeDir)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(programs, "c", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := programs.ReadFile(name)
		out = append(out, validator.File{Path: judgeDir + strings.TrimPrefix(name, "c"), Content: content})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the plugin's own files: %w", err)
	}
	return out, nil
}

// builtFor returns the objects if they were built by this compiler of these
// sources, or none.
func builtFor(toolchain string) ([]validator.File, error) {
	own, err := compiledOwn()
	if err != nil {
		return nil, err
	}
	built, err := fs.Sub(prebuilt, "prebuilt")
	if err != nil {
		return nil, fmt.Errorf("read the plugin's own files: %w", err)
	}
	return forkparent.Prebuilt(built, toolchain, judgeDir, own, "catch_run.o.gz", "supervisor.o", "report.o", "harness.o")
}

// compiledOwn returns what toolchain/install compiles of the folder c.
func compiledOwn() ([]byte, error) {
	var own []byte
	for _, name := range []string{"catch_run.cpp", "harness.c"} {
		content, err := programs.ReadFile("c/" + name)
		if err != nil {
			return nil, fmt.Errorf("read the plugin's own files: %w", err)
		}
		own = append(own, content...)
	}
	return own, nil
}

// compileLimits are the compiler's, which runs no code of the learner's.
var compileLimits = validator.Limits{Wall: 60 * time.Second, CPU: 60 * time.Second, MemoryBytes: 1 << 30, OutputBytes: 1 << 20, DiskBytes: 256 << 20, Processes: 128}

// limits gives sanitizers and threads the room that they take, where the task is
// silent.
func limits(l validator.Limits) validator.Limits {
	if l.MemoryBytes == 0 {
		l.MemoryBytes = 512 << 20
	}
	if l.Processes == 0 {
		l.Processes = 256 // tests of threads start many
	}
	return l
}
