package rag

import (
	"context"
	"time"
)

// Policy is how a course's material is searched.
type Policy struct {
	CourseID string
	// DefaultScope is what a search in the course goes through when it doesn't
	// say: ScopeCourse, where nothing is set, or ScopeGlobal.
	DefaultScope Scope
	// PeerSnapshots lets learners find each other's validated code, under
	// pseudonyms.
	PeerSnapshots bool
	// UpdatedAt is zero where nothing is set.
	UpdatedAt time.Time
}

// PolicyPatch changes a policy; nil fields stay as they are.
type PolicyPatch struct {
	DefaultScope  *Scope
	PeerSnapshots *bool
}

// Snapshots reads what learners submitted; modules/validation has it, and cmd
// wires the two.
type Snapshots interface {
	// Files are a snapshot's files; none when it is gone.
	Files(ctx context.Context, snapshotID string) ([]File, error)
}
