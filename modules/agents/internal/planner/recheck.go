package planner

import (
	"context"
	"fmt"
	"slices"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/rag"
)

// Doubt is what does not hold of a planned task, or can't be told now.
type Doubt struct {
	Key string
	// Code is an agents.Why… constant: WhyCitation, WhyOutdated, WhyProof or WhyWrong.
	Code string
	Text agents.Text
	// Unsure: it could not be tried out here.
	Unsure bool
}

// Rechecked is a plan held against the course and the judges as they are now.
type Rechecked struct {
	Doubts []Doubt
	// Passages are those that its tasks cite and that are still there, by id.
	Passages map[string]rag.Passage
	// Tasks are how many were looked at, Proven those whose tests still judge
	// rightly.
	Tasks, Proven int
	Locale        string
}

// Recheck looks again at the tasks of a plan whose keys are named, at all if
// none is: do its citations stand, does each exercise exist and still prove? What
// can't be tried out now is an error until the last time.
func (p *Planner) Recheck(ctx context.Context, run agents.Run, state engine.State, plan agents.Plan, keys []string, last bool) (Rechecked, error) {
	r, err := engine.Get[Request](state, "request")
	if err != nil {
		return Rechecked{}, err
	}
	o, err := engine.Get[outline](state, "outline")
	if err != nil {
		return Rechecked{}, err
	}
	out := Rechecked{Passages: map[string]rag.Passage{}, Locale: o.Locale}
	for chunk := range slices.Chunk(citedBy(plan, keys), 500) {
		list, err := p.material.Passages(ctx, reader(run, r), rag.PassageFilter{CourseID: o.Course, ChunkIDs: chunk})
		if err != nil {
			return out, fmt.Errorf("read what plan %s cites: %w", run.ID, err)
		}
		for _, found := range list {
			out.Passages[found.ChunkID] = found
		}
	}
	exercises, err := p.exercises(ctx, o.Course)
	if err != nil {
		return out, err
	}
	for _, found := range shape(plan) {
		if found.key == "" || among(keys, found.key) {
			out.Doubts = append(out.Doubts, Doubt{Key: found.key, Code: agents.WhyWrong, Text: agents.Text{
				EN: "The plan is out of order: " + found.text + ".", ES: "El plan está mal formado: " + found.text + ".",
			}})
		}
	}
	for _, t := range plan.Tasks {
		if !among(keys, t.Key) {
			continue
		}
		out.Tasks++
		out.Doubts = append(out.Doubts, stale(t, out.Passages)...)
		if t.Exercise == "" && t.Made == nil {
			continue
		}
		doubt, err := p.reprove(ctx, t, exercises, last)
		if err != nil {
			return out, err
		}
		if doubt == nil {
			out.Proven++
		} else {
			out.Doubts = append(out.Doubts, *doubt)
		}
	}
	return out, nil
}

// citedBy are the passages that tasks rest on.
func citedBy(plan agents.Plan, keys []string) (ids []string) {
	for _, t := range plan.Tasks {
		for _, c := range t.Citations {
			if among(keys, t.Key) && !slices.Contains(ids, c.ChunkID) {
				ids = append(ids, c.ChunkID)
			}
		}
	}
	return ids
}

// stale are the citations of a task that don't stand any more.
func stale(t agents.PlannedTask, passages map[string]rag.Passage) (doubts []Doubt) {
	for _, c := range t.Citations {
		if evidence.Unbacked(c, passages) == "" {
			continue
		}
		doubts = append(doubts, Doubt{Key: t.Key, Code: agents.WhyCitation, Text: agents.Text{
			EN: fmt.Sprintf("“%s” cites “%s” (%s), and the course no longer says so there.", t.Title, c.Heading, c.Path),
			ES: fmt.Sprintf("«%s» cita «%s» (%s), y el curso ya no lo dice ahí.", t.Title, c.Heading, c.Path),
		}})
	}
	return doubts
}

// reprove tries the tests of a task out again, or finds that this was done for
// just these files and what judges them now.
func (p *Planner) reprove(ctx context.Context, t agents.PlannedTask, exercises map[string]rag.Exercise, last bool) (*Doubt, error) {
	candidate, ok := candidateOf(t, exercises)
	if !ok {
		return &Doubt{Key: t.Key, Code: agents.WhyOutdated, Text: agents.Text{
			EN: fmt.Sprintf("The exercise of “%s” is no longer in the course.", t.Title),
			ES: fmt.Sprintf("El ejercicio de «%s» ya no está en el curso.", t.Title),
		}}, nil
	}
	proof, err := p.proof(ctx, candidate)
	if err != nil {
		if !last || ctx.Err() != nil {
			return nil, err
		}
		return &Doubt{Key: t.Key, Code: agents.WhyProof, Unsure: true, Text: agents.Text{
			EN: fmt.Sprintf("The tests of “%s” could not be tried out here now: nothing judges %s at the moment.", t.Title, candidate.Language),
			ES: fmt.Sprintf("Las pruebas de «%s» no se pudieron probar aquí ahora: nada evalúa %s en este momento.", t.Title, candidate.Language),
		}}, nil
	}
	result := read(proof)
	if result.Proof != nil {
		return nil, nil
	}
	return &Doubt{Key: t.Key, Code: agents.WhyProof, Text: agents.Text{
		EN: fmt.Sprintf("The tests of “%s” don't judge rightly any more: %s.", t.Title, result.Unproven.EN),
		ES: fmt.Sprintf("Las pruebas de «%s» ya no evalúan bien: %s.", t.Title, result.Unproven.In("es")),
	}}, nil
}

func among(keys []string, key string) bool { return len(keys) == 0 || slices.Contains(keys, key) }
