// Package convert turns the domain's runs and changes into the messages of
// tracker.validation.v1 and back. It decides nothing.
package convert

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/validation"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// names pairs the domain's words with enum numbers.
type names[T ~string, E ~int32] struct {
	to   map[T]E
	from map[E]T
}

func pair[T ~string, E ~int32](prefix string, all map[int32]string) names[T, E] {
	n := names[T, E]{to: map[T]E{}, from: map[E]T{}}
	for number, name := range all {
		if number == 0 {
			continue
		}
		word := T(strings.ToLower(strings.TrimPrefix(name, prefix)))
		n.to[word], n.from[E(number)] = E(number), word
	}
	return n
}

var (
	statuses    = pair[validation.Status, validationv1.RunStatus]("RUN_STATUS_", validationv1.RunStatus_name)
	verdicts    = pair[judging.Verdict, validationv1.Verdict]("VERDICT_", validationv1.Verdict_name)
	tests       = pair[judging.TestStatus, validationv1.TestStatus]("TEST_STATUS_", validationv1.TestStatus_name)
	reasons     = pair[validation.Reason, validationv1.RunReason]("RUN_REASON_", validationv1.RunReason_name)
	integrities = pair[judging.Integrity, validationv1.Integrity]("INTEGRITY_", validationv1.Integrity_name)
	severities  = pair[judging.Severity, validationv1.Severity]("SEVERITY_", validationv1.Severity_name)
)

// Submitted is the payload of snapshot.submitted.
func Submitted(s validation.Snapshot, goalID string) proto.Message {
	return &validationv1.SnapshotSubmitted{
		SnapshotId: s.ID, TaskId: s.TaskID, GoalId: goalID, Number: int32(s.Number), Language: s.Language,
		Digest: s.Digest, Files: int32(len(s.Files)), Bytes: validation.Bytes(s.Files),
	}
}

// Payload is the event's payload for a change of a run; r is the run before it.
func Payload(r validation.Run, c validation.Change) proto.Message {
	switch c := c.(type) {
	case validation.Queued:
		return &validationv1.ValidationQueued{
			RunId: r.ID, SnapshotId: c.SnapshotID, TaskId: c.TaskID, GoalId: c.GoalID, SnapshotNumber: int32(c.SnapshotNumber), Plugin: c.Plugin,
			Reason: reasons.to[c.Reason], RejudgingId: c.RejudgingID, PreviousVerdict: verdicts.to[c.PreviousVerdict],
		}
	case validation.Started:
		return &validationv1.ValidationStarted{RunId: r.ID, SnapshotId: r.SnapshotID, TaskId: r.TaskID, Attempt: int32(c.Attempt), SnapshotNumber: int32(r.SnapshotNumber)}
	case validation.Completed:
		return &validationv1.ValidationCompleted{
			RunId: r.ID, SnapshotId: r.SnapshotID, TaskId: r.TaskID, GoalId: r.GoalID, SnapshotNumber: int32(r.SnapshotNumber),
			Status: statuses.to[c.Status], Verdict: verdicts.to[c.Verdict], Score: c.Score,
			TestsPassed: int32(c.TestsPassed), TestsTotal: int32(c.TestsTotal), Findings: int32(c.Findings),
			Plugin: c.Plugin, PluginVersion: c.PluginVersion, Summary: text(c.Summary),
			Attempt: int32(c.Attempt), Deduplicated: c.Deduplicated,
			Reason: reasons.to[r.Reason], PreviousVerdict: verdicts.to[r.PreviousVerdict], TaskProblem: c.TaskProblem,
			NewerSnapshot: int32(c.NewerSnapshot),
		}
	case validation.Ended:
		return &validationv1.ValidationCompleted{
			RunId: r.ID, SnapshotId: r.SnapshotID, TaskId: r.TaskID, GoalId: r.GoalID, SnapshotNumber: int32(r.SnapshotNumber), Ended: true,
			Reason: reasons.to[r.Reason],
		}
	}
	panic(fmt.Sprintf("validation: no event is known for a %T", c))
}

// Change reads the payload of an event of a stream "run", which belongs to a
// user and a course.
func Change(payload proto.Message, userID, courseID string) (validation.Change, error) {
	switch p := payload.(type) {
	case *validationv1.ValidationQueued:
		reason := reasons.from[p.GetReason()]
		if reason == "" {
			reason = validation.ReasonSubmitted // of before there was another
		}
		return validation.Queued{
			SnapshotID: p.GetSnapshotId(), TaskID: p.GetTaskId(), GoalID: p.GetGoalId(), UserID: userID, CourseID: courseID,
			SnapshotNumber: int(p.GetSnapshotNumber()), Plugin: p.GetPlugin(),
			Reason: reason, RejudgingID: p.GetRejudgingId(), PreviousVerdict: verdicts.from[p.GetPreviousVerdict()],
		}, nil
	case *validationv1.ValidationStarted:
		return validation.Started{Attempt: int(p.GetAttempt())}, nil
	case *validationv1.ValidationCompleted:
		if p.GetEnded() {
			return validation.Ended{}, nil
		}
		return validation.Completed{
			Status: statuses.from[p.GetStatus()], Verdict: verdicts.from[p.GetVerdict()], Score: p.GetScore(),
			TestsPassed: int(p.GetTestsPassed()), TestsTotal: int(p.GetTestsTotal()), Findings: int(p.GetFindings()),
			Plugin: p.GetPlugin(), PluginVersion: p.GetPluginVersion(),
			Summary: validation.Text{EN: p.GetSummary().GetEn(), ES: p.GetSummary().GetEs()},
			Attempt: int(p.GetAttempt()), Deduplicated: p.GetDeduplicated(), TaskProblem: p.GetTaskProblem(),
			NewerSnapshot: int(p.GetNewerSnapshot()),
		}, nil
	}
	return nil, fmt.Errorf("a run's history holds a payload %T", payload)
}

func text(t validation.Text) *validationv1.Text {
	if t == (validation.Text{}) {
		return nil
	}
	return &validationv1.Text{En: t.EN, Es: t.ES}
}
