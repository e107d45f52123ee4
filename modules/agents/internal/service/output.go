package service

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/dispute"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/planner"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// output reads what a learner was told; nil for none.
func (s *Service) output(ctx context.Context, r agents.DisputeRequest) (*agents.DisputeRecord, error) {
	if uuid.Validate(r.OutputID) != nil {
		return nil, nil //nolint:nilerr // no such output
	}
	q := s.db.As(system)
	switch r.Kind {
	case agents.OutputFeedback:
		f, err := store.GetFeedback(ctx, q, system, r.OutputID)
		if err != nil || f == nil {
			return nil, err
		}
		said := agents.Said{
			Text: agents.Text{EN: f.Text}, Label: f.Label, Locale: f.Locale, Comments: f.Comments, ValidationRunID: f.ValidationRunID, At: f.CreatedAt,
		}
		if f.Rubric != nil {
			said.Rubric, said.Criteria = true, f.Rubric.Criteria
		}
		return &agents.DisputeRecord{UserID: f.UserID, CourseID: f.CourseID, TaskID: f.TaskID, Said: said}, nil
	case agents.OutputHint:
		h, err := store.GetHint(ctx, q, system, r.OutputID)
		if err != nil || h == nil {
			return nil, err
		}
		return &agents.DisputeRecord{UserID: h.UserID, CourseID: h.CourseID, TaskID: h.TaskID, Said: agents.Said{
			Text: agents.Text{EN: h.Text}, Label: h.Label, Cites: h.Citations, Level: h.Level, LookedAt: h.LookedAt, At: h.CreatedAt.UTC(),
		}}, nil
	case agents.OutputMessage:
		m, err := store.MessageOf(ctx, q, r.OutputID, agents.FromTutor)
		if err != nil || m == nil {
			return nil, err
		}
		said := agents.Said{Text: agents.Text{EN: m.Text}, Label: m.Label, Cites: m.Citations, LookedAt: m.LookedAt, At: m.CreatedAt.UTC()}
		asked, err := store.MessageOf(ctx, q, r.OutputID, agents.FromLearner)
		if asked != nil {
			said.Question = asked.Text
		}
		return &agents.DisputeRecord{UserID: m.UserID, CourseID: m.CourseID, TaskID: m.TaskID, Said: said}, err
	case agents.OutputPlan:
		return s.plannedOutput(ctx, r.OutputID)
	case agents.OutputEvaluation, agents.OutputNudge:
		return s.figuresOutput(ctx, r)
	}
	return nil, nil
}

// figuresOutput reads what the evaluator or the coach said; nil for none.
func (s *Service) figuresOutput(ctx context.Context, r agents.DisputeRequest) (*agents.DisputeRecord, error) {
	q := s.db.As(system)
	if r.Kind == agents.OutputEvaluation {
		e, err := store.EvaluationByID(ctx, q, r.OutputID)
		if err != nil || e == nil {
			return nil, err
		}
		said := agents.Said{Label: "built-in evaluator, no AI model", Evaluation: e, At: e.EvaluatedAt}
		for _, why := range e.Reasons {
			said.Text.EN, said.Text.ES = said.Text.EN+why.EN+"\n", said.Text.ES+why.ES+"\n"
		}
		d := &agents.DisputeRecord{UserID: e.UserID, CourseID: e.CourseID, Said: said}
		d.Said.Journeys, err = s.journeysAt(ctx, *d)
		return d, err
	}
	n, err := store.NudgeByID(ctx, q, r.OutputID)
	if err != nil || n == nil {
		return nil, err
	}
	d := &agents.DisputeRecord{UserID: n.UserID, CourseID: n.CourseID, TaskID: n.TaskID, GoalID: n.GoalID, Said: agents.Said{
		Text: agents.Text(n.Text), Label: "built-in coach, no AI model", Nudge: n, At: n.CreatedAt,
	}}
	d.Said.Journeys, err = s.journeysAt(ctx, *d)
	return d, err
}

// plannedOutput reads a plan without its files.
func (s *Service) plannedOutput(ctx context.Context, runID string) (d *agents.DisputeRecord, err error) {
	err = s.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		row, err := store.Lock(ctx, tx, system, runID)
		if err != nil || row == nil || row.Graph != agents.GraphPlanner {
			return err
		}
		state, err := engine.Read(row.State)
		if err != nil {
			return err
		}
		plan, err := engine.Get[agents.Plan](state, "plan")
		if err != nil || len(plan.Tasks) == 0 {
			return err
		}
		request, err := engine.Get[planner.Request](state, "request")
		if err != nil {
			return err
		}
		said := agents.Said{Label: plan.Label, Locale: request.Locale, Goal: strings.TrimSpace(request.Title + "\n" + request.Wishes), Tasks: plan.Tasks, At: row.CreatedAt}
		for i := range said.Tasks {
			t := &said.Tasks[i]
			t.Starter, t.Tests, t.Made = nil, nil, nil
			said.Text.EN += fmt.Sprintf("%d. %s\n", i+1, t.Title)
		}
		d = &agents.DisputeRecord{UserID: row.UserID, CourseID: row.CourseID, GoalID: row.GoalID, Said: said}
		return nil
	})
	return d, err
}

// marked marks a run's plan by its disputes.
func (s *Service) marked(ctx context.Context, actor auth.Actor, r *agents.Run) error {
	if r.Plan == nil {
		return nil
	}
	all, err := store.DisputesOf(ctx, s.db.As(actor), actor, agents.OutputPlan, r.ID)
	if err != nil {
		return err
	}
	dispute.StandingOf(all).Plan(r.Plan)
	return nil
}

// shownAs is what a task shows of feedback that was disputed, before its text.
var shownAs = map[agents.Dispute]agents.Text{
	agents.DisputeWithdrawn: {
		EN: "**This feedback was withdrawn** after it was disputed: it does not hold.",
		ES: "**Estos comentarios se han retirado** tras una reclamación: no se sostienen.",
	},
	agents.DisputeCorrected: {
		EN: "**Corrected after a dispute.** These comments don't hold: %s.",
		ES: "**Corregido tras una reclamación.** Estos comentarios no se sostienen: %s.",
	},
}

// Show shows with its task how feedback stands after a dispute, if it is the
// newest there. For subscriptions.
func (s *Service) Show(ctx context.Context, tx *postgres.Tx, feedbackID string) error {
	f, err := store.GetFeedback(ctx, tx, system, feedbackID)
	if err != nil || f == nil {
		return err
	}
	task, err := s.tasks.LockTx(ctx, tx, f.TaskID)
	if err != nil {
		if errs.CodeOf(err) == errs.NotFound {
			return nil // gone meanwhile
		}
		return err
	}
	newest, err := store.NewestFeedback(ctx, tx, system, f.TaskID)
	if err != nil || newest == nil || newest.ID != f.ID || task.SnapshotNumber != f.SnapshotNumber {
		return err
	}
	text := f.Text
	note := shownAs[f.Dispute].In(f.Locale)
	if f.Dispute == agents.DisputeWithdrawn {
		text = note
	}
	if gone := goneOf(f); f.Dispute == agents.DisputeCorrected && len(gone) > 0 {
		text = fmt.Sprintf(note, strings.Join(gone, ", ")) + "\n\n" + f.Text
	}
	if text == task.Feedback {
		return nil
	}
	_, err = s.tasks.FeedbackTx(ctx, tx, f.TaskID, text)
	return err
}

// goneOf names the comments and criteria of feedback that were withdrawn.
func goneOf(f *agents.Feedback) (gone []string) {
	for i, c := range f.Comments {
		if c.Withdrawn {
			gone = append(gone, fmt.Sprint(i+1))
		}
	}
	if f.Rubric == nil {
		return gone
	}
	for _, k := range f.Rubric.Criteria {
		if k.Withdrawn {
			gone = append(gone, k.ID)
		}
	}
	return gone
}
