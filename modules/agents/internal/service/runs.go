package service

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/planner"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// CancelTx implements agents.Service.
func (s *Service) CancelTx(ctx context.Context, tx *postgres.Tx, runID, reason string) (agents.Run, error) {
	if err := checkWords("reason", reason, 0, 2000); err != nil {
		return agents.Run{}, err
	}
	row, err := s.run(ctx, tx, runID)
	if err != nil {
		return agents.Run{}, err
	}
	return s.cancel(ctx, tx, row, reason)
}

// cancel ends a run; a plan's is rejected, as the log has it.
func (s *Service) cancel(ctx context.Context, tx *postgres.Tx, row *store.Row, reason string) (agents.Run, error) {
	if !row.Status.Active() {
		return agents.Run{}, agents.ErrRunOver.New(row.ID).WithDetail("status", string(row.Status))
	}
	var payloads []proto.Message
	if row.Graph == agents.GraphPlanner {
		payloads = append(payloads, &agentsv1.PlanRejected{RunId: row.ID, GoalId: row.GoalID, Reason: strings.TrimSpace(reason)})
	}
	err := s.engine.Cancel(ctx, tx, row, payloads...)
	return row.Run, err
}

// ForkTx implements agents.Service.
func (s *Service) ForkTx(ctx context.Context, tx *postgres.Tx, runID string, step int) (agents.Run, error) {
	row, err := s.run(ctx, tx, runID)
	if err != nil {
		return agents.Run{}, err
	}
	id, err := newID()
	if err != nil {
		return agents.Run{}, err
	}
	var payloads []proto.Message
	if row.Graph == agents.GraphPlanner {
		requested, err := s.forkPlan(ctx, tx, row, id)
		if err != nil {
			return agents.Run{}, err
		}
		payloads = append(payloads, requested)
	}
	run, err := s.engine.Fork(ctx, tx, row.Run, step, id, payloads...)
	if errors.Is(err, engine.ErrNothingGoesOn) || err == nil && run == nil {
		return agents.Run{}, agents.ErrNotForked.New(runID, step).WithDetail("step", strconv.Itoa(step))
	}
	if err != nil {
		return agents.Run{}, err
	}
	return *run, nil
}

// forkPlan is the first event of another plan of a goal, which must be open and
// have none under way.
func (s *Service) forkPlan(ctx context.Context, tx *postgres.Tx, row *store.Row, id string) (*agentsv1.PlanRequested, error) {
	goal, err := s.goals.LockTx(ctx, tx, row.GoalID)
	if err != nil {
		return nil, err
	}
	if !goal.Status.Open() {
		return nil, goal.Closed()
	}
	before, err := store.Planning(ctx, tx, tx.Actor(), row.GoalID)
	if err != nil {
		return nil, err
	}
	if before != nil {
		return nil, agents.ErrPlanUnderWay.New(before.ID).WithDetail("run_id", before.ID)
	}
	state, err := engine.Read(row.State)
	if err != nil {
		return nil, err
	}
	r, err := engine.Get[planner.Request](state, "request")
	return &agentsv1.PlanRequested{RunId: id, GoalId: row.GoalID, Wishes: r.Wishes, AutoApprove: r.AutoApprove, Locale: r.Locale}, err
}
