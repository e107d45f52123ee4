package goals

import (
	"slices"
	"time"
)

// Change is something that happened to a goal. Each is the domain's side of an
// event; nothing but Apply makes a goal's next state.
type Change interface{ goalChange() }

// The changes of a goal.
type (
	// Created is goal.created.
	Created struct {
		UserID      string
		Details     Details
		AIGenerated bool
	}
	// Updated is goal.updated; Changed names the fields that differ.
	Updated struct {
		Details       Details
		Changed       []string
		CourseDeleted bool
	}
	// Started is goal.started.
	Started struct{}
	// Completed is goal.completed.
	Completed struct{ By CompletedBy }
	// Blocked is goal.blocked.
	Blocked struct{ Reason string }
	// Cancelled is goal.cancelled.
	Cancelled struct{}
	// Reopened is goal.reopened.
	Reopened struct{}
	// Deleted is goal.deleted.
	Deleted struct{}
)

func (Created) goalChange()   {}
func (Updated) goalChange()   {}
func (Started) goalChange()   {}
func (Completed) goalChange() {}
func (Blocked) goalChange()   {}
func (Cancelled) goalChange() {}
func (Reopened) goalChange()  {}
func (Deleted) goalChange()   {}

// At is where in its stream a change stands.
type At struct {
	// ID is the entity's id.
	ID string
	// Time is the event's instant, in UTC, of whole microseconds.
	Time time.Time
	// Version is the event's version.
	Version int64
}

// Apply makes a goal's next state; nil before it was created and after it was
// deleted. It decides nothing: what is in the log has happened.
func Apply(g *Goal, c Change, at At) *Goal {
	var next Goal
	if g != nil {
		next = *g
	}
	next.ID, next.Version, next.UpdatedAt = at.ID, at.Version, at.Time
	switch c := c.(type) {
	case Created:
		next.UserID, next.Details, next.AIGenerated = c.UserID, c.Details, c.AIGenerated
		next.Status, next.CreatedAt = StatusPending, at.Time
	case Updated:
		next.Details, next.CourseDeleted = c.Details, c.CourseDeleted
	case Started:
		begin(&next, at.Time)
	case Completed:
		next.Status, next.CompletedAt = StatusCompleted, at.Time
	case Blocked:
		next.Status, next.BlockedReason = StatusBlocked, c.Reason
	case Cancelled:
		next.Status, next.BlockedReason = StatusCancelled, ""
	case Reopened:
		begin(&next, at.Time)
		next.CompletedAt = time.Time{}
	case Deleted:
		return nil
	}
	next.Criteria = slices.Clone(next.Criteria)
	return &next
}

// begin leads into work; a goal that starts again keeps its first start.
func begin(g *Goal, at time.Time) {
	g.Status, g.BlockedReason = StatusInProgress, ""
	if g.StartedAt.IsZero() {
		g.StartedAt = at
	}
}
