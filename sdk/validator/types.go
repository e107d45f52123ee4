package validator

import "github.com/goals-tracker/tracker/sdk/judging"

// What a plugin sees of a submission and its task.
type (
	// Submission is what the learner handed in.
	Submission = judging.Submission
	// Task is what the task asks for.
	Task = judging.Task
	// File is one file; its path is relative and slash-separated.
	File = judging.File
	// Limits bound one step; zero fields take the host's defaults.
	Limits = judging.Limits
	// Integrity is IntegrityShared or IntegritySplit.
	Integrity = judging.Integrity
)

// What a plugin says about itself.
type (
	// Language is a language that the plugin judges.
	Language = judging.Language
	// Runtime is a toolchain that steps run on.
	Runtime = judging.Runtime
	// Mount is a directory of the host, shown read-only.
	Mount = judging.Mount
	// WarmUp is a program that is started before there is a submission.
	WarmUp = judging.WarmUp
)

// Where a process finds its files in the sandbox.
const (
	// WorkDir holds the process's own.
	WorkDir = judging.WorkDir
	// WarmDir holds those of the runtime's WarmUp, where a process is Warm.
	WarmDir = judging.WarmDir
)

// The hand-overs that a warm-up program can speak; see WarmUp.
const (
	WarmPrepared   = judging.WarmPrepared
	WarmOnce       = judging.WarmOnce
	WarmForkServer = judging.WarmForkServer
)

// What the host's sandbox runs, and what came of it.
type (
	// Step is one process, or two with a channel between them.
	Step = judging.Step
	// Process is one process of a step.
	Process = judging.Process
	// Carry takes a collected file into a later step.
	Carry = judging.Carry
	// StepResult is what a step produced.
	StepResult = judging.StepResult
	// ProcessResult is what one process of a step produced.
	ProcessResult = judging.ProcessResult
	// Outcome is how a step ended.
	Outcome = judging.Outcome
)

// TaskErrorf makes the error for a task that can't be judged by, whatever is
// submitted: its tests don't parse, hold no test, or can't keep to the integrity
// that it requires. Its teacher reads it, and nothing is retried.
func TaskErrorf(format string, args ...any) error { return judging.TaskErrorf(format, args...) }

// What a plugin says about the learner's work.
type (
	// Report holds verdict, tests and findings.
	Report = judging.Report
	// Verdict is what a run says about a submission.
	Verdict = judging.Verdict
	// Test is the result of one test.
	Test = judging.Test
	// TestStatus is how a test ended.
	TestStatus = judging.TestStatus
	// Finding is something to see at a place of the submission.
	Finding = judging.Finding
	// Severity says how much a finding matters.
	Severity = judging.Severity
	// Message is text for people, in English and Spanish; see Text.
	Message = judging.Message
	// Mutant is a small faulty variant of a correct solution.
	Mutant = judging.Mutant
)

// Verdicts, states of a test, severities, outcomes and integrities; what each
// means is said at its namesake in sdk/judging.
const (
	Passed      = judging.VerdictPassed
	Failed      = judging.VerdictFailed
	Invalid     = judging.VerdictInvalid
	TimedOut    = judging.VerdictTimedOut
	OutOfMemory = judging.VerdictOutOfMemory
	OutputLimit = judging.VerdictOutputLimit
	Unproven    = judging.VerdictUnproven

	Pass  = judging.StatusPass
	Fail  = judging.StatusFail
	Error = judging.StatusError
	Skip  = judging.StatusSkip

	SeverityInfo    = judging.SeverityInfo
	SeverityWarning = judging.SeverityWarning
	SeverityError   = judging.SeverityError

	OutcomeExited      = judging.OutcomeExited
	OutcomeTimedOut    = judging.OutcomeTimedOut
	OutcomeOutOfMemory = judging.OutcomeOutOfMemory
	OutcomeOutputLimit = judging.OutcomeOutputLimit
	OutcomeKilled      = judging.OutcomeKilled
	OutcomeSkipped     = judging.OutcomeSkipped

	IntegrityShared = judging.IntegrityShared
	IntegritySplit  = judging.IntegritySplit
)

// Text makes a message from an English and a Spanish text. Each {key} in them
// is replaced by the value that follows the key in params:
//
//	validator.Text("py.name", "{name} is not defined", "{name} no está definido", "name", "foo")
func Text(id, en, es string, params ...any) Message { return judging.Text(id, en, es, params...) }

// Verbatim makes a message of text that has no language, such as the last line
// of a traceback.
func Verbatim(id, text string) Message { return judging.Verbatim(id, text) }

// Score returns the share of the tests' weight that passed.
func Score(tests []Test) float64 { return judging.Score(tests) }
