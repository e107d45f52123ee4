package goals

import "github.com/goals-tracker/tracker/modules/core/errs"

// What can go wrong with goals; besides errs.StaleVersion, errs.BadInput,
// errs.BadPageToken and errs.Forbidden.
var (
	// ErrNotFound: there is no such goal, or it is another's.
	ErrNotFound = errs.Define(errs.NotFound, "goal_not_found",
		"There is no goal %s. Look it up in your list of goals.",
		"No existe el objetivo %s. Búscalo en tu lista de objetivos.")
	// ErrStatus: the goal's status forbids the action. Details: status, action.
	ErrStatus = errs.Define(errs.FailedPrecondition, "goal_status",
		"This goal is %[1]s, and only one that is %[2]s can be %[3]s.",
		"Este objetivo está %[4]s, y solo uno %[5]s se puede %[6]s.")
	// ErrClosed: work on a completed or cancelled goal. Details: status.
	ErrClosed = errs.Define(errs.FailedPrecondition, "goal_closed",
		"The goal %[1]s is %[2]s. Reopen it first, then repeat this.",
		"El objetivo %[1]s está %[3]s. Reábrelo primero y después repite esto.")
)

// Closed is the error for work on a goal that is not open.
func (g Goal) Closed() *errs.Error {
	return ErrClosed.New(g.ID, english[g.Status], spanish[g.Status]).WithDetail("status", string(g.Status))
}
