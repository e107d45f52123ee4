package agents

import "github.com/goals-tracker/tracker/modules/core/errs"

// What can go wrong with agents; besides errs.BadInput, errs.BadPageToken
// and the errors of goals and tasks.
var (
	// ErrRunNotFound: there is no such run, or it is another's.
	ErrRunNotFound = errs.Define(errs.NotFound, "agent_run_not_found",
		"There is no agent run %s. Look it up in the list of your runs.",
		"No existe la ejecución de agente %s. Búscala en la lista de tus ejecuciones.")
	// ErrFeedbackNotFound: there is no such feedback (yet), or it is another's.
	ErrFeedbackNotFound = errs.Define(errs.NotFound, "feedback_not_found",
		"There is no feedback for %s. It follows a few seconds after the verdict.",
		"No hay comentarios para %s. Llegan unos segundos después del veredicto.")
	// ErrPlanUnderWay: the goal has a planner run that is not over. Details: run_id.
	ErrPlanUnderWay = errs.Define(errs.FailedPrecondition, "plan_under_way",
		"A plan for this goal is under way (run %s). Approve or reject it first.",
		"Ya hay un plan en marcha para este objetivo (ejecución %s). Apruébalo o recházalo primero.")
	// ErrNoQuestion: an answer, but no such question is open. Details: waiting_for.
	ErrNoQuestion = errs.Define(errs.FailedPrecondition, "no_question_open",
		"Run %s has no such question open. Read the run again to see what it waits for.",
		"La ejecución %s no tiene abierta esa pregunta. Vuelve a leerla para ver qué espera.")
	// ErrNoPlan: an approval, but no plan waits for one. Details: status, waiting_for.
	ErrNoPlan = errs.Define(errs.FailedPrecondition, "no_plan_waiting",
		"Run %s has no plan that waits for approval. Read the run again to see where it stands.",
		"La ejecución %s no tiene ningún plan pendiente de aprobación. Vuelve a leerla para ver en qué punto está.")
	// ErrNotYourTask: only its learner asks for hints on a task, or talks about it.
	ErrNotYourTask = errs.Define(errs.PermissionDenied, "not_your_task",
		"Only the learner whose task it is asks the tutor about it.",
		"Solo quien tiene la tarea pregunta al tutor por ella.")
	// ErrNotYourGoal: only its learner plans a goal.
	ErrNotYourGoal = errs.Define(errs.PermissionDenied, "not_your_goal",
		"Only the learner whose goal it is plans it.",
		"Solo quien tiene el objetivo lo planifica.")
	// ErrNotYoursToSettle: only who teaches the course settles a dispute, and never
	// their own.
	ErrNotYoursToSettle = errs.Define(errs.PermissionDenied, "not_yours_to_settle",
		"Only who teaches the course settles what a learner of it disputes.",
		"Solo quien da el curso resuelve lo que reclama alguien que lo sigue.")
	// ErrMeanwhile: the same is being done by another call.
	ErrMeanwhile = errs.Define(errs.Unavailable, "agents_busy",
		"The same is being done at this moment. Try again in a moment.",
		"En este momento ya se está haciendo lo mismo. Inténtalo de nuevo en un momento.")
	// ErrLeftCourse: the plan is on a course that its learner belongs to no more.
	ErrLeftCourse = errs.Define(errs.PermissionDenied, "course_left",
		"You no longer belong to course %q, so its plan can't be taken. Ask its team to add you again, or reject the plan.",
		"Ya no perteneces al curso %q, así que su plan no se puede aprobar. Pide a su equipo que te vuelva a añadir o rechaza el plan.")
	// ErrRunOver: the run has ended. Details: status.
	ErrRunOver = errs.Define(errs.FailedPrecondition, "agent_run_over",
		"Run %s is over. Ask for a new plan instead.",
		"La ejecución %s ha terminado. Pide un plan nuevo.")
	// ErrNotForked: nothing goes on from that step, or runs of that graph can't be
	// forked. Details: step.
	ErrNotForked = errs.Define(errs.FailedPrecondition, "agent_run_not_forked",
		"Nothing goes on from step %[2]d of run %[1]s, so it can't be forked there. Its list of steps shows where it can.",
		"Del paso %[2]d de la ejecución %[1]s no sigue nada, así que no se puede bifurcar ahí. Su lista de pasos muestra dónde se puede.")
	// ErrMaterialChanged: an exercise of the plan left the course before it was
	// made into a task.
	ErrMaterialChanged = errs.Define(errs.FailedPrecondition, "material_changed",
		"The exercise %q is no longer in the course. Ask for a new plan.",
		"El ejercicio %q ya no está en el curso. Pide un plan nuevo.")
)
