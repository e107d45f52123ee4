// Package dispute looks again at what an agent told a learner when somebody says
// that it is wrong: rules hold it against the report, the submission and the
// material as they are now, and a model, where one is configured, takes a second
// look whose every finding must be backed again. What it comes to is recorded,
// and withdrawn output is marked, never deleted.
package dispute

import (
	"context"
	"errors"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/planner"
	"github.com/goals-tracker/tracker/modules/agents/internal/reviewer"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// Plans looks at plans again.
type Plans interface {
	Recheck(ctx context.Context, run agents.Run, state engine.State, plan agents.Plan, keys []string, last bool) (planner.Rechecked, error)
}

// Activity says on how many days in a row a learner worked.
type Activity interface {
	Progress(ctx context.Context, actor auth.Actor, who analytics.Who) (analytics.Progress, error)
}

// Rechecker has the nodes of the graph.
type Rechecker struct {
	db        *postgres.DB
	log       *events.Log
	material  reviewer.Material
	verdicts  reviewer.Verdicts
	tasks     tasks.Service
	plans     Plans
	activity  Activity
	models    llm.Service
	useModels bool
}

// New makes it; models and activity may be nil.
func New(db *postgres.DB, log *events.Log, material reviewer.Material, verdicts reviewer.Verdicts, service tasks.Service, plans Plans,
	activity Activity, models llm.Service, cfg agents.Config) *Rechecker {
	return &Rechecker{
		db: db, log: log, material: material, verdicts: verdicts, tasks: service, plans: plans, activity: activity,
		models: models, useModels: cfg.Models && models != nil,
	}
}

var system = auth.System("agents")

const (
	// tries and within are those of proofs: a plan's tests run again.
	tries  = 3
	within = 20 * time.Minute
)

// Begin is what a run begins with: the id of the dispute.
const Begin = "dispute"

// Graph is the dispute's.
func (d *Rechecker) Graph() *engine.Graph {
	return &engine.Graph{
		Name: agents.GraphDispute, Version: 1, Start: "recheck",
		Nodes: []engine.Node{
			{Name: "recheck", Run: d.recheck, Attempts: tries, Timeout: within},
			{Name: "look", Run: d.look},
			{Name: "settle", Run: d.settle},
		},
		Edges: []engine.Edge{
			{From: "recheck", To: "look", When: wantsLook, Label: "a model may know more"},
			{From: "recheck", To: "settle"},
			{From: "look", To: "settle"},
		},
	}
}

func wantsLook(s engine.State) bool { look, _ := engine.Get[bool](s, "look"); return look }

// finding is what rules or a model come to.
type finding struct {
	Outcome agents.Dispute         `json:"outcome"`
	By      string                 `json:"by"`
	Reasons []agents.DisputeReason `json:"reasons"`
	// Again is the evaluation that comes in place of the one that was disputed.
	Again *agents.Evaluation `json:"again,omitempty"`
}

// record reads the dispute of a run; nil when it is over or gone.
func (d *Rechecker) record(ctx context.Context, x *engine.Execution) (*agents.DisputeRecord, error) {
	id, err := engine.Get[string](x.State, Begin)
	if err != nil {
		return nil, err
	}
	r, err := store.GetDispute(ctx, d.db.As(system), system, id)
	if err != nil || r == nil || r.Status != agents.DisputeOpen {
		return nil, err
	}
	return r, nil
}

// recheck holds the output against what it rests on, by rules.
func (d *Rechecker) recheck(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	r, err := d.record(ctx, x)
	if err != nil {
		return engine.Outcome{}, err
	}
	if r == nil {
		return engine.Outcome{Word: "settled meanwhile"}, nil
	}
	found, err := d.rules(ctx, r, x.Attempt >= tries)
	if is(err, errs.NotFound, errs.PermissionDenied) {
		found, err = finding{Outcome: agents.DisputeUnclear, Reasons: []agents.DisputeReason{reason(agents.WhyGone)}}, nil
	}
	if err != nil {
		return engine.Outcome{}, err
	}
	found.By = agents.SettledByRules
	look := d.useModels && d.models.Available(llm.Review) && readable(*r) &&
		(found.Outcome == agents.DisputeUpheld || found.Outcome == agents.DisputeUnclear && !has(found.Reasons, agents.WhyGone))
	return engine.Outcome{Word: string(found.Outcome), Set: map[string]any{"found": found, "look": look}}, nil
}

// readable says whether a model could say more than the rules: of texts, not of
// figures.
func readable(r agents.DisputeRecord) bool {
	return r.Kind != agents.OutputEvaluation && r.Kind != agents.OutputNudge
}

// look has a model take a second look.
func (d *Rechecker) look(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	r, err := d.record(ctx, x)
	if err != nil {
		return engine.Outcome{}, err
	}
	if r == nil {
		return engine.Outcome{Word: "settled meanwhile"}, nil
	}
	found, err := engine.Get[finding](x.State, "found")
	if err != nil {
		return engine.Outcome{}, err
	}
	g, err := d.ground(ctx, r)
	if is(err, errs.NotFound, errs.PermissionDenied) {
		return engine.Outcome{Word: "gone"}, nil
	}
	if err != nil {
		return engine.Outcome{}, err
	}
	seen, label, ok := d.byModel(ctx, x, r, g)
	if !ok {
		return engine.Outcome{Word: "no answer"}, nil
	}
	after := weigh(*r, found, seen)
	return engine.Outcome{Word: string(after.Outcome), Label: label, Set: map[string]any{"found": after}}, nil
}

func is(err error, codes ...errs.Code) bool {
	var known *errs.Error
	if !errors.As(err, &known) {
		return false
	}
	for _, c := range codes {
		if known.Kind.Code == c {
			return true
		}
	}
	return false
}

func has(reasons []agents.DisputeReason, code string) bool {
	for _, r := range reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}
