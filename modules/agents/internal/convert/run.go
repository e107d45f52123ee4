package convert

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/agents"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// Run is the API's run.
func Run(r agents.Run) *agentsv1.AgentRun {
	out := &agentsv1.AgentRun{
		Id: r.ID, Graph: r.Graph, GraphVersion: int32(r.GraphVersion), UserId: r.UserID, CourseId: optional(r.CourseID),
		GoalId: optional(r.GoalID), TaskId: optional(r.TaskID), Node: r.Node, WaitingFor: string(r.WaitingFor),
		Status:  agentsv1.AgentRunStatus(agentsv1.AgentRunStatus_value["AGENT_RUN_STATUS_"+strings.ToUpper(string(r.Status))]),
		Message: words(r.Message), Label: r.Label, Mermaid: r.Mermaid,
		Cost:      cost(r.Cost),
		CreatedAt: timestamppb.New(r.CreatedAt), UpdatedAt: timestamppb.New(r.UpdatedAt),
	}
	if r.Question != nil {
		out.Question = Question(*r.Question)
	}
	if r.Plan != nil {
		out.Plan = Plan(*r.Plan)
	}
	if r.ForkedFrom != "" {
		out.ForkedFrom, out.ForkedStep = &r.ForkedFrom, int32(r.ForkedStep)
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, &agentsv1.AgentStep{
			Node: s.Node, Outcome: s.Outcome, StartedAt: timestamppb.New(s.StartedAt), FinishedAt: timestamppb.New(s.FinishedAt),
			Number: int32(s.Number), Attempts: int32(s.Attempts), Cost: cost(s.Cost),
		})
	}
	return out
}

func cost(c agents.Cost) *agentsv1.AgentCost {
	return &agentsv1.AgentCost{
		ModelCalls: int32(c.ModelCalls), InputTokens: c.InputTokens, OutputTokens: c.OutputTokens, Micros: c.Micros,
	}
}

// Question is the API's question.
func Question(q agents.Question) *agentsv1.Question {
	return &agentsv1.Question{Id: q.ID, Text: words(q.Text), Choices: q.Choices}
}

// Feedback is the API's feedback.
func Feedback(f agents.Feedback) *agentsv1.Feedback {
	return &agentsv1.Feedback{
		Id: f.ID, ValidationRunId: f.ValidationRunID, TaskId: f.TaskID, UserId: f.UserID, Text: f.Text, Comments: Comments(f.Comments),
		Label: f.Label, CreatedAt: timestamppb.New(f.CreatedAt), Dispute: string(f.Dispute), Locale: f.Locale,
		Rubric: Rubric(f.Rubric, f.Locale),
	}
}

// Comments are the API's comments.
func Comments(all []agents.Comment) []*agentsv1.Comment {
	out := make([]*agentsv1.Comment, len(all))
	for i, c := range all {
		out[i] = &agentsv1.Comment{
			Text: c.Text, File: c.File, StartLine: int32(c.StartLine), EndLine: int32(c.EndLine), Rule: c.Rule, TestId: c.TestID, SinceSnapshot: int32(c.Since),
			Withdrawn: c.Withdrawn,
		}
		if c.Citation != nil {
			out[i].Citation = citation(*c.Citation)
		}
	}
	return out
}

// Hint is the API's hint.
func Hint(h agents.Hint) *agentsv1.Hint {
	return &agentsv1.Hint{
		Id: h.ID, TaskId: h.TaskID, Level: int32(h.Level), Text: h.Text, Citations: Citations(h.Citations), Label: h.Label,
		LookedAt: h.LookedAt, CreatedAt: timestamppb.New(h.CreatedAt), Dispute: string(h.Dispute),
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
