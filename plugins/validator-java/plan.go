package main

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	// outputLimit is what tests and submission may print, unless the task says
	// otherwise.
	outputLimit = 1 << 20
	// compileTime is added to the task's limits on time, as the step compiles too.
	compileTime = 5 * time.Second
	// waitTime is for a machine that is busy with others.
	waitTime    = 20 * time.Second
	defaultTime = 15 * time.Second
)

var errNotApart = validator.TaskErrorf("the task requires integrity split, but Java's tests and submissions share a process: allow shared for this task")

func plan(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l := arrange(req)
	if len(l.main) == l.given {
		return nil, nil // nothing of the learner's to compile
	}
	if req.Task.RequiredIntegrity == validator.IntegritySplit && len(req.Task.Tests) > 0 {
		return nil, errNotApart
	}
	if err := guarded(req.Toolchain["java"]); err != nil {
		return nil, err
	}
	opts := optionsOf(req)
	mode, stage := "shared", "test"
	if len(l.tests) == 0 {
		mode, stage = "program", "run"
	}
	limit := req.Task.Limits.OutputBytes
	if limit == 0 {
		limit = outputLimit
	}
	var job record
	job.add("nonce", req.Nonce)
	job.add("mode", mode)
	job.add("output_limit", strconv.FormatUint(limit, 10))
	job.add("run_skipped", strconv.FormatBool(opts.RunSkipped))
	job.add("entry", opts.Entry)
	if wall := req.Task.Limits.Wall; mode == "shared" {
		if wall == 0 {
			wall = defaultTime
		}
		job.add("wall_ms", strconv.FormatInt(wall.Milliseconds(), 10))
	}
	for _, f := range l.main {
		job.add("main/"+f.Path, string(f.Content))
	}
	for _, f := range l.tests {
		job.add("tests/"+f.Path, string(f.Content))
	}
	for _, key := range slices.Sorted(keys(l.junit)) {
		job.add("junit/"+key, l.junit[key])
	}
	job.add("end", "")
	p, err := process(req.Task.Limits.MemoryBytes, job.Bytes(), l.files)
	if err != nil {
		return nil, err
	}
	return []validator.Step{{ID: "run", Runtime: "java", Stage: stage, Limits: limits(req.Task.Limits), Processes: []validator.Process{p}}}, nil
}

func keys(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// record is the job as the judge reads it: names, lengths and bytes.
type record struct{ bytes.Buffer }

func (r *record) add(name, body string) { fmt.Fprintf(r, "%s %d\n%s", name, len(body), body) }

// limits gives a JVM the room that it takes for itself.
func limits(l validator.Limits) validator.Limits {
	if l.MemoryBytes == 0 {
		l.MemoryBytes = defaultMemory
	}
	if l.Processes == 0 {
		l.Processes = 256 // threads count, too
	}
	if l.CPU == 0 {
		l.CPU = max(l.Wall, defaultTime)
	}
	if l.Wall == 0 {
		l.Wall = defaultTime
	}
	l.Wall += waitTime
	l.CPU += compileTime
	// Output is counted in the process, which can say which test met the limit.
	l.OutputBytes = max(l.OutputBytes, outputLimit) * 2
	return l
}

// guardedUntil is the last Java that has security managers, which keep a
// submission from what judges it (JEP 486 took them away in 24).
const guardedUntil = 23

var javaVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// guarded refuses a JDK on which a submission could reach its judge.
func guarded(version string) error {
	m := javaVersion.FindStringSubmatch(version)
	if m == nil {
		return nil // the host could not ask
	}
	if major, err := strconv.Atoi(m[1]); err == nil && major > guardedUntil {
		return fmt.Errorf("java on this server's PATH is %s, which can't keep submissions from their judge: install a JDK from 17 to %d and make it the default", version, guardedUntil)
	}
	return nil
}
