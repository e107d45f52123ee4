// Package evaluator says how a learner fares over time: mastery by concept, a
// trend, and the figures that both rest on. It reads no code and asks no model.
package evaluator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
)

const (
	// window is what is "of late"; the same length before it is "before".
	window = 14 * 24 * time.Hour
	// halfLife is how soon evidence counts half: what was known a month ago may
	// be forgotten.
	halfLife = 30 * 24 * time.Hour
	// doubt is the weight of knowing nothing: one task at the first try gives
	// 0.5, three give 0.75.
	doubt = 1.0
	// enough finished tasks in each window make a trend.
	enough = 3
	// apart is by how many tries a task the windows must differ.
	apart = 0.5
)

// trust is how much the word of who completed a task counts.
var trust = map[string]float64{"verdict": 1, "teacher": 0.8, "self": 0.5}

// Evaluate looks at a learner's journeys in a course. The same journeys at the
// same time give the same evaluation.
func Evaluate(journeys []store.Journey, now time.Time) agents.Evaluation {
	e := agents.Evaluation{Mastery: map[string]float64{}, Trend: agents.TrendUnknown, EvaluatedAt: now}
	of := map[string][]store.Journey{}
	var late, before []store.Journey
	for _, j := range journeys {
		if j.Tries == 0 && j.Status != "done" {
			continue
		}
		e.Evidence++
		for _, c := range j.Concepts {
			of[c] = append(of[c], j)
		}
		switch age := now.Sub(j.FinishedAt); {
		case j.Status != "done":
		case age < window:
			late = append(late, j)
		case age < 2*window:
			before = append(before, j)
		}
	}
	for c, list := range of {
		e.Mastery[c] = mastery(list, now)
	}
	e.Trend = trend(late, before)
	e.Reasons = reasons(e, of, late, before)
	return e
}

// mastery is the mean quality of the evidence, each weighted by who vouches for
// it and how long ago it was, drawn towards 0 by doubt.
func mastery(list []store.Journey, now time.Time) float64 {
	sum, weights := 0.0, doubt
	for _, j := range list {
		at := j.FinishedAt
		weight, quality := trust[j.CompletedBy], 1.0
		switch {
		case j.Status == "done" && j.Tries > 1:
			quality = 1 / (1 + 0.25*float64(j.Tries-1))
		case j.Status != "done":
			// Not done: the more it failed, the more it says.
			at, weight, quality = j.LastTryAt, math.Min(float64(j.FailsInARow)/3, 1), 0
		}
		quality *= 1 - 0.1*math.Min(float64(j.Hints), 4)
		weight *= math.Exp2(-now.Sub(at).Hours() / halfLife.Hours())
		sum, weights = sum+weight*quality, weights+weight
	}
	return math.Round(100*sum/weights) / 100
}

func tries(list []store.Journey) (perTask float64, judged int) {
	sum := 0
	for _, j := range list {
		if j.CompletedBy == "verdict" && j.Tries > 0 {
			sum, judged = sum+j.Tries, judged+1
		}
	}
	if judged == 0 {
		return 0, 0
	}
	return float64(sum) / float64(judged), judged
}

func trend(late, before []store.Journey) agents.Trend {
	now, n := tries(late)
	then, m := tries(before)
	switch {
	case n < enough || m < enough:
		return agents.TrendUnknown
	case then-now >= apart:
		return agents.TrendImproving
	case now-then >= apart:
		return agents.TrendSlipping
	default:
		return agents.TrendSteady
	}
}

// reasons are at most four: what was done, the trend, the strongest concept and
// the one that wants practice.
func reasons(e agents.Evaluation, of map[string][]store.Journey, late, before []store.Journey) (all []agents.Words) {
	first := 0
	for _, j := range late {
		if j.CompletedBy == "verdict" && j.Tries == 1 {
			first++
		}
	}
	all = append(all, agents.Words{
		EN: fmt.Sprintf("Tasks finished in the last 14 days: %d, at the first try: %d.", len(late), first),
		ES: fmt.Sprintf("Tareas terminadas en los últimos 14 días: %d, al primer intento: %d.", len(late), first),
	})
	if e.Trend != agents.TrendUnknown {
		now, _ := tries(late)
		then, _ := tries(before)
		all = append(all, agents.Words{
			EN: fmt.Sprintf("Tries per task: %.1f, in the 14 days before: %.1f.", now, then),
			ES: fmt.Sprintf("Intentos por tarea: %.1f, en los 14 días anteriores: %.1f.", now, then),
		})
	}
	concepts := make([]string, 0, len(e.Mastery))
	for c := range e.Mastery {
		concepts = append(concepts, c)
	}
	slices.SortFunc(concepts, func(a, b string) int {
		return cmp.Or(cmp.Compare(e.Mastery[b], e.Mastery[a]), cmp.Compare(len(of[b]), len(of[a])), cmp.Compare(a, b))
	})
	if len(concepts) == 0 {
		return all
	}
	if c := concepts[0]; e.Mastery[c] >= 0.5 {
		all = append(all, agents.Words{
			EN: fmt.Sprintf("Strongest: %s (%.2f), by %s.", c, e.Mastery[c], countEN(of[c])),
			ES: fmt.Sprintf("Lo más firme: %s (%.2f), según %s.", c, e.Mastery[c], countES(of[c])),
		})
	}
	if c := concepts[len(concepts)-1]; e.Mastery[c] < 0.5 {
		j := hardest(of[c])
		all = append(all, agents.Words{
			EN: fmt.Sprintf("Wants practice: %s (%.2f). “%s”: tries: %d, hints: %d.", c, e.Mastery[c], j.Title, j.Tries, j.Hints),
			ES: fmt.Sprintf("Necesita práctica: %s (%.2f). «%s»: intentos: %d, pistas: %d.", c, e.Mastery[c], j.Title, j.Tries, j.Hints),
		})
	}
	return all
}

func countEN(list []store.Journey) string {
	if len(list) == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", len(list))
}

func countES(list []store.Journey) string {
	if len(list) == 1 {
		return "1 tarea"
	}
	return fmt.Sprintf("%d tareas", len(list))
}

func hardest(list []store.Journey) store.Journey {
	return slices.MaxFunc(list, func(a, b store.Journey) int {
		return cmp.Or(cmp.Compare(a.FailsInARow, b.FailsInARow), cmp.Compare(a.Tries+a.Hints, b.Tries+b.Hints), cmp.Compare(b.TaskID, a.TaskID))
	})
}
