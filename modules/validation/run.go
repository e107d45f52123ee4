package validation

import (
	"time"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// StreamSnapshot and StreamRun are the types of this module's streams.
const (
	StreamSnapshot = "snapshot"
	StreamRun      = "run"
)

// Status is where a run stands.
type Status string

// The statuses of a run.
const (
	StatusQueued  Status = "queued"
	StatusRunning Status = "running"
	StatusDone    Status = "done"
	// StatusSuperseded: a newer snapshot took its place before it ran.
	StatusSuperseded Status = "superseded"
)

// Statuses are all statuses.
var Statuses = []Status{StatusQueued, StatusRunning, StatusDone, StatusSuperseded}

// Reason is why a run was queued.
type Reason string

// The reasons.
const (
	ReasonSubmitted Reason = "submitted"
	// ReasonRejudged: a teacher had the snapshot judged again. It costs its
	// learner no turn, and takes no completed task away: what it says is in the
	// run, and that it differs from before in PreviousVerdict.
	ReasonRejudged Reason = "rejudged"
)

// Text is for people, in English and Spanish.
type Text struct {
	EN string `json:"en,omitempty"`
	ES string `json:"es,omitempty"`
}

// In is the text in a language, or else in English.
func (t Text) In(language string) string {
	if language == "es" && t.ES != "" {
		return t.ES
	}
	return t.EN
}

// Run is one judging of a snapshot, as its events left it.
type Run struct {
	ID, SnapshotID, TaskID, GoalID, UserID string
	// CourseID is the task's at the time of the submission; "" for none.
	CourseID       string
	SnapshotNumber int
	Status         Status
	// Verdict is "" until the run is done.
	Verdict judging.Verdict
	// Score is 0 to 1.
	Score                             float64
	TestsPassed, TestsTotal, Findings int
	Plugin, PluginVersion             string
	Summary                           Text
	// Attempt counts from 1 once it was started.
	Attempt int
	// Deduplicated: the verdict is that of an equal submission of the same
	// learner and task.
	Deduplicated                     bool
	CreatedAt, StartedAt, FinishedAt time.Time
	Reason                           Reason
	// RejudgingID is what queued it; "" for submissions.
	RejudgingID string
	// PreviousVerdict is what a re-judged snapshot had before; "" for none.
	PreviousVerdict judging.Verdict
	// TaskProblem: the task's tests kept it from being judged as it should.
	TaskProblem bool
	// Version is that of its stream, from 1.
	Version int64

	// Report is a fact beside the fold; nil until the run is done.
	Report *Report
	// QueuePosition is the place in the queue from 1 while it is queued, as the
	// queue is now; 0 otherwise.
	QueuePosition int
	// Estimate is when its verdict is expected, as the queue is now; nil when it
	// is there or nothing is known.
	Estimate *Estimate
}

// Estimate is what is expected of a run that is not done.
type Estimate struct {
	// Start is how long it waits from now on; 0 for one that runs.
	Start time.Duration
	// End is how long until its verdict.
	End time.Duration
}

// Change is something that happened to a run. Each is the domain's side of an
// event; nothing but Apply makes a run's next state.
type Change interface{ runChange() }

// The changes of a run.
type (
	// Queued is validation.queued.
	Queued struct {
		SnapshotID, TaskID, GoalID, UserID, CourseID string
		SnapshotNumber                               int
		Plugin                                       string
		Reason                                       Reason
		RejudgingID                                  string
		PreviousVerdict                              judging.Verdict
	}
	// Started is validation.started.
	Started struct{ Attempt int }
	// Completed is validation.completed. Superseded runs have no verdict.
	Completed struct {
		Status                            Status
		Verdict                           judging.Verdict
		Score                             float64
		TestsPassed, TestsTotal, Findings int
		Plugin, PluginVersion             string
		Summary                           Text
		Attempt                           int
		Deduplicated                      bool
		TaskProblem                       bool
		// NewerSnapshot is the task's newest when this verdict of an older one came;
		// 0 when it is of the newest. Readers of the event need it; the run doesn't.
		NewerSnapshot int
	}
	// Ended is validation.completed of a run that was deleted with its task.
	Ended struct{}
)

func (Queued) runChange()    {}
func (Started) runChange()   {}
func (Completed) runChange() {}
func (Ended) runChange()     {}

// At is where in its stream a change stands.
type At struct {
	// ID is the run's.
	ID string
	// Time is the event's instant, in UTC, of whole microseconds.
	Time time.Time
	// Version is the event's version.
	Version int64
}

// Apply makes a run's next state; nil before it was queued and after it was
// deleted. It decides nothing: what is in the log has happened.
func Apply(r *Run, c Change, at At) *Run {
	var next Run
	if r != nil {
		next = *r
	}
	next.ID, next.Version = at.ID, at.Version
	switch c := c.(type) {
	case Queued:
		next.SnapshotID, next.TaskID, next.GoalID, next.UserID, next.CourseID = c.SnapshotID, c.TaskID, c.GoalID, c.UserID, c.CourseID
		next.SnapshotNumber, next.Plugin = c.SnapshotNumber, c.Plugin
		next.Reason, next.RejudgingID, next.PreviousVerdict = c.Reason, c.RejudgingID, c.PreviousVerdict
		next.Status, next.CreatedAt = StatusQueued, at.Time
	case Started:
		next.Status, next.Attempt = StatusRunning, c.Attempt
		if next.StartedAt.IsZero() {
			next.StartedAt = at.Time
		}
	case Completed:
		next.Status, next.Verdict, next.Score = c.Status, c.Verdict, c.Score
		next.TestsPassed, next.TestsTotal, next.Findings = c.TestsPassed, c.TestsTotal, c.Findings
		next.Plugin, next.PluginVersion, next.Summary = c.Plugin, c.PluginVersion, c.Summary
		next.Attempt, next.Deduplicated, next.FinishedAt = c.Attempt, c.Deduplicated, at.Time
		next.TaskProblem = c.TaskProblem
	case Ended:
		return nil
	}
	return &next
}

// Supersede is what happens to a run that did not begin before a newer snapshot
// of the task came.
func (r Run) Supersede() Change {
	return Completed{Status: StatusSuperseded, Plugin: r.Plugin, PluginVersion: r.PluginVersion, Attempt: r.Attempt}
}

// Finish is what a report makes of a run.
// newest is the number of the task's newest snapshot.
func (r Run) Finish(report Report, deduplicated bool, newest int) Change {
	passed, total := report.Counts()
	plugin, version := report.Plugin, report.PluginVersion
	if plugin == "" {
		plugin = r.Plugin
	}
	newer := 0
	if newest > r.SnapshotNumber {
		newer = newest
	}
	return Completed{
		Status: StatusDone, Verdict: report.Verdict, Score: report.Score, TestsPassed: passed, TestsTotal: total,
		Findings: len(report.Findings), Plugin: plugin, PluginVersion: version, Summary: report.Summary,
		Attempt: r.Attempt, Deduplicated: deduplicated, TaskProblem: report.Problem != "",
		NewerSnapshot: newer,
	}
}
