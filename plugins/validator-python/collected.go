package main

import (
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// collected is what the events of a run come to.
type collected struct {
	tests        []validator.Test
	collected    []string
	running      string // the test that started last and has not reported
	versions     map[string]string
	brokenFiles  map[string]validator.Message
	skippedFiles map[string]validator.Message
	output       string
	script       *failure
	noFramework  string
	taskError    string // what the task's author must mend
	finished     bool
	outputLimit  bool
	memoryError  bool
	groupError   bool
}

func collect(events []event) *collected {
	k := &collected{brokenFiles: map[string]validator.Message{}, skippedFiles: map[string]validator.Message{}}
	ids := map[string]int{}
	for i := range events {
		e := &events[i]
		if e.Failure != nil && e.Failure.Type == "MemoryError" {
			k.memoryError = true
		}
		switch e.Kind {
		case "hello":
			k.versions = e.Versions
		case "no_framework":
			k.noFramework = e.Name
		case "task_error":
			if k.taskError == "" {
				k.taskError = e.Reason
			}
		case "collected":
			k.collected = e.IDs
			k.output += e.Output
		case "started":
			k.running = e.ID
		case "test":
			k.running = ""
			e.ID = unused(ids, e.ID) // the same parameters twice still are two tests
			k.tests = append(k.tests, e.test())
		case "broken_file":
			k.brokenFiles[e.File] = explain(e.Failure)
			k.output += e.Output
		case "skipped_file":
			k.skippedFiles[e.File] = skipMessage(e.Reason)
		case "group_error":
			k.groupError = true
			// Two folders may have a class and a module of the same names.
			k.tests = append(k.tests, validator.Test{ID: unused(ids, e.Name), Name: e.Name, Status: validator.Error, Message: explain(e.Failure), Output: e.Output})
		case "output_limit":
			k.outputLimit = true
		case "ended":
			k.output += e.Output
		case "script":
			k.output += e.Output
			k.script = e.Failure
		case "finished":
			k.finished = true
		}
	}
	return k
}

// unused is id, or with a number where a test has it already.
func unused(ids map[string]int, id string) string {
	ids[id]++
	if ids[id] == 1 {
		return id
	}
	return unused(ids, fmt.Sprintf("%s#%d", id, ids[id]))
}

func (e *event) test() validator.Test {
	t := validator.Test{ID: e.ID, Name: nameOf(e.ID), Output: e.Output, Duration: seconds(e.Seconds), TaskID: e.Task}
	switch e.Status {
	case "pass":
		t.Status = validator.Pass
	case "skip":
		t.Status, t.Message = validator.Skip, skipMessage(e.Reason)
	case "fail":
		t.Status = validator.Fail
	default:
		t.Status = validator.Error
	}
	if e.Failure != nil {
		t.Message = explain(e.Failure)
		t.Expected, t.Actual = e.Failure.Expected, e.Failure.Actual
	}
	return t
}

func (k *collected) skipsFile(file string) bool {
	_, ok := k.skippedFiles[file]
	return ok
}

// unreported says why an expected test has no result.
func (k *collected) unreported(id, file string, run *validator.StepResult) validator.Message {
	if m, ok := k.brokenFiles[file]; ok {
		return m
	}
	this := id == k.running
	switch {
	case run.Outcome == validator.OutcomeTimedOut && this:
		return validator.Text("python.ran-too-long", "Time ran out during this test. Is there a loop that never ends?", "El tiempo se agotó durante esta prueba. ¿Hay un bucle que nunca termina?")
	case run.Outcome == validator.OutcomeOutOfMemory && this:
		return validator.Text("python.memory", "Memory ran out during this test.", "La memoria se agotó durante esta prueba.")
	case (run.Outcome == validator.OutcomeOutputLimit || k.outputLimit) && this:
		return validator.Text("python.output", "Your program printed too much during this test.", "Tu programa imprimió demasiado durante esta prueba.")
	case run.Outcome != validator.OutcomeExited || k.outputLimit:
		return validator.Text("python.not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
	case !k.finished:
		return validator.Text("python.ended", "The program ended before this test had reported. Does your code end the program?", "El programa terminó antes de que esta prueba informara. ¿Tu código termina el programa?")
	}
	return validator.Text("python.unreported", "This test did not report.", "Esta prueba no informó de su resultado.")
}

func skipMessage(reason string) validator.Message {
	reason = strings.TrimPrefix(reason, "Skipped: ")
	if reason == "" {
		return validator.Text("python.skipped", "Skipped.", "Omitida.")
	}
	return validator.Text("python.skipped", "Skipped: {reason}", "Omitida: {reason}", "reason", reason)
}
