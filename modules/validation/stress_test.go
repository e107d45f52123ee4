package validation_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Submissions, newer ones, deletions and verdicts of the same tasks meet.
func TestSubmittingDeletingAndJudgingAtOnceNeitherFailsNorDisagrees(t *testing.T) {
	judge := &fake{judge: func(_ context.Context, _ string) (judging.Verdict, error) {
		time.Sleep(5 * time.Millisecond)
		return judging.VerdictFailed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge, Config: fast()})
	var wg sync.WaitGroup
	var stop atomic.Bool
	for range 3 {
		wg.Go(func() {
			for !stop.Load() {
				if _, err := b.Worker.Next(context.Background()); err != nil {
					t.Errorf("judge: %v", err)
					return
				}
			}
		})
	}
	var learners sync.WaitGroup
	for _, l := range []auth.Actor{ada, bob, cleo} {
		all := b.many(l, 6)
		learners.Go(func() {
			for i := range 60 {
				_, err := b.TrySubmit(context.Background(), l, validationtest.Files(all[i%6].ID, "main.py", fmt.Sprint(l.UserID, i)))
				if err != nil && !tasks.ErrNotFound.Is(err) {
					t.Errorf("submit: %v", err)
				}
			}
		})
		learners.Go(func() {
			time.Sleep(300 * time.Millisecond)
			for i, task := range all[:3] {
				err := b.DB.InTx(context.Background(), postgres.As(l), func(ctx context.Context, tx *postgres.Tx) error {
					if i == 2 {
						return b.goals.DeleteTx(ctx, tx, task.GoalID, nil)
					}
					return b.tasks.DeleteTx(ctx, tx, task.ID, nil)
				})
				if err != nil {
					t.Errorf("delete: %v", err)
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	learners.Wait()
	stop.Store(true)
	wg.Wait()
	b.Drain(t)
	for _, table := range []string{"code_snapshots", "runs", "reports", "queue", "verdicts"} {
		if n := b.count("SELECT count(*) FROM validation." + table); n != 0 {
			t.Errorf("all goals are deleted, and %d rows are left in %s", n, table)
		}
	}
	eventstest.Verify(t, b.log)
}
