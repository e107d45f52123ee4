package convert

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

func details(d tasks.Details) *tasksv1.TaskDetails {
	v := validation(d.Validation)
	for _, f := range append(v.GetTests(), v.GetStarter()...) {
		f.Content = "" // the log names it by digest
	}
	return &tasksv1.TaskDetails{
		Title: d.Title, Description: d.Description, Type: types.to[d.Type], Position: int32(d.Position),
		EstimatedHours: d.EstimatedHours, ActualHours: d.ActualHours, DependsOn: d.DependsOn, Concepts: d.Concepts,
		Language: optional(d.Language), Validation: v, Citations: citations(d.Citations), Metadata: d.Metadata.Text(),
		CourseId: optional(d.CourseID),
	}
}

func fromDetails(d *tasksv1.TaskDetails) tasks.Details {
	return tasks.Details{
		Title: d.GetTitle(), Description: d.GetDescription(), Type: Type(d.GetType()), Position: int(d.GetPosition()),
		EstimatedHours: d.EstimatedHours, ActualHours: d.ActualHours, DependsOn: d.GetDependsOn(), Concepts: d.GetConcepts(),
		Language: d.GetLanguage(), Validation: Validation(d.GetValidation()), Citations: Citations(d.GetCitations()),
		Metadata: goals.Metadata(d.GetMetadata()), CourseID: d.GetCourseId(),
	}
}

// Payload is the event's payload for a change of a task.
func Payload(taskID, goalID string, c tasks.Change) proto.Message {
	switch c := c.(type) {
	case tasks.Created:
		return &tasksv1.TaskCreated{TaskId: taskID, GoalId: c.GoalID, UserId: c.UserID, Details: details(c.Details)}
	case tasks.Updated:
		p := &tasksv1.TaskUpdated{
			TaskId: taskID, GoalId: goalID, Changed: c.Changed, Status: statuses.to[c.Status],
			ValidationResult: result(c.Result), AiFeedback: c.Feedback,
		}
		if c.Details != nil {
			p.Details = details(*c.Details)
		}
		return p
	case tasks.Started:
		return &tasksv1.TaskStarted{TaskId: taskID, GoalId: goalID}
	case tasks.Submitted:
		return &tasksv1.TaskSubmitted{TaskId: taskID, GoalId: goalID, SnapshotId: c.SnapshotID, SnapshotNumber: int32(c.Number)}
	case tasks.Completed:
		return &tasksv1.TaskCompleted{TaskId: taskID, GoalId: goalID, CompletedBy: words.to[c.By], Result: result(c.Result), ActualHours: c.ActualHours}
	case tasks.Failed:
		return &tasksv1.TaskFailed{TaskId: taskID, GoalId: goalID, Result: result(&c.Result)}
	case tasks.Skipped:
		return &tasksv1.TaskSkipped{TaskId: taskID, GoalId: goalID}
	case tasks.Reopened:
		return &tasksv1.TaskReopened{TaskId: taskID, GoalId: goalID}
	case tasks.Deleted:
		return &tasksv1.TaskDeleted{TaskId: taskID, GoalId: goalID}
	}
	panic(fmt.Sprintf("tasks: no event is known for a %T", c))
}

// Change reads the payload of an event of stream "task".
func Change(payload proto.Message) (tasks.Change, error) {
	switch p := payload.(type) {
	case *tasksv1.TaskCreated:
		return tasks.Created{GoalID: p.GetGoalId(), UserID: p.GetUserId(), Details: fromDetails(p.GetDetails())}, nil
	case *tasksv1.TaskUpdated:
		c := tasks.Updated{
			Changed: p.GetChanged(), Status: Status(p.GetStatus()), Result: fromResult(p.GetValidationResult()), Feedback: p.AiFeedback,
		}
		if p.GetDetails() != nil {
			d := fromDetails(p.GetDetails())
			c.Details = &d
		}
		return c, nil
	case *tasksv1.TaskStarted:
		return tasks.Started{}, nil
	case *tasksv1.TaskSubmitted:
		return tasks.Submitted{SnapshotID: p.GetSnapshotId(), Number: int(p.GetSnapshotNumber())}, nil
	case *tasksv1.TaskCompleted:
		return tasks.Completed{By: words.from[p.GetCompletedBy()], Result: fromResult(p.GetResult()), ActualHours: p.ActualHours}, nil
	case *tasksv1.TaskFailed:
		c := tasks.Failed{}
		if r := fromResult(p.GetResult()); r != nil {
			c.Result = *r
		}
		return c, nil
	case *tasksv1.TaskSkipped:
		return tasks.Skipped{}, nil
	case *tasksv1.TaskReopened:
		return tasks.Reopened{}, nil
	case *tasksv1.TaskDeleted:
		return tasks.Deleted{}, nil
	}
	return nil, fmt.Errorf("a task's history holds a payload %T", payload)
}
