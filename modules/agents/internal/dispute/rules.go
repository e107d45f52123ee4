package dispute

import (
	"context"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
)

// rules hold an output against what it rests on.
func (d *Rechecker) rules(ctx context.Context, r *agents.DisputeRecord, last bool) (finding, error) {
	switch r.Kind {
	case agents.OutputPlan:
		return d.plannedTasks(ctx, r, last)
	case agents.OutputEvaluation:
		return d.evaluation(ctx, r)
	case agents.OutputNudge:
		return d.nudge(ctx, r)
	case agents.OutputFeedback, agents.OutputHint, agents.OutputMessage:
	}
	g, err := d.ground(ctx, r)
	if err != nil {
		return finding{}, err
	}
	if r.Kind == agents.OutputFeedback {
		return comments(r, g), nil
	}
	return told(r, g), nil
}

// comments holds the comments of feedback and what it says of criteria, or one of
// them, against the report, the submission and the material.
func comments(r *agents.DisputeRecord, g *ground) finding {
	wrong := []agents.DisputeReason{}
	n, criteria := 0, false
	for _, c := range g.claims {
		if c.part == "" {
			continue // feedback without comments claims nothing but the report's headline
		}
		n++
		var why string
		if i := number(c.part); i > 0 {
			why = g.Wrong(r.Said.Comments[i-1])
		} else {
			at := slices.IndexFunc(r.Said.Criteria, func(k agents.Criterion) bool { return k.ID == c.part })
			why, criteria = g.doubts(r.Said.Criteria[at]), true
		}
		if why != "" {
			wrong = append(wrong, because(c.part, why))
		}
	}
	if found := share(wrong, n); found.Outcome != agents.DisputeUpheld || n > 0 && !criteria && (r.Part != "" || !r.Said.Rubric) {
		return found
	}
	if criteria {
		// The evidence is there; what it is worth no rule can tell.
		return finding{Outcome: agents.DisputeUnclear, Reasons: []agents.DisputeReason{reasonAs(agents.WhyNothing, readersWord)}}
	}
	return finding{Outcome: agents.DisputeUnclear, Reasons: []agents.DisputeReason{reason(agents.WhyNothing)}}
}

// share settles by how many of the parts don't hold.
func share(wrong []agents.DisputeReason, of int) finding {
	bad := map[string]bool{}
	for _, w := range wrong {
		bad[w.Part] = true
	}
	switch {
	case len(bad) == 0:
		return finding{Outcome: agents.DisputeUpheld, Reasons: []agents.DisputeReason{reason(agents.WhyHolds)}}
	case len(bad) < of:
		return finding{Outcome: agents.DisputeCorrected, Reasons: wrong}
	}
	return finding{Outcome: agents.DisputeWithdrawn, Reasons: wrong}
}

// told holds a hint or a tutor's message against the material, and against what
// nobody may be told.
func told(r *agents.DisputeRecord, g *ground) finding {
	if why := g.Gives(g.claims[0].text, r.Said.Cites, r.Kind != agents.OutputHint || r.Said.Level != agents.HintExample); why != "" {
		return finding{Outcome: agents.DisputeWithdrawn, Reasons: []agents.DisputeReason{because("", why)}}
	}
	wrong := []agents.DisputeReason{}
	for _, c := range r.Said.Cites {
		if why := evidence.Unbacked(c, g.Passages); why != "" {
			gone := because("", "it "+why)
			gone.Text.EN += " (“" + c.Title + "”, " + c.Path + ")"
			gone.Text.ES += " («" + c.Title + "», " + c.Path + ")"
			wrong = append(wrong, gone)
		}
	}
	switch {
	case len(wrong) > 0 && len(wrong) < len(r.Said.Cites):
		return finding{Outcome: agents.DisputeCorrected, Reasons: wrong}
	case len(wrong) > 0:
		return finding{Outcome: agents.DisputeWithdrawn, Reasons: wrong}
	case len(r.Said.Cites) > 0:
		return finding{Outcome: agents.DisputeUpheld, Reasons: []agents.DisputeReason{reason(agents.WhyHolds)}}
	case r.Kind == agents.OutputHint && r.Said.Level == agents.HintQuestion:
		return finding{Outcome: agents.DisputeUpheld, Reasons: []agents.DisputeReason{reasonAs(agents.WhyHolds, asksOnly)}}
	}
	return finding{Outcome: agents.DisputeUnclear, Reasons: []agents.DisputeReason{reason(agents.WhyNothing)}}
}

// plannedTasks looks at a plan, or one of its tasks, again: citations, exercises,
// and the proof of their tests.
func (d *Rechecker) plannedTasks(ctx context.Context, r *agents.DisputeRecord, last bool) (finding, error) {
	run, state, plan, err := d.plan(ctx, r)
	if err != nil {
		return finding{}, err
	}
	again, err := d.plans.Recheck(ctx, run, state, plan, parts(r), last)
	if err != nil {
		return finding{}, err
	}
	wrong, unsure := []agents.DisputeReason{}, []agents.DisputeReason{}
	all := false
	for _, doubt := range again.Doubts {
		why := agents.DisputeReason{Code: doubt.Code, Part: doubt.Key, Text: doubt.Text}
		if doubt.Unsure {
			unsure = append(unsure, why)
			continue
		}
		wrong = append(wrong, why)
		all = all || doubt.Key == ""
	}
	if all {
		return finding{Outcome: agents.DisputeWithdrawn, Reasons: wrong}, nil
	}
	if len(wrong) == 0 && len(unsure) > 0 {
		return finding{Outcome: agents.DisputeUnclear, Reasons: unsure}, nil
	}
	return share(wrong, again.Tasks), nil
}

// number reads the number of a comment; 0 for none.
func number(part string) (n int) {
	if part == "" || len(part) > 4 || strings.Trim(part, "0123456789") != "" {
		return 0
	}
	for _, digit := range part {
		n = 10*n + int(digit-'0')
	}
	return n
}
