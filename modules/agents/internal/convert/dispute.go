package convert

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/agents"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// Dispute is the API's dispute.
func Dispute(d agents.DisputeRecord) *agentsv1.Dispute {
	out := &agentsv1.Dispute{
		Id: d.ID, Kind: string(d.Kind), OutputId: d.OutputID, Part: d.Part, UserId: d.UserID, CourseId: optional(d.CourseID),
		TaskId: optional(d.TaskID), GoalId: optional(d.GoalID), By: d.By, Reason: d.Reason, Said: words(agents.Text{EN: d.Said.Text.EN, ES: d.Said.Text.In("es")}),
		Label: d.Said.Label, Status: string(d.Status), SettledBy: d.SettledBy, Reasons: Reasons(d.Reasons), Correction: d.Correction,
		RunId: d.RunID, CreatedAt: timestamppb.New(d.CreatedAt),
	}
	if !d.SettledAt.IsZero() {
		out.SettledAt = timestamppb.New(d.SettledAt)
	}
	return out
}

// Reasons are the API's reasons.
func Reasons(all []agents.DisputeReason) []*agentsv1.DisputeReason {
	out := make([]*agentsv1.DisputeReason, len(all))
	for i, r := range all {
		out[i] = &agentsv1.DisputeReason{Code: r.Code, Part: r.Part, Text: words(r.Text)}
	}
	return out
}
