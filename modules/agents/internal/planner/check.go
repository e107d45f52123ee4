package planner

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// problem is what is wrong with a task of a plan, or with the plan ("").
type problem struct{ key, text string }

// inspect holds a plan against the rules for plans and against the material, as
// its learner reads it.
func (p *Planner) inspect(ctx context.Context, as auth.Actor, c *course, o outline, plan agents.Plan) ([]problem, error) {
	problems := shape(plan)
	graph, err := p.material.Concepts(ctx, as, c.id)
	if err != nil {
		return nil, err
	}
	problems = append(problems, c.outOfReach(graph, o, plan)...)
	exercises, err := p.exercises(ctx, c.id)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, t := range plan.Tasks {
		for _, c := range t.Citations {
			if c.ChunkID != "" && !slices.Contains(ids, c.ChunkID) {
				ids = append(ids, c.ChunkID)
			}
		}
	}
	passages := map[string]rag.Passage{}
	for chunk := range slices.Chunk(ids, 500) {
		list, err := p.material.Passages(ctx, as, rag.PassageFilter{CourseID: c.id, ChunkIDs: chunk})
		if err != nil {
			return nil, err
		}
		for _, found := range list {
			passages[found.ChunkID] = found
		}
	}
	for _, t := range plan.Tasks {
		for _, c := range t.Citations {
			if text := evidence.Unbacked(c, passages); text != "" {
				problems = append(problems, problem{t.Key, text})
			}
		}
		if _, known := exercises[t.Exercise]; t.Exercise != "" && !known {
			problems = append(problems, problem{t.Key, "names an exercise that the course does not have"})
		}
	}
	return problems, nil
}

// maxPlanHours is how long a plan takes at most: three months of full days.
const maxPlanHours = 500

// shape finds what is wrong with a plan by itself.
func shape(plan agents.Plan) (problems []problem) {
	wrong := func(key, format string, args ...any) {
		problems = append(problems, problem{key, fmt.Sprintf(format, args...)})
	}
	if len(plan.Tasks) == 0 || len(plan.Tasks) > agents.MaxPlanTasks {
		wrong("", "a plan has 1 to %d tasks, this one %d", agents.MaxPlanTasks, len(plan.Tasks))
	}
	at := map[string]int{}
	for i, t := range plan.Tasks {
		if _, twice := at[t.Key]; twice || t.Key == "" {
			wrong(t.Key, "the key %q is empty or used twice", t.Key)
		}
		at[t.Key] = i
	}
	hours := 0.0
	for i, t := range plan.Tasks {
		problems = append(problems, slips(t)...)
		hours += t.EstimatedHours
		for j, on := range t.DependsOn {
			if k, ok := at[on]; !ok || k == i || slices.Contains(t.DependsOn[:j], on) {
				wrong(t.Key, "depends_on names %q, which is no other task of the plan, or names it twice", on)
			}
		}
	}
	if hours > maxPlanHours {
		wrong("", "all tasks together take %.0f hours, more than %d", hours, maxPlanHours)
	}
	if cycle := findCycle(plan); cycle != "" {
		wrong(cycle, "it depends on itself by way of others")
	}
	return problems
}

// slips is what is wrong with a task by itself.
func slips(t agents.PlannedTask) (problems []problem) {
	wrong := func(key, format string, args ...any) {
		problems = append(problems, problem{key, fmt.Sprintf(format, args...)})
	}
	if n := utf8.RuneCountInString(t.Title); strings.TrimSpace(t.Title) == "" || n > 500 {
		wrong(t.Key, "a title has 1 to 500 characters, this one %d", n)
	}
	if utf8.RuneCountInString(t.Description) > 20000 {
		wrong(t.Key, "the description is too long")
	}
	if !slices.Contains(tasks.Types, t.Type) {
		wrong(t.Key, "there is no task type %q", t.Type)
	}
	if !(t.EstimatedHours >= agents.MinHours && t.EstimatedHours <= agents.MaxHours) || math.IsNaN(t.EstimatedHours) {
		wrong(t.Key, "estimated_hours must be %g to %d", agents.MinHours, agents.MaxHours)
	}
	if t.Difficulty < 1 || t.Difficulty > 5 {
		wrong(t.Key, "difficulty must be 1 to 5")
	}
	if len(t.Citations) == 0 {
		wrong(t.Key, "it cites no passage")
	}
	return problems
}

// findCycle gives the key of a task that waits for itself; "" for none.
func findCycle(plan agents.Plan) string {
	on := map[string][]string{}
	for _, t := range plan.Tasks {
		on[t.Key] = t.DependsOn
	}
	const open, done = 1, 2
	mark := map[string]int{}
	var visit func(key string) string
	visit = func(key string) string {
		mark[key] = open
		for _, next := range on[key] {
			if mark[next] == open {
				return next
			}
			if _, known := on[next]; known && mark[next] == 0 {
				if found := visit(next); found != "" {
					return found
				}
			}
		}
		mark[key] = done
		return ""
	}
	for _, t := range plan.Tasks {
		if mark[t.Key] == 0 {
			if found := visit(t.Key); found != "" {
				return found
			}
		}
	}
	return ""
}

// without takes tasks out of a plan, and out of what depends on them: that
// depends on what they depended on.
func without(plan agents.Plan, drop map[string]bool) agents.Plan {
	on := map[string][]string{}
	for _, t := range plan.Tasks {
		on[t.Key] = t.DependsOn
	}
	var resolve func(keys []string, seen map[string]bool) []string
	resolve = func(keys []string, seen map[string]bool) (out []string) {
		for _, k := range keys {
			if seen[k] {
				continue
			}
			seen[k] = true
			if drop[k] {
				out = append(out, resolve(on[k], seen)...)
			} else {
				out = append(out, k)
			}
		}
		return out
	}
	kept := []agents.PlannedTask{}
	for _, t := range plan.Tasks {
		if drop[t.Key] {
			continue
		}
		t.DependsOn = append([]string{}, resolve(t.DependsOn, map[string]bool{t.Key: true})...)
		kept = append(kept, t)
	}
	plan.Tasks = kept
	return plan
}

func (p *Planner) exercises(ctx context.Context, courseID string) (map[string]rag.Exercise, error) {
	list, err := p.material.Exercises(ctx, system, courseID)
	if err != nil {
		return nil, err
	}
	byID := map[string]rag.Exercise{}
	for _, x := range list {
		byID[x.ID] = x
	}
	return byID, nil
}
