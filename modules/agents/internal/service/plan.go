package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/planner"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// PlanTx implements agents.Service.
func (s *Service) PlanTx(ctx context.Context, tx *postgres.Tx, r agents.PlanRequest) (agents.Run, error) {
	if err := checkWords("wishes", r.Wishes, 0, 4000); err != nil {
		return agents.Run{}, err
	}
	if !slices.Contains([]string{"", "en", "es"}, r.Locale) {
		var c goals.Checker
		c.Wrong("locale", "must be en, es or empty", "debe ser en, es o estar vacío")
		return agents.Run{}, c.Err()
	}
	goal, err := s.goals.LockTx(ctx, tx, r.GoalID)
	if err != nil {
		return agents.Run{}, err
	}
	if !tx.Actor().Owns(goal.UserID) {
		return agents.Run{}, agents.ErrNotYourGoal.New()
	}
	if !goal.Status.Open() {
		return agents.Run{}, goal.Closed()
	}
	request := planner.Request{
		Title: goal.Title, Description: goal.Description, Criteria: goal.Criteria, Wishes: r.Wishes,
		AutoApprove: r.AutoApprove, Locale: r.Locale, Courses: courses(tx.Actor(), goal.CourseID),
	}
	requested := func(runID string) *agentsv1.PlanRequested {
		return &agentsv1.PlanRequested{RunId: runID, GoalId: goal.ID, Wishes: r.Wishes, AutoApprove: r.AutoApprove, Locale: r.Locale}
	}
	before, err := store.Planning(ctx, tx, tx.Actor(), goal.ID)
	if err != nil {
		return agents.Run{}, err
	}
	if before != nil {
		if before.WaitingFor != agents.ForMaterial {
			return agents.Run{}, agents.ErrPlanUnderWay.New(before.ID).WithDetail("run_id", before.ID)
		}
		before.WakeSeconds = 0
		err := s.engine.Resume(ctx, tx, before, planner.Answer{Request: &request}, requested(before.ID))
		return before.Run, err
	}
	id, err := newID()
	if err != nil {
		return agents.Run{}, err
	}
	run, err := s.engine.Start(ctx, tx, agents.Run{
		ID: id, Graph: agents.GraphPlanner, UserID: goal.UserID, CourseID: goal.CourseID, GoalID: goal.ID,
	}, map[string]any{"request": request}, requested(id))
	if err != nil {
		return agents.Run{}, fmt.Errorf("start plan of goal %s: %w", goal.ID, err)
	}
	if run == nil {
		return agents.Run{}, agents.ErrMeanwhile.New()
	}
	return *run, nil
}

// AnswerTx implements agents.Service.
func (s *Service) AnswerTx(ctx context.Context, tx *postgres.Tx, runID, questionID, answer string) (agents.Run, error) {
	if err := checkWords("answer", answer, 1, 4000); err != nil {
		return agents.Run{}, err
	}
	row, err := s.run(ctx, tx, runID)
	if err != nil {
		return agents.Run{}, err
	}
	if row.WaitingFor != agents.ForAnswer || row.Question == nil || questionID != "" && row.Question.ID != questionID {
		return agents.Run{}, agents.ErrNoQuestion.New(runID).WithDetail("waiting_for", string(row.WaitingFor))
	}
	err = s.engine.Resume(ctx, tx, row, planner.Answer{QuestionID: row.Question.ID, Text: answer})
	return row.Run, err
}

// MayApprove implements agents.Service. A course that the academy has deleted was
// not left, and an academy that can't be asked keeps nobody from their work.
func (s *Service) MayApprove(ctx context.Context, actor auth.Actor, runID string) error {
	if uuid.Validate(runID) != nil {
		return agents.ErrRunNotFound.New(runID)
	}
	row, err := store.Get(ctx, s.db.As(actor), actor, runID)
	if err != nil {
		return fmt.Errorf("load agent run %s: %w", runID, err)
	}
	if row == nil {
		return agents.ErrRunNotFound.New(runID)
	}
	if row.CourseID == "" {
		return nil
	}
	if err := s.goals.MayUseCourse(ctx, actor, row.CourseID); errs.CodeOf(err) == errs.PermissionDenied {
		return agents.ErrLeftCourse.New(row.CourseID)
	}
	return nil
}

// ApproveTx implements agents.Service.
func (s *Service) ApproveTx(ctx context.Context, tx *postgres.Tx, runID string, a agents.Approval) (agents.Run, error) {
	row, err := s.run(ctx, tx, runID)
	if err != nil {
		return agents.Run{}, err
	}
	if row.WaitingFor != agents.ForApproval {
		return agents.Run{}, agents.ErrNoPlan.New(runID).WithDetail("status", string(row.Status)).WithDetail("waiting_for", string(row.WaitingFor))
	}
	state, err := engine.Read(row.State)
	if err != nil {
		return agents.Run{}, err
	}
	plan, err := engine.Get[agents.Plan](state, "plan")
	if err != nil {
		return agents.Run{}, err
	}
	if err := checkApproval(plan, a); err != nil {
		return agents.Run{}, err
	}
	if err := s.engine.Resume(ctx, tx, row, planner.Answer{Approve: true, Keys: a.Keys, Edits: a.Edits}); err != nil {
		return agents.Run{}, err
	}
	row.Plan = &plan
	return row.Run, nil
}

// checkApproval finds what can't be taken of a plan.
func checkApproval(plan agents.Plan, a agents.Approval) error {
	var c goals.Checker
	find := func(field, key string) *agents.PlannedTask {
		at := slices.IndexFunc(plan.Tasks, func(t agents.PlannedTask) bool { return t.Key == key })
		if at < 0 {
			c.Wrong(field, fmt.Sprintf("names %.60q, which is no task of the plan", key), fmt.Sprintf("nombra %.60q, que no es una tarea del plan", key))
			return nil
		}
		return &plan.Tasks[at]
	}
	for i, key := range a.Keys {
		find(fmt.Sprintf("keys[%d]", i), key)
	}
	for i, e := range a.Edits {
		field := fmt.Sprintf("edits[%d]", i)
		t := find(field+".key", e.Key)
		if t == nil {
			continue
		}
		if e.Description != nil && t.Proof != nil {
			c.Wrong(field+".description", "belongs to a task whose tests judge what the statement asks for, so it stays as it is",
				"es de una tarea cuyas pruebas evalúan lo que pide el enunciado, así que no se cambia")
		}
		if e.Title != nil && (strings.TrimSpace(*e.Title) == "" || utf8.RuneCountInString(*e.Title) > 500) {
			c.Wrong(field+".title", "must have 1 to 500 characters", "debe tener de 1 a 500 caracteres")
		}
		if e.Description != nil && utf8.RuneCountInString(*e.Description) > 20000 {
			c.Wrong(field+".description", "must have at most 20,000 characters", "debe tener como mucho 20 000 caracteres")
		}
		if h := e.EstimatedHours; h != nil && !(*h >= agents.MinHours && *h <= agents.MaxHours) {
			c.Wrong(field+".estimated_hours", fmt.Sprintf("must be %g to %d", agents.MinHours, agents.MaxHours),
				fmt.Sprintf("debe ser de %g a %d", agents.MinHours, agents.MaxHours))
		}
	}
	return c.Err()
}

// RejectTx implements agents.Service.
func (s *Service) RejectTx(ctx context.Context, tx *postgres.Tx, runID, reason string) (agents.Run, error) {
	if err := checkWords("reason", reason, 0, 2000); err != nil {
		return agents.Run{}, err
	}
	row, err := s.run(ctx, tx, runID)
	if err != nil {
		return agents.Run{}, err
	}
	if row.Graph != agents.GraphPlanner {
		return agents.Run{}, agents.ErrRunNotFound.New(runID)
	}
	return s.cancel(ctx, tx, row, reason)
}
