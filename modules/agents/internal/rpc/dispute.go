package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/convert"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1/agentsv1connect"
)

// Disputes implements agentsv1connect.DisputeServiceHandler.
type Disputes struct {
	db       *postgres.DB
	disputes agents.Disputes
}

// DisputeService is the handler as the server mounts it.
func DisputeService(db *postgres.DB, disputes agents.Disputes) corerpc.Service {
	return corerpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return agentsv1connect.NewDisputeServiceHandler(&Disputes{db: db, disputes: disputes}, opts...)
	}}
}

var _ agentsv1connect.DisputeServiceHandler = (*Disputes)(nil)

// DisputeOutput implements the handler.
func (h *Disputes) DisputeOutput(ctx context.Context, req *agentsv1.DisputeOutputRequest) (*agentsv1.Dispute, error) {
	d, err := h.disputes.PrepareDispute(ctx, corerpc.Actor(ctx), agents.DisputeRequest{
		Kind: agents.OutputKind(req.GetKind()), OutputID: req.GetId(), Part: req.GetPart(), Reason: req.GetReason(),
	})
	if err != nil {
		return nil, err
	}
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*agentsv1.Dispute, error) {
		filed, err := h.disputes.DisputeTx(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		return convert.Dispute(filed), nil
	})
}

// GetDispute implements the handler.
func (h *Disputes) GetDispute(ctx context.Context, req *agentsv1.GetDisputeRequest) (*agentsv1.Dispute, error) {
	d, err := h.disputes.Dispute(ctx, corerpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return convert.Dispute(d), nil
}

// ListDisputes implements the handler.
func (h *Disputes) ListDisputes(ctx context.Context, req *agentsv1.ListDisputesRequest) (*agentsv1.ListDisputesResponse, error) {
	page, err := h.disputes.ListDisputes(ctx, corerpc.Actor(ctx), agents.DisputeQuery{
		Size: int(req.GetPageSize()), Token: req.GetPageToken(), CourseID: req.GetCourseId(), Status: agents.Dispute(req.GetStatus()),
	})
	if err != nil {
		return nil, err
	}
	out := &agentsv1.ListDisputesResponse{NextPageToken: page.Next}
	for _, d := range page.Disputes {
		out.Disputes = append(out.Disputes, convert.Dispute(d))
	}
	return out, nil
}

// SettleDispute implements the handler.
func (h *Disputes) SettleDispute(ctx context.Context, req *agentsv1.SettleDisputeRequest) (*agentsv1.Dispute, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*agentsv1.Dispute, error) {
		d, err := h.disputes.SettleTx(ctx, tx, req.GetId(), agents.Settlement{
			Outcome: agents.Dispute(req.GetOutcome()), Why: req.GetWhy(), Note: req.GetNote(), Correction: req.GetCorrection(),
		})
		if err != nil {
			return nil, err
		}
		return convert.Dispute(d), nil
	})
}
