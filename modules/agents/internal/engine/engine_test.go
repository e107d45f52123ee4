package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// count counts up until the edge is taken.
func countTo(n int) *engine.Graph {
	return &engine.Graph{
		Name: "count", Version: 1, Start: "add", Forks: true,
		Nodes: []engine.Node{
			{Name: "add", Run: func(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
				at, err := engine.Get[int](x.State, "n")
				return engine.Outcome{Set: map[string]any{"n": at + 1}}, err
			}},
			{Name: "end", Run: word("ended", nil)},
		},
		Edges: []engine.Edge{
			{From: "add", To: "end", When: func(s engine.State) bool { at, _ := engine.Get[int](s, "n"); return at >= n }, Label: "enough"},
			{From: "add", To: "add", Label: "again"},
		},
	}
}

func TestARunFollowsItsEdgesAndKeepsACheckpointOfEachStep(t *testing.T) {
	b := setup(t, countTo(3))
	id := b.start(ada, "count")
	b.work()
	if diff := cmp.Diff([]string{"add:done", "add:done", "add:done", "end:ended"}, b.path(id)); diff != "" {
		t.Error(diff)
	}
	r := b.run(id)
	if r.Status != agents.StatusDone || r.Ended != 4 || string(r.State) != `{"n": 3}` {
		t.Errorf("the run is %s after %d steps with %s", r.Status, r.Ended, r.State)
	}
	b.in(system, func(ctx context.Context, tx *postgres.Tx) error {
		c, err := store.GetCheckpoint(ctx, tx, system, id, 2)
		if err != nil || string(c.State) != `{"n": 2}` || len(c.Due) != 1 || c.Due[0].Node != "add" {
			t.Errorf("checkpoint 2 is %+v, %v", c, err)
		}
		return nil
	})
	if b.tickets < 4 || !slices.Contains(b.pushed, "ada agent.node end done") {
		t.Errorf("%d tickets, pushed %v", b.tickets, b.pushed)
	}
}

func TestAGraphThatNeverEndsIsStopped(t *testing.T) {
	g := countTo(1 << 30)
	g.MaxSteps = 10
	b := setup(t, g)
	id := b.start(ada, "count")
	b.work()
	if r := b.run(id); r.Status != agents.StatusFailed || r.Message.ES == "" || len(b.path(id)) != 10 {
		t.Errorf("the run is %s after %v", r.Status, b.path(id))
	}
}

func TestANodeIsTriedAgainAndFailsTheRunInTheEnd(t *testing.T) {
	tries := 0
	b := setup(t, &engine.Graph{Name: "g", Version: 1, Start: "a", Nodes: []engine.Node{{
		Name: "a", Attempts: 3, Run: func(context.Context, *engine.Execution) (engine.Outcome, error) {
			tries++
			if tries == 1 {
				panic("a slip")
			}
			return engine.Outcome{}, errors.New("the database is away")
		},
	}}})
	id := b.start(ada, "g")
	for range 5 {
		b.work()
		time.Sleep(10 * time.Millisecond)
	}
	if r := b.run(id); tries != 3 || r.Status != agents.StatusFailed || strings.Contains(r.Message.EN, "database") {
		t.Errorf("tried %d times, the run is %s: %q", tries, r.Status, r.Message.EN)
	}
}

func TestAMistakeThatWaitingWontMendEndsTheRunWithItsText(t *testing.T) {
	gone := errs.Define(errs.NotFound, "test_gone", "The goal %s is gone.", "El objetivo %s ya no está.")
	b := setup(t, &engine.Graph{Name: "g", Version: 1, Start: "a", Nodes: []engine.Node{{
		Name: "a", Run: func(context.Context, *engine.Execution) (engine.Outcome, error) {
			return engine.Outcome{Commit: func(context.Context, *postgres.Tx, *engine.Commit) error { return gone.New("G1") }}, nil
		},
	}}})
	id := b.start(ada, "g")
	b.work()
	if r := b.run(id); r.Status != agents.StatusFailed || r.Message.ES != "El objetivo G1 ya no está." {
		t.Errorf("the run is %s: %+v", r.Status, r.Message)
	}
}

func TestAnInterruptHoldsNoJobAndItsNodeGetsTheAnswer(t *testing.T) {
	g := &engine.Graph{
		Name: "ask", Version: 1, Start: "ask",
		Nodes: []engine.Node{
			{Name: "ask", Run: func(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
				if x.Input == nil {
					q := &agents.Question{ID: "q1", Text: agents.Text{EN: "Which?"}}
					return engine.Outcome{Set: map[string]any{"asked": true}, Wait: &engine.Interrupt{For: agents.ForAnswer, Question: q}}, nil
				}
				return engine.Outcome{Set: map[string]any{"answer": x.Input}}, nil
			}},
			{Name: "end", Run: word("ended", nil)},
		},
		Edges: []engine.Edge{{From: "ask", To: "end"}},
	}
	b := setup(t, g)
	id := b.start(ada, "ask")
	b.work()
	r := b.run(id)
	if r.Status != agents.StatusWaiting || r.WaitingFor != agents.ForAnswer || r.Question.ID != "q1" {
		t.Fatalf("the run is %s for %q with %v", r.Status, r.WaitingFor, r.Question)
	}
	b.engine = b.replica(g) // the server was restarted meanwhile
	b.resume(ada, id, "loops")
	b.work()
	if r := b.run(id); r.Status != agents.StatusDone || string(r.State) != `{"n": 0, "asked": true, "answer": "loops"}` {
		t.Errorf("the run is %s with %s", r.Status, r.State)
	}
	if diff := cmp.Diff([]string{"ask:waiting", "ask:done", "end:ended"}, b.path(id)); diff != "" {
		t.Error(diff)
	}
}

func TestBranchesRunSideBySideAndAJoinWaitsForAll(t *testing.T) {
	g := &engine.Graph{
		Name: "fan", Version: 1, Start: "split",
		Nodes: []engine.Node{
			{Name: "split", Run: func(context.Context, *engine.Execution) (engine.Outcome, error) {
				return engine.Outcome{Send: []engine.Branch{{Node: "part", Input: 1}, {Node: "part", Input: 2}, {Node: "part", Input: 3}}}, nil
			}},
			{Name: "part", Run: func(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
				return engine.Outcome{Set: map[string]any{"part" + string(x.Input): x.Input}}, nil
			}},
			{Name: "join", Join: true, Run: func(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
				return engine.Outcome{Set: map[string]any{"parts": len(x.State) - 1}}, nil
			}},
		},
		Edges: []engine.Edge{{From: "part", To: "join"}},
	}
	b := setup(t, g)
	id := b.start(ada, "fan")
	b.work()
	if r := b.run(id); r.Status != agents.StatusDone || !strings.Contains(string(r.State), `"parts": 3`) {
		t.Errorf("the run is %s with %s", r.Status, r.State)
	}
	if diff := cmp.Diff([]string{"split:done", "part:done", "part:done", "part:done", "join:done"}, b.path(id)); diff != "" {
		t.Error(diff)
	}
}

func TestARunKeepsTheVersionOfTheGraphThatItBeganWith(t *testing.T) {
	old := countTo(2)
	b := setup(t, old)
	id := b.start(ada, "count")
	next := countTo(1)
	next.Version = 2
	b.engine = b.replica(old, next)
	b.work()
	if got := len(b.path(id)); got != 3 {
		t.Errorf("%d steps, want those of the old version", got)
	}
	orphan := b.start(ada, "count") // version 2
	b.engine = b.replica(old)
	b.work()
	if r := b.run(orphan); r.Status != agents.StatusFailed || r.Message.EN == "" {
		t.Errorf("a run of a version that is gone is %s", r.Status)
	}
}

func TestLearnersTakeTurns(t *testing.T) {
	var order []string
	g := &engine.Graph{Name: "g", Version: 1, Start: "a", Nodes: []engine.Node{{
		Name: "a", Run: func(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
			order = append(order, x.Run.UserID)
			return engine.Outcome{}, nil
		},
	}}}
	b := setup(t, g)
	for range 5 {
		b.start(ada, "g")
	}
	b.start(bob, "g")
	b.work()
	if at := slices.Index(order, "bob"); at > 1 {
		t.Errorf("bob, who asked for little, came after %d of ada's: %v", at, order)
	}
}

func TestACancelledRunStaysAsItIs(t *testing.T) {
	b := setup(t)
	began, goOn := make(chan struct{}), make(chan struct{})
	g := &engine.Graph{Name: "g", Version: 1, Start: "a", Nodes: []engine.Node{{
		Name: "a", Run: func(ctx context.Context, _ *engine.Execution) (engine.Outcome, error) {
			close(began)
			select {
			case <-ctx.Done():
			case <-goOn:
			}
			return engine.Outcome{Set: map[string]any{"late": true}}, nil
		},
	}}}
	b.engine = b.replica(g)
	id := b.start(ada, "g")
	done := make(chan error, 1)
	go func() { _, err := b.engine.Work(context.Background()); done <- err }()
	<-began
	b.in(ada, func(ctx context.Context, tx *postgres.Tx) error {
		row, err := store.Lock(ctx, tx, ada, id)
		if err != nil {
			return err
		}
		return b.engine.Cancel(ctx, tx, row)
	})
	select { // the lease is gone, which the heartbeat notices
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the node was not told")
		close(goOn)
	}
	if r := b.run(id); r.Status != agents.StatusCancelled || strings.Contains(string(r.State), "late") || len(b.path(id)) != 0 {
		t.Errorf("the run is %s with %s", r.Status, r.State)
	}
}

func TestARunIsForkedFromACheckpoint(t *testing.T) {
	b := setup(t, countTo(3))
	id := b.start(ada, "count")
	b.work()
	copied := uuid.Must(uuid.NewV7()).String()
	b.in(system, func(ctx context.Context, tx *postgres.Tx) error {
		row, err := store.Lock(ctx, tx, system, id)
		if err != nil {
			return err
		}
		_, err = b.engine.Fork(ctx, tx, row.Run, 1, copied)
		return err
	})
	b.work()
	if r := b.run(copied); r.Status != agents.StatusDone || string(r.State) != `{"n": 3}` || len(b.path(copied)) != 3 {
		t.Errorf("the fork is %s with %s after %v", r.Status, r.State, b.path(copied))
	}
}

func TestTheDrawingShowsThePath(t *testing.T) {
	b := setup(t, countTo(3))
	id := b.start(ada, "count")
	b.work()
	r := b.run(id).Run
	r.Steps, _ = store.Steps(t.Context(), b.db.As(system), system, id)
	got := b.engine.Draw(r)
	for _, want := range []string{"flowchart TD", `add["add ×3<br/>`, `add -->|"enough"| end`, "class end visited", "linkStyle 0,1"} {
		if !strings.Contains(got, want) {
			t.Errorf("the drawing lacks %q:\n%s", want, got)
		}
	}
}
