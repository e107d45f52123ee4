// Package react indexes what learners have of their own, as the log tells of it.
package react

import (
	"context"
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// Learners follows goals, tasks, verdicts and feedback.
type Learners struct {
	service *service.Service
	// snapshots is nil where nothing is judged: then no code is indexed.
	snapshots rag.Snapshots
}

// New makes it.
func New(s *service.Service, snapshots rag.Snapshots) *Learners {
	return &Learners{service: s, snapshots: snapshots}
}

// Subscription is its place in the log.
func (l *Learners) Subscription() events.Subscription {
	return events.Subscription{
		Name: "rag.learners",
		Types: []string{"goal.created", "goal.updated", "goal.deleted", "task.created", "task.updated", "task.deleted",
			"validation.completed", "feedback.generated"},
		Handle: l.handle,
	}
}

func (l *Learners) handle(ctx context.Context, tx *postgres.Tx, e events.Event) error {
	user := e.Stream.SubjectID
	if user == "" {
		return nil // what belonged to somebody who was erased
	}
	switch data := e.Data.(type) {
	case *goalsv1.GoalCreated:
		return l.goal(ctx, tx, user, data.GetGoalId(), data.GetDetails())
	case *goalsv1.GoalUpdated:
		return l.goal(ctx, tx, user, data.GetGoalId(), data.GetDetails())
	case *goalsv1.GoalDeleted:
		return l.service.Forget(ctx, tx, user, "goal_id", data.GetGoalId())
	case *tasksv1.TaskCreated:
		return l.task(ctx, tx, user, data.GetTaskId(), data.GetGoalId(), data.GetDetails())
	case *tasksv1.TaskUpdated:
		if err := l.task(ctx, tx, user, data.GetTaskId(), data.GetGoalId(), data.GetDetails()); err != nil || data.GetDetails() == nil {
			return err
		}
		return l.service.Move(ctx, tx, user, data.GetDetails().GetCourseId(), data.GetTaskId())
	case *tasksv1.TaskDeleted:
		return l.service.Forget(ctx, tx, user, "task_id", data.GetTaskId())
	case *validationv1.ValidationCompleted:
		return l.verdict(ctx, tx, e, data)
	case *agentsv1.FeedbackGenerated:
		return l.feedback(ctx, tx, user, data)
	}
	return nil
}

func (l *Learners) goal(ctx context.Context, tx *postgres.Tx, user, id string, d *goalsv1.GoalDetails) error {
	if d == nil {
		return nil
	}
	text := line(d.GetTitle()) + d.GetDescription() + "\n"
	if len(d.GetValidationCriteria()) > 0 {
		text += "\n- " + strings.Join(d.GetValidationCriteria(), "\n- ") + "\n"
	}
	return l.service.PutOwn(ctx, tx, user, []service.Own{{Path: "goals/" + id + ".md", Title: d.GetTitle(), Content: text,
		About: map[string]any{"goal_id": id}}}, "", "")
}

func (l *Learners) task(ctx context.Context, tx *postgres.Tx, user, id, goal string, d *tasksv1.TaskDetails) error {
	if d == nil {
		return nil
	}
	text := line(d.GetTitle()) + d.GetDescription() + "\n"
	if len(d.GetConcepts()) > 0 {
		text += "\n" + strings.Join(d.GetConcepts(), ", ") + "\n"
	}
	return l.service.PutOwn(ctx, tx, user, []service.Own{{Path: "tasks/" + id + ".md", Title: d.GetTitle(), Content: text,
		About: map[string]any{"task_id": id, "goal_id": goal}}}, "", "")
}

func (l *Learners) verdict(ctx context.Context, tx *postgres.Tx, e events.Event, data *validationv1.ValidationCompleted) error {
	user, task, snapshot := e.Stream.SubjectID, data.GetTaskId(), data.GetSnapshotId()
	if data.GetEnded() || data.GetStatus() != validationv1.RunStatus_RUN_STATUS_DONE {
		return nil
	}
	if data.GetVerdict() != validationv1.Verdict_VERDICT_PASSED {
		// Another run of the same code took its verdict back.
		return l.service.Revoke(ctx, tx, user, task, snapshot)
	}
	known, err := l.service.HasTask(ctx, tx, user, task)
	if err != nil || !known || l.snapshots == nil {
		return err
	}
	files, err := l.snapshots.Files(ctx, snapshot)
	if err != nil {
		return fmt.Errorf("read snapshot %s: %w", snapshot, err)
	}
	if len(files) == 0 {
		return nil
	}
	return l.service.PutSnapshot(ctx, tx, user, e.Stream.CourseID, task, snapshot, files)
}

func (l *Learners) feedback(ctx context.Context, tx *postgres.Tx, user string, data *agentsv1.FeedbackGenerated) error {
	known, err := l.service.HasTask(ctx, tx, user, data.GetTaskId())
	if err != nil || !known {
		return err
	}
	var text strings.Builder
	text.WriteString(data.GetText() + "\n")
	for _, c := range data.GetComments() {
		text.WriteString("\n")
		if c.GetFile() != "" {
			fmt.Fprintf(&text, "`%s:%d` ", c.GetFile(), c.GetStartLine())
		}
		text.WriteString(c.GetText() + "\n")
	}
	return l.service.PutOwn(ctx, tx, user, []service.Own{{
		Path:  "feedback/" + data.GetTaskId() + "/" + data.GetFeedbackId() + ".md",
		Title: fmt.Sprintf("Feedback #%d", data.GetSnapshotNumber()), Content: text.String(),
		About: map[string]any{"task_id": data.GetTaskId()},
	}}, "", "")
}

// line makes a title a paragraph: as a heading it would be no passage's text.
func line(title string) string { return strings.Join(strings.Fields(title), " ") + "\n\n" }
