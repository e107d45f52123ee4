package agents

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Service is what other modules and commands may ask of agents. Learners reach
// what is their own, teachers also the runs of their courses and admins all
// runs, the system everything; another's is ErrRunNotFound,
// ErrFeedbackNotFound, goals.ErrNotFound or tasks.ErrNotFound. The …Tx methods
// act as the unit of work's actor and commit with it; what they start goes on
// in jobs.
type Service interface {
	// PlanTx starts a planner run for an open goal of the actor. A run that waits
	// for material is taken up again with the new wishes and comes back.
	// goals.ErrNotFound, goals.ErrClosed, ErrPlanUnderWay, errs.Forbidden (a goal
	// that the actor may only read), errs.BadInput.
	PlanTx(ctx context.Context, tx *postgres.Tx, r PlanRequest) (Run, error)
	// AnswerTx answers the question that a run waits with. ErrRunNotFound,
	// ErrNoQuestion (details: waiting_for).
	AnswerTx(ctx context.Context, tx *postgres.Tx, runID, questionID, answer string) (Run, error)
	// MayApprove refuses a plan on a course that the actor has left since; ask
	// before the unit of work, it may ask the academy. ErrRunNotFound, ErrLeftCourse.
	MayApprove(ctx context.Context, actor auth.Actor, runID string) error
	// ApproveTx takes a plan, or those of its tasks whose keys are named, with
	// changes to them; tasks and plan.approved follow in one unit of work.
	// ErrRunNotFound, ErrNoPlan, errs.BadInput (an unknown key, a change of a
	// proven task's statement).
	ApproveTx(ctx context.Context, tx *postgres.Tx, runID string, a Approval) (Run, error)
	// RejectTx ends a planner run without tasks, wherever it stands.
	// ErrRunNotFound, ErrRunOver.
	RejectTx(ctx context.Context, tx *postgres.Tx, runID, reason string) (Run, error)
	// CancelTx ends a run of any graph wherever it stands; a planner run as
	// RejectTx does. ErrRunNotFound, ErrRunOver.
	CancelTx(ctx context.Context, tx *postgres.Tx, runID, reason string) (Run, error)
	// ForkTx begins a run anew after a step of another, with the state of that
	// time and the same version of the graph. ErrRunNotFound, ErrNotForked (details:
	// step), ErrPlanUnderWay, and for planner runs the errors of an open goal.
	ForkTx(ctx context.Context, tx *postgres.Tx, runID string, step int) (Run, error)

	// Get reads a run with its plan, its steps and its drawing. ErrRunNotFound.
	Get(ctx context.Context, actor auth.Actor, id string) (Run, error)
	// List reads a page of runs, newest first, without plans and steps: the
	// actor's, or those of a course. errs.BadPageToken.
	List(ctx context.Context, actor auth.Actor, q Query) (Page, error)

	// Feedback reads what the reviewer said about a run of the validator.
	// ErrFeedbackNotFound, also while the review is not done.
	Feedback(ctx context.Context, actor auth.Actor, validationRunID string) (Feedback, error)

	Hinter
}

// PlanRequest asks for a plan.
type PlanRequest struct {
	GoalID string
	// Wishes are the learner's words, at most 4,000 characters.
	Wishes string
	// AutoApprove makes tasks without asking.
	AutoApprove bool
	// Locale is "en", "es", or "" for the language of the material.
	Locale string
}

// Query says which runs to list.
type Query struct {
	// Size is how many, 1 to 100; 0 is 20.
	Size int
	// Token is Page.Next of the page before, "" for the first.
	Token string
	// GoalID lists one goal's runs.
	GoalID string
	// CourseID lists all runs in a course that the actor may see, not their own.
	CourseID string
}

// Approval is what of a plan becomes tasks.
type Approval struct {
	// Keys of the tasks to take; all if empty.
	Keys  []string
	Edits []PlanEdit
}

// PlanEdit changes a task of a plan; nil leaves a field.
type PlanEdit struct {
	Key            string   `json:"key"`
	Title          *string  `json:"title,omitempty"`
	Description    *string  `json:"description,omitempty"`
	EstimatedHours *float64 `json:"estimated_hours,omitempty"`
}

// Page is a page of runs.
type Page struct {
	Runs []Run
	// Next is the token of the next page, "" on the last.
	Next string
}

// Pushes that learners get while a run goes on; they may be lost.
const (
	// PushNode carries {run_id, graph, goal_id, task_id, step, node, state};
	// state is "started", "done", "waiting", "retrying" or "failed". Both carry
	// validation_run_id where the run is about one: its snapshot is what is
	// spoken of, which may not be the newest.
	PushNode = "agent.node"
	// PushToken carries {run_id, graph, goal_id, task_id, step, node, text,
	// restart, written}: what a model says as it says it, as far as it is fit to
	// be shown before it was checked, and how many bytes it wrote; restart voids
	// the text that came before.
	PushToken = "agent.token"
)
