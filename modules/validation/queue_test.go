package validation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// many makes n tasks in one goal of the actor.
func (b *bundle) many(actor auth.Actor, n int) []tasks.Task {
	b.t.Helper()
	course := ""
	if len(actor.CourseIDs) > 0 {
		course = actor.CourseIDs[0]
	}
	goal := goalstest.Create(b.t, b.DB, b.goals, actor, course, "Learn")
	news := make([]tasks.New, n)
	for i := range news {
		news[i] = tasks.New{Last: true, Details: tasks.Details{Title: fmt.Sprint(i), Type: tasks.TypeCode, Language: "python"}}
	}
	return taskstest.Create(b.t, b.DB, b.tasks, actor, goal.ID, news...)
}

func TestANewerSnapshotTakesThePlaceOfAnOlderOneThatWaits(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	first := b.Submit(t, ada, task.ID, "main.py", "one")
	second := b.Submit(t, ada, task.ID, "main.py", "two")
	if first.Number != 1 || second.Number != 2 {
		t.Errorf("numbers are %d and %d", first.Number, second.Number)
	}
	b.Drain(t)
	if judge.order() != "two" {
		t.Errorf("judged: %s", judge.order())
	}
	if run := b.Run(t, first.RunID); run.Status != validation.StatusSuperseded || run.Verdict != "" || run.FinishedAt.IsZero() {
		t.Errorf("the older run is %+v", run)
	}
	if got := b.types("run:" + first.RunID); got != "validation.queued validation.completed" {
		t.Errorf("its events are %s", got)
	}
	if got := b.status(task.ID); got != tasks.StatusCompleted {
		t.Errorf("the task is %s", got)
	}
	eventstest.Verify(t, b.log)
}

func TestAVerdictOfAnOlderSnapshotThatRanAlreadyDoesNotMoveTheTask(t *testing.T) {
	started, goOn := make(chan struct{}), make(chan struct{})
	judge := &fake{judge: func(_ context.Context, content string) (judging.Verdict, error) {
		if content == "one" {
			close(started)
			<-goOn
			return judging.VerdictPassed, nil
		}
		return judging.VerdictFailed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	first := b.Submit(t, ada, task.ID, "main.py", "one")
	done := make(chan error, 1)
	go func() { _, err := b.Worker.Next(context.Background()); done <- err }()
	<-started
	second := b.Submit(t, ada, task.ID, "main.py", "two")
	b.Drain(t)
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if a, z := b.Run(t, first.RunID), b.Run(t, second.RunID); a.Verdict != judging.VerdictPassed || z.Verdict != judging.VerdictFailed {
		t.Errorf("verdicts are %s and %s", a.Verdict, z.Verdict)
	}
	if got := b.status(task.ID); got != tasks.StatusFailed {
		t.Errorf("the task is %s; its newest snapshot failed", got)
	}
	// What is pushed says so, too: whoever shows it can tell old from new.
	for run, want := range map[string][2]int32{first.RunID: {1, 2}, second.RunID: {2, 0}} {
		history := b.stream("run:" + run)
		for _, e := range history {
			numbered, ok := e.Data.(interface{ GetSnapshotNumber() int32 })
			if !ok || numbered.GetSnapshotNumber() != want[0] {
				t.Errorf("%s does not say that it is of snapshot %d: %s", e.Type, want[0], e.Raw)
			}
		}
		if end, ok := history[len(history)-1].Data.(*validationv1.ValidationCompleted); !ok || end.GetNewerSnapshot() != want[1] {
			t.Errorf("the verdict of snapshot %d is followed by %d, want %d", want[0], end.GetNewerSnapshot(), want[1])
		}
	}
	eventstest.Verify(t, b.log)
}

func TestTheFirstSubmissionOfBWaitsForAtMostTwoOfAsHundred(t *testing.T) {
	for _, who := range []struct {
		name string
		b    auth.Actor
	}{{"same course", bob}, {"another course", cleo}, {"no course", goalstest.Learner("dora")}} {
		t.Run(who.name, func(t *testing.T) {
			judge := &fake{}
			b := setup(t, validationtest.Options{Judge: judge})
			for i, task := range b.many(ada, 100) {
				b.Submit(t, ada, task.ID, "main.py", fmt.Sprintf("a%d", i))
			}
			// Some of A's are judged before B comes.
			for range 20 {
				if _, err := b.Worker.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			s := b.Submit(t, who.b, b.many(who.b, 1)[0].ID, "main.py", "b")
			place := b.Run(t, s.RunID).QueuePosition
			for range 3 {
				if _, err := b.Worker.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			at := slices.Index(strings.Fields(judge.order()), "b")
			if at < 20 || at > 22 || place != at-20+1 {
				t.Errorf("B was the %dth after it came, its place said %d: %s", at-20+1, place, judge.order())
			}
		})
	}
}

// The order in which runs are judged is the one that their places told, whoever
// submits what; learners of a course take turns, and so do courses.
func TestPlacesInTheQueueTellTheOrderAndNobodyGetsAhead(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	learners := []auth.Actor{ada, bob, cleo, goalstest.Learner("dora")}
	pool := map[string][]tasks.Task{}
	for _, l := range learners {
		pool[l.UserID] = b.many(l, 60)
	}
	rapid.Check(t, func(rt *rapid.T) {
		judge.mu.Lock()
		judge.seen = nil
		judge.mu.Unlock()
		mine := map[string]validation.Snapshot{}
		n := rapid.IntRange(1, 12).Draw(rt, "runs")
		next := map[string]int{}
		for i := range n {
			l := learners[rapid.IntRange(0, len(learners)-1).Draw(rt, "learner")]
			task := pool[l.UserID][next[l.UserID]]
			next[l.UserID]++
			if b.status(task.ID) == tasks.StatusCompleted {
				b.reopen(l, task.ID)
			}
			name := fmt.Sprintf("%s%d-%d", l.UserID, i, time.Now().UnixNano())
			mine[name] = b.Submit(t, l, task.ID, "main.py", name)
		}
		want := make([]string, n)
		for name, s := range mine {
			place := b.Run(t, s.RunID).QueuePosition
			if place < 1 || place > n || want[place-1] != "" {
				rt.Fatalf("%s has place %d of %d", name, place, n)
			}
			want[place-1] = name
		}
		b.Drain(t)
		if got := judge.order(); got != strings.Join(want, " ") {
			rt.Fatalf("judged %s, places told %s", got, strings.Join(want, " "))
		}
	})
}

func TestAPlatformErrorIsRetriedAndThenGivesTheTaskBackAsItWas(t *testing.T) {
	judge := &fake{judge: func(context.Context, string) (judging.Verdict, error) { return "", errPlatform }}
	b := setup(t, validationtest.Options{Judge: judge, Config: fast()})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	eventually(t, time.Minute, "the run is given up", func() bool {
		b.Drain(t)
		return b.Run(t, s.RunID).Status == validation.StatusDone
	})
	run := b.Run(t, s.RunID)
	if run.Verdict != judging.VerdictPlatformError || run.Attempt != 3 || judge.order() != "x x x" || run.Summary.ES == "" { //nolint:dupword // each is one
		t.Errorf("the run is %+v after %s", run, judge.order())
	}
	if got := b.status(task.ID); got != tasks.StatusInProgress {
		t.Errorf("the task is %s", got)
	}
	if strings.Contains(run.Summary.EN, "fire") {
		t.Error("the learner reads of the platform's insides")
	}
	eventstest.Verify(t, b.log)
}

func TestAPlatformErrorThatPassesCostsTheLearnerNothing(t *testing.T) {
	failed := false
	judge := &fake{}
	judge.judge = func(context.Context, string) (judging.Verdict, error) {
		if !failed {
			failed = true
			return "", errPlatform
		}
		return judging.VerdictPassed, nil
	}
	b := setup(t, validationtest.Options{Judge: judge, Config: fast()})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	b.Submit(t, bob, b.many(bob, 1)[0].ID, "main.py", "keeps the queue busy")
	if _, err := b.Worker.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	const spent = "SELECT coalesce(sum(virtual_time), 0)::int FROM validation.shares WHERE kind = 'learner' AND user_id = 'ada'"
	if got := b.count(spent); got != 0 {
		t.Errorf("the platform failed, and ada paid %d turns", got)
	}
	eventually(t, time.Minute, "it is judged", func() bool {
		_, err := b.Worker.Next(t.Context())
		return err == nil && b.Run(t, s.RunID).Status == validation.StatusDone
	})
	if got := b.count(spent); got != 1 {
		t.Errorf("one run was judged, and ada paid %d turns", got)
	}
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictPassed || run.Attempt != 2 {
		t.Errorf("the run is %+v", run)
	}
}

func TestWhoWasIdleSavesNothingUp(t *testing.T) {
	for _, late := range []auth.Actor{bob, cleo} {
		t.Run("late in "+late.CourseIDs[0], func(t *testing.T) {
			judge := &fake{}
			b := setup(t, validationtest.Options{Judge: judge})
			for _, task := range b.many(ada, 30) {
				b.Submit(t, ada, task.ID, "main.py", "a")
			}
			for range 15 {
				if _, err := b.Worker.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, task := range b.many(late, 10) {
				b.Submit(t, late, task.ID, "main.py", "b")
			}
			for range 10 {
				if _, err := b.Worker.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if turns := judge.order()[2*15:]; strings.Count(turns, "a") < 4 || strings.Count(turns, "b") < 4 {
				t.Errorf("they do not take turns: %s", turns)
			}
		})
	}
}

func TestManyWorkersJudgeEachRunOnce(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	want := map[string]bool{}
	for _, l := range []auth.Actor{ada, bob, cleo} {
		for i, task := range b.many(l, 10) {
			name := fmt.Sprintf("%s%d", l.UserID, i)
			want[name] = true
			b.Submit(t, l, task.ID, "main.py", name)
		}
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for {
				if more, err := b.Worker.Next(context.Background()); err != nil || !more {
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	wg.Wait()
	b.Drain(t)
	seen := strings.Fields(judge.order())
	if len(seen) != len(want) {
		t.Errorf("%d were judged, %d submitted", len(seen), len(want))
	}
	for _, name := range seen {
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("never judged: %v", want)
	}
	eventstest.Verify(t, b.log)
}
