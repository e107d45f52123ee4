package tasks

import (
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/goals"
)

// Type is what kind of work a task is.
type Type string

// The types of a task.
const (
	TypeCode          Type = "code"
	TypeDocumentation Type = "documentation"
	TypeTesting       Type = "testing"
	TypeResearch      Type = "research"
	TypeReview        Type = "review"
	TypeDeployment    Type = "deployment"
	TypeOther         Type = "other"
)

// Types are all types.
var Types = []Type{TypeCode, TypeDocumentation, TypeTesting, TypeResearch, TypeReview, TypeDeployment, TypeOther}

// Status is where a task stands.
type Status string

// The statuses of a task.
const (
	StatusTodo       Status = "todo"
	StatusInProgress Status = "in_progress"
	StatusInReview   Status = "in_review"
	StatusCompleted  Status = "completed"
	StatusFailed     Status = "failed"
	StatusSkipped    Status = "skipped"
)

// Statuses are all statuses.
var Statuses = []Status{StatusTodo, StatusInProgress, StatusInReview, StatusCompleted, StatusFailed, StatusSkipped}

// Done reports whether tasks that depend on it may start.
func (s Status) Done() bool { return s == StatusCompleted || s == StatusSkipped }

// CompletedBy says whose word completed a task.
type CompletedBy string

// Whose word completes a task.
const (
	ByVerdict CompletedBy = "verdict"
	BySelf    CompletedBy = "self"
	ByTeacher CompletedBy = "teacher"
)

// Details are what can be edited of a task.
type Details struct {
	// CourseID is the goal's.
	CourseID string
	// Title has 1 to 500 characters, Description at most 20,000.
	Title       string
	Description string
	Type        Type
	// Position orders the tasks of a goal, from 0; those with the same one stand
	// in the order of their creation. Others are never renumbered.
	Position int
	// EstimatedHours and ActualHours are 0 to 10,000; nil when unknown.
	EstimatedHours, ActualHours *float64
	// DependsOn are ids of tasks of the same goal.
	DependsOn []string
	// Concepts are what it teaches, at most 50.
	Concepts []string
	// Language is a programming language, "" for none.
	Language string
	// Validation is nil when nothing says how to judge.
	Validation *Validation
	Citations  []Citation
	Metadata   goals.Metadata
}

// Task is a task as its events left it.
type Task struct {
	ID     string
	GoalID string
	UserID string
	Details
	Status Status
	// Result is the verdict that the status followed; nil before the first.
	Result *Result
	// Feedback is what the reviewer said of the newest run, in Markdown.
	Feedback string
	// CompletedBy is "" unless it is completed.
	CompletedBy CompletedBy
	// SnapshotID and SnapshotNumber are the newest submission; "" and 0 before.
	SnapshotID     string
	SnapshotNumber int
	// Resume is the status to give back when a run decides nothing; "" unless it
	// is in review.
	Resume                 Status
	StartedAt, CompletedAt time.Time
	CreatedAt, UpdatedAt   time.Time
	// Version is the version of its stream, from 1.
	Version int64
}

// NeedsVerdict reports whether the learner's own word can't complete the task:
// it is code or tests, and has tests to pass.
func (t Task) NeedsVerdict() bool {
	return (t.Type == TypeCode || t.Type == TypeTesting) && t.Validation != nil && len(t.Validation.Tests) > 0
}

// Free reports whether no test decides on the task and it asks for no code: it
// may be answered in prose.
func (t Task) Free() bool {
	return t.Type != TypeCode && t.Type != TypeTesting && (t.Validation == nil || len(t.Validation.Tests) == 0)
}

// New is what a task starts from.
type New struct {
	// ID is the task's, a UUID; "" for a new one. Set it where tasks of one plan
	// depend on each other.
	ID     string
	GoalID string
	Details
	// Last puts it behind the tasks that the goal has; Position is then ignored.
	Last bool
}

// Patch is a change of details; nil fields stay, zero values clear.
type Patch struct {
	Title                       *string
	Description                 *string
	Type                        *Type
	Position                    *int
	EstimatedHours, ActualHours **float64
	DependsOn                   *[]string
	Concepts                    *[]string
	Language                    *string
	Validation                  **Validation
	Metadata                    *goals.Metadata
}

// Create makes a task of a user; an empty type is code. siblings are the tasks
// of the goal, and those that are made together with it.
func Create(userID string, n New, siblings []Task) (Change, error) {
	if n.Last {
		n.Position = 0
		for _, s := range siblings {
			n.Position = max(n.Position, s.Position+1)
		}
	}
	d := n.normal()
	if err := d.check(); err != nil {
		return nil, err
	}
	if err := d.Validation.checkContents(nil); err != nil {
		return nil, err
	}
	if err := checkDependencies(n.ID, d, siblings); err != nil {
		return nil, err
	}
	return Created{GoalID: n.GoalID, UserID: userID, Details: d}, nil
}

// Update changes details. The change is nil when nothing differs. Hidden files
// stay as they are unless mayHide: who does not see them can't take them away.
func (t Task) Update(p Patch, mayHide bool, siblings []Task) (Change, error) {
	d := t.Details
	set(&d.Title, p.Title)
	set(&d.Description, p.Description)
	set(&d.Type, p.Type)
	set(&d.Position, p.Position)
	set(&d.EstimatedHours, p.EstimatedHours)
	set(&d.ActualHours, p.ActualHours)
	set(&d.DependsOn, p.DependsOn)
	set(&d.Concepts, p.Concepts)
	set(&d.Language, p.Language)
	set(&d.Metadata, p.Metadata)
	if p.Validation != nil {
		d.Validation = *p.Validation
		if !mayHide {
			d.Validation = d.Validation.keepHidden(t.Validation)
		}
	}
	d = d.normal()
	if err := d.check(); err != nil {
		return nil, err
	}
	if err := d.Validation.checkContents(t.Validation); err != nil {
		return nil, err
	}
	changed := t.differences(d)
	if len(changed) == 0 {
		return nil, nil
	}
	if slices.Contains(changed, "depends_on") {
		if err := checkDependencies(t.ID, d, siblings); err != nil {
			return nil, err
		}
	}
	return Updated{Details: &d, Changed: changed}, nil
}

// Move follows the goal to another course. The change is nil when it is there.
func (t Task) Move(courseID string) Change {
	if t.CourseID == courseID {
		return nil
	}
	d := t.Details
	d.CourseID = courseID
	return Updated{Details: &d, Changed: []string{"course_id"}}
}

// Forget takes a deleted task out of the dependencies. The change is nil when
// it is in none.
func (t Task) Forget(taskID string) Change {
	if !slices.Contains(t.DependsOn, taskID) {
		return nil
	}
	d := t.Details
	d.DependsOn = slices.DeleteFunc(slices.Clone(d.DependsOn), func(id string) bool { return id == taskID })
	return Updated{Details: &d, Changed: []string{"depends_on"}}
}

// Feed sets the reviewer's feedback, at most 100,000 characters of Markdown.
// The change is nil when it says nothing new.
func (t Task) Feed(text string) (Change, error) {
	var c goals.Checker
	c.Text("text", text, 0, 100000)
	if err := c.Err(); err != nil || text == t.Feedback {
		return nil, err
	}
	return Updated{Feedback: &text, Changed: []string{"ai_feedback"}}, nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}
