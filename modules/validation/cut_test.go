package validation_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// As when the database restarts: every connection dies, again and again, while
// runs are taken, renewed and published.
func TestNoVerdictIsLostOrDoubledWhenConnectionsAreCut(t *testing.T) {
	judge := &fake{judge: func(context.Context, string) (judging.Verdict, error) {
		time.Sleep(20 * time.Millisecond)
		return judging.VerdictPassed, nil
	}}
	cfg := fast()
	cfg.MaxAttempts = 1000 // an attempt that a cut ended is one
	b := setup(t, validationtest.Options{Judge: judge, Config: cfg})
	const n = 40
	runs := make([]string, 0, n)
	for i, task := range b.many(ada, n) {
		runs = append(runs, b.Submit(t, ada, task.ID, "main.py", fmt.Sprint(i)).RunID)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	var failed atomic.Int64
	wg.Go(func() { _ = b.Worker.Run(ctx) })
	for range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				more, err := b.Worker.Next(ctx)
				if err != nil && ctx.Err() == nil {
					failed.Add(1)
				}
				if err != nil || !more {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	cut := 0
	for range 25 {
		n := 0
		_ = b.DB.Pool().QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&n)
		cut += n
		time.Sleep(15 * time.Millisecond)
	}
	eventually(t, 40*time.Second, "all are judged", func() bool {
		for _, id := range runs {
			if r, err := b.Service.Run(ctx, auth.System("test"), id); err != nil || r.Status != validation.StatusDone {
				return false
			}
		}
		return true
	})
	cancel()
	wg.Wait()
	if got := b.count("SELECT count(*) FROM events.events WHERE type = 'validation.completed'"); got != n {
		t.Errorf("%d verdicts were published, want %d", got, n)
	}
	if got := b.count("SELECT count(*) FROM validation.reports"); got != n {
		t.Errorf("%d reports were stored, want %d", got, n)
	}
	if got := b.count("SELECT count(*) FROM events.events WHERE type = 'task.completed'"); got != n {
		t.Errorf("%d tasks were completed, want %d", got, n)
	}
	t.Logf("%d connections cut, %d calls failed, %d attempts for %d runs", cut, failed.Load(), len(strings.Fields(judge.order())), n)
	if cut < 5 || failed.Load() == 0 {
		t.Error("the cuts did not hit anybody")
	}
	eventstest.Verify(t, b.log)
}
