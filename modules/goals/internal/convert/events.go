package convert

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/goals"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// Payload is the event's payload for a change of the goal with the id.
func Payload(id string, c goals.Change) proto.Message {
	switch c := c.(type) {
	case goals.Created:
		return &goalsv1.GoalCreated{GoalId: id, UserId: c.UserID, Details: details(c.Details), AiGenerated: c.AIGenerated}
	case goals.Updated:
		return &goalsv1.GoalUpdated{GoalId: id, Details: details(c.Details), Changed: c.Changed, CourseDeleted: c.CourseDeleted}
	case goals.Started:
		return &goalsv1.GoalStarted{GoalId: id}
	case goals.Completed:
		return &goalsv1.GoalCompleted{GoalId: id, CompletedBy: string(c.By)}
	case goals.Blocked:
		return &goalsv1.GoalBlocked{GoalId: id, Reason: c.Reason}
	case goals.Cancelled:
		return &goalsv1.GoalCancelled{GoalId: id}
	case goals.Reopened:
		return &goalsv1.GoalReopened{GoalId: id}
	case goals.Deleted:
		return &goalsv1.GoalDeleted{GoalId: id}
	}
	panic(fmt.Sprintf("goals: no event is known for a %T", c))
}

// Change reads the payload of an event of stream "goal".
func Change(payload proto.Message) (goals.Change, error) {
	switch p := payload.(type) {
	case *goalsv1.GoalCreated:
		return goals.Created{UserID: p.GetUserId(), Details: fromDetails(p.GetDetails()), AIGenerated: p.GetAiGenerated()}, nil
	case *goalsv1.GoalUpdated:
		return goals.Updated{Details: fromDetails(p.GetDetails()), Changed: p.GetChanged(), CourseDeleted: p.GetCourseDeleted()}, nil
	case *goalsv1.GoalStarted:
		return goals.Started{}, nil
	case *goalsv1.GoalCompleted:
		return goals.Completed{By: goals.CompletedBy(p.GetCompletedBy())}, nil
	case *goalsv1.GoalBlocked:
		return goals.Blocked{Reason: p.GetReason()}, nil
	case *goalsv1.GoalCancelled:
		return goals.Cancelled{}, nil
	case *goalsv1.GoalReopened:
		return goals.Reopened{}, nil
	case *goalsv1.GoalDeleted:
		return goals.Deleted{}, nil
	}
	return nil, fmt.Errorf("a goal's history holds a payload %T", payload)
}

// ProgressPayload is the payload of goal.progressed.
func ProgressPayload(id string, c goals.Progressed) proto.Message {
	return &goalsv1.GoalProgressed{
		GoalId: id, Progress: c.Percent, TasksTotal: int32(c.Total), TasksCompleted: int32(c.Completed), Manual: c.Manual, Ended: c.Ended,
	}
}

// Progressed reads the payload of an event of stream "goal-progress".
func Progressed(payload proto.Message) (goals.Progressed, error) {
	p, ok := payload.(*goalsv1.GoalProgressed)
	if !ok {
		return goals.Progressed{}, fmt.Errorf("a goal's progress holds a payload %T", payload)
	}
	return goals.Progressed{
		Percent: p.GetProgress(), Total: int(p.GetTasksTotal()), Completed: int(p.GetTasksCompleted()), Manual: p.GetManual(), Ended: p.GetEnded(),
	}, nil
}
