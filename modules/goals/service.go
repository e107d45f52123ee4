package goals

import (
	"context"
	"strconv"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Streams of this module's events.
const (
	StreamGoal     = "goal"
	StreamProgress = "goal-progress"
)

// Service is what other modules may do with goals. The …Tx methods act as the
// unit of work's actor and commit with it: a learner acts on their own goals,
// the system on all; a teacher only reads those of their courses. Another's
// goal is ErrNotFound, one that the actor may read but not change
// errs.Forbidden. version is what the caller saw; nil for any, a stale one is
// errs.StaleVersion.
type Service interface {
	// Get reads a goal. ErrNotFound.
	Get(ctx context.Context, actor auth.Actor, id string) (Goal, error)
	// List reads a page of goals, newest first. errs.BadPageToken.
	List(ctx context.Context, actor auth.Actor, q Query) (Page, error)
	// MayUseCourse asks the CoursePolicy, whose errors it gives. Ask before the
	// unit of work: the answer may come from another server.
	MayUseCourse(ctx context.Context, actor auth.Actor, courseID string) error

	// GetTx reads a goal, with what this unit of work did to it. ErrNotFound.
	GetTx(ctx context.Context, tx *postgres.Tx, id string) (Goal, error)
	// LockTx is GetTx and keeps others from changing the goal and its tasks until
	// the unit of work ends. Who changes a task locks its goal first. ErrNotFound.
	LockTx(ctx context.Context, tx *postgres.Tx, id string) (Goal, error)

	// CreateTx makes a pending goal. errs.BadInput; errs.Forbidden for another's.
	CreateTx(ctx context.Context, tx *postgres.Tx, n New) (Goal, error)
	// UpdateTx changes details; nothing happens when nothing differs. errs.BadInput.
	UpdateTx(ctx context.Context, tx *postgres.Tx, id string, version *int64, p Patch) (Goal, error)
	// DeleteTx deletes the goal; modules that react to goal.deleted delete what
	// hangs on it.
	DeleteTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) error
	// StartTx leads from pending or blocked to in progress. ErrStatus.
	StartTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (Goal, error)
	// CompleteTx closes a goal in progress by hand. ErrStatus.
	CompleteTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (Goal, error)
	// BlockTx says that work can't go on. ErrStatus, errs.BadInput.
	BlockTx(ctx context.Context, tx *postgres.Tx, id string, version *int64, reason string) (Goal, error)
	// CancelTx gives an open goal up. ErrStatus.
	CancelTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (Goal, error)
	// ReopenTx takes a closed goal up again. ErrStatus.
	ReopenTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (Goal, error)
	// SetProgressTx sets the progress of an open goal by hand, 0 to 100; the
	// version stays. ErrClosed, errs.BadInput.
	SetProgressTx(ctx context.Context, tx *postgres.Tx, id string, percent float64) (Goal, error)

	// ProgressTx follows a goal's tasks: its progress, and its status as
	// Goal.FollowTasks says. For inline reactions, which run as the system; a goal
	// that this unit of work deleted is left alone.
	ProgressTx(ctx context.Context, tx *postgres.Tx, id string, news TaskNews) error
	// MarkCourseDeletedTx marks up to limit goals of a course that the academy
	// deleted, and says how many; call it as the system until it says 0.
	MarkCourseDeletedTx(ctx context.Context, tx *postgres.Tx, courseID string, limit int) (int, error)
}

// Query says which goals to list.
type Query struct {
	// Size is how many, 1 to 100; 0 is 20.
	Size int
	// Token is Page.Next of the page before, "" for the first.
	Token string
	// Statuses to list; none is all.
	Statuses []Status
	// CourseID lists that course's goals: the whole class for its teachers, else
	// the caller's own.
	CourseID string
	// UserID lists one learner's goals, as far as the caller may read them; "" is
	// the caller, unless CourseID shows a class.
	UserID string
}

// Page is a page of goals.
type Page struct {
	Goals []Goal
	// Next is the token of the next page, "" on the last.
	Next string
}

// CoursePolicy says who may put a goal on a course. academy.Service is one.
type CoursePolicy interface {
	// MayUse is nil, or an error of code permission_denied, not_found or
	// unavailable that the caller may read.
	MayUse(ctx context.Context, actor auth.Actor, courseID string) error
}

// AnyCourse is the policy where no academy is asked: every course is open.
type AnyCourse struct{}

// MayUse implements CoursePolicy.
func (AnyCourse) MayUse(context.Context, auth.Actor, string) error { return nil }

// Expect is errs.StaleVersion unless version is nil or the current one.
func Expect(version *int64, current int64) error {
	if version == nil || *version == current {
		return nil
	}
	return errs.StaleVersion.New(*version, current).WithDetail("version", strconv.FormatInt(current, 10))
}
