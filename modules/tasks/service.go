package tasks

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Stream is the type of this module's streams.
const Stream = "task"

// Service is what other modules may do with tasks. The …Tx methods act as the
// unit of work's actor and commit with it: a learner acts on their own tasks,
// the system on all; a teacher reads those of their courses and completes them.
// Another's task is ErrNotFound, one that the actor may read but not change
// errs.Forbidden. version is what the caller saw; nil for any, a stale one is
// errs.StaleVersion. The goal follows at the end of the unit of work.
//
// Tasks that come back carry no contents of files but from Get; learners never
// get those of hidden files.
type Service interface {
	// Get reads a task with its files, as far as the actor may see them; the
	// system and the course's teachers see hidden ones. ErrNotFound; an internal
	// error when the system would get a file without its content.
	Get(ctx context.Context, actor auth.Actor, id string) (Task, error)
	// List reads a page of tasks, by position within their goal, newest goals
	// first. errs.BadPageToken.
	List(ctx context.Context, actor auth.Actor, q Query) (Page, error)

	// GetTx reads a task, with what this unit of work did to it. ErrNotFound.
	GetTx(ctx context.Context, tx *postgres.Tx, id string) (Task, error)
	// LockTx is GetTx and keeps others from changing the task, its goal and the
	// goal's other tasks until the unit of work ends. ErrNotFound.
	LockTx(ctx context.Context, tx *postgres.Tx, id string) (Task, error)

	// CreateTx adds tasks to one goal, in one go: they may depend on each other
	// by New.ID, in any order. All belong to the goal's learner. goals.ErrNotFound,
	// goals.ErrClosed, errs.BadInput, ErrCycle, ErrTaken, ErrTooMany.
	CreateTx(ctx context.Context, tx *postgres.Tx, goalID string, news ...New) ([]Task, error)
	// UpdateTx changes details; nothing happens when nothing differs.
	// errs.BadInput, ErrCycle.
	UpdateTx(ctx context.Context, tx *postgres.Tx, id string, version *int64, p Patch) (Task, error)
	// DeleteTx deletes the task; tasks that depended on it no longer do.
	DeleteTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) error
	// StartTx leads from todo or failed to in progress. ErrStatus,
	// ErrDependencies, goals.ErrClosed.
	StartTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (Task, error)
	// SkipTx leaves an unfinished task out. ErrStatus, goals.ErrClosed.
	SkipTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (Task, error)
	// CompleteTx completes a task by the word of its learner or of a teacher of
	// the course. ErrStatus, ErrNeedsVerdict, ErrDependencies, goals.ErrClosed.
	CompleteTx(ctx context.Context, tx *postgres.Tx, id string, version *int64, actualHours *float64) (Task, error)
	// ReopenTx takes a completed or skipped task up again, and a completed goal
	// with it. ErrStatus, goals.ErrClosed (a cancelled goal).
	ReopenTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (Task, error)

	// SubmitTx leads into review: the snapshot is the task's newest, number counts
	// from 1 per task and must grow. A task that was not begun is started.
	// ErrDone (completed or skipped), ErrDependencies, goals.ErrClosed,
	// errs.BadInput (an older number).
	SubmitTx(ctx context.Context, tx *postgres.Tx, id, snapshotID string, number int) (Task, error)
	// VerdictTx follows a run: passed completes, unproven gives the task back in
	// progress (its learner or a teacher completes it), platform_error gives it
	// back as it was before, any other verdict fails it. Nothing happens when the
	// result is not of the newest snapshot, when somebody completed or left the
	// task meanwhile, or when it was told before; one that failed passes when its
	// newest snapshot is judged again. For the system. ErrNotFound.
	VerdictTx(ctx context.Context, tx *postgres.Tx, id string, r Result) (Task, error)
	// FeedbackTx sets what the reviewer says of the newest run, in Markdown. For
	// the system. ErrNotFound, errs.BadInput.
	FeedbackTx(ctx context.Context, tx *postgres.Tx, id, text string) (Task, error)
}

// Query says which tasks to list.
type Query struct {
	// Size is how many, 1 to 100; 0 is 20.
	Size int
	// Token is Page.Next of the page before, "" for the first.
	Token string
	// Statuses and Types to list; none is all.
	Statuses []Status
	Types    []Type
	// GoalID lists one goal's tasks.
	GoalID string
	// CourseID lists that course's tasks: the whole class for its teachers, else
	// the caller's own.
	CourseID string
	// UserID lists one learner's tasks, as far as the caller may read them; "" is
	// the caller, unless GoalID or CourseID say otherwise.
	UserID string
}

// Page is a page of tasks.
type Page struct {
	Tasks []Task
	// Next is the token of the next page, "" on the last.
	Next string
}

// SeesHidden reports whether an actor may see the hidden files of a task.
func (t Task) SeesHidden(actor auth.Actor) bool { return actor.Teaches(t.CourseID) }
