package validation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// play judges with slots workers until stop is called.
func (b *bundle) play(slots int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = b.Worker.Run(ctx) })
	for range slots {
		wg.Go(func() {
			for ctx.Err() == nil {
				more, err := b.Worker.Next(context.WithoutCancel(ctx))
				if err != nil {
					b.t.Error(err)
					return
				}
				if !more {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// Four workers judge runs that last a third to three times as long as most,
// while four learners of three courses go on submitting.
func TestExpectationsAreHalfRightUnderLoad(t *testing.T) {
	const slots, runs = 4, 80
	random := rand.New(rand.NewPCG(3, 14))
	var mu sync.Mutex
	judge := &fake{judge: func(context.Context, string) (judging.Verdict, error) {
		mu.Lock()
		took := time.Duration(50+random.IntN(400)) * time.Millisecond
		mu.Unlock()
		time.Sleep(took)
		return judging.VerdictPassed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge, Config: validation.Config{Concurrency: slots}})
	learners := []auth.Actor{ada, bob, cleo, goalstest.Learner("dora")}
	all := map[string][]tasks.Task{}
	for _, l := range learners {
		all[l.UserID] = b.many(l, runs/len(learners))
	}
	stop := b.play(slots)
	defer stop()
	type promise struct {
		run  string
		from time.Time
		said time.Duration
	}
	var promises []promise
	for i := range runs {
		l := learners[i%len(learners)]
		s := b.Submit(t, l, all[l.UserID][i/len(learners)].ID, "main.py", fmt.Sprint("x", i))
		at := time.Now()
		if run := b.Run(t, s.RunID); run.Estimate != nil && i >= runs/4 { // the first teach how long a run lasts
			promises = append(promises, promise{s.RunID, at, run.Estimate.End})
		}
		time.Sleep(30 * time.Millisecond)
	}
	eventually(t, 2*time.Minute, "all are judged", func() bool {
		return b.count("SELECT count(*) FROM validation.runs WHERE status = 'done'") == runs
	})
	var wrong []float64
	for _, p := range promises {
		took := b.Run(t, p.run).FinishedAt.Sub(p.from)
		wrong = append(wrong, (p.said-took).Abs().Seconds()/max(took, 10*time.Millisecond).Seconds())
	}
	if len(wrong) < runs/2 {
		t.Fatalf("only %d of %d runs had an expectation", len(wrong), runs)
	}
	slices.Sort(wrong)
	median := wrong[len(wrong)/2]
	t.Logf("of %d expectations the median is off by %.0f %%, nine of ten by at most %.0f %%", len(wrong), 100*median, 100*wrong[len(wrong)*9/10])
	if median > 0.5 {
		t.Errorf("the median expectation is off by %.0f %%", 100*median)
	}
}

func TestLearnersHearTheirPlaceAndWhenTheVerdictIsDueAsBothChange(t *testing.T) {
	goOn := make(chan struct{})
	judge := &fake{judge: func(_ context.Context, content string) (judging.Verdict, error) {
		if content != "quick" {
			<-goOn
		}
		return judging.VerdictPassed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge, Config: validation.Config{Concurrency: 1}})
	task := b.many(ada, 3)
	s := b.Submit(t, ada, task[0].ID, "main.py", "quick")
	// Nobody judges yet, so nobody knows.
	if run := b.Run(t, s.RunID); run.QueuePosition != 1 || run.Estimate != nil {
		t.Errorf("without a worker, place %d and %v are told", run.QueuePosition, run.Estimate)
	}
	b.Drain(t)
	stop := b.play(1)
	first := b.Submit(t, ada, task[1].ID, "main.py", "slow")
	eventually(t, time.Minute, "it runs", func() bool { return b.Run(t, first.RunID).Status == validation.StatusRunning })
	second := b.Submit(t, ada, task[2].ID, "main.py", "slow too")
	run := b.Run(t, second.RunID)
	if run.QueuePosition != 1 || run.Estimate == nil || run.Estimate.End <= run.Estimate.Start {
		t.Errorf("the one that waits is at place %d and expected %v", run.QueuePosition, run.Estimate)
	}
	if run := b.Run(t, first.RunID); run.QueuePosition != 0 || run.Estimate == nil || run.Estimate.Start != 0 {
		t.Errorf("the one that runs is at place %d and expected %v", run.QueuePosition, run.Estimate)
	}
	eventually(t, 20*time.Second, "the learner hears of it", func() bool {
		for _, p := range b.Pushes("ada", validation.PushQueue) {
			if p["run_id"] == second.RunID && p["position"] == 1.0 && p["eta_ms"] != nil {
				return true
			}
		}
		return false
	})
	close(goOn)
	eventually(t, 20*time.Second, "both are judged", func() bool { return b.Run(t, second.RunID).Status == validation.StatusDone })
	if run := b.Run(t, second.RunID); run.Estimate != nil || run.QueuePosition != 0 {
		t.Errorf("a verdict that is there is expected %v", run.Estimate)
	}
	stop()
	if n := b.count("SELECT count(*) FROM validation.workers"); n != 0 {
		t.Errorf("%d servers judge after the only one stopped", n)
	}
}
