package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmtest"
)

// errKilled ends a unit of work as a worker's death does: nothing of it stays.
var errKilled = errors.New("killed")

// lostLease makes the lease of everything run out.
var lostLease = postgres.SQL("test.agents_lost_lease", `UPDATE agents.queue SET lease_until = now() - interval '1 s' WHERE lease_token IS NOT NULL`)

var countNotes = postgres.SQL("test.agents_notes", `SELECT count(*) FROM core.idempotency_keys WHERE subject_id = 'note'`)

var note = postgres.SQL("test.agents_note", `
	INSERT INTO core.idempotency_keys (subject_id, key, procedure, request_hash, expires_at)
	VALUES ('note', gen_random_uuid()::text, 'p', 'h', now() + interval '1 h')`)

func (b *bundle) expire() {
	b.Helper()
	if _, err := b.db.As(system).Exec(b.Context(), lostLease, postgres.Args{}); err != nil {
		b.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond)
	if err := b.engine.Sweep(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func (b *bundle) notes() (n int) {
	b.Helper()
	if err := b.db.As(system).QueryRow(b.Context(), countNotes, postgres.Args{}).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

func writeNote(ctx context.Context, tx *postgres.Tx, _ *engine.Commit) error {
	_, err := tx.Exec(ctx, note, postgres.Args{})
	return err
}

// A worker dies after its node, and before or after the effects of the node
// were written: they are there once in the end.
func TestAKillBetweenANodeAndItsCheckpointLeavesOneEffect(t *testing.T) {
	kill, outside := true, 0
	g := &engine.Graph{
		Name: "g", Version: 1, Start: "act",
		Nodes: []engine.Node{
			{Name: "act", Run: func(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
				got, err := x.Once(ctx, "pay", func(context.Context) (any, error) { outside++; return outside, nil })
				if err != nil {
					return engine.Outcome{}, err
				}
				return engine.Outcome{Set: map[string]any{"paid": got}, Commit: func(ctx context.Context, tx *postgres.Tx, c *engine.Commit) error {
					if err := writeNote(ctx, tx, c); err != nil || !kill {
						return err
					}
					kill = false
					return errKilled // nothing is committed
				}}, nil
			}},
			{Name: "end", Run: word("ended", nil)},
		},
		Edges: []engine.Edge{{From: "act", To: "end"}},
	}
	b := setup(t, g)
	id := b.start(ada, "g")
	for range 3 {
		b.work()
		time.Sleep(5 * time.Millisecond)
	}
	if r := b.run(id); r.Status != agents.StatusDone || b.notes() != 1 || outside != 1 || !strings.Contains(string(r.State), `"paid": 1`) {
		t.Errorf("the run is %s with %s, %d notes, paid %d times", r.Status, r.State, b.notes(), outside)
	}
}

// A worker that hangs loses its lease to another; what it then wants to write
// is refused, although the other is not done yet.
func TestAStolenLeaseWritesNothing(t *testing.T) {
	began := make(chan string, 2)
	goOn := map[string]chan struct{}{"late": make(chan struct{}), "in time": make(chan struct{})}
	g := &engine.Graph{Name: "g", Version: 1, Start: "act", Nodes: []engine.Node{{
		Name: "act", Run: func(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
			who := "late"
			if x.Attempt > 1 {
				who = "in time"
			}
			began <- who
			<-goOn[who] // deaf to everything, as a stopped process is
			return engine.Outcome{Word: who, Commit: writeNote}, nil
		},
	}}}
	b := setup(t, g)
	id := b.start(ada, "g")
	done := make(chan error, 2)
	work := func() { _, err := b.engine.Work(context.Background()); done <- err }
	go work()
	<-began
	b.expire()
	go work()
	<-began
	close(goOn["late"])
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := b.notes(); n != 0 || len(b.path(id)) != 0 {
		t.Errorf("the worker without a lease wrote %d notes and %v", n, b.path(id))
	}
	close(goOn["in time"])
	if err := <-done; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"act:in time"}, b.path(id)); diff != "" || b.notes() != 1 {
		t.Errorf("%d notes; %s", b.notes(), diff)
	}
}

func TestAPaidCallIsMadeOnceAndItsCostStandsInTheRun(t *testing.T) {
	models := &llmtest.Fake{Answers: func(llm.Request) (*llm.Answer, error) {
		answer, err := llmtest.JSON(map[string]string{"text": "hola \x00"})
		answer.Usage = llm.Usage{InputTokens: 100, OutputTokens: 20, CostMicros: 7}
		return answer, err
	}}
	failing := true
	g := &engine.Graph{Name: "g", Version: 1, Start: "ask", Nodes: []engine.Node{{
		Name: "ask", Run: func(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
			x.Show = func(soFar string) string { return soFar }
			answer, err := x.Model(ctx, models, "q", llm.Request{Purpose: llm.Plan})
			if err != nil {
				return engine.Outcome{}, err
			}
			if failing {
				failing = false
				return engine.Outcome{}, errors.New("something after the call")
			}
			return engine.Outcome{Set: map[string]any{"said": answer.Text, "by": answer.Provider}}, nil
		},
	}}}
	b := setup(t, g)
	id := b.start(ada, "g")
	for range 3 {
		b.work()
		time.Sleep(5 * time.Millisecond)
	}
	r := b.run(id)
	if r.Status != agents.StatusDone || len(models.Requests()) != 1 || r.Cost != (agents.Cost{ModelCalls: 1, InputTokens: 100, OutputTokens: 20, Micros: 7}) {
		t.Errorf("the run is %s after %d calls, cost %+v", r.Status, len(models.Requests()), r.Cost)
	}
	if !slices.ContainsFunc(b.pushed, func(p string) bool { return strings.HasPrefix(p, `ada agent.token ask {"text":"hola`) }) {
		t.Errorf("what the model said was not pushed: %v", b.pushed)
	}
	run := r.Run
	run.Steps, _ = store.Steps(t.Context(), b.db.As(system), system, id)
	if got := b.engine.Draw(run); len(run.Steps) != 1 || run.Steps[0].Cost != r.Cost || run.Steps[0].Attempts != 2 ||
		!strings.Contains(got, "1 model calls, 120 tokens, $0.0000") {
		t.Errorf("the steps are %+v, drawn as\n%s", run.Steps, got)
	}
	if req := models.Requests()[0]; req.UserID != "ada" || req.RunID != id {
		t.Errorf("the call was for %q in %q", req.UserID, req.RunID)
	}
}

// A worker dies while the provider answers: whether it was paid is not known,
// so it is not asked again.
func TestACallWhoseAnswerWasLostIsNotMadeAgain(t *testing.T) {
	calls, lost := 0, make(chan struct{})
	var second error
	g := &engine.Graph{Name: "g", Version: 1, Start: "ask", Nodes: []engine.Node{{
		Name: "ask", Run: func(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
			_, err := x.Once(ctx, "q", func(context.Context) (any, error) {
				if calls++; calls == 1 {
					<-lost // never comes back in the worker's life
				}
				return nil, errKilled
			})
			second = err
			return engine.Outcome{Word: "without it"}, nil
		},
	}}}
	b := setup(t, g)
	id := b.start(ada, "g")
	died := make(chan struct{})
	go func() { defer close(died); _, _ = b.engine.Work(context.Background()) }()
	for range 1000 {
		if calls == 1 {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	b.expire()
	b.work()
	if !errors.Is(second, engine.ErrOutcomeUnknown) || calls != 1 {
		t.Errorf("%d calls, the second try got %v", calls, second)
	}
	close(lost)
	<-died
	if diff := cmp.Diff([]string{"ask:without it"}, b.path(id)); diff != "" {
		t.Error(diff)
	}
}

func TestAServerThatStopsGivesItsNodeBack(t *testing.T) {
	stopped := true
	g := &engine.Graph{Name: "g", Version: 1, Start: "a", Nodes: []engine.Node{{
		Name: "a", Attempts: 1, Run: func(ctx context.Context, _ *engine.Execution) (engine.Outcome, error) {
			if stopped {
				<-ctx.Done()
				return engine.Outcome{}, ctx.Err()
			}
			return engine.Outcome{}, nil
		},
	}}}
	b := setup(t, g)
	id := b.start(ada, "g")
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	if _, err := b.engine.Work(ctx); err != nil {
		t.Error(err)
	}
	stopped = false
	b.work()
	if r := b.run(id); r.Status != agents.StatusDone {
		t.Errorf("the run is %s", r.Status)
	}
}
