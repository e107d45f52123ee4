package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
)

// RecordTx implements validation.Service.
func (s *Service) RecordTx(ctx context.Context, tx *postgres.Tx, r validation.Recorded) (validation.Snapshot, error) {
	if !tx.Actor().IsSystem() {
		return validation.Snapshot{}, errs.Forbidden.New(errs.Say("learners submit; only the system records what was submitted elsewhere",
			"quien aprende entrega; solo el sistema registra lo que se entregó en otro lugar"))
	}
	id, err := uuid.Parse(r.ID)
	if err != nil {
		return validation.Snapshot{}, errs.BadInput.New(errs.Say("%q is no UUID", "%q no es un UUID", r.ID)).WithField("id", "must be a UUID")
	}
	if r.Language == "" {
		return validation.Snapshot{}, errs.BadInput.New(errs.Say("a snapshot has a language", "una entrega tiene un lenguaje")).WithField("language", "must be set")
	}
	task, err := s.tasks.LockTx(ctx, tx, r.TaskID)
	if err != nil {
		return validation.Snapshot{}, err
	}
	files, err := validation.CheckFiles(r.Files, s.cfg)
	if err != nil {
		return validation.Snapshot{}, err
	}
	snapshot, err := s.store(ctx, tx, task, id, r.Language, files)
	snapshot.Files = nil
	return snapshot, err
}
