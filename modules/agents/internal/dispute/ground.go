package dispute

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/agents/internal/reviewer"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// claim is a piece of an output that is disputed.
type claim struct {
	// part names it: the number of a comment, the key of a task, "" for the whole.
	part, text string
}

// ground is what an output rests on, as it is now.
type ground struct {
	evidence.Base
	claims []claim
	// doubts says why what is said of a criterion can't stand; "" when it can.
	doubts func(agents.Criterion) string
	// about is what the learner was to do, locale the language they were told in.
	about, locale string
}

// ground reads what feedback, a hint, a message or a plan rests on.
func (d *Rechecker) ground(ctx context.Context, r *agents.DisputeRecord) (*ground, error) {
	if r.Kind == agents.OutputPlan {
		return d.groundOfPlan(ctx, r)
	}
	c, err := d.caseOf(ctx, r)
	if err != nil {
		return nil, err
	}
	g := &ground{about: c.Task.Title + "\n" + c.Task.Description, locale: c.Locale}
	if r.Said.Locale != "" {
		g.locale = r.Said.Locale
	}
	cites := append([]tasks.Citation{}, r.Said.Cites...)
	for i, comment := range r.Said.Comments {
		if part := fmt.Sprint(i + 1); r.Part == "" || r.Part == part {
			g.claims = append(g.claims, claim{part, comment.Text})
			if comment.Citation != nil {
				cites = append(cites, *comment.Citation)
			}
		}
	}
	for _, k := range r.Said.Criteria {
		if r.Part != "" && r.Part != k.ID {
			continue
		}
		g.claims = append(g.claims, claim{k.ID, fmt.Sprintf("Asked for: %s\nSaid of it: %s. %s", k.Text, k.State, k.Note)})
		for _, e := range k.Evidence {
			if e.Citation != nil {
				cites = append(cites, *e.Citation)
			}
		}
	}
	if len(g.claims) == 0 {
		g.claims = []claim{{"", r.Said.Text.In(g.locale)}}
	}
	ids := make([]string, 0, len(cites))
	for _, cited := range cites {
		ids = append(ids, cited.ChunkID)
	}
	if err := c.LoadPassages(ctx, d.material, ids); err != nil {
		return nil, err
	}
	g.Base, g.doubts = c.Base, c.WrongOf
	return g, nil
}

// caseOf is the run that an output is about, or looked at, or else its task.
func (d *Rechecker) caseOf(ctx context.Context, r *agents.DisputeRecord) (*reviewer.Case, error) {
	run := r.Said.ValidationRunID
	for _, looked := range r.Said.LookedAt {
		if id, ok := strings.CutPrefix(looked, "run "); ok {
			run = id
		}
	}
	if run != "" {
		return reviewer.Load(ctx, d.material, d.verdicts, d.tasks, run)
	}
	return reviewer.LoadTask(ctx, d.material, d.tasks, r.TaskID)
}

func (d *Rechecker) groundOfPlan(ctx context.Context, r *agents.DisputeRecord) (*ground, error) {
	// Nothing is proven again for it: the rules did that.
	run, state, plan, err := d.plan(ctx, r)
	if err != nil {
		return nil, err
	}
	for i := range plan.Tasks {
		plan.Tasks[i].Exercise, plan.Tasks[i].Made = "", nil
	}
	again, err := d.plans.Recheck(ctx, run, state, plan, parts(r), true)
	if err != nil {
		return nil, err
	}
	g := &ground{Base: evidence.Base{Passages: again.Passages}, about: r.Said.Goal, locale: again.Locale}
	for _, t := range plan.Tasks {
		if r.Part == "" || r.Part == t.Key {
			g.claims = append(g.claims, claim{t.Key, t.Title + "\n" + t.Description})
		}
	}
	return g, nil
}

// plan reads a plan with what it was made from.
func (d *Rechecker) plan(ctx context.Context, r *agents.DisputeRecord) (run agents.Run, state engine.State, plan agents.Plan, err error) {
	err = d.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		row, err := store.Lock(ctx, tx, system, r.OutputID)
		if err != nil {
			return err
		}
		if row == nil {
			return agents.ErrRunNotFound.New(r.OutputID)
		}
		run = row.Run
		if err := json.Unmarshal(row.State, &state); err != nil {
			return fmt.Errorf("read plan of run %s: %w", r.OutputID, err)
		}
		plan, err = engine.Get[agents.Plan](state, "plan")
		return err
	})
	return run, state, plan, err
}

func parts(r *agents.DisputeRecord) []string {
	if r.Part == "" {
		return nil
	}
	return []string{r.Part}
}
