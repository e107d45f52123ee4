package service

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/page"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/forecast"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
)

// The size of a page.
const (
	defaultSize = 20
	maxSize     = 100
)

// Snapshot implements validation.Service.
func (s *Service) Snapshot(ctx context.Context, actor auth.Actor, id string) (validation.Snapshot, error) {
	if _, err := uuid.Parse(id); err != nil {
		return validation.Snapshot{}, validation.ErrSnapshotNotFound.New(id)
	}
	snapshot, err := store.Snapshot(ctx, s.db.As(actor), actor, id)
	if err != nil {
		return validation.Snapshot{}, err
	}
	if snapshot == nil {
		return validation.Snapshot{}, validation.ErrSnapshotNotFound.New(id)
	}
	return *snapshot, nil
}

// Snapshots implements validation.Service.
func (s *Service) Snapshots(ctx context.Context, actor auth.Actor, q validation.Query) (validation.Page, error) {
	size := q.Size
	if size == 0 {
		size = defaultSize
	}
	if size < 1 || size > maxSize {
		return validation.Page{}, errs.BadInput.New(errs.Say("page_size is %d, it may be 1 to %d", "page_size es %d y puede ser de 1 a %d", q.Size, maxSize)).
			WithField("page_size", fmt.Sprintf("may be 1 to %d", maxSize))
	}
	task, err := s.tasks.Get(ctx, actor, q.TaskID)
	if err != nil {
		return validation.Page{}, err
	}
	scope, before := "snapshots task="+task.ID, math.MaxInt32
	if err := page.Decode(q.Token, scope, &before); err != nil {
		return validation.Page{}, err
	}
	if before < 1 || before > math.MaxInt32 {
		return validation.Page{}, errs.BadPageToken.New()
	}
	// One more than asked for says whether there is a next page.
	list, err := store.Snapshots(ctx, s.db.As(actor), actor, task.ID, before, size+1)
	if err != nil {
		return validation.Page{}, err
	}
	result := validation.Page{Snapshots: list}
	if len(list) > size {
		result.Snapshots, result.Next = list[:size], page.Encode(scope, list[size-1].Number)
	}
	return result, nil
}

// Run implements validation.Service.
func (s *Service) Run(ctx context.Context, actor auth.Actor, id string) (validation.Run, error) {
	return s.run(ctx, s.db.As(actor), actor, id)
}

// RunTx implements validation.Service.
func (s *Service) RunTx(ctx context.Context, tx *postgres.Tx, id string) (validation.Run, error) {
	return s.run(ctx, tx, tx.Actor(), id)
}

func (s *Service) run(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (validation.Run, error) {
	if _, err := uuid.Parse(id); err != nil {
		return validation.Run{}, validation.ErrRunNotFound.New(id)
	}
	run, err := store.Run(ctx, q, actor, id)
	if err != nil {
		return validation.Run{}, err
	}
	if run == nil {
		return validation.Run{}, validation.ErrRunNotFound.New(id)
	}
	if run.Report != nil && !actor.Teaches(run.CourseID) {
		run.Report.Problem = "" // it may quote hidden tests
	}
	if run.Status == validation.StatusQueued || run.Status == validation.StatusRunning {
		if err := s.expect(ctx, run); err != nil {
			return validation.Run{}, err
		}
	}
	return *run, nil
}

// expect says where a run stands and when its verdict is expected. That depends
// on others' runs, of which the answer tells nothing else.
func (s *Service) expect(ctx context.Context, run *validation.Run) error {
	view, err := forecast.Look(ctx, s.db.As(system), forecast.Most, s.cfg.Alive())
	if err != nil {
		return err
	}
	position, estimate := view.Of(run.ID)
	if run.Status == validation.StatusQueued && position == 0 && len(view.Waiting) == forecast.Most {
		if position, err = store.Position(ctx, s.db.As(system), run.ID); err != nil {
			return err
		}
		if position > 0 {
			estimate = view.Beyond(position)
		}
	}
	if run.Status == validation.StatusQueued {
		run.QueuePosition = position
	}
	run.Estimate = estimate
	return nil
}

// Report implements validation.Service.
func (s *Service) Report(ctx context.Context, actor auth.Actor, runID string) (validation.Report, error) {
	run, err := s.Run(ctx, actor, runID)
	if err != nil {
		return validation.Report{}, err
	}
	if run.Report == nil {
		return validation.Report{}, validation.ErrNotDone.New(runID)
	}
	return *run.Report, nil
}

// Validators implements validation.Service.
func (s *Service) Validators(ctx context.Context) []validation.Validator {
	s.catalog.Load(ctx)
	entries := s.catalog.Entries()
	all := make([]validation.Validator, 0, len(entries))
	for _, e := range entries {
		all = append(all, s.validator(e))
	}
	return all
}

func (s *Service) validator(e judge.Entry) validation.Validator {
	v := validation.Validator{
		Name: e.Info.Name, Version: e.Info.Description.Version, Languages: e.Languages, Toolchain: e.Toolchain, State: validation.StateReady,
	}
	switch {
	case s.sandbox != "":
		v.State = validation.StateNoSandbox
		v.Advice = "Nothing is judged on this machine, submissions wait: " + s.sandbox
	case e.Info.State == "quarantined":
		v.State, v.Advice = validation.StateQuarantined, e.Info.Problem
	case len(e.Languages) == 0:
		v.State, v.Advice = validation.StateUnavailable, e.Info.Problem
	case e.Problem != nil:
		v.State, v.Advice = validation.StateMissingRuntime, e.Problem.Error()
	}
	return v
}
