package judging

import (
	"context"
	"errors"
	"fmt"
)

// MaxRounds is how many rounds of steps a run may have, whatever a plugin asks.
const MaxRounds = 8

// ErrNoMutants is answered by plugins that make no mutants.
var ErrNoMutants = errors.New("this plugin makes no mutants")

// Judge is a validator plugin, wherever it runs. An error means that it could
// not judge; what is wrong with the submission is in the report.
type Judge interface {
	// Describe says what the plugin can judge and what it needs.
	Describe(ctx context.Context) (*Description, error)
	// Plan answers with the steps of the first round; none means that Judge
	// can decide from the files alone.
	Plan(ctx context.Context, req *PlanRequest) ([]Step, error)
	// Judge answers with a report or with more steps.
	Judge(ctx context.Context, req *JudgeRequest) (*Decision, error)
	// Mutate answers with mutants, or ErrNoMutants.
	Mutate(ctx context.Context, req *MutateRequest) ([]Mutant, error)
}

// Executor runs steps away from everything that matters.
type Executor interface {
	// Execute runs one step. An error means that it could not be run; a
	// process that fails or is stopped by a limit is a result.
	Execute(ctx context.Context, desc *Description, step *Step) (*StepResult, error)
}

// Progress hears of each step before it runs; its stage is meant for the
// learner. It must not block.
type Progress func(round int, step *Step)

// Run takes one submission through Plan, the executor and Judge until there is
// a report. What the plugin answers is checked on the way: a report that comes
// back fits CheckReport. Any error means that nothing was judged.
func Run(ctx context.Context, j Judge, desc *Description, ex Executor, req *PlanRequest, progress Progress) (*Report, []StepResult, error) {
	steps, err := j.Plan(ctx, req)
	if err != nil {
		return nil, nil, fmt.Errorf("plan with %s: %w", desc.Name, err)
	}
	rounds := desc.MaxRounds
	if rounds < 1 {
		rounds = 1
	}
	rounds = min(rounds, MaxRounds)
	jr := &JudgeRequest{PlanRequest: *req}
	seen := map[string]bool{}
	for jr.Round = 1; ; jr.Round++ {
		if err := CheckSteps(desc, steps, seen); err != nil {
			return nil, jr.Results, fmt.Errorf("steps of %s in round %d: %w", desc.Name, jr.Round, err)
		}
		results, err := round(ctx, desc, ex, steps, jr, progress)
		jr.Results = append(jr.Results, results...)
		if err != nil {
			return nil, jr.Results, err
		}
		d, err := j.Judge(ctx, jr)
		if err != nil {
			return nil, jr.Results, fmt.Errorf("judge with %s: %w", desc.Name, err)
		}
		if d.Report != nil {
			if err := CheckReport(d.Report, &req.Submission, &req.Task); err != nil {
				return nil, jr.Results, fmt.Errorf("report of %s: %w", desc.Name, err)
			}
			return d.Report, jr.Results, nil
		}
		if len(d.More) == 0 {
			return nil, jr.Results, fmt.Errorf("judge with %s: answered with neither a report nor steps", desc.Name)
		}
		if jr.Round >= rounds {
			return nil, jr.Results, fmt.Errorf("judge with %s: asks for more steps after round %d, its last", desc.Name, jr.Round)
		}
		steps = d.More
	}
}

// round executes the steps of one round in order.
func round(ctx context.Context, desc *Description, ex Executor, steps []Step, jr *JudgeRequest, progress Progress) ([]StepResult, error) {
	var out []StepResult
	stopped := false
	for i := range steps {
		step := &steps[i]
		if stopped {
			out = append(out, StepResult{StepID: step.ID, Outcome: OutcomeSkipped})
			continue
		}
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("before step %s: %w", step.ID, err)
		}
		ready, ok := withCarry(step, append(jr.Results[:len(jr.Results):len(jr.Results)], out...))
		if !ok {
			// What it needs was never made, so it can't run either.
			out = append(out, StepResult{StepID: step.ID, Outcome: OutcomeSkipped})
			continue
		}
		if progress != nil {
			progress(jr.Round, step)
		}
		res, err := ex.Execute(ctx, desc, ready)
		if err != nil {
			return out, fmt.Errorf("step %s: %w", step.ID, err)
		}
		res.StepID = step.ID
		out = append(out, *res)
		if step.StopOnFailure && !succeeded(res) {
			stopped = true
		}
	}
	return out, nil
}

func succeeded(r *StepResult) bool {
	if r.Outcome != OutcomeExited {
		return false
	}
	for _, p := range r.Processes {
		if p.ExitCode != 0 || p.Signal != 0 {
			return false
		}
	}
	return true
}

// withCarry returns the step with the files that it takes over from earlier
// ones; false when one of them was not collected.
func withCarry(step *Step, results []StepResult) (*Step, bool) {
	if len(step.Carry) == 0 {
		return step, true
	}
	out := *step
	out.Processes = append([]Process(nil), step.Processes...)
	for i := range out.Processes {
		out.Processes[i].Files = append([]File(nil), out.Processes[i].Files...)
	}
	for _, c := range step.Carry {
		var found *File
		for i := range results {
			if results[i].StepID == c.StepID {
				if p := results[i].Process(c.Role); p != nil {
					found = p.File(c.Path)
				}
			}
		}
		if found == nil {
			return nil, false
		}
		for i := range out.Processes {
			if out.Processes[i].Role == c.ToRole {
				out.Processes[i].Files = append(out.Processes[i].Files,
					File{Path: c.ToPath, Content: found.Content, Executable: c.Executable, ExecuteOnly: c.ExecuteOnly, Writable: found.Writable})
			}
		}
	}
	return &out, true
}
