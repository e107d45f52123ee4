package dispute

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evaluator"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/core/auth"
)

func figures(outcome agents.Dispute, en, es string) finding {
	return finding{Outcome: outcome, Reasons: []agents.DisputeReason{{Code: agents.WhyFigures, Text: agents.Text{EN: en, ES: es}}}}
}

// evaluation counts again. Where the learner has worked on since, or the figures
// come out otherwise, an evaluation of now comes in its place.
func (d *Rechecker) evaluation(ctx context.Context, r *agents.DisputeRecord) (finding, error) {
	was := r.Said.Evaluation
	journeys, err := store.Journeys(ctx, d.db.As(system), r.UserID, r.CourseID, false)
	if err != nil {
		return finding{}, err
	}
	since := 0
	for _, j := range journeys {
		for _, at := range []time.Time{j.LastTryAt, j.LastHintAt, j.FinishedAt} {
			if at.After(was.EvaluatedAt) {
				since++
				break
			}
		}
	}
	if same(*was, evaluator.Evaluate(journeys, was.EvaluatedAt)) {
		return figures(agents.DisputeUpheld,
			fmt.Sprintf("It was counted again from %d tasks, with the same result.", was.Evidence),
			fmt.Sprintf("Se ha contado de nuevo con %d tareas y el resultado es el mismo.", was.Evidence)), nil
	}
	now := evaluator.Evaluate(journeys, time.Now().UTC().Truncate(time.Microsecond))
	now.UserID, now.CourseID = r.UserID, r.CourseID
	found := figures(agents.DisputeCorrected,
		"Counted again, the figures come out otherwise. A new evaluation stands in its place.",
		"Contado de nuevo, las cifras son otras. Hay una evaluación nueva en su lugar.")
	if since > 0 {
		found = figures(agents.DisputeCorrected,
			fmt.Sprintf("There is news of %d tasks since. A new evaluation stands in its place.", since),
			fmt.Sprintf("Hay novedades en %d tareas desde entonces. Hay una evaluación nueva en su lugar.", since))
	}
	found.Again = &now
	return found, nil
}

// same says whether two evaluations say the same of the learner.
func same(a, b agents.Evaluation) bool {
	return a.Trend == b.Trend && a.Evidence == b.Evidence && maps.Equal(a.Mastery, b.Mastery) && slices.Equal(a.Reasons, b.Reasons)
}

// nudge looks at what the coach went by.
func (d *Rechecker) nudge(ctx context.Context, r *agents.DisputeRecord) (finding, error) {
	n := r.Said.Nudge
	switch n.Kind {
	case agents.NudgeStuck:
		return d.stuck(ctx, n)
	case agents.NudgeDeadline:
		return d.deadline(ctx, n)
	}
	return d.streak(ctx, n)
}

var times = regexp.MustCompile(`(\d+) (?:times in a row|days in a row)`)

// claimed is the figure that a nudge names; 0 for none.
func claimed(n *agents.Nudge) int {
	m := times.FindStringSubmatch(n.Text.EN)
	if m == nil {
		return 0
	}
	figure, _ := strconv.Atoi(m[1])
	return figure
}

func (d *Rechecker) stuck(ctx context.Context, n *agents.Nudge) (finding, error) {
	journeys, err := store.Journeys(ctx, d.db.As(system), n.UserID, "", true)
	if err != nil {
		return finding{}, err
	}
	at := slices.IndexFunc(journeys, func(j store.Journey) bool { return j.TaskID == n.TaskID })
	if at < 0 {
		return finding{Outcome: agents.DisputeUnclear, Reasons: []agents.DisputeReason{reason(agents.WhyGone)}}, nil
	}
	j, said := journeys[at], claimed(n)
	en, es := fmt.Sprintf("“%s” was tried %d times in all, and failed %d times in a row of late; the word was %d.", j.Title, j.Tries, j.FailsInARow, said),
		fmt.Sprintf("«%s» se ha intentado %d veces en total y últimamente ha fallado %d veces seguidas; se dijo %d.", j.Title, j.Tries, j.FailsInARow, said)
	switch {
	case j.FailsInARow >= said || j.LastTryAt.After(n.CreatedAt) && j.Tries > said:
		return figures(agents.DisputeUpheld, en, es), nil
	case j.Tries < said:
		return figures(agents.DisputeWithdrawn, en, es), nil
	}
	return figures(agents.DisputeUnclear, en, es), nil
}

func (d *Rechecker) deadline(ctx context.Context, n *agents.Nudge) (finding, error) {
	g, err := store.DueGoalByID(ctx, d.db.As(system), n.GoalID)
	if err != nil {
		return finding{}, err
	}
	if g == nil {
		return figures(agents.DisputeWithdrawn, "The goal has no date any more.", "El objetivo ya no tiene fecha."), nil
	}
	day := g.DueAt.Format(time.DateOnly)
	en, es := fmt.Sprintf("“%s” is due on %s.", g.Title, day), fmt.Sprintf("«%s» vence el %s.", g.Title, day)
	if !regexp.MustCompile(`\b` + regexp.QuoteMeta(day) + `\b`).MatchString(n.Text.EN) {
		return figures(agents.DisputeWithdrawn, en+" The word was about another date.", es+" Se habló de otra fecha."), nil
	}
	return figures(agents.DisputeUpheld, en, es), nil
}

func (d *Rechecker) streak(ctx context.Context, n *agents.Nudge) (finding, error) {
	if d.activity == nil {
		return finding{Outcome: agents.DisputeUnclear, Reasons: []agents.DisputeReason{reason(agents.WhyNothing)}}, nil
	}
	p, err := d.activity.Progress(ctx, auth.Actor{UserID: n.UserID, Roles: []auth.Role{auth.Student}}, analytics.Who{})
	if err != nil {
		return finding{}, err
	}
	said := claimed(n)
	en, es := fmt.Sprintf("Days in a row up to now: %d; the word was %d.", p.StreakDays, said),
		fmt.Sprintf("Días seguidos hasta ahora: %d; se dijo %d.", p.StreakDays, said)
	switch {
	case p.StreakDays >= said:
		return figures(agents.DisputeUpheld, en, es), nil
	case p.StreakDays > 0: // it goes on, and is shorter than was said
		return figures(agents.DisputeWithdrawn, en, es), nil
	}
	return figures(agents.DisputeUnclear, en, es), nil
}
