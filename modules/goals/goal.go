package goals

import (
	"slices"
	"time"
)

// Status is where a goal stands.
type Status string

// The statuses of a goal.
const (
	StatusPending    Status = "pending"
	StatusInProgress Status = "in_progress"
	StatusCompleted  Status = "completed"
	StatusBlocked    Status = "blocked"
	StatusCancelled  Status = "cancelled"
)

// Statuses are all statuses.
var Statuses = []Status{StatusPending, StatusInProgress, StatusCompleted, StatusBlocked, StatusCancelled}

// Open reports whether work on the goal may go on.
func (s Status) Open() bool { return s == StatusPending || s == StatusInProgress || s == StatusBlocked }

// Priority is how much a goal matters to its learner.
type Priority string

// The priorities of a goal.
const (
	PriorityLow    Priority = "low"
	PriorityMedium Priority = "medium"
	PriorityHigh   Priority = "high"
	PriorityUrgent Priority = "urgent"
)

// Priorities are all priorities.
var Priorities = []Priority{PriorityLow, PriorityMedium, PriorityHigh, PriorityUrgent}

// CompletedBy says what closed a goal.
type CompletedBy string

// What closes a goal.
const (
	ByTasks CompletedBy = "tasks"
	BySelf  CompletedBy = "self"
)

// Details are what a learner can edit of a goal.
type Details struct {
	// CourseID is the academy's id; "" for a goal of no course.
	CourseID string
	// Title has 1 to 500 characters.
	Title string
	// Description has at most 20,000 characters.
	Description string
	Priority    Priority
	// Criteria are at most 50 of at most 1,000 characters: when is it reached?
	Criteria []string
	Metadata Metadata
	// DueAt is zero when nothing is due.
	DueAt time.Time
}

// Goal is a goal as its events left it.
type Goal struct {
	ID     string
	UserID string
	Details
	Status Status
	// BlockedReason is why it is blocked, in the learner's words.
	BlockedReason string
	AIGenerated   bool
	// CourseDeleted: the academy deleted the course; the goal stays.
	CourseDeleted bool
	// StartedAt and CompletedAt are zero before.
	StartedAt, CompletedAt time.Time
	CreatedAt, UpdatedAt   time.Time
	// Version is the version of its stream, from 1.
	Version int64
	// Progress is a fold of its own and no part of the version.
	Progress Progress
}

// New is what a goal starts from.
type New struct {
	// ID is the goal's, a UUID; "" for a new one. Only what comes from elsewhere
	// has one.
	ID string
	// UserID is whose it is. Only the system makes goals for others; "" is the
	// caller's own.
	UserID string
	Details
	// AIGenerated: an agent made it.
	AIGenerated bool
}

// Create makes a pending goal; an empty priority is medium.
func Create(n New) (Change, error) {
	n.Details = n.normal()
	if err := n.check(); err != nil {
		return nil, err
	}
	return Created{UserID: n.UserID, Details: n.Details, AIGenerated: n.AIGenerated}, nil
}

// Patch is a change of details; nil fields stay, zero values clear.
type Patch struct {
	CourseID    *string
	Title       *string
	Description *string
	Priority    *Priority
	Criteria    *[]string
	Metadata    *Metadata
	DueAt       *time.Time
}

// Update changes details. The change is nil when nothing differs.
func (g Goal) Update(p Patch) (Change, error) {
	d := g.Details
	set(&d.CourseID, p.CourseID)
	set(&d.Title, p.Title)
	set(&d.Description, p.Description)
	set(&d.Priority, p.Priority)
	set(&d.Criteria, p.Criteria)
	set(&d.Metadata, p.Metadata)
	set(&d.DueAt, p.DueAt)
	d = d.normal()
	if err := d.check(); err != nil {
		return nil, err
	}
	changed := g.differences(d)
	if len(changed) == 0 {
		return nil, nil
	}
	// Another course is not the deleted one.
	return Updated{Details: d, Changed: changed, CourseDeleted: g.CourseDeleted && d.CourseID == g.CourseID}, nil
}

// MarkCourseDeleted says that the goal's course is gone. The change is nil when
// that was known, or when the goal has no course.
func (g Goal) MarkCourseDeleted() Change {
	if g.CourseDeleted || g.CourseID == "" {
		return nil
	}
	return Updated{Details: g.Details, Changed: []string{"course_deleted"}, CourseDeleted: true}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// differences are the names of the fields that differ.
func (d Details) differences(other Details) (names []string) {
	note := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	note("course_id", d.CourseID == other.CourseID)
	note("title", d.Title == other.Title)
	note("description", d.Description == other.Description)
	note("priority", d.Priority == other.Priority)
	note("validation_criteria", slices.Equal(d.Criteria, other.Criteria))
	note("metadata", d.Metadata.Equal(other.Metadata))
	note("due_at", d.DueAt.Equal(other.DueAt))
	return names
}
