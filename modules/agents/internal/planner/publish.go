package planner

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// publish makes tasks of the plan, with plan.approved in one unit of work.
func (p *Planner) publish(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	plan, err := engine.Get[agents.Plan](x.State, "plan")
	if err != nil {
		return engine.Outcome{}, err
	}
	keys, err := engine.Get[[]string](x.State, "keys")
	if err != nil {
		return engine.Outcome{}, err
	}
	edits, err := engine.Get[[]agents.PlanEdit](x.State, "edits")
	if err != nil {
		return engine.Outcome{}, err
	}
	plan = edited(plan, edits)
	o, err := engine.Get[outline](x.State, "outline")
	if err != nil {
		return engine.Outcome{}, err
	}
	if len(keys) > 0 {
		leave := map[string]bool{}
		for _, t := range plan.Tasks {
			leave[t.Key] = !slices.Contains(keys, t.Key)
		}
		plan = without(plan, leave)
	}
	exercises, err := p.exercises(ctx, o.Course)
	if err != nil {
		return engine.Outcome{}, err
	}
	news, ids, err := toTasks(plan, exercises, x.Run.ID)
	if err != nil {
		return engine.Outcome{}, err
	}
	return engine.Outcome{
		Word: fmt.Sprintf("%d tasks", len(news)), Set: map[string]any{"task_ids": ids},
		Commit: func(ctx context.Context, tx *postgres.Tx, c *engine.Commit) error {
			if _, err := p.tasks.CreateTx(ctx, tx, c.Run.GoalID, slices.Clone(news)...); err != nil {
				return err
			}
			c.Append(&agentsv1.PlanApproved{RunId: c.Run.ID, GoalId: c.Run.GoalID, TaskIds: ids})
			return nil
		},
	}, nil
}

// edited is a plan with its learner's changes.
func edited(plan agents.Plan, edits []agents.PlanEdit) agents.Plan {
	plan.Tasks = slices.Clone(plan.Tasks)
	for _, e := range edits {
		for i := range plan.Tasks {
			t := &plan.Tasks[i]
			if t.Key != e.Key {
				continue
			}
			if e.Title != nil {
				t.Title = *e.Title
			}
			if e.Description != nil {
				t.Description = *e.Description
			}
			if e.EstimatedHours != nil {
				t.EstimatedHours = *e.EstimatedHours
			}
		}
	}
	return plan
}

// toTasks makes the tasks of a plan, with the files of its exercises: tests are
// not for learners' eyes.
func toTasks(plan agents.Plan, exercises map[string]rag.Exercise, runID string) (news []tasks.New, ids []string, err error) {
	byKey := map[string]string{}
	for _, t := range plan.Tasks {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, nil, fmt.Errorf("make task id: %w", err)
		}
		byKey[t.Key] = id.String()
		ids = append(ids, id.String())
	}
	for i, t := range plan.Tasks {
		hours := t.EstimatedHours
		about := map[string]any{"planned_by": plan.Label, "plan_run_id": runID, "plan_key": t.Key, "difficulty": t.Difficulty}
		if t.Proof != nil {
			about["proof"] = t.Proof
		}
		metadata, err := json.Marshal(about)
		if err != nil {
			return nil, nil, fmt.Errorf("write metadata: %w", err)
		}
		n := tasks.New{ID: ids[i], Last: true, Details: tasks.Details{
			Title: t.Title, Description: t.Description, Type: t.Type, EstimatedHours: &hours, Concepts: t.Concepts,
			Language: t.Language, Citations: t.Citations, Metadata: goals.Metadata(metadata),
		}}
		for _, on := range t.DependsOn {
			n.DependsOn = append(n.DependsOn, byKey[on])
		}
		if t.Exercise != "" {
			x, ok := exercises[t.Exercise]
			if !ok {
				return nil, nil, agents.ErrMaterialChanged.New(t.Title)
			}
			n.Validation = validationOf(x)
		}
		if t.Made != nil {
			n.Validation = &tasks.Validation{}
			for _, f := range t.Made.Starter {
				n.Validation.Starter = append(n.Validation.Starter, tasks.NewFile(f.Path, f.Content, false))
			}
			for _, f := range t.Made.Tests {
				n.Validation.Tests = append(n.Validation.Tests, tasks.NewFile(f.Path, f.Content, true))
			}
		}
		news = append(news, n)
	}
	return news, ids, nil
}

func validationOf(x rag.Exercise) *tasks.Validation {
	v := &tasks.Validation{}
	for _, f := range x.Files {
		switch f.Role {
		case rag.Starter:
			v.Starter = append(v.Starter, tasks.NewFile(f.Name, f.Content, false))
		case rag.Tests:
			v.Tests = append(v.Tests, tasks.NewFile(f.Name, f.Content, true))
		case rag.Solution: // never leaves the server
		}
	}
	return v
}

func answerOf(input json.RawMessage) (a Answer, err error) {
	if len(input) == 0 {
		return a, nil
	}
	if err = json.Unmarshal(input, &a); err != nil {
		return a, fmt.Errorf("read answer: %w", err)
	}
	return a, nil
}
