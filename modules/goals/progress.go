package goals

import (
	"math"
	"time"
)

// Progress is how far a goal is.
type Progress struct {
	// Percent is 0 to 100.
	Percent float64
	// Total are the tasks that count, those not skipped; Completed are of them.
	Total, Completed int
	// Manual: set by hand rather than computed.
	Manual    bool
	UpdatedAt time.Time
	// Version is the version of the stream "goal-progress"; 0 before its first event.
	Version int64
}

// Progressed is goal.progressed. Ended says that the goal was deleted.
type Progressed struct {
	Percent          float64
	Total, Completed int
	Manual           bool
	Ended            bool
}

// ApplyProgress makes the next progress; nil once it ended.
func ApplyProgress(_ *Progress, c Progressed, at At) *Progress {
	if c.Ended {
		return nil
	}
	return &Progress{Percent: c.Percent, Total: c.Total, Completed: c.Completed, Manual: c.Manual, UpdatedAt: at.Time, Version: at.Version}
}

// TaskNews says where a goal's tasks stand and what just happened to them.
type TaskNews struct {
	// Total are the tasks that are not skipped; Completed are of them.
	Total, Completed int
	// Begun: some task is, or was, worked on: neither todo nor skipped.
	Begun bool
	// Started, Reopened, Closed: a task was started or submitted, was reopened,
	// was completed, skipped or deleted. They may hold together.
	Started, Reopened, Closed bool
}

// SetProgress sets the progress of an open goal by hand, 0 to 100; the next
// change of its tasks computes it anew. Nil when it is so already.
func (g Goal) SetProgress(percent float64) (*Progressed, error) {
	if math.IsNaN(percent) || percent < 0 || percent > 100 {
		var c Checker
		c.Wrong("progress", "must be between 0 and 100", "debe estar entre 0 y 100")
		return nil, c.Err()
	}
	if !g.Status.Open() {
		return nil, g.Closed()
	}
	p := g.Progress
	if p.Manual && p.Percent == percent {
		return nil, nil
	}
	return &Progressed{Percent: percent, Total: p.Total, Completed: p.Completed, Manual: true}, nil
}

// Finish is the progress of a goal that was completed by hand: a goal without
// tasks is then done wholly; one with tasks keeps what they say. Nil for no change.
func (g Goal) Finish() *Progressed {
	p := g.Progress
	if p.Total > 0 || p.Percent == 100 {
		return nil
	}
	return &Progressed{Percent: 100, Manual: true}
}

// Follow is what tasks' news make of the progress; nil for no change.
func (p Progress) Follow(n TaskNews) *Progressed {
	next := Progressed{Total: n.Total, Completed: n.Completed}
	if n.Total > 0 {
		next.Percent = 100 * float64(n.Completed) / float64(n.Total)
	}
	if p == (Progress{UpdatedAt: p.UpdatedAt, Version: p.Version, Percent: next.Percent, Total: next.Total, Completed: next.Completed}) {
		return nil
	}
	return &next
}

// FollowTasks is what tasks' news make of the status. A goal starts with its
// first task, goes on when a task of it is started or reopened, and completes
// when all tasks are completed or skipped and at least one is completed. A
// cancelled goal stays cancelled.
func (g Goal) FollowTasks(n TaskNews) (changes []Change) {
	done := n.Closed && n.Completed > 0 && n.Completed == n.Total
	status := g.Status
	switch {
	case status == StatusPending && n.Begun, status == StatusBlocked && (n.Started || n.Reopened || done):
		changes, status = append(changes, Started{}), StatusInProgress
	case status == StatusCompleted && n.Reopened:
		changes, status = append(changes, Reopened{}), StatusInProgress
	}
	if done && status == StatusInProgress {
		changes = append(changes, Completed{By: ByTasks})
	}
	return changes
}
