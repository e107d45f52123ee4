package validation

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Service is what other modules may do with snapshots and runs. A learner
// reaches their own, a teacher reads those of their courses, the system all;
// another's are ErrSnapshotNotFound, ErrRunNotFound or tasks.ErrNotFound.
type Service interface {
	// Ready finds out which languages can be judged, if that is not known; it may
	// start plugins. Call it before the unit of work of SubmitTx.
	Ready(ctx context.Context)
	// SubmitTx stores a snapshot of a task of the actor, queues a run, and leads
	// the task into review; a run of an older snapshot that did not begin is
	// superseded. The snapshot comes back without files. ErrNoFiles and the other
	// errors of CheckFiles, ErrNoLanguage, ErrNoValidator, and those of
	// tasks.Service.SubmitTx.
	SubmitTx(ctx context.Context, tx *postgres.Tx, s Submission) (Snapshot, error)

	// RecordTx stores a snapshot that was handed in elsewhere, before the task came
	// here: nobody judges it and the task stays as it is. It gets the task's next
	// number. For the system. tasks.ErrNotFound, errs.BadInput (no language), and
	// the errors of CheckFiles.
	RecordTx(ctx context.Context, tx *postgres.Tx, r Recorded) (Snapshot, error)

	// Snapshot reads a snapshot with its files. ErrSnapshotNotFound.
	Snapshot(ctx context.Context, actor auth.Actor, id string) (Snapshot, error)
	// Snapshots reads a page of a task's snapshots, newest first, without files.
	// tasks.ErrNotFound, errs.BadPageToken.
	Snapshots(ctx context.Context, actor auth.Actor, q Query) (Page, error)
	// Run reads a run with its report and its place in the queue. ErrRunNotFound.
	Run(ctx context.Context, actor auth.Actor, id string) (Run, error)
	// RunTx reads a run with its report, as the unit of work left it.
	// ErrRunNotFound.
	RunTx(ctx context.Context, tx *postgres.Tx, id string) (Run, error)
	// Report reads a run's report. ErrRunNotFound, ErrNotDone.
	Report(ctx context.Context, actor auth.Actor, runID string) (Report, error)
	// Judging reads how a course's code is judged. For its teachers and admins:
	// errs.Forbidden.
	Judging(ctx context.Context, actor auth.Actor, courseID string) (Judging, error)
	// UpdatePolicyTx changes it, for runs that begin from then on. For the
	// course's teachers and admins, the weight for admins alone: errs.Forbidden,
	// errs.BadInput.
	UpdatePolicyTx(ctx context.Context, tx *postgres.Tx, courseID string, p PolicyPatch) (Judging, error)
	// RejudgeTaskTx has a task's newest snapshot judged again, in the lane behind
	// all that learners wait for. The learner pays no turn for it, and what comes
	// of it takes no completed task away; see ReasonRejudged. For the course's
	// teachers and admins. tasks.ErrNotFound, errs.Forbidden.
	RejudgeTaskTx(ctx context.Context, tx *postgres.Tx, taskID string) (Rejudging, error)
	// RejudgeCourseTx is RejudgeTaskTx for all tasks of a course. errs.Forbidden.
	RejudgeCourseTx(ctx context.Context, tx *postgres.Tx, courseID string) (Rejudging, error)
	// Rejudging reads how far a re-judging is. ErrRejudgingNotFound.
	Rejudging(ctx context.Context, actor auth.Actor, id string) (Rejudging, error)
	// Validators says what can be judged here, with what, and what an operator
	// can do where it can't.
	Validators(ctx context.Context) []Validator
}

// Query says which snapshots to list.
type Query struct {
	TaskID string
	// Size is how many, 1 to 100; 0 is 20.
	Size int
	// Token is Page.Next of the page before, "" for the first.
	Token string
}

// Page is a page of snapshots.
type Page struct {
	Snapshots []Snapshot
	// Next is the token of the next page, "" on the last.
	Next string
}

// States of a validator.
const (
	StateReady          = "ready"
	StateMissingRuntime = "missing_runtime"
	StateQuarantined    = "quarantined"
	StateUnavailable    = "unavailable"
	// StateNoSandbox: this machine can't confine learners' code, so nothing is
	// judged here.
	StateNoSandbox = "no_sandbox"
)

// Validator is what is known of a validator plugin.
type Validator struct {
	Name, Version string
	Languages     []string
	// Toolchain is the version of each runtime.
	Toolchain map[string]string
	// State is one of the states above.
	State string
	// Advice is what an operator can do when it is not ready.
	Advice string
}

// Pushes that learners get while they wait; they may be lost.
const (
	// PushQueue carries {run_id, snapshot_id, snapshot_number, task_id, position,
	// eta_ms}: how long until the verdict is expected, without eta_ms where nobody
	// judges. It comes when either changes by much.
	PushQueue = "validation.queue"
	// PushStage carries {run_id, snapshot_id, snapshot_number, task_id, attempt,
	// stage}; stage is what the plugin calls it: "compile", "test".
	PushStage = "validation.stage"
)
