// Package planner turns a goal into tasks that rest on a course's material: ask
// what a vague goal means, retrieve, outline, write the tasks, check them,
// repair, prove their tests, ask for approval, publish. Rules and models write
// under the same check.
package planner

import (
	"context"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
)

// Material is what the planner reads of a course.
type Material interface {
	Search(ctx context.Context, actor auth.Actor, q rag.Query) (rag.Result, error)
	Passages(ctx context.Context, actor auth.Actor, f rag.PassageFilter) ([]rag.Passage, error)
	Outline(ctx context.Context, actor auth.Actor, courseID string) ([]rag.Document, error)
	Document(ctx context.Context, actor auth.Actor, id string) (rag.Document, error)
	Exercises(ctx context.Context, actor auth.Actor, courseID string) ([]rag.Exercise, error)
	Concepts(ctx context.Context, actor auth.Actor, courseID string) (rag.Graph, error)
}

// Planner has the nodes of the graph.
type Planner struct {
	db       *postgres.DB
	material Material
	tasks    tasks.Service
	prover   validation.Prover
	models   llm.Service
	// useModels is false where only rules may write.
	useModels bool
}

// New makes it; models may be nil.
func New(db *postgres.DB, material Material, service tasks.Service, prover validation.Prover, models llm.Service, cfg agents.Config) *Planner {
	return &Planner{db: db, material: material, tasks: service, prover: prover, models: models, useModels: cfg.Models && models != nil}
}

// maxRepairs is how often a model may mend its plan before the rules write one.
const maxRepairs = 2

// Request is what a run begins with: what the learner asked for, and as whom
// the material is read.
type Request struct {
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Criteria    []string `json:"criteria"`
	Wishes      string   `json:"wishes"`
	AutoApprove bool     `json:"auto_approve"`
	// Locale is "en", "es", or "" for the material's.
	Locale string `json:"locale"`
	// Courses are those of the learner's token when they asked.
	Courses []string `json:"courses"`

	// What the learner answered, see clarify: the course, the whole of it, or
	// topics in their own words or by the titles of units, and what they know.
	Course string   `json:"course,omitempty"`
	Whole  bool     `json:"whole,omitempty"`
	Topics []string `json:"topics,omitempty"`
	Known  []string `json:"known,omitempty"`
}

// Answer is what a run is resumed with.
type Answer struct {
	// Approve with Keys, all if empty, changed by Edits.
	Approve bool              `json:"approve,omitempty"`
	Keys    []string          `json:"keys,omitempty"`
	Edits   []agents.PlanEdit `json:"edits,omitempty"`
	// Request replaces the one that the run began with.
	Request *Request `json:"request,omitempty"`
	// QuestionID and Text answer a question.
	QuestionID string `json:"question_id,omitempty"`
	Text       string `json:"text,omitempty"`
}

// Graphs are the planner's, the newest last; runs keep the one that they began
// with.
func (p *Planner) Graphs() []*engine.Graph { return []*engine.Graph{p.first(), p.second()} }

// first neither asked nor proved.
func (p *Planner) first() *engine.Graph {
	return &engine.Graph{
		Name: agents.GraphPlanner, Version: 1, Start: "retrieve", Forks: true,
		Nodes: []engine.Node{
			{Name: "retrieve", Run: p.retrieve},
			{Name: "outline", Run: p.outline},
			{Name: "tasks", Run: p.write},
			{Name: "check", Run: p.check},
			{Name: "repair", Run: p.repair},
			{Name: "approve", Run: p.approve},
			{Name: "publish", Run: p.publish},
		},
		Edges: []engine.Edge{
			{From: "retrieve", To: "outline"},
			{From: "outline", To: "tasks"},
			{From: "tasks", To: "check"},
			{From: "check", To: "approve", When: sound, Label: "sound"},
			{From: "check", To: "repair", Label: "problems"},
			{From: "repair", To: "check"},
			{From: "approve", To: "publish", Label: "approved"},
		},
	}
}

func (p *Planner) second() *engine.Graph {
	return &engine.Graph{
		Name: agents.GraphPlanner, Version: 2, Start: "clarify", Forks: true, MaxSteps: 50 + 2*agents.MaxPlanTasks,
		Nodes: []engine.Node{
			{Name: "clarify", Run: p.clarify},
			{Name: "retrieve", Run: p.retrieve},
			{Name: "outline", Run: p.outline},
			{Name: "tasks", Run: p.write},
			{Name: "check", Run: p.check},
			{Name: "repair", Run: p.repair},
			{Name: "prove", Run: p.prove},
			{Name: "try", Run: p.try, Attempts: triesOfProof, Timeout: proofsWithin},
			{Name: "proven", Run: p.proven, Join: true},
			{Name: "approve", Run: p.approve},
			{Name: "publish", Run: p.publish},
		},
		Edges: []engine.Edge{
			{From: "clarify", To: "retrieve", Label: "clear"},
			{From: "retrieve", To: "outline"},
			{From: "outline", To: "tasks"},
			{From: "tasks", To: "check"},
			{From: "check", To: "prove", When: sound, Label: "sound"},
			{From: "check", To: "repair", Label: "problems"},
			{From: "repair", To: "check"},
			{From: "prove", To: "proven", When: noTests, Label: "no tests"},
			{From: "prove", To: "try", Label: "tasks with tests"},
			{From: "try", To: "proven"},
			{From: "proven", To: "approve"},
			{From: "approve", To: "publish", Label: "approved"},
		},
	}
}

func sound(s engine.State) bool {
	problems, _ := engine.Get[[]string](s, "problems")
	return len(problems) == 0
}

func noTests(s engine.State) bool {
	plan, _ := engine.Get[agents.Plan](s, "draft")
	return len(withTests(plan)) == 0
}

// reader is the learner as a reader of the material: with no more rights than
// their token gave, or the academy says.
func reader(run agents.Run, r Request) auth.Actor {
	return auth.Actor{UserID: run.UserID, Roles: []auth.Role{auth.Student}, CourseIDs: r.Courses}
}

var system = auth.System("agents")
