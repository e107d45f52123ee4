// Package rpc serves tracker.goals.v1.GoalsService: it converts and calls the
// service, which decides.
package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/convert"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1/goalsv1connect"
)

// Handler implements goalsv1connect.GoalsServiceHandler.
type Handler struct {
	db    *postgres.DB
	goals goals.Service
}

// New makes the handler.
func New(db *postgres.DB, service goals.Service) *Handler { return &Handler{db: db, goals: service} }

var _ goalsv1connect.GoalsServiceHandler = (*Handler)(nil)

// Service mounts the handler.
func (h *Handler) Service() corerpc.Service {
	return corerpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return goalsv1connect.NewGoalsServiceHandler(h, opts...)
	}}
}

// CreateGoal implements the handler.
func (h *Handler) CreateGoal(ctx context.Context, req *goalsv1.CreateGoalRequest) (*goalsv1.Goal, error) {
	metadata, err := goals.ParseMetadata("metadata", req.GetMetadata())
	if err != nil {
		return nil, err
	}
	if req.CourseId != nil {
		if err := h.goals.MayUseCourse(ctx, corerpc.Actor(ctx), req.GetCourseId()); err != nil {
			return nil, err
		}
	}
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return h.goals.CreateTx(ctx, tx, goals.New{Details: goals.Details{
			CourseID: req.GetCourseId(), Title: req.GetTitle(), Description: req.GetDescription(),
			Priority: convert.Priority(req.GetPriority()), Criteria: req.GetValidationCriteria(),
			Metadata: metadata, DueAt: convert.Time(req.GetDueAt()),
		}})
	})
}

// GetGoal implements the handler.
func (h *Handler) GetGoal(ctx context.Context, req *goalsv1.GetGoalRequest) (*goalsv1.Goal, error) {
	g, err := h.goals.Get(ctx, corerpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return convert.Goal(g), nil
}

// ListGoals implements the handler.
func (h *Handler) ListGoals(ctx context.Context, req *goalsv1.ListGoalsRequest) (*goalsv1.ListGoalsResponse, error) {
	q := goals.Query{Size: int(req.GetPageSize()), Token: req.GetPageToken(), CourseID: req.GetCourseId(), UserID: req.GetUserId()}
	for _, s := range req.GetStatus() {
		if status := convert.Status(s); status != "" {
			q.Statuses = append(q.Statuses, status)
		}
	}
	page, err := h.goals.List(ctx, corerpc.Actor(ctx), q)
	if err != nil {
		return nil, err
	}
	answer := &goalsv1.ListGoalsResponse{Goals: make([]*goalsv1.Goal, len(page.Goals)), NextPageToken: page.Next}
	for i, g := range page.Goals {
		answer.Goals[i] = convert.Goal(g)
	}
	return answer, nil
}

// UpdateGoal implements the handler.
func (h *Handler) UpdateGoal(ctx context.Context, req *goalsv1.UpdateGoalRequest) (*goalsv1.Goal, error) {
	patch, err := patchOf(req)
	if err != nil {
		return nil, err
	}
	if patch.CourseID != nil && *patch.CourseID != "" {
		if err := h.mayMove(ctx, req.GetId(), *patch.CourseID); err != nil {
			return nil, err
		}
	}
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return h.goals.UpdateTx(ctx, tx, req.GetId(), req.Version, patch)
	})
}

// mayMove asks whether the caller may put a goal on a course. One that it is on
// already needs no leave: the course, or the academy, may have gone meanwhile.
func (h *Handler) mayMove(ctx context.Context, id, courseID string) error {
	refused := h.goals.MayUseCourse(ctx, corerpc.Actor(ctx), courseID)
	if refused == nil {
		return nil
	}
	g, err := h.goals.Get(ctx, corerpc.Actor(ctx), id)
	if err != nil {
		return err
	}
	if g.CourseID == courseID {
		return nil
	}
	return refused
}

// DeleteGoal implements the handler.
func (h *Handler) DeleteGoal(ctx context.Context, req *goalsv1.DeleteGoalRequest) (*emptypb.Empty, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*emptypb.Empty, error) {
		return &emptypb.Empty{}, h.goals.DeleteTx(ctx, tx, req.GetId(), req.Version)
	})
}

// StartGoal implements the handler.
func (h *Handler) StartGoal(ctx context.Context, req *goalsv1.StartGoalRequest) (*goalsv1.Goal, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return h.goals.StartTx(ctx, tx, req.GetId(), req.Version)
	})
}

// CompleteGoal implements the handler.
func (h *Handler) CompleteGoal(ctx context.Context, req *goalsv1.CompleteGoalRequest) (*goalsv1.Goal, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return h.goals.CompleteTx(ctx, tx, req.GetId(), req.Version)
	})
}

// BlockGoal implements the handler.
func (h *Handler) BlockGoal(ctx context.Context, req *goalsv1.BlockGoalRequest) (*goalsv1.Goal, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return h.goals.BlockTx(ctx, tx, req.GetId(), req.Version, req.GetReason())
	})
}

// CancelGoal implements the handler.
func (h *Handler) CancelGoal(ctx context.Context, req *goalsv1.CancelGoalRequest) (*goalsv1.Goal, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return h.goals.CancelTx(ctx, tx, req.GetId(), req.Version)
	})
}

// ReopenGoal implements the handler.
func (h *Handler) ReopenGoal(ctx context.Context, req *goalsv1.ReopenGoalRequest) (*goalsv1.Goal, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return h.goals.ReopenTx(ctx, tx, req.GetId(), req.Version)
	})
}

// SetProgress implements the handler.
func (h *Handler) SetProgress(ctx context.Context, req *goalsv1.SetProgressRequest) (*goalsv1.Goal, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return h.goals.SetProgressTx(ctx, tx, req.GetId(), req.GetProgress())
	})
}
