package validator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// New returns the judge that a valid spec describes, to be used in this
// process: by tests, and by hosts that link a plugin in.
func New(spec *Spec) (judging.Judge, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	schema, err := schemaOf(spec.Options)
	if err != nil {
		return nil, err
	}
	return &judge{spec: spec, schema: schema}, nil
}

type judge struct {
	spec   *Spec
	schema string
}

func (j *judge) Describe(context.Context) (*judging.Description, error) {
	return j.spec.description(j.schema), nil
}

func (j *judge) Plan(ctx context.Context, in *judging.PlanRequest) (steps []Step, err error) {
	if j.spec.Plan == nil {
		return nil, nil
	}
	defer contain("Plan", &err)
	req, err := j.request(in)
	if err != nil {
		return nil, err
	}
	return j.spec.Plan(ctx, req)
}

func (j *judge) Judge(ctx context.Context, in *judging.JudgeRequest) (d *judging.Decision, err error) {
	defer contain("Judge", &err)
	req, err := j.request(&in.PlanRequest)
	if err != nil {
		return nil, err
	}
	req.Results, req.Round = in.Results, in.Round
	if j.spec.More != nil && in.Round < j.spec.description("").MaxRounds {
		steps, err := j.spec.More(ctx, req)
		if err != nil {
			return nil, err
		}
		if len(steps) > 0 {
			return &judging.Decision{More: steps}, nil
		}
	}
	report, err := j.spec.Judge(ctx, req)
	if err != nil {
		return nil, err
	}
	if report == nil {
		return nil, errors.New("Judge returned neither a report nor an error")
	}
	return &judging.Decision{Report: report}, nil
}

func (j *judge) Mutate(ctx context.Context, in *judging.MutateRequest) (mutants []Mutant, err error) {
	if j.spec.Mutate == nil {
		return nil, judging.ErrNoMutants
	}
	defer contain("Mutate", &err)
	req, err := j.request(&judging.PlanRequest{Submission: in.Solution, Task: in.Task})
	if err != nil {
		return nil, err
	}
	limit := in.Limit
	if limit <= 0 {
		limit = 50
	}
	mutants, err = j.spec.Mutate(ctx, req, limit)
	if len(mutants) > limit {
		mutants = mutants[:limit]
	}
	return mutants, err
}

func (j *judge) request(in *judging.PlanRequest) (*Request, error) {
	options, err := decodeOptions(j.spec.Options, in.Task.Options)
	if err != nil {
		return nil, fmt.Errorf("options of %s: %w", j.spec.Name, err)
	}
	return &Request{
		Submission: in.Submission, Task: in.Task, Options: options,
		Toolchain: in.Toolchain, Nonce: in.Nonce, OneProcess: in.OneProcess,
	}, nil
}

// contain turns a panic of the author's code into an error: it could not judge.
func contain(call string, err *error) {
	if p := recover(); p != nil {
		fmt.Fprintf(os.Stderr, "panic in %s: %v\n%s\n", call, p, debug.Stack())
		*err = fmt.Errorf("the plugin panicked in %s: %v", call, p)
	}
}
