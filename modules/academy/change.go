package academy

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// The academy's events.
const (
	UserCreated   = "user.created"
	UserUpdated   = "user.updated"
	UserDeleted   = "user.deleted"
	CourseUpdated = "course.updated"
	CourseDeleted = "course.deleted"
)

// Change is what the academy says has happened to a person or a course.
type Change struct {
	// Type is one of the academy's events.
	Type string
	// UserID is whom it is about, or "".
	UserID string
	// CourseID is which course it is about, or "".
	CourseID string
	// At is when it happened, as the academy says.
	At time.Time
}

// Reaction is what a module does on the academy's events. It is given to this
// module by the fx group "academy.reactions".
type Reaction struct {
	// Name is the module's, for the log and the inbox. Required, unique.
	Name string
	// Types are the events that it is for. Required.
	Types []string
	// Accept runs in the unit of work that takes the message in, so it is done when
	// the sender hears that it was taken: tombstones, marks. It must be quick; an
	// error refuses the message, which then comes again.
	Accept func(ctx context.Context, tx *postgres.Tx, change Change) error
	// Work does what takes longer, as the system: a bounded part in each unit of
	// work, called until nothing is more. After an error or a crash it is called
	// again, also for parts that were done.
	Work func(ctx context.Context, tx *postgres.Tx, change Change) (more bool, err error)
}
