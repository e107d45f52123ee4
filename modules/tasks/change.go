package tasks

import (
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/goals"
)

// Change is something that happened to a task. Each is the domain's side of an
// event; nothing but Apply makes a task's next state.
type Change interface{ taskChange() }

// The changes of a task.
type (
	// Created is task.created.
	Created struct {
		GoalID, UserID string
		Details        Details
	}
	// Updated is task.updated; Changed names what differs. Details, Result and
	// Feedback are nil when they did not change; Status is "" unless the task is
	// given back after a run that decided nothing.
	Updated struct {
		Details  *Details
		Changed  []string
		Status   Status
		Result   *Result
		Feedback *string
	}
	// Started is task.started.
	Started struct{}
	// Submitted is task.submitted.
	Submitted struct {
		SnapshotID string
		Number     int
	}
	// Completed is task.completed. Result is the verdict's, if that completed it.
	Completed struct {
		By          CompletedBy
		Result      *Result
		ActualHours *float64
	}
	// Failed is task.failed.
	Failed struct{ Result Result }
	// Skipped is task.skipped.
	Skipped struct{}
	// Reopened is task.reopened.
	Reopened struct{}
	// Deleted is task.deleted.
	Deleted struct{}
)

func (Created) taskChange()   {}
func (Updated) taskChange()   {}
func (Started) taskChange()   {}
func (Submitted) taskChange() {}
func (Completed) taskChange() {}
func (Failed) taskChange()    {}
func (Skipped) taskChange()   {}
func (Reopened) taskChange()  {}
func (Deleted) taskChange()   {}

// Apply makes a task's next state; nil before it was created and after it was
// deleted. It decides nothing: what is in the log has happened.
func Apply(t *Task, c Change, at goals.At) *Task {
	var next Task
	if t != nil {
		next = *t
	}
	next.ID, next.Version, next.UpdatedAt = at.ID, at.Version, at.Time
	switch c := c.(type) {
	case Created:
		next.GoalID, next.UserID, next.Status, next.CreatedAt = c.GoalID, c.UserID, StatusTodo, at.Time
		setDetails(&next, c.Details)
	case Updated:
		update(&next, c)
	case Started:
		begin(&next, at.Time)
	case Submitted:
		if next.Status != StatusInReview {
			next.Resume = next.Status
		}
		next.Status, next.SnapshotID, next.SnapshotNumber = StatusInReview, c.SnapshotID, c.Number
	case Completed:
		next.Status, next.CompletedBy, next.CompletedAt, next.Resume = StatusCompleted, c.By, at.Time, ""
		if c.Result != nil {
			next.Result = c.Result
		}
		if c.ActualHours != nil {
			next.ActualHours = c.ActualHours
		}
	case Failed:
		next.Status, next.Result, next.Resume = StatusFailed, &c.Result, ""
	case Skipped:
		next.Status = StatusSkipped
	case Reopened:
		begin(&next, at.Time)
		next.CompletedAt, next.CompletedBy = time.Time{}, ""
	case Deleted:
		return nil
	}
	return &next
}

func update(t *Task, c Updated) {
	if c.Details != nil {
		setDetails(t, *c.Details)
	}
	if c.Status != "" {
		t.Status, t.Resume = c.Status, ""
	}
	if c.Result != nil {
		t.Result = c.Result
	}
	if c.Feedback != nil {
		t.Feedback = *c.Feedback
	}
}

func setDetails(t *Task, d Details) {
	d.DependsOn, d.Concepts, d.Citations = slices.Clone(d.DependsOn), slices.Clone(d.Concepts), slices.Clone(d.Citations)
	d.Validation = d.Validation.bare()
	t.Details = d
}

// begin leads into work; a task that starts again keeps its first start.
func begin(t *Task, at time.Time) {
	t.Status = StatusInProgress
	if t.StartedAt.IsZero() {
		t.StartedAt = at
	}
}
