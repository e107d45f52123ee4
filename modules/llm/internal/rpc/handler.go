// Package rpc puts models, their cost and their settings on every face.
package rpc

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/llm"
	llmv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/llm/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/llm/v1/llmv1connect"
)

// defaultDays is how far GetSpending looks back when nothing is asked for.
const defaultDays = 30

// Handler implements LlmService.
type Handler struct {
	db      *postgres.DB
	account llm.Account
}

// Service is the handler as the server mounts it.
func Service(db *postgres.DB, account llm.Account) rpc.Service {
	return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return llmv1connect.NewLlmServiceHandler(&Handler{db: db, account: account}, opts...)
	}}
}

// ListModels implements LlmService.
func (h *Handler) ListModels(ctx context.Context, _ *llmv1.ListModelsRequest) (*llmv1.ListModelsResponse, error) {
	answer := &llmv1.ListModelsResponse{}
	for _, m := range h.account.Models(ctx) {
		answer.Models = append(answer.Models, &llmv1.ModelInfo{
			Provider: m.Provider, Model: m.Model, Remote: m.Remote, Generates: m.Generates, Embeds: m.Embeds, Reranks: m.Reranks,
			ContextTokens: int32(m.ContextTokens),
		})
	}
	return answer, nil
}

// GetSpending implements LlmService.
func (h *Handler) GetSpending(ctx context.Context, req *llmv1.GetSpendingRequest) (*llmv1.Spending, error) {
	days := int(req.GetDays())
	if days == 0 {
		days = defaultDays
	}
	s, err := h.account.Spending(ctx, rpc.Actor(ctx), llm.SpendingQuery{CourseID: req.GetCourseId(), Everybody: req.GetEverybody(), Days: days})
	if err != nil {
		return nil, err
	}
	answer := &llmv1.Spending{CostMicros: s.CostMicros, Calls: s.Calls, ResetsAt: timestamppb.New(s.ResetsAt)}
	for _, l := range s.Lines {
		answer.Lines = append(answer.Lines, &llmv1.SpendingLine{
			Day: l.Day.Format(time.DateOnly), Purpose: string(l.Purpose), Provider: l.Provider, Model: l.Model, Calls: l.Calls,
			InputTokens: l.InputTokens, OutputTokens: l.OutputTokens, CostMicros: l.CostMicros,
		})
	}
	for _, b := range s.Budgets {
		answer.Budgets = append(answer.Budgets, &llmv1.BudgetState{Cap: b.Cap, DailyMicros: b.DailyMicros, SpentMicros: b.SpentMicros})
	}
	return answer, nil
}

// GetModelSettings implements LlmService.
func (h *Handler) GetModelSettings(ctx context.Context, _ *llmv1.GetModelSettingsRequest) (*llmv1.ModelSettings, error) {
	s, err := h.account.Settings(ctx, rpc.Actor(ctx))
	if err != nil {
		return nil, err
	}
	return settings(s), nil
}

// UpdateModelSettings implements LlmService.
func (h *Handler) UpdateModelSettings(ctx context.Context, req *llmv1.UpdateModelSettingsRequest) (*llmv1.ModelSettings, error) {
	if req.LocalOnly == nil {
		return h.GetModelSettings(ctx, nil)
	}
	return rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*llmv1.ModelSettings, error) {
		s, err := h.account.SetLocalOnlyTx(ctx, tx, req.GetLocalOnly())
		if err != nil {
			return nil, err
		}
		return settings(s), nil
	})
}

// GetCourseModelSettings implements LlmService.
func (h *Handler) GetCourseModelSettings(ctx context.Context, req *llmv1.GetCourseModelSettingsRequest) (*llmv1.CourseModelSettings, error) {
	s, err := h.account.CourseSettings(ctx, rpc.Actor(ctx), req.GetCourseId())
	if err != nil {
		return nil, err
	}
	return course(s), nil
}

// UpdateCourseModelSettings implements LlmService.
func (h *Handler) UpdateCourseModelSettings(ctx context.Context, req *llmv1.UpdateCourseModelSettingsRequest) (*llmv1.CourseModelSettings, error) {
	return rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*llmv1.CourseModelSettings, error) {
		patch := llm.CoursePatch{LocalOnly: req.LocalOnly, Daily: req.DailyMicros, ResetDaily: req.GetResetDaily()}
		s, err := h.account.UpdateCourseTx(ctx, tx, req.GetCourseId(), patch)
		if err != nil {
			return nil, err
		}
		return course(s), nil
	})
}

// SetLearnerBudget implements LlmService.
func (h *Handler) SetLearnerBudget(ctx context.Context, req *llmv1.SetLearnerBudgetRequest) (*llmv1.LearnerBudget, error) {
	return rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*llmv1.LearnerBudget, error) {
		daily, err := h.account.SetLearnerBudgetTx(ctx, tx, req.GetUserId(), req.DailyMicros)
		if err != nil {
			return nil, err
		}
		return &llmv1.LearnerBudget{UserId: req.GetUserId(), DailyMicros: daily}, nil
	})
}

func settings(s llm.Settings) *llmv1.ModelSettings {
	return &llmv1.ModelSettings{
		LocalOnly: s.LocalOnly, DailyMicros: s.Budget.DailyMicros, SpentMicros: s.Budget.SpentMicros, ResetsAt: timestamppb.New(s.ResetsAt),
	}
}

func course(s llm.CourseSettings) *llmv1.CourseModelSettings {
	return &llmv1.CourseModelSettings{
		CourseId: s.CourseID, LocalOnly: s.LocalOnly, DailyMicros: s.Budget.DailyMicros, SpentMicros: s.Budget.SpentMicros,
	}
}
