// Package goals keeps what learners want to reach.
//
// It owns the schema goals: a goal's row is folded from the stream "goal", its
// progress from a stream of its own, "goal-progress", so that a task that is
// completed never makes somebody's edit of the goal stale. A goal follows its
// tasks: it starts with the first one and completes with the last.
//
// It knows no tasks: the tasks module, which imports this one, tells it where
// they stand (Service.ProgressTx) and deletes them when it says goal.deleted.
// It knows no courses either; a CoursePolicy says who may use one.
package goals
