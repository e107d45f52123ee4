package judging

import "time"

// Where a process finds its files in the sandbox.
const (
	// WorkDir holds the process's own files; it starts there unless its Dir says
	// otherwise.
	WorkDir = "/room"
	// WarmDir holds the Files of the runtime's WarmUp, read-only, where a process
	// says Warm.
	WarmDir = "/warm"
)

// Step is one process, or two with a channel between them (tests and
// submission), that the host's sandbox runs.
type Step struct {
	// ID is unique in the run.
	ID string
	// Runtime is an id of the plugin's Runtimes.
	Runtime   string
	Processes []Process
	Limits    Limits
	// Carry brings files collected by earlier steps into this one.
	Carry []Carry
	// Stage is what the learner sees while it runs: "compile", "test".
	Stage string
	// StopOnFailure skips the later steps of the round when this one does not
	// exit with 0.
	StopOnFailure bool
}

// Process is one process of a step.
type Process struct {
	// Role is "main", or "tests" and "submission".
	Role string
	Argv []string
	Env  map[string]string
	// Dir is the working directory below WorkDir; empty means WorkDir.
	Dir   string
	Files []File
	Stdin []byte
	// Collect holds globs below WorkDir of files to bring back.
	Collect []string
	// Channel makes file descriptor 3 the process's end of the channel.
	Channel bool
	// Warm says that the runtime's warm-up program may serve this process instead
	// of its being executed. It must behave the same when Argv is executed, which
	// the host may do at any time. The WarmUp's Files are in WarmDir either way.
	Warm bool
}

// Carry takes a file that an earlier step collected into a process's files.
type Carry struct {
	StepID     string
	Role       string
	Path       string
	ToRole     string
	ToPath     string
	Executable bool
	// ExecuteOnly lets the process run the file, but neither read nor change
	// it: for programs that hold what is expected.
	ExecuteOnly bool
}

// Outcome is how a step ended.
type Outcome string

// The outcomes of a step.
const (
	OutcomeExited      Outcome = "exited"
	OutcomeTimedOut    Outcome = "timed_out"
	OutcomeOutOfMemory Outcome = "out_of_memory"
	OutcomeOutputLimit Outcome = "output_limit"
	// OutcomeKilled: ended by a signal that no limit explains.
	OutcomeKilled Outcome = "killed"
	// OutcomeSkipped: an earlier step with StopOnFailure failed.
	OutcomeSkipped Outcome = "skipped"
)

// StepResult is what a step produced.
type StepResult struct {
	StepID    string
	Outcome   Outcome
	Processes []ProcessResult
	Wall      time.Duration
}

// Process returns the result of that role, or nil.
func (r *StepResult) Process(role string) *ProcessResult {
	for i := range r.Processes {
		if r.Processes[i].Role == role {
			return &r.Processes[i]
		}
	}
	return nil
}

// ProcessResult is what one process of a step produced.
type ProcessResult struct {
	Role string
	// Outcome of this process; of two, one may meet a limit and the other not.
	Outcome  Outcome
	ExitCode int
	// Signal ended the process; 0 when it exited.
	Signal int
	Stdout []byte
	Stderr []byte
	// Truncated says that output beyond the limit was dropped.
	Truncated bool
	Collected []File
	// CollectedTruncated says that files which match were left out, as they
	// were too many or too large.
	CollectedTruncated bool
	CPU                time.Duration
	MaxRSSBytes        uint64
}

// File returns the collected file of that path, or nil.
func (r *ProcessResult) File(path string) *File {
	for i := range r.Collected {
		if r.Collected[i].Path == path {
			return &r.Collected[i]
		}
	}
	return nil
}

// PlanRequest asks for the steps of the first round.
type PlanRequest struct {
	Submission Submission
	Task       Task
	// Toolchain is the first line printed by each runtime's VersionArgv.
	Toolchain map[string]string
	// Nonce is unguessable text, the same in every call of a run and new for
	// each run. A result that holds it was not written by the submission, as
	// long as the step kept it out of the submission's reach.
	Nonce string
	// OneProcess says that steps of two processes are refused here: tests and
	// submission have to share one.
	OneProcess bool
}

// JudgeRequest asks for a report on all results so far, or for more steps.
type JudgeRequest struct {
	PlanRequest
	// Results of every round so far, in order.
	Results []StepResult
	// Round is 1 for the results of Plan.
	Round int
}

// Result returns the result of that step, or nil.
func (r *JudgeRequest) Result(stepID string) *StepResult {
	for i := range r.Results {
		if r.Results[i].StepID == stepID {
			return &r.Results[i]
		}
	}
	return nil
}

// Decision is Judge's answer; exactly one field is set.
type Decision struct {
	Report *Report
	More   []Step
}

// MutateRequest asks for faulty variants of a correct solution.
type MutateRequest struct {
	Solution Submission
	Task     Task
	// Limit is how many mutants at the most; 0 means 50.
	Limit int
}
