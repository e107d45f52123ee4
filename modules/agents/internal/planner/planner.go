// Package planner turns a goal into tasks that rest on a course's material:
// retrieve, outline, write the tasks, check them, repair, ask for approval,
// publish. Rules and models write under the same check.
package planner

import (
	"context"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// Material is what the planner reads of a course.
type Material interface {
	Search(ctx context.Context, actor auth.Actor, q rag.Query) (rag.Result, error)
	Passages(ctx context.Context, actor auth.Actor, f rag.PassageFilter) ([]rag.Passage, error)
	Outline(ctx context.Context, actor auth.Actor, courseID string) ([]rag.Document, error)
	Document(ctx context.Context, actor auth.Actor, id string) (rag.Document, error)
	Exercises(ctx context.Context, actor auth.Actor, courseID string) ([]rag.Exercise, error)
}

// Planner has the nodes of the graph.
type Planner struct {
	material Material
	tasks    tasks.Service
	models   llm.Service
	// useModels is false where only rules may write.
	useModels bool
}

// New makes it; models may be nil.
func New(material Material, service tasks.Service, models llm.Service, cfg agents.Config) *Planner {
	return &Planner{material: material, tasks: service, models: models, useModels: cfg.Models && models != nil}
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
}

// Answer is what a run is resumed with.
type Answer struct {
	// Approve with Keys, all if empty.
	Approve bool     `json:"approve,omitempty"`
	Keys    []string `json:"keys,omitempty"`
	// Request replaces the one that the run began with.
	Request *Request `json:"request,omitempty"`
	// QuestionID and Text answer a question.
	QuestionID string `json:"question_id,omitempty"`
	Text       string `json:"text,omitempty"`
}

// Graph is the planner's.
func (p *Planner) Graph() *engine.Graph {
	ok := func(s engine.State) bool {
		problems, _ := engine.Get[[]string](s, "problems")
		return len(problems) == 0
	}
	return &engine.Graph{
		Name: agents.GraphPlanner, Version: 1, Start: "retrieve",
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
			{From: "check", To: "approve", When: ok, Label: "sound"},
			{From: "check", To: "repair", Label: "problems"},
			{From: "repair", To: "check"},
			{From: "approve", To: "publish", Label: "approved"},
		},
	}
}

// reader is the learner as a reader of the material: with no more rights than
// their token gave, or the academy says.
func reader(run agents.Run, r Request) auth.Actor {
	return auth.Actor{UserID: run.UserID, Roles: []auth.Role{auth.Student}, CourseIDs: r.Courses}
}

var system = auth.System("agents")
