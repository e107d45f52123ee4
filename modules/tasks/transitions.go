package tasks

import (
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/goals"
)

// Action is what somebody does to a task's status.
type Action string

// The actions on a task's status.
const (
	Start    Action = "start"
	Submit   Action = "submit"
	Complete Action = "complete"
	Skip     Action = "skip"
	Reopen   Action = "reopen"
)

// Actions are all actions.
var Actions = []Action{Start, Submit, Complete, Skip, Reopen}

var allowed = map[Action]struct {
	from             []Status
	english, spanish string
}{
	Start:    {[]Status{StatusTodo, StatusFailed}, "started", "empezar"},
	Submit:   {[]Status{StatusTodo, StatusInProgress, StatusFailed, StatusInReview}, "submitted", "enviar"},
	Complete: {[]Status{StatusTodo, StatusInProgress, StatusFailed}, "completed", "completar"},
	Skip:     {[]Status{StatusTodo, StatusInProgress, StatusFailed}, "skipped", "omitir"},
	Reopen:   {[]Status{StatusCompleted, StatusSkipped}, "reopened", "reabrir"},
}

// can is ErrStatus unless the task's status lets the action happen.
func (t Task) can(a Action, also ...Status) error {
	rule := allowed[a]
	from := append(slices.Clone(rule.from), also...)
	if slices.Contains(from, t.Status) {
		return nil
	}
	return ErrStatus.New(
		english[t.Status], list(from, english, " or "), rule.english,
		spanish[t.Status], list(from, spanish, " o "), rule.spanish,
	).WithDetail("status", string(t.Status)).WithDetail("action", string(a))
}

// Around is what a task's transitions depend on.
type Around struct {
	Goal goals.Goal
	// Siblings are all tasks of the goal.
	Siblings []Task
}

func (a Around) open() error {
	if a.Goal.Status.Open() {
		return nil
	}
	return a.Goal.Closed()
}

// ready is ErrDependencies while a dependency is neither completed nor skipped.
func (a Around) ready(t Task) error {
	waiting := t.Unfinished(a.Siblings)
	if len(waiting) == 0 {
		return nil
	}
	titles, ids := make([]string, len(waiting)), make([]string, len(waiting))
	for i, w := range waiting {
		titles[i], ids[i] = `"`+w.Title+`"`, w.ID
	}
	return ErrDependencies.New(strings.Join(titles, ", ")).WithDetail("waiting_for", strings.Join(ids, ","))
}

// Start leads from todo or failed to in progress.
func (t Task) Start(a Around) ([]Change, error) {
	if err := t.can(Start); err != nil {
		return nil, err
	}
	if err := a.open(); err != nil {
		return nil, err
	}
	return []Change{Started{}}, a.ready(t)
}

// Submit leads into review. A task that was not begun is started by it; a
// submission while another is in review takes its place.
func (t Task) Submit(a Around, snapshotID string, number int) ([]Change, error) {
	if t.Status.Done() {
		return nil, ErrDone.New(english[t.Status], spanish[t.Status]).WithDetail("status", string(t.Status))
	}
	if err := t.can(Submit); err != nil {
		return nil, err
	}
	if err := a.open(); err != nil {
		return nil, err
	}
	submitted := Submitted{SnapshotID: snapshotID, Number: number}
	if t.Status != StatusTodo {
		return []Change{submitted}, nil
	}
	return []Change{Started{}, submitted}, a.ready(t)
}

// Complete completes by somebody's word. A learner's is not enough where there
// are tests, nor while a submission is in review, nor before what comes first;
// a teacher's is.
func (t Task) Complete(a Around, by CompletedBy, actualHours *float64) ([]Change, error) {
	var c goals.Checker
	hours(&c, "actual_hours", actualHours)
	if err := c.Err(); err != nil {
		return nil, err
	}
	done := Completed{By: by, ActualHours: actualHours}
	if by == ByTeacher {
		if err := t.can(Complete, StatusInReview); err != nil {
			return nil, err
		}
		return t.begun(done), a.open()
	}
	if err := t.can(Complete); err != nil {
		return nil, err
	}
	if t.NeedsVerdict() {
		return nil, ErrNeedsVerdict.New()
	}
	if err := a.open(); err != nil {
		return nil, err
	}
	return t.begun(done), a.ready(t)
}

// begun puts a start before a change of a task that was not begun.
func (t Task) begun(c Change) []Change {
	if t.Status == StatusTodo || t.Status == StatusFailed {
		return []Change{Started{}, c}
	}
	return []Change{c}
}

// Skip leaves an unfinished task out.
func (t Task) Skip(a Around) ([]Change, error) {
	if err := t.can(Skip); err != nil {
		return nil, err
	}
	return []Change{Skipped{}}, a.open()
}

// Reopen takes a completed or skipped task up again, and with it a completed goal.
func (t Task) Reopen(a Around) ([]Change, error) {
	if err := t.can(Reopen); err != nil {
		return nil, err
	}
	if a.Goal.Status == goals.StatusCompleted {
		return []Change{Reopened{}}, nil
	}
	return []Change{Reopened{}}, a.open()
}

// Judge is what a run's result makes of the task. Nothing, when the result is
// of an older snapshot than the newest one, or when somebody decided meanwhile.
// A task that failed may pass when its newest snapshot is judged again.
func (t Task) Judge(r Result) []Change {
	if r.SnapshotNumber != t.SnapshotNumber || r.SnapshotID != t.SnapshotID {
		return nil
	}
	again := t.Status == StatusFailed && r.Verdict == "passed"
	if t.Status != StatusInReview && !again {
		return nil
	}
	switch r.Verdict {
	case "passed":
		return append(t.unsay(r), Completed{By: ByVerdict, Result: &r})
	case "unproven":
		return append(t.unsay(r), Updated{Changed: []string{"status", "validation_result"}, Status: StatusInProgress, Result: &r})
	case "platform_error":
		// Not the learner's fault: as if nothing had been submitted.
		return []Change{Updated{Changed: []string{"status"}, Status: t.Resume}}
	default:
		return append(t.unsay(r), Failed{Result: r})
	}
}

// unsay takes the feedback on older code away when newer code has its verdict.
func (t Task) unsay(r Result) []Change {
	if t.Feedback == "" || t.Result == nil || t.Result.SnapshotNumber == r.SnapshotNumber {
		return nil
	}
	return []Change{Updated{Feedback: new(string), Changed: []string{"ai_feedback"}}}
}

// Outdated reports whether the result and the feedback are of older code than
// that which is being judged: nothing to show.
func (t Task) Outdated() bool {
	return t.Status == StatusInReview && t.Result != nil && t.Result.SnapshotNumber != t.SnapshotNumber
}

// The statuses as a reader meets them.
var (
	english = map[Status]string{
		StatusTodo: "to do", StatusInProgress: "in progress", StatusInReview: "in review",
		StatusCompleted: "completed", StatusFailed: "failed", StatusSkipped: "skipped",
	}
	spanish = map[Status]string{
		StatusTodo: "pendiente", StatusInProgress: "en curso", StatusInReview: "en revisión",
		StatusCompleted: "completada", StatusFailed: "fallida", StatusSkipped: "omitida",
	}
)

func list(statuses []Status, words map[Status]string, or string) string {
	texts := make([]string, len(statuses))
	for i, s := range statuses {
		texts[i] = words[s]
	}
	last := len(texts) - 1
	if last == 0 {
		return texts[0]
	}
	return strings.Join(texts[:last], ", ") + or + texts[last]
}
