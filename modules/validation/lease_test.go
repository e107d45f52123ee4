package validation_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// The thief is done, or is still at work, when the first worker publishes.
func TestAWorkerWhoseLeaseWasTakenCannotPublish(t *testing.T) {
	for _, thiefFirst := range []bool{true, false} {
		t.Run(fmt.Sprintf("thief done %t", thiefFirst), func(t *testing.T) { stolen(t, thiefFirst) })
	}
}

func stolen(t *testing.T, thiefFirst bool) {
	t.Helper()
	began := make(chan int, 2)
	goOn := []chan struct{}{make(chan struct{}), make(chan struct{})}
	var mu sync.Mutex
	calls := 0
	judge := &fake{judge: func(context.Context, string) (judging.Verdict, error) {
		mu.Lock()
		mine := calls
		calls++
		mu.Unlock()
		began <- mine
		<-goOn[mine]
		return []judging.Verdict{judging.VerdictPassed, judging.VerdictFailed}[mine], nil
	}}
	// The first worker's heart beats too seldom to notice before it publishes.
	b := setup(t, validationtest.Options{Judge: judge, Config: validation.Config{Lease: time.Hour}})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	done := []chan error{make(chan error, 1), make(chan error, 1)}
	work := func(i int) { _, err := b.Worker.Next(context.Background()); done[i] <- err }
	go work(0)
	<-began
	// As if it had been silent for longer than its lease.
	b.count("WITH u AS (UPDATE validation.queue SET lease_until = now() - interval '1 s' RETURNING 1) SELECT count(*) FROM u")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_ = b.Worker.Run(ctx) // one sweep
	go work(1)
	<-began
	order := []int{0, 1}
	if thiefFirst {
		order = []int{1, 0}
	}
	for _, i := range order {
		close(goOn[i])
		if err := <-done[i]; err != nil {
			t.Fatal(err)
		}
	}
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictFailed || run.Attempt != 2 {
		t.Errorf("the stolen run's verdict is %s at attempt %d", run.Verdict, run.Attempt)
	}
	if got := b.types("run:" + s.RunID); got != "validation.queued validation.started validation.started validation.completed" { //nolint:dupword // each is one
		t.Errorf("events: %s", got)
	}
	if got := b.status(task.ID); got != tasks.StatusFailed {
		t.Errorf("the task is %s", got)
	}
}

func TestAWorkerNoticesThatItsLeaseIsLostAndStops(t *testing.T) {
	started := make(chan struct{})
	judge := &fake{judge: func(ctx context.Context, _ string) (judging.Verdict, error) {
		close(started)
		<-ctx.Done()
		return "", ctx.Err()
	}}
	b := setup(t, validationtest.Options{Judge: judge, Config: fast()})
	task := b.task(ada, "test_main.py", doubleTest)
	b.Submit(t, ada, task.ID, "main.py", "x")
	done := make(chan error, 1)
	go func() { _, err := b.Worker.Next(context.Background()); done <- err }()
	<-started
	// Deleting the goal deletes the task, and takes the run away.
	b.do(ada, func(ctx context.Context, tx *postgres.Tx) error { return b.goals.DeleteTx(ctx, tx, task.GoalID, nil) })
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the worker goes on judging what is gone")
	}
}

func TestAStoppingServerGivesItsRunBackWithoutCountingTheAttempt(t *testing.T) {
	started := make(chan struct{}, 2)
	stop := true
	judge := &fake{judge: func(ctx context.Context, _ string) (judging.Verdict, error) {
		started <- struct{}{}
		if stop {
			<-ctx.Done()
			return "", errors.Join(errPlatform, ctx.Err())
		}
		return judging.VerdictPassed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	tickets := b.count("SELECT count(*) FROM river.river_job")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := b.Worker.Next(ctx); done <- err }()
	<-started
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	stop = false
	if got := b.count("SELECT count(*) FROM river.river_job"); got != tickets+1 {
		t.Errorf("%d tickets after %d: the run needs a new one", got, tickets)
	}
	if b.Drain(t) != 1 {
		t.Fatal("the run does not wait")
	}
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictPassed || run.Attempt != 1 {
		t.Errorf("verdict %s at attempt %d", run.Verdict, run.Attempt)
	}
}

func TestARunThatKillsItsWorkersIsGivenUp(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	b.count("WITH u AS (UPDATE validation.queue SET attempt = 3 RETURNING 1) SELECT count(*) FROM u") // three died over it
	b.Drain(t)
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictPlatformError || judge.order() != "" {
		t.Errorf("the run is %s, judged: %q", run.Verdict, judge.order())
	}
}
