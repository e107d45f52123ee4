package service

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/agents/internal/tutor"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var _ agents.Hinter = (*Service)(nil)

// PrepareHint implements agents.Hinter.
func (s *Service) PrepareHint(ctx context.Context, actor auth.Actor, r agents.HintRequest) (agents.Hint, error) {
	if err := checkWords("question", r.Question, 0, 4000); err != nil {
		return agents.Hint{}, err
	}
	task, err := s.tasks.Get(ctx, actor, r.TaskID)
	if err != nil {
		return agents.Hint{}, err
	}
	if !actor.Owns(task.UserID) {
		return agents.Hint{}, agents.ErrNotYourTask.New()
	}
	// As the system: the learner doesn't see hidden tests, which must not be told.
	if task, err = s.tasks.Get(ctx, system, r.TaskID); err != nil {
		return agents.Hint{}, err
	}
	last, _, err := store.LastHint(ctx, s.db.As(actor), actor, task.ID)
	if err != nil {
		return agents.Hint{}, err
	}
	level := agents.HintQuestion
	if last != nil {
		level = min(last.Level+1, agents.HintExample)
	}
	h, err := s.ladder.Hint(ctx, actor, task, level, r)
	h.Asked = r
	return h, err
}

// HintTx implements agents.Hinter.
func (s *Service) HintTx(ctx context.Context, tx *postgres.Tx, h agents.Hint) (agents.Hint, error) {
	id, err := newID()
	if err != nil {
		return agents.Hint{}, err
	}
	h.ID = id
	if !s.ladder.Writes() {
		return s.ladder.Give(ctx, tx, h)
	}
	task, err := s.tasks.LockTx(ctx, tx, h.TaskID)
	if err != nil {
		return agents.Hint{}, err
	}
	last, _, err := store.LastHint(ctx, tx, tx.Actor(), h.TaskID)
	if err != nil {
		return agents.Hint{}, err
	}
	if last != nil && last.Level >= h.Level && h.Level < agents.HintExample {
		return *last, nil // another call climbed this rung meanwhile
	}
	pending := agents.Hint{TaskID: h.TaskID, UserID: h.UserID, CourseID: h.CourseID, Level: h.Level, CreatedAt: s.log.Now(tx)}
	run, err := s.engine.Start(ctx, tx, agents.Run{
		ID: id, Graph: agents.GraphHint, UserID: task.UserID, CourseID: task.CourseID, GoalID: task.GoalID, TaskID: task.ID,
	}, map[string]any{"asked": tutor.Asked{Level: h.Level, Question: h.Asked.Question, Locale: h.Asked.Locale}})
	if err != nil {
		return agents.Hint{}, fmt.Errorf("start hint on task %s: %w", task.ID, err)
	}
	if run != nil {
		pending.ID = run.ID
		return pending, nil
	}
	// Another call waits for this rung already: both get the same.
	row, err := store.Hinting(ctx, tx, tx.Actor(), h.TaskID)
	if err != nil {
		return agents.Hint{}, err
	}
	if row == nil {
		return agents.Hint{}, agents.ErrMeanwhile.New()
	}
	pending.ID = row.ID
	return pending, nil
}

// WaitForHints sets how long a pending hint is waited for; wiring time only.
func (s *Service) WaitForHints(wait time.Duration) { s.hintWait = wait }

// lookEvery is how often a pending hint is looked for.
const lookEvery = 100 * time.Millisecond

// AwaitHint implements agents.Hinter.
func (s *Service) AwaitHint(ctx context.Context, actor auth.Actor, id string, prepared agents.Hint) (agents.Hint, error) {
	if uuid.Validate(id) != nil {
		return agents.Hint{}, agents.ErrRunNotFound.New(id)
	}
	deadline := time.NewTimer(s.hintWait)
	defer deadline.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		// The run first: what it gave was committed with its end.
		row, err := store.Get(ctx, s.db.As(actor), actor, id)
		if err != nil {
			return agents.Hint{}, fmt.Errorf("load agent run %s: %w", id, err)
		}
		h, err := store.GetHint(ctx, s.db.As(actor), actor, id)
		if err != nil {
			return agents.Hint{}, err
		}
		if h != nil {
			return *h, nil
		}
		if row == nil || !row.Status.Active() {
			return s.instead(ctx, actor, id, prepared)
		}
		select {
		case <-ctx.Done():
			return agents.Hint{}, fmt.Errorf("wait for hint %s: %w", id, ctx.Err())
		case <-deadline.C:
			return s.instead(ctx, actor, id, prepared)
		case <-look.C:
		}
	}
}

// instead gives the rules' hint in place of a run's, which ends.
func (s *Service) instead(ctx context.Context, actor auth.Actor, id string, prepared agents.Hint) (given agents.Hint, err error) {
	err = s.db.InTx(ctx, postgres.As(actor), func(ctx context.Context, tx *postgres.Tx) error {
		// The task first, as everywhere; then the run, which may have just ended.
		if _, err := s.tasks.LockTx(ctx, tx, prepared.TaskID); err != nil {
			return err
		}
		row, err := store.Lock(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		h, err := store.GetHint(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		if h != nil {
			given = *h
			return nil
		}
		if row != nil && row.Status.Active() {
			if err := s.engine.Cancel(ctx, tx, row); err != nil {
				return err
			}
		}
		prepared.ID = id
		given, err = s.ladder.Give(ctx, tx, prepared)
		return err
	})
	return given, err
}
