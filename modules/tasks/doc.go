// Package tasks keeps the steps towards a goal, and whose word completes each.
//
// It owns the schema tasks: a task's row is folded from the stream "task"; the
// content of its test and starter files is a fact beside it, named in the
// events by digest. Every change of a task locks its goal first, so that
// dependencies, progress and the goal's status are decided one at a time.
//
// It judges nothing: validation tells it of submissions and verdicts
// (SubmitTx, VerdictTx), agents give it tasks and feedback (CreateTx,
// FeedbackTx). What a goal makes of its tasks is the goals module's.
package tasks
