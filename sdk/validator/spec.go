package validator

import (
	"context"
	"errors"
	"fmt"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// Spec is a validator plugin, as data.
//
// In every function a returned error means "I could not judge": the run ends
// as a platform error and is tried again, and the learner is not blamed. What is
// wrong with the submission goes into the Report.
//
// The functions are called concurrently and share nothing: the calls of one
// run may reach different processes.
type Spec struct {
	// Name is lower-case, dash-separated and unique among installed plugins.
	// Required.
	Name string
	// Version is the plugin's SemVer. Required.
	Version string
	// Languages that the plugin judges. Required: at least one.
	Languages []Language
	// Runtimes that steps run on. Required when Plan or More is set.
	Runtimes []Runtime
	// Options is a struct with the defaults of the task's options. Each call
	// gets a copy in Request.Options, with the task's options decoded into it;
	// an unknown key is an error. Field tags: json, doc (a sentence), enum
	// (values, separated by commas). Optional: without it a task may set none.
	Options any

	// Plan answers with the steps of the first round. Optional: a plugin that
	// decides from the files alone has none.
	Plan func(ctx context.Context, req *Request) ([]Step, error)
	// More answers with the steps of the next round, or none when Judge can
	// decide. Optional: by default the steps of Plan are all.
	More func(ctx context.Context, req *Request) ([]Step, error)
	// MaxRounds is how many rounds there may be, 8 at most. Defaults to 1, or
	// to 2 when More is set.
	MaxRounds int
	// Judge reads the results and reports about the learner's work. Required.
	Judge func(ctx context.Context, req *Request) (*Report, error)
	// Mutate answers with up to limit faulty variants of the submission, which
	// here is a correct solution. Optional.
	Mutate func(ctx context.Context, req *Request, limit int) ([]Mutant, error)
}

// Request is one call of a run.
type Request struct {
	Submission Submission
	Task       Task
	// Options is a copy of Spec.Options, of the same type, with what the task
	// set; nil when the spec has none.
	Options any
	// Toolchain is the first line printed by each runtime's VersionArgv.
	Toolchain map[string]string
	// Nonce is unguessable text, the same in every call of a run. A result that
	// holds it was not written by the submission, as long as the step kept it
	// out of the submission's reach.
	Nonce string
	// OneProcess says that this host has no namespaces and refuses steps of two
	// processes: plan them as one, or say with TaskErrorf that it can't be done.
	OneProcess bool
	// Results of all rounds so far, in order; empty in Plan and Mutate.
	Results []StepResult
	// Round is 1 for the results of Plan; 0 in Plan and Mutate.
	Round int
}

// Result returns the result of that step, or nil.
func (r *Request) Result(stepID string) *StepResult {
	for i := range r.Results {
		if r.Results[i].StepID == stepID {
			return &r.Results[i]
		}
	}
	return nil
}

// Validate says what is wrong with the spec, all of it at once. Main refuses
// to start a spec that is not valid; call it in a test to know earlier.
func (s *Spec) Validate() error {
	var errs []error
	if s.Judge == nil {
		errs = append(errs, errors.New("Judge is required"))
	}
	if (s.Plan != nil || s.More != nil) && len(s.Runtimes) == 0 {
		errs = append(errs, errors.New("Runtimes is required when there are steps to run"))
	}
	if s.More != nil && s.MaxRounds == 1 {
		errs = append(errs, errors.New("MaxRounds is 1, so More would never be used"))
	}
	for _, l := range s.Languages {
		if len(l.Extensions) == 0 {
			errs = append(errs, fmt.Errorf("language %q needs an extension", l.Name))
		}
		if l.DefaultFile == "" {
			errs = append(errs, fmt.Errorf("language %q needs a default file", l.Name))
		}
	}
	if _, err := schemaOf(s.Options); err != nil {
		errs = append(errs, err)
	}
	if err := judging.CheckDescription(s.description("")); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return fmt.Errorf("spec of plugin %q is not valid: %w", s.Name, errors.Join(errs...))
	}
	return nil
}

func (s *Spec) description(schema string) *judging.Description {
	rounds := s.MaxRounds
	if rounds == 0 {
		rounds = 1
		if s.More != nil {
			rounds = 2
		}
	}
	return &judging.Description{
		Name: s.Name, Version: s.Version, Languages: s.Languages, Runtimes: s.Runtimes,
		OptionsSchema: schema, MaxRounds: rounds, Mutates: s.Mutate != nil,
	}
}
