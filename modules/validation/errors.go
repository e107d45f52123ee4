package validation

import "github.com/goals-tracker/tracker/modules/core/errs"

// What can go wrong with snapshots and runs; besides errs.BadInput,
// errs.BadPageToken, errs.Forbidden and what tasks.Service.SubmitTx answers.
var (
	// ErrSnapshotNotFound: there is no such snapshot, or it is another's.
	ErrSnapshotNotFound = errs.Define(errs.NotFound, "snapshot_not_found",
		"There is no snapshot %s. Look it up in the list of the task's snapshots.",
		"No existe la entrega %s. Búscala en la lista de entregas de la tarea.")
	// ErrRunNotFound: there is no such run, or it is another's.
	ErrRunNotFound = errs.Define(errs.NotFound, "run_not_found",
		"There is no run %s. Look it up in the list of the task's snapshots.",
		"No existe la ejecución %s. Búscala en la lista de entregas de la tarea.")
	// ErrNoFiles: a submission of nothing.
	ErrNoFiles = errs.Define(errs.InvalidArgument, "snapshot_empty",
		"The submission holds no file. Send files, or code for a single file.",
		"La entrega no contiene ningún archivo. Envía files, o code si es un solo archivo.")
	// ErrFileName: a file's name that can't be taken. Details: path.
	ErrFileName = errs.Define(errs.InvalidArgument, "file_name",
		"The file name %[1]s can't be used: %[2]s. Rename the file and submit again.",
		"El nombre de archivo %[1]s no se puede usar: %[3]s. Cambia el nombre y vuelve a entregar.")
	// ErrFileContent: a file that is not text. Details: path.
	ErrFileContent = errs.Define(errs.InvalidArgument, "file_content",
		"The file %s is not UTF-8 text without NUL bytes. Leave it out, or save it as UTF-8.",
		"El archivo %s no es texto UTF-8 sin bytes NUL. Déjalo fuera o guárdalo como UTF-8.")
	// ErrFileTooLarge: one file over the limit. Details: path.
	ErrFileTooLarge = errs.Define(errs.InvalidArgument, "file_too_large",
		"The file %[1]s has %[2]d bytes; one file may have %[3]d. Leave it out, or make it smaller.",
		"El archivo %[1]s tiene %[2]d bytes y cada archivo puede tener %[3]d. Déjalo fuera o hazlo más pequeño.")
	// ErrTooManyFiles: more files than a snapshot may have.
	ErrTooManyFiles = errs.Define(errs.InvalidArgument, "too_many_files",
		"The submission has %[1]d files; it may have %[2]d. Leave out what the task does not need.",
		"La entrega tiene %[1]d archivos y puede tener %[2]d. Deja fuera lo que la tarea no necesita.")
	// ErrSnapshotTooLarge: all files together over the limit.
	ErrSnapshotTooLarge = errs.Define(errs.InvalidArgument, "snapshot_too_large",
		"The files have %[1]d bytes together; a submission may have %[2]d. Leave out what the task does not need.",
		"Los archivos suman %[1]d bytes y una entrega puede tener %[2]d. Deja fuera lo que la tarea no necesita.")
	// ErrTooManyPending: the learner has as many runs waiting as they may.
	ErrTooManyPending = errs.Define(errs.ResourceExhausted, "too_many_pending",
		"%[1]d of your submissions wait to be judged in this course already, as many as may. Submit again when some are done.",
		"Ya hay %[1]d entregas tuyas en espera en este curso, el máximo permitido. Vuelve a entregar cuando se hayan evaluado algunas.")
	// ErrStorageFull: the learner's submissions and reports take as much as they may.
	ErrStorageFull = errs.Define(errs.ResourceExhausted, "storage_full",
		"With this one your submissions and their reports would take %[1]s; one person's may take %[2]s. Delete tasks or goals that you no longer need, or ask who runs this server for more.",
		"Con esta entrega, las tuyas y sus informes ocuparían %[1]s, y una persona puede ocupar %[2]s. Elimina tareas u objetivos que ya no necesites, o pide más espacio a quien administra el servidor.")
	// ErrNotDone: there is no report before the verdict.
	ErrNotDone = errs.Define(errs.FailedPrecondition, "run_not_done",
		"Run %s is not done yet. Ask for its report once it has a verdict.",
		"La ejecución %s todavía no ha terminado. Pide el informe cuando tenga veredicto.")
	// ErrRejudgingNotFound: there is no such re-judging, or it is of another
	// teacher's course.
	ErrRejudgingNotFound = errs.Define(errs.NotFound, "rejudging_not_found",
		"There is no re-judging %s. Look at the answer of the call that began it.",
		"No existe la reevaluación %s. Mira la respuesta de la llamada que la inició.")
	// ErrNoLanguage: neither the task nor the submission names a language.
	ErrNoLanguage = errs.Define(errs.InvalidArgument, "language_unknown",
		"Neither the task nor the submission names a language. Send one of: %s.",
		"Ni la tarea ni la entrega indican un lenguaje. Envía uno de estos: %s.")
	// ErrNoValidator: nothing here judges that language. Details: language,
	// available.
	ErrNoValidator = errs.Define(errs.FailedPrecondition, "no_validator",
		"No validator here judges %[1]q. These languages can be judged: %[2]s.",
		"Aquí ningún validador evalúa %[1]q. Estos lenguajes se pueden evaluar: %[2]s.")
)
