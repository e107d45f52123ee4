package sandbox

import (
	"fmt"
	"time"
)

// Outcome says what ended a process or a step.
type Outcome string

// Outcomes. Only Exited says that the program came to its own end, be it well,
// badly or by a signal.
const (
	Exited      Outcome = "exited"
	TimedOut    Outcome = "timed_out"
	OutOfMemory Outcome = "out_of_memory"
	OutputLimit Outcome = "output_limit"
	// Killed is a second process that did not follow the first to its end, or
	// whose step was ended by the other's limit.
	Killed Outcome = "killed"
)

// Result is what happened. It is about the program; what the platform could not
// do is an error instead.
type Result struct {
	// Outcome is Exited unless a process met a limit.
	Outcome Outcome
	// Culprit is the role of the process that met the limit first.
	Culprit string
	// Processes are in the step's order.
	Processes []ProcessResult
	// Prepare lasts from the call until all programs were executed, Run from
	// then until everything was dead and collected.
	Prepare, Run time.Duration
	// Way is how the step came to run.
	Way Way
}

// Way says what a step began with.
type Way string

// Ways. The more was there in advance, the shorter is Result.Prepare; what a
// step can do, and what it may not, is the same in all of them.
const (
	// Cold rooms were built for the step.
	Cold Way = "cold"
	// Prepared rooms stood empty.
	Prepared Way = "prepared"
	// Warm rooms held a waiting warm-up program.
	Warm Way = "warm"
	// Forked rooms held a fresh child of a fork-server.
	Forked Way = "forked"
)

// ProcessResult is how one process went.
type ProcessResult struct {
	Role    string
	Outcome Outcome
	// ExitCode is -1 when the process didn't exit by itself.
	ExitCode int
	// Signal is the number of the signal that ended the process, else 0.
	Signal int
	// Stdout and Stderr hold what came before the limit on output.
	Stdout, Stderr []byte
	// Truncated means that there was more output.
	Truncated bool
	// Files are those collected, also after a limit was met if the room could
	// still be read; FilesTruncated means that matching ones were left out or may
	// have been: below 64 folders nobody looks.
	Files          []File
	FilesTruncated bool
	// CPU counts all descendants, Wall from the exec to the end of everything.
	CPU, Wall time.Duration
	// MaxRSS is the peak of memory in bytes as the layer that limits it counts:
	// the cgroup's peak, else the larger of the sampled sum and the largest
	// single process.
	MaxRSS int64
}

// StartError is a program that could not be executed inside the room: not
// there, not executable, not a program. Whose fault that is, the caller knows:
// a missing compiler is the platform's, a missing build product the learner's.
type StartError struct {
	Role string
	// Path is the program or the starting folder.
	Path string
	Err  error
}

func (e *StartError) Error() string {
	if e.Role == "" {
		return fmt.Sprintf("start %s in the sandbox: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("start %s (%s) in the sandbox: %v", e.Role, e.Path, e.Err)
}

func (e *StartError) Unwrap() error { return e.Err }
