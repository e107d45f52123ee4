package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	judgeDir  = ".judge"
	nonceFile = judgeDir + "/nonce"
	ranFile   = judgeDir + "/ran" // there when the tests have run the submission
	stepBuild = "build"
	maxRounds = judging.MaxRounds
	// firstCases run before all others: when one of them takes too long, the
	// rest is not begun.
	firstCases  = 4
	secondCases = 12
	perRound    = 40
	maxCases    = firstCases + secondCases + (maxRounds-2)*perRound
	maxChecked  = 8
)

func (p *plugin) plan(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l, err := p.arrange(req)
	if err != nil || len(l.code) == 0 {
		return nil, err
	}
	steps := l.before()
	if l.format == "cases" {
		return append(steps, l.caseSteps(req, 0, min(firstCases, max(1, len(l.cases))))...), nil
	}
	tests, err := l.testSteps(req)
	return append(steps, tests...), err
}

// before reads and builds the learner's code. What does not get through ends the
// round.
func (l *layout) before() []validator.Step {
	var steps []validator.Step
	files := slices.Concat(l.code, l.data)
	if len(l.lang.Check) > 0 {
		for i, f := range l.code[:min(len(l.code), maxChecked)] {
			steps = append(steps, validator.Step{
				ID: "check" + strconv.Itoa(i), Runtime: l.lang.Name, Stage: "compile", StopOnFailure: true,
				Limits: validator.Limits{Wall: 20 * time.Second, CPU: 20 * time.Second},
				Processes: []validator.Process{{
					Role: "main", Files: files, Argv: fill(l.lang.Check, map[string]string{"file": named(f.Path)}, nil),
				}},
			})
		}
	}
	if len(l.lang.Build) > 0 {
		steps = append(steps, validator.Step{
			ID: stepBuild, Runtime: l.lang.Name, Stage: "compile", StopOnFailure: true,
			Limits: judging.Limits{Wall: 60 * time.Second, CPU: 60 * time.Second, MemoryBytes: 1 << 30, Processes: 128, DiskBytes: 256 << 20},
			Processes: []validator.Process{{
				Role: "main", Files: writable(files), Argv: fill(l.lang.Build, map[string]string{"entry": named(l.entry)}, nil), Collect: l.lang.Artifacts,
			}},
		})
	}
	return steps
}

// named is a file's name that no program takes for an option.
func named(name string) string {
	if strings.HasPrefix(name, "-") {
		return "./" + name
	}
	return name
}

func writable(files []validator.File) []validator.File {
	out := slices.Clone(files)
	for i := range out {
		out[i].Writable = true
	}
	return out
}

// caseSteps are the steps of the cases from a to b; without cases there is one
// that just runs the program.
func (l *layout) caseSteps(req *validator.Request, a, b int) []validator.Step {
	var steps []validator.Step
	for i := a; i < b; i++ {
		c := ioCase{}
		if i < len(l.cases) {
			c = l.cases[i]
		}
		step := validator.Step{
			ID: caseID(i), Runtime: l.lang.Name, Stage: "test", Limits: req.Task.Limits,
			Processes: []validator.Process{{
				Role: "submission", Stdin: []byte(c.Stdin), Files: slices.Concat(l.code, l.data, l.room()),
				Argv: append(fill(l.lang.Run, map[string]string{"entry": named(l.entry)}, nil), c.Args...),
			}},
		}
		step.Carry = l.carry("submission")
		steps = append(steps, step)
	}
	return steps
}

func caseID(i int) string { return "case" + strconv.Itoa(i) }

// room are the task's files that the program may read, where none of the
// learner's lies.
func (l *layout) room() []validator.File {
	var out []validator.File
	taken := map[string]bool{}
	for _, f := range slices.Concat(l.code, l.data) {
		taken[f.Path] = true
	}
	for _, f := range l.given {
		if !taken[f.Path] && !blocked(taken, f.Path) {
			out = append(out, f)
		}
	}
	return out
}

// carry brings what was built into a step.
func (l *layout) carry(role string) []validator.Carry {
	if len(l.lang.Build) == 0 {
		return nil
	}
	var out []validator.Carry
	for _, a := range l.lang.Artifacts {
		out = append(out, validator.Carry{StepID: stepBuild, Role: "main", Path: a, ToRole: role, ToPath: a, Executable: true})
	}
	return out
}

// more asks for the cases that are left, unless the first ones show that the
// program never ends.
func (p *plugin) more(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l, err := p.arrange(req)
	if err != nil || l.format != "cases" || len(l.code) == 0 {
		return nil, err
	}
	done := 0
	for i := range req.Results {
		r := &req.Results[i]
		if strings.HasPrefix(r.StepID, "case") {
			done++
		}
		if r.Outcome == validator.OutcomeTimedOut || r.Outcome == validator.OutcomeSkipped {
			return nil, nil
		}
	}
	if done >= len(l.cases) {
		return nil, nil
	}
	next := perRound
	if done <= firstCases {
		next = secondCases
	}
	return l.caseSteps(req, done, min(len(l.cases), done+next)), nil
}

// testSteps run the test command, once or for each test file.
func (l *layout) testSteps(req *validator.Request) ([]validator.Step, error) {
	if len(l.tests) == 0 {
		return nil, nil
	}
	runs := [][]string{l.tests}
	if uses(l.lang.Test, "test") {
		runs = nil
		for _, name := range l.tests {
			runs = append(runs, []string{name})
		}
	}
	if len(runs) > perRound {
		return nil, validator.TaskErrorf("the task has %d test files; at most %d are possible", len(runs), perRound)
	}
	var steps []validator.Step
	for i, names := range runs {
		argv := fill(l.lang.Test, map[string]string{"test": named(names[0]), "entry": named(l.entry)}, names)
		step := validator.Step{ID: testID(i), Runtime: l.lang.Name, Stage: "test", Limits: req.Task.Limits}
		var err error
		if l.lang.Mode == "together" {
			step.Processes = l.together(req, argv)
			step.Carry = l.carry("main")
		} else {
			step.Processes, err = l.apart(req, argv)
			step.Carry = l.carry("submission")
		}
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func testID(i int) string { return "test" + strconv.Itoa(i) }

// together puts everything into one room. The nonce lies in a file that tests
// may read and remove before they load the submission.
func (l *layout) together(req *validator.Request, argv []string) []validator.Process {
	files := slices.Concat(req.Task.Tests, l.code, l.data)
	for i := range files[:len(req.Task.Tests)] {
		files[i].Executable = true
	}
	if l.opts.Nonce {
		files = append(files, validator.File{Path: nonceFile, Content: []byte(req.Nonce), Writable: true})
	}
	p := validator.Process{Role: "main", Argv: argv, Files: files}
	if l.lang.Report != "" {
		p.Collect = []string{l.lang.Report}
	}
	return []validator.Process{p}
}

// apart puts tests and submission into two rooms. In the first a stand-in lies
// in place of each of the learner's files of code; running it runs the real one
// in the other room.
func (l *layout) apart(req *validator.Request, argv []string) ([]validator.Process, error) {
	job, err := json.Marshal(map[string]any{"test": argv, "run": l.lang.Run, "entry": l.entry})
	if err != nil {
		return nil, err
	}
	read := func(name, to string) validator.File {
		content, readErr := programs.ReadFile("py/" + name)
		err = errors.Join(err, readErr)
		return validator.File{Path: judgeDir + "/" + to, Content: content, Executable: true}
	}
	jobFile := validator.File{Path: judgeDir + "/job.json", Content: job}
	tests := []validator.File{jobFile, read("harness.py", "harness.py"), read("frames.py", "frames.py"), read("client.py", "client.py")}
	for _, name := range []string{"program", "give", "fetch"} {
		tests = append(tests, validator.File{Path: judgeDir + "/bin/" + name, Content: []byte(command(name)), Executable: true})
	}
	for _, f := range req.Task.Tests {
		f.Executable = true
		tests = append(tests, f)
	}
	for _, f := range l.code {
		tests = append(tests, validator.File{Path: f.Path, Executable: true, Content: []byte(strings.ReplaceAll(l.lang.Stub, "{client}", client("run", f.Path)))})
	}
	tests = append(tests, l.shared(req.Task.Tests)...)
	theirs := slices.Concat(l.code, l.data, []validator.File{
		{Path: judgeDir + "/job.json", Content: serverJob(l)}, read("server.py", "server.py"), read("frames.py", "frames.py"),
	})
	run := func(name string) []string {
		return []string{python, "-I", "-S", "-B", "-X", "utf8", judgeDir + "/" + name}
	}
	first := validator.Process{Role: "tests", Argv: run("harness.py"), Files: tests, Channel: true, Collect: []string{ranFile}}
	if l.lang.Report != "" {
		first.Collect = append(first.Collect, l.lang.Report)
	}
	return []validator.Process{first, {Role: "submission", Argv: run("server.py"), Files: theirs, Channel: true}}, err
}

// serverJob is all that the submission's room knows: how to run a program.
func serverJob(l *layout) []byte {
	b, err := json.Marshal(map[string]any{"run": l.lang.Run, "entry": named(l.entry)})
	if err != nil {
		panic(err) // strings always can be written
	}
	return b
}

// client is the command that runs the client; file names may hold anything.
func client(what, file string) string {
	words := []string{python, "-I", "-S", "-B", "-X", "utf8", validator.WorkDir + "/" + judgeDir + "/client.py", what}
	if file != "" {
		words = append(words, "'"+strings.ReplaceAll(file, "'", `'\''`)+"'")
	}
	return strings.Join(words, " ")
}

func command(name string) string {
	what := name
	if name == "program" {
		what = "run ''"
	}
	return "#!/bin/sh\nexec " + client(what, "") + " \"$@\"\n"
}
