package pluginhost

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
)

// How long the calls of a validator may take.
const (
	describeTimeout = 5 * time.Second
	planTimeout     = 20 * time.Second
	judgeTimeout    = 30 * time.Second
	mutateTimeout   = 60 * time.Second
)

// Validator is the kind of plugins that judge code.
var Validator = Kind[judging.Judge]{
	Name: pluginproto.KindValidator,
	Versions: map[int]func(grpc.ClientConnInterface, string) judging.Judge{
		1: func(conn grpc.ClientConnInterface, hostVersion string) judging.Judge {
			return validatorrpc.NewClient(conn, hostVersion)
		},
	},
	Describe: func(ctx context.Context, client judging.Judge) (Description, error) {
		d, err := client.Describe(ctx)
		if err != nil {
			return Description{}, err
		}
		if err := judging.CheckDescription(d); err != nil {
			return Description{}, err
		}
		return Description{Name: d.Name, Version: d.Version, Detail: d}, nil
	},
}

// Validator returns the validator plugin of that name, without starting it.
// Its calls are bounded, and start the plugin when it does not run.
func (h *Host) Validator(name string) (judging.Judge, error) {
	handle, err := Get(h, Validator, name)
	if err != nil {
		return nil, err
	}
	return &validatorPlugin{handle}, nil
}

// ValidatorRun returns the validator plugin of that name for the calls of one
// run, which all reach the binary that it began with. done ends the run.
func (h *Host) ValidatorRun(ctx context.Context, name string) (judge judging.Judge, done func(), err error) {
	handle, err := Get(h, Validator, name)
	if err != nil {
		return nil, nil, err
	}
	held, done, err := handle.Hold(ctx)
	if err != nil {
		return nil, nil, err
	}
	return &validatorPlugin{held}, done, nil
}

type validatorPlugin struct{ h *Handle[judging.Judge] }

func (v *validatorPlugin) Describe(ctx context.Context) (*judging.Description, error) {
	d, err := v.h.Description(ctx)
	if err != nil {
		return nil, err
	}
	return d.Detail.(*judging.Description), nil //nolint:forcetypeassert // Validator.Describe made it
}

func (v *validatorPlugin) Plan(ctx context.Context, req *judging.PlanRequest) (steps []judging.Step, err error) {
	err = v.h.Do(ctx, "Plan", planTimeout, func(ctx context.Context, c judging.Judge) (err error) {
		steps, err = c.Plan(ctx, req)
		return err
	})
	return steps, err
}

func (v *validatorPlugin) Judge(ctx context.Context, req *judging.JudgeRequest) (d *judging.Decision, err error) {
	err = v.h.Do(ctx, "Judge", judgeTimeout, func(ctx context.Context, c judging.Judge) (err error) {
		d, err = c.Judge(ctx, req)
		return err
	})
	return d, err
}

func (v *validatorPlugin) Mutate(ctx context.Context, req *judging.MutateRequest) (mutants []judging.Mutant, err error) {
	none := false
	err = v.h.Do(ctx, "Mutate", mutateTimeout, func(ctx context.Context, c judging.Judge) (err error) {
		mutants, err = c.Mutate(ctx, req)
		if errors.Is(err, judging.ErrNoMutants) {
			none = true
			return nil
		}
		return err
	})
	if none {
		return nil, judging.ErrNoMutants
	}
	return mutants, err
}
