package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/convert"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// outline is what a plan is made from.
type outline struct {
	Course string `json:"course"`
	// Locale is what texts are written in: as asked for, else the material's.
	Locale string   `json:"locale"`
	Units  []chosen `json:"units"`
	// Known are the documents of units that the learner has done with.
	Known []string `json:"known,omitempty"`
	// Titles are the units', for who reads the run.
	Titles []string `json:"titles"`
	// Rank is how well passages fit the goal, by id.
	Rank map[string]float64 `json:"rank"`
}

// retrieve finds the course that serves the goal, and its passages that fit.
// When nothing fits it asks for material.
func (p *Planner) retrieve(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	r, err := engine.Get[Request](x.State, "request")
	if err != nil {
		return engine.Outcome{}, err
	}
	if answer, err := answerOf(x.Input); err != nil {
		return engine.Outcome{}, err
	} else if answer.Request != nil {
		r = *answer.Request
	}
	as := reader(x.Run, r)
	candidates, err := p.candidates(ctx, as, x.Run.CourseID, r)
	if err != nil {
		return engine.Outcome{}, err
	}
	if r.Course != "" {
		candidates = []string{r.Course}
	}
	var best *course
	var picked choice
	known := false
	for _, id := range candidates {
		c, err := p.load(ctx, as, id)
		if errors.Is(err, errNoMaterial) {
			continue
		}
		if err != nil {
			return engine.Outcome{}, err
		}
		got := c.choose(r)
		known = known || got.known
		if len(got.units) > 0 && (best == nil || got.fit > picked.fit) {
			best, picked = c, got
		}
	}
	if best == nil {
		message := needsMaterial(r)
		if known {
			message = knowsAll(r)
		}
		return engine.Outcome{
			Word: "nothing fits", Set: map[string]any{"request": r},
			Wait: &engine.Interrupt{For: agents.ForMaterial, Message: message, Wake: true},
		}, nil
	}
	found := outline{Course: best.id, Locale: r.Locale, Units: picked.units, Known: picked.done, Rank: map[string]float64{}}
	if found.Locale == "" {
		found.Locale = best.locale
	}
	hits, err := p.material.Search(ctx, as, rag.Query{Text: clip(r.Title+"\n"+r.Description+"\n"+r.Wishes, 2000), CourseID: best.id, Limit: 50})
	if err != nil {
		return engine.Outcome{}, err
	}
	for _, h := range hits.Passages {
		found.Rank[h.ChunkID] = h.Score
	}
	return engine.Outcome{Word: "found", Set: map[string]any{"request": r, "found": found}}, nil
}

// candidates are the courses to look into: the goal's, or else those of the
// learner's that say something on it, best first.
func (p *Planner) candidates(ctx context.Context, as auth.Actor, goalCourse string, r Request) ([]string, error) {
	if goalCourse != "" {
		return []string{goalCourse}, nil
	}
	hits, err := p.material.Search(ctx, as, rag.Query{Text: clip(r.Title+"\n"+r.Description, 2000), Scope: rag.ScopeGlobal, Limit: 50})
	if err != nil {
		return nil, err
	}
	var list []string
	for _, h := range hits.Passages {
		if h.CourseID != "" && !slices.Contains(list, h.CourseID) {
			list = append(list, h.CourseID)
		}
	}
	return first(list, 5), nil
}

// outline settles which units the plan has, in the course's order.
func (p *Planner) outline(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	found, err := engine.Get[outline](x.State, "found")
	if err != nil {
		return engine.Outcome{}, err
	}
	c, _, found, err := p.reload(ctx, x, found)
	if err != nil {
		return engine.Outcome{}, err
	}
	found.Units = c.compose(found.Units, found.Known)
	found.Titles = nil
	for _, u := range found.Units {
		found.Titles = append(found.Titles, c.units[u.Index].Title)
	}
	return engine.Outcome{Word: fmt.Sprintf("%d units", len(found.Units)), Set: map[string]any{"outline": found}}, nil
}

// reload reads the course again, and finds the outline's units in it.
func (p *Planner) reload(ctx context.Context, x *engine.Execution, o outline) (*course, Request, outline, error) {
	r, err := engine.Get[Request](x.State, "request")
	if err != nil {
		return nil, r, o, err
	}
	c, err := p.load(ctx, reader(x.Run, r), o.Course)
	if err != nil {
		return nil, r, o, fmt.Errorf("read course %s again: %w", o.Course, err)
	}
	units := o.Units
	o.Units, o.Titles = nil, nil
	for _, u := range units {
		for i := range c.units {
			if u.Document == c.units[i].ID {
				u.Index = i
				o.Units, o.Titles = append(o.Units, u), append(o.Titles, c.units[i].Title)
			}
		}
	}
	return c, r, o, nil
}

// write makes the first draft: a model's, where one answers, else the rules'.
func (p *Planner) write(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	o, err := engine.Get[outline](x.State, "outline")
	if err != nil {
		return engine.Outcome{}, err
	}
	c, r, o, err := p.reload(ctx, x, o)
	if err != nil {
		return engine.Outcome{}, err
	}
	if plan, problems, ok := p.byModel(ctx, x, c, r, o, nil, nil); ok {
		return drafted(plan, "model", 0, problems), nil
	}
	plan, err := p.byRules(ctx, reader(x.Run, r), c, o)
	if err != nil {
		return engine.Outcome{}, err
	}
	return drafted(plan, "rules", 0, nil), nil
}

func drafted(plan agents.Plan, by string, repairs int, slips []string) engine.Outcome {
	return engine.Outcome{Word: "by " + by, Set: map[string]any{"draft": plan, "by": by, "repairs": repairs, "slips": slips}}
}

// check holds the draft against the rules for plans and the material.
func (p *Planner) check(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	plan, err := engine.Get[agents.Plan](x.State, "draft")
	if err != nil {
		return engine.Outcome{}, err
	}
	o, err := engine.Get[outline](x.State, "outline")
	if err != nil {
		return engine.Outcome{}, err
	}
	c, r, o, err := p.reload(ctx, x, o)
	if err != nil {
		return engine.Outcome{}, err
	}
	// What a model's answer lost when it was read.
	problems, err := engine.Get[[]string](x.State, "slips")
	if err != nil {
		return engine.Outcome{}, err
	}
	found, err := p.inspect(ctx, reader(x.Run, r), c, o, plan)
	if err != nil {
		return engine.Outcome{}, err
	}
	bad := map[string]bool{}
	for _, f := range found {
		bad[f.key] = true
		problems = append(problems, fmt.Sprintf("task %q: %s", f.key, f.text))
	}
	word := "sound"
	if len(problems) > 0 {
		word = fmt.Sprintf("%d problems", len(problems))
	}
	return engine.Outcome{Word: word, Set: map[string]any{"problems": first(problems, 40), "bad": bad}}, nil
}

// repair lets the model mend its plan, twice at most; then the rules write it.
// From a plan by rules it takes the tasks that don't hold.
func (p *Planner) repair(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	plan, err := engine.Get[agents.Plan](x.State, "draft")
	if err != nil {
		return engine.Outcome{}, err
	}
	repairs, _ := engine.Get[int](x.State, "repairs")
	by, _ := engine.Get[string](x.State, "by")
	problems, _ := engine.Get[[]string](x.State, "problems")
	bad, _ := engine.Get[map[string]bool](x.State, "bad")
	o, err := engine.Get[outline](x.State, "outline")
	if err != nil {
		return engine.Outcome{}, err
	}
	if by == "rules" {
		rest := without(plan, bad)
		if len(rest.Tasks) == 0 || repairs > maxRepairs+2 {
			r, _ := engine.Get[Request](x.State, "request")
			text := needsMaterial(r)
			return engine.Outcome{Fail: &text}, nil
		}
		return drafted(rest, by, repairs+1, nil), nil
	}
	c, r, o, err := p.reload(ctx, x, o)
	if err != nil {
		return engine.Outcome{}, err
	}
	if repairs < maxRepairs {
		if plan, slips, ok := p.byModel(ctx, x, c, r, o, &plan, problems); ok {
			return drafted(plan, "model", repairs+1, slips), nil
		}
	}
	if plan, err = p.byRules(ctx, reader(x.Run, r), c, o); err != nil {
		return engine.Outcome{}, err
	}
	return drafted(plan, "rules", repairs, nil), nil
}

// approve shows the plan, and waits for the learner unless they said otherwise.
func (p *Planner) approve(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
	answer, err := answerOf(x.Input)
	if err != nil {
		return engine.Outcome{}, err
	}
	if answer.Approve {
		return engine.Outcome{Word: "approved", Set: map[string]any{"keys": answer.Keys, "edits": answer.Edits}}, nil
	}
	plan, err := engine.Get[agents.Plan](x.State, "draft")
	if err != nil {
		return engine.Outcome{}, err
	}
	r, err := engine.Get[Request](x.State, "request")
	if err != nil {
		return engine.Outcome{}, err
	}
	out := engine.Outcome{
		Word: "approved by request", Set: map[string]any{"plan": plan}, Label: plan.Label,
		Commit: func(_ context.Context, _ *postgres.Tx, c *engine.Commit) error {
			c.Append(&agentsv1.PlanGenerated{RunId: c.Run.ID, GoalId: c.Run.GoalID, Plan: convert.PlanForLog(plan)})
			return nil
		},
	}
	if !r.AutoApprove {
		out.Word = "waiting"
		out.Wait = &engine.Interrupt{For: agents.ForApproval, Message: agents.Text{
			EN: "Your plan is ready. Approve it, or those of its tasks that you want, and they become tasks of your goal.",
			ES: "Tu plan está listo. Apruébalo entero o solo las tareas que quieras, y pasarán a ser tareas de tu objetivo.",
		}}
	}
	return out, nil
}
