package agents

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// Talker is a conversation about a task.
type Talker interface {
	// AskTx writes down a question of the actor on a task of theirs and starts the
	// run that answers it. tasks.ErrNotFound, errs.Forbidden (another's task),
	// ErrStillAnswering, errs.BadInput.
	AskTx(ctx context.Context, tx *postgres.Tx, q TutorQuestion) (Run, error)
	// Conversation reads the newest messages about a task, oldest first.
	// tasks.ErrNotFound.
	Conversation(ctx context.Context, actor auth.Actor, taskID string) ([]TutorMessage, error)
}

// GraphTutor answers a question.
const GraphTutor = "tutor"

// ErrStillAnswering allows one question of a task at a time.
var ErrStillAnswering = errs.Define(errs.Aborted, "tutor_still_answering",
	"The tutor is still answering your last question on this task. Ask again when the answer is there.",
	"El tutor aún está respondiendo tu última pregunta sobre esta tarea. Vuelve a preguntar cuando llegue la respuesta.")

// TutorQuestion is a question on a task.
type TutorQuestion struct {
	TaskID string
	// Text is 1 to 4,000 characters.
	Text string
	// Locale is "en", "es", or "" for the language of the task.
	Locale string
}

// Who wrote a message.
const (
	FromLearner = "learner"
	FromTutor   = "tutor"
)

// TutorMessage is a turn of a conversation.
type TutorMessage struct {
	TaskID, UserID, CourseID, RunID string
	// Number counts from 1 in the task.
	Number int
	// From is FromLearner or FromTutor.
	From string
	// Text is Markdown.
	Text      string
	Citations []tasks.Citation
	// LookedAt is "task", "code <snapshot number>", "run <id>", "course".
	LookedAt  []string
	Label     string
	CreatedAt time.Time
	// Dispute is how the tutor's stands. Its id is RunID.
	Dispute Dispute
}
