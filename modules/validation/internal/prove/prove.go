// Package prove tries exercises out: the reference solution must pass, the
// starter must not, and faulty variants of the solution are to be noticed. It
// judges as learners' work is judged, by the same plugins in the same sandbox.
package prove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// The defaults and bounds of a proof.
const (
	defaultMutants = 24
	maxMutants     = 100
	// maxSurvivors is how many are told to teachers.
	maxSurvivors = 10
)

// A mutant may loop for ever. Processor time is what tells that: on a busy
// machine a sound program takes long by the clock.
const (
	leastCPU = time.Second
	mostWall = 20 * time.Second
)

// Mutator is a validator plugin for one run.
type Mutator interface {
	ValidatorRun(ctx context.Context, name string) (judging.Judge, func(), error)
}

// Prover implements validation.Prover.
type Prover struct {
	engine  *judge.Engine
	catalog *judge.Catalog
	plugins Mutator
	// slots bounds the proofs at a time, so that learners' work goes first.
	slots chan struct{}
}

// New makes a prover that takes at most half of what this server judges at a time.
func New(engine *judge.Engine, catalog *judge.Catalog, plugins Mutator, cfg validation.Config) *Prover {
	return &Prover{engine: engine, catalog: catalog, plugins: plugins, slots: make(chan struct{}, max(1, cfg.WithDefaults().Concurrency/2))}
}

var _ validation.Prover = (*Prover)(nil)

// Judged implements validation.Prover.
func (p *Prover) Judged(ctx context.Context, language string) (string, error) {
	match, err := p.find(ctx, language)
	if err != nil {
		return "", err
	}
	version, toolchain, err := p.engine.Versions(ctx, match.Plugin)
	if err != nil {
		return "", fmt.Errorf("look at what judges %s: %w", language, err)
	}
	text, err := json.Marshal([]any{match.Plugin, version, toolchain}) // maps are written in the order of their keys
	return string(text), err
}

func (p *Prover) find(ctx context.Context, language string) (judge.Match, error) {
	p.catalog.Load(ctx)
	match, ok := p.catalog.Find(language)
	if !ok {
		return match, validation.ErrNoValidator.New(language, strings.Join(p.catalog.Languages(), ", "))
	}
	return match, nil
}

// Prove implements validation.Prover.
func (p *Prover) Prove(ctx context.Context, c validation.Candidate) (validation.Proof, error) {
	match, err := p.find(ctx, c.Language)
	if err != nil {
		return validation.Proof{}, err
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return validation.Proof{}, fmt.Errorf("wait for a place to prove in: %w", ctx.Err())
	}
	t := trial{p: p, match: match, task: judging.Task{Tests: files(c.Tests), Starter: files(c.Starter)}}
	if c.Options != "" {
		t.task.Options = []byte(c.Options)
	}
	solution := files(c.Solution)
	res, err := t.judge(ctx, solution, judging.Limits{})
	if err != nil {
		return validation.Proof{}, fmt.Errorf("judge the solution: %w", err)
	}
	took := res.Run
	proof := validation.Proof{
		Plugin: res.Plugin, PluginVersion: validation.Plain(res.PluginVersion, 80), Toolchain: map[string]string{}, Solution: res.Report.Verdict,
	}
	for name, version := range res.Toolchain {
		proof.Toolchain[validation.Plain(name, 80)] = validation.Plain(version, 200)
	}
	if proof.Solution != judging.VerdictPassed {
		return proof, nil
	}
	proof.Starter = judging.VerdictInvalid // of nothing, where there is none
	if len(c.Starter) > 0 {
		if res, err = t.judge(ctx, files(c.Starter), judging.Limits{}); err != nil {
			return validation.Proof{}, fmt.Errorf("judge the starter: %w", err)
		}
		proof.Starter = res.Report.Verdict
	}
	if proof.Starter == judging.VerdictPassed {
		return proof, nil
	}
	return proof, t.mutate(ctx, &proof, solution, c.Mutants, took)
}

// trial is one exercise that is tried out.
type trial struct {
	p     *Prover
	match judge.Match
	task  judging.Task
}

func (t trial) judge(ctx context.Context, submission []judging.File, limits judging.Limits) (judge.Result, error) {
	task := t.task
	task.Limits = limits
	res, err := t.p.engine.Judge(ctx, judge.Job{
		Plugin: t.match.Plugin, Task: task, Submission: judging.Submission{Files: submission, Language: t.match.Language.Name},
	}, nil)
	if err == nil && res.Report.Verdict == judging.VerdictPlatformError {
		return res, errors.New("the platform could not judge it")
	}
	return res, err
}

// mutate judges mutants of the solution, each as the solution with the files
// that were spoilt.
func (t trial) mutate(ctx context.Context, proof *validation.Proof, solution []judging.File, limit int, took time.Duration) error {
	if limit < 1 {
		limit = defaultMutants
	}
	limit = min(limit, maxMutants)
	// More than are wanted, as some of a compiled language don't compile.
	mutants, err := t.mutants(ctx, solution, 2*limit)
	if errors.Is(err, judging.ErrNoMutants) {
		proof.NoMutants = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("make mutants: %w", err)
	}
	limits := judging.Limits{CPU: max(leastCPU, 4*took), Wall: mostWall}
	made := map[string]*validation.MutationOperator{}
	for _, m := range mutants[:min(len(mutants), 2*limit)] {
		if proof.Mutants == limit {
			break
		}
		spoilt, ok := merge(solution, m.Files)
		if !ok {
			continue // a plugin that changes other files than the solution's
		}
		res, err := t.judge(ctx, spoilt, limits)
		if err != nil {
			return fmt.Errorf("judge mutant %.80q: %w", m.ID, err)
		}
		if res.Report.Verdict == judging.VerdictInvalid {
			continue // nobody would hand that in as a solution
		}
		name := validation.Plain(m.Operator, 80)
		if made[name] == nil {
			made[name] = &validation.MutationOperator{Name: name}
		}
		proof.Mutants++
		made[name].Made++
		if res.Report.Verdict != judging.VerdictPassed {
			proof.Killed++
			made[name].Killed++
		} else if len(proof.Survivors) < maxSurvivors {
			proof.Survivors = append(proof.Survivors, validation.Survivor{ID: validation.Plain(m.ID, 80), Operator: name, What: validation.PlainText(m.Description)})
		}
	}
	for _, o := range made {
		proof.Operators = append(proof.Operators, *o)
	}
	slices.SortFunc(proof.Operators, func(a, b validation.MutationOperator) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func (t trial) mutants(ctx context.Context, solution []judging.File, limit int) ([]judging.Mutant, error) {
	plugin, done, err := t.p.plugins.ValidatorRun(ctx, t.match.Plugin)
	if err != nil {
		return nil, err
	}
	defer done()
	return plugin.Mutate(ctx, &judging.MutateRequest{
		Solution: judging.Submission{Files: solution, Language: t.match.Language.Name}, Task: t.task, Limit: limit,
	})
}

// merge is the solution with files in the place of its own; false when it has
// no such files, or they say the same.
func merge(solution, spoilt []judging.File) ([]judging.File, bool) {
	out, changed := slices.Clone(solution), false
	for _, f := range spoilt {
		at := slices.IndexFunc(out, func(o judging.File) bool { return o.Path == f.Path })
		if at < 0 {
			return nil, false
		}
		changed = changed || string(out[at].Content) != string(f.Content)
		out[at].Content = f.Content
	}
	return out, changed
}

func files(list []validation.File) []judging.File {
	out := make([]judging.File, len(list))
	for i, f := range list {
		out[i] = judging.File{Path: f.Path, Content: []byte(f.Content), Writable: true}
	}
	return out
}
