package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	eventsFile = judgeDir + "/events"
	emitTests  = judgeDir + "/emit-tests.json"
	emitCode   = judgeDir + "/emit-submission.json"
	emitFile   = judgeDir + "/emit.json"
	// outputLimit is what tests and submission may print, unless the task says
	// otherwise.
	outputLimit = 1 << 20
	// mostCalls go between two processes; tests that make more share one.
	mostCalls = 6000
	// mostBytes of values are compared and carried; that takes a second or two.
	mostBytes = 12 << 20
)

var errNotApart = validator.TaskErrorf("the task requires integrity split, but its tests reach into the submission's world (fake timers, replaced modules or globals, files): change the tests or allow shared")

func plan(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l := arrange(req)
	if len(l.names) == 0 {
		return nil, nil
	}
	if req.Task.RequiredIntegrity == validator.IntegritySplit && len(l.modules) > 0 && !l.apart {
		return nil, errNotApart
	}
	var steps []validator.Step
	if l.typed {
		s, err := compileStep(&l)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	mode := "shared"
	if l.apart {
		mode = "split"
	}
	if len(l.modules) == 0 {
		if l.entry == "" {
			return steps, nil
		}
		mode = "program"
	}
	run, err := runStep(req, &l, mode)
	return append(steps, run), err
}

// more asks for a shared run when values could not be carried between two
// processes.
func more(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l := arrange(req)
	run := req.Result("run")
	if !l.apart || run == nil || req.Round > 1 || req.Task.RequiredIntegrity == validator.IntegritySplit {
		return nil, nil
	}
	if k := collect(eventsOf(run, "tests", req.Nonce)); k.uncarriable == "" {
		return nil, nil
	}
	s, err := runStep(req, &l, "shared")
	if err != nil {
		return nil, err
	}
	s.ID = "again"
	return []validator.Step{s}, nil
}

// runStep runs the tests, in one process or two, or the program.
func runStep(req *validator.Request, l *layout, mode string) (validator.Step, error) {
	opts := optionsOf(req)
	limit := req.Task.Limits.OutputBytes
	if limit == 0 {
		limit = outputLimit
	}
	step := validator.Step{ID: "run", Runtime: "node", Stage: "test", Limits: limits(req.Task.Limits)}
	code := map[string]any{"mode": mode, "files": nonNil(l.names), "output_limit": limit, "entry": l.entry}
	name := "submission"
	if mode == "program" {
		name = mode
	}
	submission, err := node(name, map[string]any{"job": code}, l.submission)
	if err != nil {
		return step, err
	}
	job := maps.Clone(code)
	if req.Task.RequiredIntegrity != validator.IntegritySplit {
		job["most_calls"], job["most_bytes"] = mostCalls, mostBytes
	}
	job["tests"], job["skips"] = nonNil(l.modules), opts.skips()
	carry := func(from, role, to string) {
		if l.typed {
			step.Carry = append(step.Carry, validator.Carry{StepID: "compile", Role: "main", Path: from, ToRole: role, ToPath: to})
		}
	}
	input := map[string]any{"nonce": req.Nonce, "job": job}
	switch mode {
	case "program":
		submission.Role = "main"
		step.Stage, step.Processes = "run", []validator.Process{submission}
		carry(emitCode, "main", emitFile)
	case "split":
		tests, err := node("tests", input, slices.Concat(l.tests, l.submission))
		if err != nil {
			return step, err
		}
		tests.Role, submission.Role = "tests", "submission"
		tests.Channel, submission.Channel = true, true
		step.Processes = []validator.Process{tests, submission}
		carry(emitTests, "tests", emitFile)
		carry(emitCode, "submission", emitFile)
		carry(emitCode, "tests", emitCode)
	case "shared":
		// Test code comes on standard input, so that no file holds it.
		var files []validator.File
		sources := map[string]string{}
		for _, f := range l.tests {
			if slices.Contains(l.modules, f.Path) {
				sources[f.Path] = string(f.Content)
			} else {
				files = append(files, f)
			}
		}
		input["sources"] = sources
		tests, err := node("tests", input, slices.Concat(files, l.submission))
		if err != nil {
			return step, err
		}
		tests.Role = "main"
		step.Processes = []validator.Process{tests}
		carry(emitTests, "main", emitFile)
		carry(emitCode, "main", emitCode)
	}
	if mode != "program" {
		step.Processes[0].Collect = []string{eventsFile}
	}
	return step, nil
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// compileLimits are the compiler's, which runs no code of the learner's.
var compileLimits = validator.Limits{Wall: 30 * time.Second, CPU: 30 * time.Second, MemoryBytes: 1 << 30, OutputBytes: 4 << 20, DiskBytes: 128 << 20}

// limits gives Node.js the room that it takes for itself, where the task is silent.
func limits(l validator.Limits) validator.Limits {
	if l.MemoryBytes == 0 {
		l.MemoryBytes = 512 << 20
	}
	if l.Processes == 0 {
		l.Processes = 128
	}
	return l
}
