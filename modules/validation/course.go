package validation

import (
	"time"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// Policy is how a course's code is judged.
type Policy struct {
	CourseID string
	// Weight is the course's share of the machines against other courses, 0.1 to
	// 10.
	Weight float64
	// MaxParallel is how many of its runs may be judged at a time; 0 is without
	// limit.
	MaxParallel int
	// MaxPending is how many runs one learner may have waiting; 0 is the server's
	// limit.
	MaxPending int
	// RequiredIntegrity is the weakest under which a submission can pass.
	RequiredIntegrity judging.Integrity
	// UpdatedAt is zero while nobody changed anything.
	UpdatedAt time.Time
	// UpdatedBy is "" also when that person was erased.
	UpdatedBy string
}

// DefaultPolicy is that of a course for which nobody changed anything.
func DefaultPolicy(courseID string) Policy {
	return Policy{CourseID: courseID, Weight: 1, RequiredIntegrity: judging.IntegrityShared}
}

// PolicyPatch changes a policy; what is nil stays.
type PolicyPatch struct {
	Weight                  *float64
	MaxParallel, MaxPending *int
	RequiredIntegrity       *judging.Integrity
}

// Apply is the policy with the changes.
func (p Policy) Apply(c PolicyPatch) Policy {
	set(&p.Weight, c.Weight)
	set(&p.MaxParallel, c.MaxParallel)
	set(&p.MaxPending, c.MaxPending)
	set(&p.RequiredIntegrity, c.RequiredIntegrity)
	return p
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Judging is a course's policy and how its judging goes.
type Judging struct {
	Policy
	// Waiting and Running count its runs now.
	Waiting, Running int
	// Broken are tasks whose tests kept their newest submission from being
	// judged, at most 100.
	Broken []Broken
}

// Broken is a task that submissions can't be judged by.
type Broken struct {
	TaskID, RunID string
	FoundAt       time.Time
}

// Rejudging is newest snapshots being judged again in the bulk lane.
type Rejudging struct {
	ID string
	// CourseID is "" for a task of no course.
	CourseID string
	// TaskID is "" for a whole course.
	TaskID string
	// UserID asked for it.
	UserID    string
	CreatedAt time.Time
	// Listed: all tasks were looked at; until then Total grows.
	Listed bool
	// Total runs were queued; of these, Finished are, and Changed got another
	// verdict than before.
	Total, Finished, Changed int
	// Skipped tasks were left out: their newest snapshot waits or runs anyway, or
	// nothing here judges its language.
	Skipped int
}
