package tasks

import "github.com/goals-tracker/tracker/modules/core/errs"

// What can go wrong with tasks; besides errs.StaleVersion, errs.BadInput,
// errs.BadPageToken, errs.Forbidden, goals.ErrNotFound and goals.ErrClosed.
var (
	// ErrNotFound: there is no such task, or it is another's.
	ErrNotFound = errs.Define(errs.NotFound, "task_not_found",
		"There is no task %s. Look it up in the list of the goal's tasks.",
		"No existe la tarea %s. Búscala en la lista de tareas del objetivo.")
	// ErrStatus: the task's status forbids the action. Details: status, action.
	ErrStatus = errs.Define(errs.FailedPrecondition, "task_status",
		"This task is %[1]s, and only one that is %[2]s can be %[3]s.",
		"Esta tarea está %[4]s, y solo una %[5]s se puede %[6]s.")
	// ErrDone: a submission to a task that is over. Details: status.
	ErrDone = errs.Define(errs.FailedPrecondition, "task_done",
		"This task is %[1]s already. Reopen it to submit again.",
		"Esta tarea ya está %[2]s. Reábrela para volver a enviarla.")
	// ErrDependencies: tasks that come first are not done. Details: waiting_for.
	ErrDependencies = errs.Define(errs.FailedPrecondition, "task_dependencies",
		"First finish what this task depends on: %s.",
		"Termina primero aquello de lo que depende esta tarea: %s.")
	// ErrCycle: tasks would wait for each other. Details: cycle, ids in its order.
	ErrCycle = errs.Define(errs.InvalidArgument, "task_cycle",
		"These tasks would wait for each other: %s. Leave one of the dependencies out.",
		"Estas tareas se esperarían unas a otras: %s. Quita alguno de los vínculos.")
	// ErrNeedsVerdict: a task with tests is not completed by its learner's word.
	ErrNeedsVerdict = errs.Define(errs.FailedPrecondition, "task_needs_verdict",
		"This task has tests: submit code that passes them, or ask a teacher of the course to complete it.",
		"Esta tarea tiene pruebas: envía código que las supere o pide a un docente del curso que la complete.")
	// ErrTooMany: a goal has as many tasks as it may.
	ErrTooMany = errs.Define(errs.FailedPrecondition, "too_many_tasks",
		"This goal has %[1]d tasks, which is as many as it may have. Make another goal for the rest.",
		"Este objetivo tiene %[1]d tareas, que es el máximo. Crea otro objetivo para el resto.")
	// ErrTaken: a task with this id exists.
	ErrTaken = errs.Define(errs.AlreadyExists, "task_exists",
		"There is a task %s already.",
		"Ya existe una tarea %s.")
)

// MaxTasks is how many tasks a goal may have.
const MaxTasks = 1000
