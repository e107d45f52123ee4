// Package tutor gives hints on a task as a ladder: a question, the concept, a
// pointer, a worked example of something like it. All comes from the material
// and the last run; never from the solution or the values of tests.
package tutor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/agents/internal/screen"
	"github.com/goals-tracker/tracker/modules/agents/internal/words"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Material is what the tutor reads of a course.
type Material interface {
	Search(ctx context.Context, actor auth.Actor, q rag.Query) (rag.Result, error)
	Passages(ctx context.Context, actor auth.Actor, f rag.PassageFilter) ([]rag.Passage, error)
	Exercises(ctx context.Context, actor auth.Actor, courseID string) ([]rag.Exercise, error)
}

// Runs reads runs of the validator.
type Runs interface {
	Run(ctx context.Context, actor auth.Actor, id string) (validation.Run, error)
}

// Tutor makes hints.
type Tutor struct {
	material  Material
	snapshots Snapshots
}

// New makes it.
func New(material Material, snapshots Snapshots) *Tutor {
	return &Tutor{material: material, snapshots: snapshots}
}

var system = auth.System("agents")

// view is what a hint is made from.
type view struct {
	task   tasks.Task
	locale string
	// lessons are passages of the course's lessons that fit, best first;
	// statement those of the exercise's own page.
	lessons, statement []rag.Passage
	// found are those that fit the question best.
	found  []rag.Passage
	report *validation.Report
	runID  string
	// secret is what a hint may not show: solution, starter and tests.
	secret    string
	functions []string
	// solution is the exercise's own, "" when it is not known; starter is what
	// the learner was given; tests are what judges them.
	solution, starter, tests string
}

// look gathers what the learner may read that helps.
func (t *Tutor) look(ctx context.Context, actor auth.Actor, task tasks.Task, r agents.HintRequest) (*view, error) {
	v := &view{task: task, locale: r.Locale}
	if v.locale == "" {
		v.locale = words.Locale(task.Title + " " + task.Description)
	}
	if task.Result != nil {
		run, err := t.snapshots.Run(ctx, actor, task.Result.RunID)
		if err != nil && errs.CodeOf(err) != errs.NotFound {
			return nil, err
		}
		if err == nil && run.Report != nil {
			v.report, v.runID = run.Report, run.ID
		}
	}
	if task.Validation != nil {
		for _, f := range task.Validation.Starter {
			v.starter += f.Content + "\n"
		}
	}
	for _, f := range task.Validation.Files() {
		v.secret += f.Content + "\n"
	}
	if task.Validation != nil {
		for _, f := range task.Validation.Tests {
			v.tests += f.Content + "\n"
		}
	}
	if task.CourseID == "" {
		return v, nil
	}
	if err := t.keepSecret(ctx, v); err != nil {
		return nil, err
	}
	return v, t.read(ctx, actor, v, r.Question)
}

// keepSecret finds the exercise behind the task.
func (t *Tutor) keepSecret(ctx context.Context, v *view) error {
	list, err := t.material.Exercises(ctx, system, v.task.CourseID)
	if err != nil {
		return err
	}
	for _, x := range list {
		if !slices.ContainsFunc(v.task.Citations, func(c tasks.Citation) bool { return c.DocumentID == x.DocumentID }) {
			continue
		}
		for _, f := range x.Files {
			v.secret += f.Content + "\n"
			if f.Role == rag.Solution {
				v.solution += f.Content + "\n"
			}
			if f.Role == rag.Tests {
				v.tests += f.Content + "\n"
			}
		}
		if names, ok := x.Meta.Extra["functions"].([]any); ok {
			for _, n := range names {
				v.functions = append(v.functions, fmt.Sprint(n))
			}
		}
	}
	return nil
}

func (t *Tutor) read(ctx context.Context, actor auth.Actor, v *view, question string) error {
	ids, docs := make([]string, 0, len(v.task.Citations)), make([]string, 0, len(v.task.Citations))
	for _, c := range v.task.Citations {
		ids, docs = append(ids, c.ChunkID), append(docs, c.DocumentID)
	}
	var cited []rag.Passage
	if len(ids) > 0 {
		var err error
		cited, err = t.material.Passages(ctx, actor, rag.PassageFilter{CourseID: v.task.CourseID, DocumentIDs: docs})
		if errs.CodeOf(err) == errs.PermissionDenied {
			return nil
		}
		if err != nil {
			return err
		}
	}
	for _, p := range cited {
		switch {
		case strings.HasPrefix(p.Path, "exercises/"):
			v.statement = append(v.statement, p)
		case slices.Contains(ids, p.ChunkID):
			v.lessons = append(v.lessons, p)
		}
	}
	text := screen.Cut(question+" "+strings.Join(v.task.Concepts, " ")+" "+v.task.Title, 1000)
	found, err := t.material.Search(ctx, actor, rag.Query{Text: text, CourseID: v.task.CourseID, Limit: 20})
	if code := errs.CodeOf(err); err != nil && code != errs.PermissionDenied && code != errs.InvalidArgument {
		return err
	}
	v.found = found.Passages
	for _, p := range found.Passages {
		if !strings.HasPrefix(p.Path, "exercises/") && !slices.ContainsFunc(v.lessons, func(o rag.Passage) bool { return o.ChunkID == p.ChunkID }) {
			v.lessons = append(v.lessons, p)
		}
	}
	// What follows the cited passages in their document may hold the example.
	for _, p := range cited {
		if !strings.HasPrefix(p.Path, "exercises/") && !slices.ContainsFunc(v.lessons, func(o rag.Passage) bool { return o.ChunkID == p.ChunkID }) {
			v.lessons = append(v.lessons, p)
		}
	}
	return nil
}

// newest is the learner's last snapshot; nil for none.
func (t *Tutor) newest(ctx context.Context, actor auth.Actor, taskID string) (*validation.Snapshot, error) {
	page, err := t.snapshots.Snapshots(ctx, actor, validation.Query{TaskID: taskID, Size: 1})
	if err != nil || len(page.Snapshots) == 0 {
		return nil, err
	}
	s, err := t.snapshots.Snapshot(ctx, actor, page.Snapshots[0].ID)
	if errs.CodeOf(err) == errs.NotFound {
		return nil, nil
	}
	return &s, err
}

// failing is the first test of the last run that did not pass; nil for none.
func (v *view) failing() *validation.Test {
	if v.report == nil {
		return nil
	}
	for _, t := range v.report.Tests {
		if t.Status == judging.StatusFail || t.Status == judging.StatusError {
			return &t
		}
	}
	return nil
}

func cite(p rag.Passage) tasks.Citation { return evidence.Cite(p) }
