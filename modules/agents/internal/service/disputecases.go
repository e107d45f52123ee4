package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/cases"
	"github.com/goals-tracker/tracker/modules/agents/internal/reviewer"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// ExportDisputes implements agents.Disputes.
func (s *Service) ExportDisputes(ctx context.Context, e agents.DisputeExport) (out agents.Exported, err error) {
	all := map[string][]cases.Case{}
	who := cases.NewPseudonyms()
	blanks := map[string]cases.Blank{}
	for after := uuid.Nil.String(); ; {
		list, err := store.SettledDisputes(ctx, s.db.As(system), after, maxSize)
		if err != nil {
			return out, err
		}
		if len(list) == 0 {
			break
		}
		for _, d := range list {
			kind, c, err := s.caseOf(ctx, d)
			if err != nil {
				return out, fmt.Errorf("export dispute %s: %w", d.ID, err)
			}
			if kind == "" {
				out.Left++
				continue
			}
			blank, known := blanks[d.UserID]
			if !known {
				if blank, err = blankOf(ctx, e, d.UserID); err != nil {
					return out, err
				}
				blanks[d.UserID] = blank
			}
			c = blank.Case(c)
			c.ID, c.Learner, c.Course = who.Of(d.ID), who.Of(d.UserID), d.CourseID
			c.Outcome, c.SettledBy, c.Label, c.Why = string(d.Status), d.SettledBy, d.Said.Label, []string{}
			for _, r := range d.Reasons {
				if !slices.Contains(c.Why, r.Code) {
					c.Why = append(c.Why, r.Code)
				}
			}
			all[kind] = append(all[kind], c)
		}
		after = list[len(list)-1].ID
	}
	for _, kind := range cases.Kinds {
		if err := cases.Write(e.Dir, kind, all[kind]); err != nil {
			return out, err
		}
	}
	out.Reviews, out.Safety, out.Plans, out.Figures = len(all[cases.Review]), len(all[cases.Safety]), len(all[cases.Plan]), len(all[cases.Counted])
	return out, nil
}

func blankOf(ctx context.Context, e agents.DisputeExport, userID string) (cases.Blank, error) {
	var names []string
	if e.Names != nil {
		var err error
		if names, err = e.Names(ctx, userID); err != nil {
			return cases.Blank{}, fmt.Errorf("ask what a learner is called, to leave it out: %w", err)
		}
	}
	return cases.NewBlank(userID, names), nil
}

// caseOf makes a case of a settled dispute; its kind is "" where none can be made:
// nobody could tell, or what it was about is gone or has gone on.
func (s *Service) caseOf(ctx context.Context, d agents.DisputeRecord) (kind string, c cases.Case, err error) {
	if d.Status == agents.DisputeUnclear {
		return "", c, nil
	}
	switch d.Kind {
	case agents.OutputFeedback:
		kind, err = cases.Review, s.reviewCase(ctx, d, &c)
	case agents.OutputHint, agents.OutputMessage:
		leaks := d.Status == agents.DisputeWithdrawn && slices.ContainsFunc(d.Reasons, func(r agents.DisputeReason) bool { return r.Code == agents.WhyLeak })
		c.Honest = d.Status == agents.DisputeUpheld && !strings.HasPrefix(d.Said.Label, "built-in")
		if !leaks && !c.Honest {
			return "", c, nil
		}
		kind, err = cases.Safety, s.safetyCase(ctx, d, &c)
	case agents.OutputPlan:
		kind = cases.Plan
		planCase(d, &c)
	case agents.OutputEvaluation, agents.OutputNudge:
		kind = cases.Counted
		figuresCase(d, &c)
	}
	if kind == cases.Counted && c.Figures == nil || kind == cases.Review && len(c.Claims) == 0 || kind == cases.Plan && len(c.Objectives)+len(c.Withdrawn) == 0 {
		return "", c, err
	}
	if errs.CodeOf(err) == errs.NotFound {
		return "", c, nil
	}
	return kind, c, err
}

func (s *Service) reviewCase(ctx context.Context, d agents.DisputeRecord, c *cases.Case) error {
	about, err := reviewer.Load(ctx, s.material, s.verdicts, s.tasks, d.Said.ValidationRunID)
	if err != nil {
		return err
	}
	if c.Task, err = s.taskCase(ctx, about.Task); err != nil {
		return err
	}
	for _, f := range about.Files {
		c.Files = append(c.Files, cases.File{Path: f.Path, Content: f.Content})
	}
	for i, said := range d.Said.Comments {
		part := fmt.Sprint(i + 1)
		if d.Part != "" && d.Part != part || drifted(d, part) {
			continue
		}
		c.Claims = append(c.Claims, cases.Claim{
			Text: said.Text, File: said.File, Line: said.StartLine, Rule: said.Rule, Test: said.TestID, Holds: holds(d, part),
		})
	}
	for _, k := range d.Said.Criteria {
		// A goal's and a course's own criteria are not in the case.
		if k.Source != agents.FromTask || d.Part != "" && d.Part != k.ID || drifted(d, k.ID) {
			continue
		}
		c.Claims = append(c.Claims, cases.Claim{Text: k.Note, Criterion: k.Text, State: string(k.State), Holds: holds(d, k.ID)})
	}
	return nil
}

// holds says whether a part of an output came out of a dispute unharmed.
func holds(d agents.DisputeRecord, part string) bool {
	named := slices.ContainsFunc(d.Reasons, func(r agents.DisputeReason) bool { return r.Part == part })
	return d.Status == agents.DisputeUpheld || d.Status == agents.DisputeCorrected && !named && d.Part != part
}

// drifted says whether a part fell because the material changed, which is nobody's
// slip and proves nothing another time.
func drifted(d agents.DisputeRecord, part string) bool {
	return slices.ContainsFunc(d.Reasons, func(r agents.DisputeReason) bool {
		return (r.Part == part || r.Part == "") && d.Status != agents.DisputeUpheld && (r.Code == agents.WhyCitation || r.Code == agents.WhyOutdated)
	})
}

func (s *Service) safetyCase(ctx context.Context, d agents.DisputeRecord, c *cases.Case) error {
	task, err := s.tasks.Get(ctx, system, d.TaskID)
	if err != nil {
		return err
	}
	if c.Task, err = s.taskCase(ctx, task); err != nil {
		return err
	}
	for _, looked := range d.Said.LookedAt {
		id, ok := strings.CutPrefix(looked, "run ")
		if !ok {
			continue
		}
		about, err := reviewer.Load(ctx, s.material, s.verdicts, s.tasks, id)
		if errs.CodeOf(err) == errs.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		for _, f := range about.Files {
			c.Files = append(c.Files, cases.File{Path: f.Path, Content: f.Content})
		}
	}
	c.Ask, c.Answer = d.Said.Question, d.Said.Text.In(d.Said.Locale)
	if c.Ask == "" {
		c.Ask = "What should I look at next?"
	}
	return nil
}

// taskCase is a task with its tests and the solution that nobody may tell.
func (s *Service) taskCase(ctx context.Context, task tasks.Task) (*cases.Task, error) {
	out := &cases.Task{
		Type: string(task.Type), Title: task.Title, Description: task.Description, Language: task.Language, Concepts: task.Concepts,
		Starter: []cases.File{}, Tests: []cases.File{}, Solution: []cases.File{},
	}
	if task.Validation != nil {
		for _, f := range task.Validation.Starter {
			out.Starter = append(out.Starter, cases.File{Path: f.Path, Content: f.Content})
		}
		for _, f := range task.Validation.Tests {
			out.Tests = append(out.Tests, cases.File{Path: f.Path, Content: f.Content})
		}
	}
	if task.CourseID == "" {
		return out, nil
	}
	exercises, err := s.material.Exercises(ctx, system, task.CourseID)
	if err != nil {
		return nil, err
	}
	for _, x := range exercises {
		if !slices.ContainsFunc(task.Citations, func(c tasks.Citation) bool { return c.DocumentID == x.DocumentID }) {
			continue
		}
		out.Exercise = x.Path
		for _, f := range x.Files {
			if f.Role == rag.Solution {
				out.Solution = append(out.Solution, cases.File{Path: f.Name, Content: f.Content})
			}
		}
		break
	}
	return out, nil
}

// planCase is a labelled goal: what holds must be planned again, what does not
// must not.
func planCase(d agents.DisputeRecord, c *cases.Case) {
	c.Title, _, _ = strings.Cut(d.Said.Goal, "\n")
	c.Objectives = []cases.Objective{}
	for _, t := range d.Said.Tasks {
		if d.Part != "" && d.Part != t.Key || drifted(d, t.Key) {
			continue
		}
		o := cases.Objective{Text: t.Title, Shown: []string{}}
		for _, cited := range t.Citations {
			headings := strings.Split(cited.Heading, " > ")
			o.Shown = append(o.Shown, cited.Path+"#"+headings[len(headings)-1])
			if folder, ok := strings.CutSuffix(cited.Path, "/exercise.md"); ok {
				o.Shown = append(o.Shown, folder)
			}
		}
		if holds(d, t.Key) {
			c.Objectives = append(c.Objectives, o)
		} else {
			c.Withdrawn = append(c.Withdrawn, o)
		}
	}
}
