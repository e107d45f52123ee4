// Package convert turns the domain's goals and changes into the messages of
// tracker.goals.v1 and back. It decides nothing.
package convert

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/goals"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
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
	statuses   = pair[goals.Status, goalsv1.GoalStatus]("GOAL_STATUS_", goalsv1.GoalStatus_name)
	priorities = pair[goals.Priority, goalsv1.Priority]("PRIORITY_", goalsv1.Priority_name)
)

// Status reads a status; "" for none.
func Status(s goalsv1.GoalStatus) goals.Status { return statuses.from[s] }

// Priority reads a priority; "" for none.
func Priority(p goalsv1.Priority) goals.Priority { return priorities.from[p] }

// Time reads a time; the zero one for none.
func Time(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Goal is the API's goal.
func Goal(g goals.Goal) *goalsv1.Goal {
	return &goalsv1.Goal{
		Id: g.ID, UserId: g.UserID, CourseId: optional(g.CourseID), Title: g.Title, Description: g.Description,
		Status: statuses.to[g.Status], Priority: priorities.to[g.Priority], Progress: g.Progress.Percent,
		AiGenerated: g.AIGenerated, ValidationCriteria: g.Criteria, Metadata: g.Metadata.Text(),
		DueAt: stamp(g.DueAt), StartedAt: stamp(g.StartedAt), CompletedAt: stamp(g.CompletedAt),
		CreatedAt: stamp(g.CreatedAt), UpdatedAt: stamp(g.UpdatedAt), Version: g.Version,
		BlockedReason: g.BlockedReason, CourseDeleted: g.CourseDeleted,
	}
}

func details(d goals.Details) *goalsv1.GoalDetails {
	return &goalsv1.GoalDetails{
		CourseId: optional(d.CourseID), Title: d.Title, Description: d.Description, Priority: priorities.to[d.Priority],
		ValidationCriteria: d.Criteria, Metadata: d.Metadata.Text(), DueAt: stamp(d.DueAt),
	}
}

func fromDetails(d *goalsv1.GoalDetails) goals.Details {
	return goals.Details{
		CourseID: d.GetCourseId(), Title: d.GetTitle(), Description: d.GetDescription(), Priority: Priority(d.GetPriority()),
		Criteria: d.GetValidationCriteria(), Metadata: goals.Metadata(d.GetMetadata()), DueAt: Time(d.GetDueAt()),
	}
}
