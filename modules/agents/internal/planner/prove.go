package planner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
)

const (
	// triesOfProof is how often a proof is tried where this machine can't judge
	// now: another replica may.
	triesOfProof = 3
	// proofsWithin bounds the proofs of a branch; those that were made are kept
	// when it runs out.
	proofsWithin = 20 * time.Minute
	// besides is how many branches prove a plan: others' work needs workers too.
	besides = 2
)

// trial is what came of trying a task's tests out.
type trial struct {
	Proof *agents.TaskProof `json:"proof,omitempty"`
	// Unproven says why its tests must not judge anybody.
	Unproven agents.Text `json:"unproven,omitzero"`
}

// withTests are the keys of the tasks that a validator is to judge.
func withTests(plan agents.Plan) (keys []string) {
	for _, t := range plan.Tasks {
		if t.Exercise != "" || t.Made != nil {
			keys = append(keys, t.Key)
		}
	}
	return keys
}

// prove has the tests of the tasks tried out, some side by side.
func (p *Planner) prove(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
	plan, err := engine.Get[agents.Plan](x.State, "draft")
	if err != nil {
		return engine.Outcome{}, err
	}
	keys := withTests(plan)
	out := engine.Outcome{Word: fmt.Sprintf("%d with tests", len(keys))}
	parts := make([][]string, min(besides, len(keys)))
	for i, key := range keys {
		parts[i%len(parts)] = append(parts[i%len(parts)], key)
	}
	for _, part := range parts {
		out.Send = append(out.Send, engine.Branch{Node: "try", Input: part})
	}
	return out, nil
}

// try tries the tests of some tasks out, unless that was done before.
func (p *Planner) try(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	var keys []string
	if err := json.Unmarshal(x.Input, &keys); err != nil {
		return engine.Outcome{}, fmt.Errorf("read which tasks to try: %w", err)
	}
	plan, err := engine.Get[agents.Plan](x.State, "draft")
	if err != nil {
		return engine.Outcome{}, err
	}
	o, err := engine.Get[outline](x.State, "outline")
	if err != nil {
		return engine.Outcome{}, err
	}
	exercises, err := p.exercises(ctx, o.Course)
	if err != nil {
		return engine.Outcome{}, err
	}
	out := engine.Outcome{Set: map[string]any{}}
	good := 0
	for _, t := range plan.Tasks {
		if !slices.Contains(keys, t.Key) {
			continue
		}
		result, err := p.trial(ctx, t, exercises, x.Attempt >= triesOfProof)
		if err != nil {
			return engine.Outcome{}, err
		}
		if result.Proof != nil {
			good++
		}
		out.Set["proof:"+t.Key] = result
	}
	out.Word = fmt.Sprintf("%d of %d proven", good, len(keys))
	return out, nil
}

// trial tries the tests of one task out. Where they can't be tried, that is an
// error until the last time.
func (p *Planner) trial(ctx context.Context, t agents.PlannedTask, exercises map[string]rag.Exercise, last bool) (trial, error) {
	candidate, ok := candidateOf(t, exercises)
	if !ok {
		return trial{Unproven: agents.Text{EN: "their exercise is no longer in the course", ES: "su ejercicio ya no está en el curso"}}, nil
	}
	proof, err := p.proof(ctx, candidate)
	switch {
	case err == nil:
		return read(proof), nil
	case !last || ctx.Err() != nil:
		return trial{}, err
	}
	return trial{Unproven: agents.Text{
		EN: fmt.Sprintf("they could not be tried out here: nothing judges %s at the moment", candidate.Language),
		ES: fmt.Sprintf("aquí no se pudieron probar: ahora mismo nada evalúa %s", candidate.Language),
	}}, nil
}

// read is what a proof says of a task.
func read(proof validation.Proof) trial {
	if why := proof.Unproven(); why != (validation.Text{}) {
		return trial{Unproven: agents.Text(why)}
	}
	t := agents.TaskProof{Mutants: proof.Mutants, Killed: proof.Killed, Operators: []string{}, JudgedBy: proof.Plugin + " " + proof.PluginVersion}
	for _, o := range proof.Operators {
		t.Operators = append(t.Operators, o.Name)
	}
	return trial{Proof: &t}
}

func candidateOf(t agents.PlannedTask, exercises map[string]rag.Exercise) (c validation.Candidate, ok bool) {
	if m := t.Made; m != nil {
		return validation.Candidate{Language: t.Language, Starter: sources(m.Starter), Solution: sources(m.Solution), Tests: sources(m.Tests)}, true
	}
	x, ok := exercises[t.Exercise]
	if !ok {
		return c, false
	}
	c.Language = x.Language
	for _, f := range x.Files {
		file := validation.File{Path: f.Name, Content: f.Content}
		switch f.Role {
		case rag.Starter:
			c.Starter = append(c.Starter, file)
		case rag.Solution:
			c.Solution = append(c.Solution, file)
		case rag.Tests:
			c.Tests = append(c.Tests, file)
		}
	}
	return c, true
}

func sources(list []agents.PlannedFile) (out []validation.File) {
	for _, f := range list {
		out = append(out, validation.File{Path: f.Path, Content: f.Content})
	}
	return out
}

// proof tries an exercise out, once for its files and for what judges them.
func (p *Planner) proof(ctx context.Context, c validation.Candidate) (proof validation.Proof, err error) {
	if len(c.Solution) == 0 || len(c.Tests) == 0 {
		return validation.Proof{Solution: "missing"}, nil
	}
	judged, err := p.prover.Judged(ctx, c.Language)
	if err != nil {
		return proof, err
	}
	raw, err := json.Marshal([]any{judged, c})
	if err != nil {
		return proof, fmt.Errorf("digest an exercise: %w", err)
	}
	sum := sha256.Sum256(raw)
	digest := hex.EncodeToString(sum[:])
	if known, err := store.Proof(ctx, p.db.As(system), digest, &proof); err != nil || known {
		return proof, err
	}
	if proof, err = p.prover.Prove(ctx, c); err != nil {
		return proof, err
	}
	return proof, store.PutProof(ctx, p.db.As(system), digest, proof, time.Now())
}

// proven takes what the trials say into the plan. A task whose tests are not
// proven is shown without them, and says so: nothing judges it but its learner.
func (p *Planner) proven(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
	plan, err := engine.Get[agents.Plan](x.State, "draft")
	if err != nil {
		return engine.Outcome{}, err
	}
	o, err := engine.Get[outline](x.State, "outline")
	if err != nil {
		return engine.Outcome{}, err
	}
	good, bad := 0, 0
	for i := range plan.Tasks {
		t := &plan.Tasks[i]
		if t.Exercise == "" && t.Made == nil {
			if t.Type == tasks.TypeCode {
				withoutTests(t, agents.Text{EN: "it has none", ES: "no tiene"}, o.Locale)
			}
			continue
		}
		result, err := engine.Get[trial](x.State, "proof:"+t.Key)
		if err != nil {
			return engine.Outcome{}, err
		}
		if t.Proof = result.Proof; t.Proof == nil {
			bad++
			withoutTests(t, result.Unproven, o.Locale)
		} else {
			good++
		}
	}
	word := fmt.Sprintf("%d proven", good)
	if bad > 0 {
		word += fmt.Sprintf(", %d not", bad)
	}
	return engine.Outcome{Word: word, Set: map[string]any{"draft": plan}}, nil
}

// withoutTests makes a task one that its learner judges.
func withoutTests(t *agents.PlannedTask, why agents.Text, locale string) {
	t.Type, t.Exercise, t.Made, t.Tests = tasks.TypeOther, "", nil, nil
	note := "**Without automatic tests.** The tests of this task are not used, because " + why.EN + ". Nothing judges it but you: compare your work with the passages that it cites, then mark it as done."
	if locale == "es" {
		note = "**Sin pruebas automáticas.** Las pruebas de esta tarea no se usan, porque " + why.In("es") + ". Nadie más que tú la evalúa: compara tu trabajo con los pasajes que cita y márcala como hecha."
	}
	t.Description = clip(note+"\n\n"+t.Description, 20000)
}
