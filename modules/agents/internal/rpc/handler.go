// Package rpc serves tracker.agents.v1.AgentsService: it converts and calls the
// service, which decides.
package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/convert"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1/agentsv1connect"
)

// Handler implements agentsv1connect.AgentsServiceHandler.
type Handler struct {
	db       *postgres.DB
	agents   agents.Service
	disputes agents.Disputes
}

// Service is the handler as the server mounts it.
func Service(db *postgres.DB, service agents.Service, disputes agents.Disputes) corerpc.Service {
	return corerpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return agentsv1connect.NewAgentsServiceHandler(New(db, service, disputes), opts...)
	}}
}

// New makes the handler.
func New(db *postgres.DB, service agents.Service, disputes agents.Disputes) *Handler {
	return &Handler{db: db, agents: service, disputes: disputes}
}

var _ agentsv1connect.AgentsServiceHandler = (*Handler)(nil)

// PlanGoal implements the handler.
func (h *Handler) PlanGoal(ctx context.Context, req *agentsv1.PlanGoalRequest) (*agentsv1.AgentRun, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return h.agents.PlanTx(ctx, tx, agents.PlanRequest{
			GoalID: req.GetGoalId(), Wishes: req.GetWishes(), AutoApprove: req.GetAutoApprove(), Locale: req.GetLocale(),
		})
	})
}

// GetAgentRun implements the handler.
func (h *Handler) GetAgentRun(ctx context.Context, req *agentsv1.GetAgentRunRequest) (*agentsv1.AgentRun, error) {
	r, err := h.agents.Get(ctx, corerpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return convert.Run(r), nil
}

// ListAgentRuns implements the handler.
func (h *Handler) ListAgentRuns(ctx context.Context, req *agentsv1.ListAgentRunsRequest) (*agentsv1.ListAgentRunsResponse, error) {
	page, err := h.agents.List(ctx, corerpc.Actor(ctx), agents.Query{
		Size: int(req.GetPageSize()), Token: req.GetPageToken(), GoalID: req.GetGoalId(), CourseID: req.GetCourseId(),
	})
	if err != nil {
		return nil, err
	}
	answer := &agentsv1.ListAgentRunsResponse{NextPageToken: page.Next}
	for _, r := range page.Runs {
		answer.Runs = append(answer.Runs, convert.Run(r))
	}
	return answer, nil
}

// AnswerPlan implements the handler.
func (h *Handler) AnswerPlan(ctx context.Context, req *agentsv1.AnswerPlanRequest) (*agentsv1.AgentRun, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return h.agents.AnswerTx(ctx, tx, req.GetRunId(), req.GetQuestionId(), req.GetAnswer())
	})
}

// ApprovePlan implements the handler.
func (h *Handler) ApprovePlan(ctx context.Context, req *agentsv1.ApprovePlanRequest) (*agentsv1.AgentRun, error) {
	if err := h.agents.MayApprove(ctx, corerpc.Actor(ctx), req.GetRunId()); err != nil {
		return nil, err
	}
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		a := agents.Approval{Keys: req.GetKeys()}
		for _, e := range req.GetEdits() {
			a.Edits = append(a.Edits, agents.PlanEdit{Key: e.GetKey(), Title: e.Title, Description: e.Description, EstimatedHours: e.EstimatedHours})
		}
		return h.agents.ApproveTx(ctx, tx, req.GetRunId(), a)
	})
}

// RejectPlan implements the handler.
func (h *Handler) RejectPlan(ctx context.Context, req *agentsv1.RejectPlanRequest) (*agentsv1.AgentRun, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return h.agents.RejectTx(ctx, tx, req.GetRunId(), req.GetReason())
	})
}

// CancelAgentRun implements the handler.
func (h *Handler) CancelAgentRun(ctx context.Context, req *agentsv1.CancelAgentRunRequest) (*agentsv1.AgentRun, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return h.agents.CancelTx(ctx, tx, req.GetRunId(), req.GetReason())
	})
}

// ForkAgentRun implements the handler.
func (h *Handler) ForkAgentRun(ctx context.Context, req *agentsv1.ForkAgentRunRequest) (*agentsv1.AgentRun, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return h.agents.ForkTx(ctx, tx, req.GetRunId(), int(req.GetStep()))
	})
}

// RequestHint implements the handler.
func (h *Handler) RequestHint(ctx context.Context, req *agentsv1.RequestHintRequest) (*agentsv1.Hint, error) {
	hint, err := h.agents.PrepareHint(ctx, corerpc.Actor(ctx), agents.HintRequest{
		TaskID: req.GetTaskId(), Question: req.GetQuestion(), Locale: req.GetLocale(),
	})
	if err != nil {
		return nil, err
	}
	given, err := corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*agentsv1.Hint, error) {
		given, err := h.agents.HintTx(ctx, tx, hint)
		if err != nil {
			return nil, err
		}
		return convert.Hint(given), nil
	})
	if err != nil || given.GetText() != "" {
		return given, err
	}
	written, err := h.agents.AwaitHint(ctx, corerpc.Actor(ctx), given.GetId(), hint)
	if err != nil {
		return nil, err
	}
	return convert.Hint(written), nil
}

// GetFeedback implements the handler.
func (h *Handler) GetFeedback(ctx context.Context, req *agentsv1.GetFeedbackRequest) (*agentsv1.Feedback, error) {
	f, err := h.agents.Feedback(ctx, corerpc.Actor(ctx), req.GetValidationRunId())
	if err != nil {
		return nil, err
	}
	return convert.Feedback(f), nil
}

// DisputeFeedback implements the handler.
func (h *Handler) DisputeFeedback(ctx context.Context, req *agentsv1.DisputeFeedbackRequest) (*agentsv1.Feedback, error) {
	d, err := h.disputes.PrepareDispute(ctx, corerpc.Actor(ctx), agents.DisputeRequest{
		Kind: agents.OutputFeedback, OutputID: req.GetId(), Reason: req.GetReason(),
	})
	if err != nil {
		return nil, err
	}
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*agentsv1.Feedback, error) {
		filed, err := h.disputes.DisputeTx(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		return convert.Feedback(agents.Feedback{
			ID: filed.OutputID, ValidationRunID: filed.Said.ValidationRunID, TaskID: filed.TaskID, UserID: filed.UserID, Text: filed.Said.Text.EN,
			Comments: filed.Said.Comments, Label: filed.Said.Label, Locale: filed.Said.Locale, CreatedAt: filed.Said.At, Dispute: filed.Status,
		}), nil
	})
}

// mutate runs a mutation that answers with the run.
func (h *Handler) mutate(ctx context.Context, req proto.Message, do func(context.Context, *postgres.Tx) (agents.Run, error)) (*agentsv1.AgentRun, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*agentsv1.AgentRun, error) {
		r, err := do(ctx, tx)
		if err != nil {
			return nil, err
		}
		return convert.Run(r), nil
	})
}
