package rpc

import (
	"context"
	"fmt"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1/agentsv1connect"
)

// defaultNudges is the page of ListNudges when nothing is asked for.
const defaultNudges = 20

// Companion implements agentsv1connect.CompanionServiceHandler.
type Companion struct {
	db        *postgres.DB
	companion agents.Companion
}

// CompanionService is the handler as the server mounts it.
func CompanionService(db *postgres.DB, companion agents.Companion) corerpc.Service {
	return corerpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return agentsv1connect.NewCompanionServiceHandler(&Companion{db: db, companion: companion}, opts...)
	}}
}

var _ agentsv1connect.CompanionServiceHandler = (*Companion)(nil)

// GetEvaluation implements the handler.
func (h *Companion) GetEvaluation(ctx context.Context, req *agentsv1.GetEvaluationRequest) (*agentsv1.Evaluation, error) {
	e, err := h.companion.Evaluation(ctx, corerpc.Actor(ctx), req.GetUserId(), req.GetCourseId())
	if err != nil {
		return nil, err
	}
	out := &agentsv1.Evaluation{
		UserId: e.UserID, CourseId: e.CourseID, Mastery: e.Mastery, Trend: string(e.Trend), EvaluatedAt: timestamppb.New(e.EvaluatedAt),
		Id: e.ID, Dispute: string(e.Dispute),
	}
	for _, r := range e.Reasons {
		out.Reasons = append(out.Reasons, &agentsv1.Words{En: r.EN, Es: r.ES})
	}
	return out, nil
}

// ListNudges implements the handler.
func (h *Companion) ListNudges(ctx context.Context, req *agentsv1.ListNudgesRequest) (*agentsv1.ListNudgesResponse, error) {
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultNudges
	}
	list, err := h.companion.Nudges(ctx, corerpc.Actor(ctx), size)
	if err != nil {
		return nil, err
	}
	out := &agentsv1.ListNudgesResponse{}
	for _, n := range list {
		nudge := &agentsv1.Nudge{
			Id: n.ID, Kind: n.Kind, Text: &agentsv1.Words{En: n.Text.EN, Es: n.Text.ES}, CreatedAt: timestamppb.New(n.CreatedAt), Dispute: string(n.Dispute),
		}
		if n.GoalID != "" {
			nudge.GoalId = &n.GoalID
		}
		if n.TaskID != "" {
			nudge.TaskId = &n.TaskID
		}
		out.Nudges = append(out.Nudges, nudge)
	}
	return out, nil
}

// GetCoachSettings implements the handler.
func (h *Companion) GetCoachSettings(ctx context.Context, _ *agentsv1.GetCoachSettingsRequest) (*agentsv1.CoachSettings, error) {
	s, err := h.companion.CoachSettings(ctx, corerpc.Actor(ctx))
	if err != nil {
		return nil, err
	}
	return coachSettings(s), nil
}

// UpdateCoachSettings implements the handler.
func (h *Companion) UpdateCoachSettings(ctx context.Context, req *agentsv1.UpdateCoachSettingsRequest) (*agentsv1.CoachSettings, error) {
	patch := agents.CoachPatch{Enabled: req.Enabled, QuietFrom: req.QuietFrom, QuietTo: req.QuietTo, TimeZone: req.TimeZone}
	if req.GetMuted() != nil {
		kinds := req.GetMuted().GetKinds()
		patch.Muted = &kinds
	}
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*agentsv1.CoachSettings, error) {
		s, err := h.companion.UpdateCoachTx(ctx, tx, patch)
		if err != nil {
			return nil, err
		}
		return coachSettings(s), nil
	})
}

func coachSettings(s agents.CoachSettings) *agentsv1.CoachSettings {
	clock := func(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }
	return &agentsv1.CoachSettings{
		Enabled: s.Enabled, Muted: s.Muted, QuietFrom: clock(s.QuietFrom), QuietTo: clock(s.QuietTo), TimeZone: s.TimeZone,
	}
}
