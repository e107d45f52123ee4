package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// compileLimits are the compiler's and linker's, which run no code of the
// learner's.
var compileLimits = validator.Limits{
	Wall: 60 * time.Second, CPU: 60 * time.Second, MemoryBytes: 1 << 30, OutputBytes: 1 << 20, DiskBytes: 256 << 20, Processes: 256, OpenFiles: 1024,
}

func plan(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l := arrange(req)
	if req.Task.RequiredIntegrity == validator.IntegritySplit && l.tested {
		return nil, errNotApart
	}
	if len(l.sources) == 0 || len(l.refusals(req)) > 0 {
		return nil, nil
	}
	b := &builder{l: l, nonce: req.Nonce, std: machine.archives, imports: map[string]bool{}}
	if b.std == "" {
		b.std = "/tmp/std"
	}
	var binaries []binary
	var needed, alone, tests []string
	if l.tested {
		suites, err := l.suites()
		if err != nil {
			return nil, err
		}
		needed, alone, tests, binaries = b.testBinaries(suites)
	} else {
		needed, tests, binaries = b.program(optionsOf(req).Entry)
	}
	step := validator.Step{ID: "compile", Runtime: "go", Stage: "compile", Limits: compileLimits, StopOnFailure: true}
	if machine.archives == "" {
		step.Limits.Wall, step.Limits.CPU = 10*time.Minute, 10*time.Minute // as far as the host lets it
	}
	script := b.script(needed, alone, tests)
	collect := []string{aloneFile, testsFile}
	for i := range binaries {
		collect = append(collect, binaries[i].file())
	}
	files := b.files
	for _, s := range l.sources {
		files = append(files, validator.File{Path: sourceDir + "/" + s.path, Content: s.content, Writable: true})
	}
	for _, name := range l.embedded() {
		files = append(files, validator.File{Path: sourceDir + "/" + name, Content: l.data[name].Content, Writable: true})
	}
	for i := range files {
		files[i].Writable = true // nothing here runs learners' code, and a lock costs a mount
	}
	step.Processes = []validator.Process{{
		Role: "main", Argv: []string{"sh", "-c", script}, Files: files, Collect: collect,
		Env: map[string]string{"GOMAXPROCS": "2"},
	}}
	steps := []validator.Step{step}
	for i := range binaries {
		steps = append(steps, l.runStep(req, &binaries[i]))
	}
	return steps, nil
}

// programFile is where a binary lies in its room.
const programFile = ".judge/test"

var errNotApart = validator.TaskErrorf("the task requires integrity split, but Go's tests run in one process with the submission: allow shared")

// keyOf is the key of one binary's frames.
func keyOf(nonce, dir string) string {
	sum := sha256.Sum256([]byte(nonce + "\x00" + dir))
	return hex.EncodeToString(sum[:])
}

// digestOf is what a binary knows of its key.
func digestOf(key string) string {
	raw, err := hex.DecodeString(key)
	if err != nil {
		return "" // keyOf makes hexadecimal digits
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
