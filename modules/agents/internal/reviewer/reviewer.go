// Package reviewer explains a verdict: comments from findings, failing tests
// and passages of the course, each with its evidence. It decides no verdict and
// shows no solution.
package reviewer

import (
	"context"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/agents/internal/words"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
)

// Material is what the reviewer reads of a course.
type Material interface {
	Search(ctx context.Context, actor auth.Actor, q rag.Query) (rag.Result, error)
	Passages(ctx context.Context, actor auth.Actor, f rag.PassageFilter) ([]rag.Passage, error)
	Exercises(ctx context.Context, actor auth.Actor, courseID string) ([]rag.Exercise, error)
}

// Verdicts is what the reviewer reads of submissions.
type Verdicts interface {
	Run(ctx context.Context, actor auth.Actor, id string) (validation.Run, error)
	Snapshot(ctx context.Context, actor auth.Actor, id string) (validation.Snapshot, error)
}

// Reviewer has the nodes of the graph.
type Reviewer struct {
	log       *events.Log
	material  Material
	verdicts  Verdicts
	tasks     tasks.Service
	goals     Goals
	library   Library
	earlier   Earlier
	models    llm.Service
	useModels bool
}

// Course is what the reviewer reads of a course, whole documents too.
type Course interface {
	Material
	Library
}

// New makes it; models may be nil.
func New(log *events.Log, course Course, verdicts Verdicts, service tasks.Service, g Goals, earlier Earlier, models llm.Service, cfg agents.Config) *Reviewer {
	return &Reviewer{
		log: log, material: course, library: course, verdicts: verdicts, tasks: service, goals: g, earlier: earlier, models: models,
		useModels: cfg.Models && models != nil,
	}
}

// Graphs are the reviewer's: the one without a rubric ends the runs that began
// with it.
func (r *Reviewer) Graphs() []*engine.Graph {
	empty := func(s engine.State) bool { again, _ := engine.Get[bool](s, "again"); return again }
	first := &engine.Graph{
		Name: agents.GraphReviewer, Version: 1, Start: "comment", Background: true,
		Nodes: []engine.Node{
			{Name: "comment", Run: r.comment},
			{Name: "check", Run: r.check},
			{Name: "publish", Run: r.publish},
		},
		Edges: []engine.Edge{
			{From: "comment", To: "check"},
			{From: "check", To: "comment", When: empty, Label: "nothing is backed"},
			{From: "check", To: "publish", Label: "backed"},
		},
	}
	second := *first
	second.Version = 2
	second.Nodes = append(slices.Clone(first.Nodes), engine.Node{Name: "rubric", Run: r.rubric})
	second.Edges = []engine.Edge{
		{From: "comment", To: "check"},
		{From: "check", To: "comment", When: empty, Label: "nothing is backed"},
		{From: "check", To: "rubric", Label: "backed"},
		{From: "rubric", To: "publish"},
	}
	return []*engine.Graph{first, &second}
}

var system = auth.System("agents")

// Case is all that a review rests on.
type Case struct {
	evidence.Base
	Run      validation.Run
	Snapshot validation.Snapshot
	Task     tasks.Task
	// Locale is the language of the task.
	Locale  string
	history history
	// hits are passages that fit, best first, by what they were looked for.
	hits map[string][]rag.Passage
}

// Load reads a case. Passages are those that the learner may read.
func Load(ctx context.Context, m Material, v Verdicts, t tasks.Service, validationRunID string) (*Case, error) {
	run, err := v.Run(ctx, system, validationRunID)
	if err != nil {
		return nil, err
	}
	if run.Report == nil {
		return nil, validation.ErrRunNotFound.New(validationRunID)
	}
	snapshot, err := v.Snapshot(ctx, system, run.SnapshotID)
	if err != nil {
		return nil, err
	}
	task, err := t.Get(ctx, system, run.TaskID)
	if err != nil {
		return nil, err
	}
	c := &Case{
		Base: evidence.Base{Report: *run.Report, Files: snapshot.Files, Passages: map[string]rag.Passage{}},
		Run:  run, Snapshot: snapshot, Task: task, Locale: words.Locale(task.Title + " " + task.Description), hits: map[string][]rag.Passage{},
	}
	c.Language = task.Language
	if task.Validation != nil {
		for _, f := range task.Validation.Starter {
			c.Starter += f.Content + "\n"
		}
	}
	if task.CourseID != "" {
		if err := c.loadSolution(ctx, m); err != nil {
			return nil, err
		}
	}
	return c, c.loadCited(ctx, m)
}

// loadSolution finds the exercise that the task came from, to keep its solution
// out of what is said.
func (c *Case) loadSolution(ctx context.Context, m Material) error {
	list, err := m.Exercises(ctx, system, c.Task.CourseID)
	if err != nil {
		return err
	}
	for _, x := range list {
		for _, cited := range c.Task.Citations {
			if cited.DocumentID == x.DocumentID {
				for _, f := range x.Files {
					if f.Role == rag.Solution {
						c.Solution += f.Content + "\n"
					}
				}
				return nil
			}
		}
	}
	return nil
}

// loadCited reads the passages that the task rests on.
func (c *Case) loadCited(ctx context.Context, m Material) error {
	ids := make([]string, 0, len(c.Task.Citations))
	for _, cited := range c.Task.Citations {
		ids = append(ids, cited.ChunkID)
	}
	return c.LoadPassages(ctx, m, ids)
}

// LoadPassages reads passages by id, as far as the learner may.
func (c *Case) LoadPassages(ctx context.Context, m Material, ids []string) error {
	if len(ids) == 0 || c.Task.CourseID == "" {
		return nil
	}
	list, err := m.Passages(ctx, c.reader(), rag.PassageFilter{CourseID: c.Task.CourseID, ChunkIDs: ids})
	if errs.CodeOf(err) == errs.PermissionDenied {
		return nil
	}
	for _, p := range list {
		c.Passages[p.ChunkID] = p
	}
	return err
}

// find looks for a passage that explains something, exercises apart; nil for
// none.
func (c *Case) find(ctx context.Context, m Material, about string) (*rag.Passage, error) {
	if c.Task.CourseID == "" {
		return nil, nil
	}
	hits, known := c.hits[about]
	if !known {
		result, err := m.Search(ctx, c.reader(), rag.Query{Text: clip(about, 500), CourseID: c.Task.CourseID, Limit: 10})
		if code := errs.CodeOf(err); err != nil && code != errs.PermissionDenied && code != errs.InvalidArgument {
			return nil, err
		}
		hits = result.Passages
		c.hits[about] = hits
	}
	terms := words.Set(about, c.Locale)
	for _, p := range hits {
		// Two words in common at least: one is chance.
		if p.Kind != rag.PassageText || strings.HasPrefix(p.Path, "exercises/") || words.Overlap(p.Heading+" "+p.Text, c.Locale, terms) < 2 {
			continue
		}
		c.Passages[p.ChunkID] = p
		return &p, nil
	}
	return nil, nil
}

// reader is the learner, in the courses that the academy says.
func (c *Case) reader() auth.Actor {
	return auth.Actor{UserID: c.Task.UserID, Roles: []auth.Role{auth.Student}}
}

func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}
