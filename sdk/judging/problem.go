package judging

import "fmt"

// TaskError says that a task can't be judged by, whatever is submitted: its
// tests don't parse, hold no test, or can't keep to the integrity that it
// requires. It is nobody's to retry; the host tells the task's teacher in these
// words, and the learner that it does not count. Anything else that keeps a
// plugin from judging is another error, and is retried.
type TaskError struct {
	// Problem says what is wrong and what to do, for a teacher: it may quote the
	// tests.
	Problem string
}

// Error implements error.
func (e *TaskError) Error() string { return e.Problem }

// TaskErrorf makes a TaskError.
func TaskErrorf(format string, args ...any) error {
	return &TaskError{Problem: fmt.Sprintf(format, args...)}
}
