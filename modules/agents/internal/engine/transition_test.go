package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
)

// killAt names the instant and the step at which the worker kills itself:
// "recording 3".
const killAt = "AGENTS_TEST_KILL_AT"

// journey is a graph with all that an engine knows: branches and a join, an
// interrupt, a cycle; each node makes a call on the outside, once, and a write
// of its own.
func journey(db *postgres.DB) *engine.Graph {
	node := func(name string, join bool, run func(x *engine.Execution) (engine.Outcome, error)) engine.Node {
		return engine.Node{Name: name, Join: join, Run: func(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
			_, err := x.Once(ctx, "call", func(ctx context.Context) (any, error) { return 1, callOutside(ctx, db) })
			if err != nil && !errors.Is(err, engine.ErrOutcomeUnknown) {
				return engine.Outcome{}, err
			}
			out, err := run(x)
			out.Commit = writeNote
			return out, err
		}}
	}
	return &engine.Graph{
		Name: "journey", Version: 1, Start: "split",
		Nodes: []engine.Node{
			node("split", false, func(*engine.Execution) (engine.Outcome, error) {
				return engine.Outcome{Send: []engine.Branch{{Node: "part", Input: 1}, {Node: "part", Input: 2}}}, nil
			}),
			node("part", false, func(x *engine.Execution) (engine.Outcome, error) {
				return engine.Outcome{Set: map[string]any{"part" + string(x.Input): true}}, nil
			}),
			node("join", true, func(x *engine.Execution) (engine.Outcome, error) {
				return engine.Outcome{Set: map[string]any{"parts": len(x.State) - 1}}, nil
			}),
			node("ask", false, func(x *engine.Execution) (engine.Outcome, error) {
				if x.Input == nil {
					return engine.Outcome{Wait: &engine.Interrupt{For: agents.ForAnswer, Question: &agents.Question{ID: "q"}}}, nil
				}
				return engine.Outcome{Set: map[string]any{"answer": x.Input}}, nil
			}),
			node("count", false, func(x *engine.Execution) (engine.Outcome, error) {
				n, err := engine.Get[int](x.State, "n")
				return engine.Outcome{Set: map[string]any{"n": n + 1}}, err
			}),
			node("end", false, func(*engine.Execution) (engine.Outcome, error) { return engine.Outcome{}, nil }),
		},
		Edges: []engine.Edge{
			{From: "part", To: "join"}, {From: "join", To: "ask"}, {From: "ask", To: "count"},
			{From: "count", To: "end", When: func(s engine.State) bool { n, _ := engine.Get[int](s, "n"); return n >= 2 }},
			{From: "count", To: "count"},
		},
	}
}

// whole is the journey's path when nobody is killed.
var whole = []string{"split:done", "part:done", "part:done", "join:done", "ask:waiting", "ask:done", "count:done", "count:done", "end:done"}

// dieAt works until nothing is due, or until this process kills itself.
func dieAt(url, at string) {
	ctx := context.Background()
	db, err := postgres.Open(ctx, postgres.Config{URL: url})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	log := slog.New(slog.DiscardHandler)
	e := engine.New(db, events.New(db, events.Config{}, log), agents.DefaultConfig(), noTickets{}, func(string, string, any) {}, log)
	cut := strings.LastIndexByte(at, ' ')
	number, err := strconv.Atoi(at[cut+1:])
	if err != nil {
		os.Exit(1)
	}
	e.At(func(instant, _ string, step int) {
		if instant == at[:cut] && step == number {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing happens after it
		}
	})
	if err := e.Register(journey(db)); err != nil {
		os.Exit(1)
	}
	for {
		did, err := e.Work(ctx)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if !did {
			os.Exit(3)
		}
	}
}

// A worker is killed with SIGKILL at every instant of every step, one after the
// other: whatever it was about, the run comes to the same end by the same path,
// with each write once and no call made twice.
func TestAKillAtAnyInstantOfAnyStepChangesNothing(t *testing.T) {
	b := setup(t)
	b.engine = b.replica(journey(b.db))
	full := os.Getenv("TRACKER_TEST_FULL") != ""
	for i, instant := range engine.Instants {
		for step := 1; step <= len(whole); step++ {
			if !full && (i+step)%2 != 0 { // each step and each instant, not each pair
				continue
			}
			at := fmt.Sprintf("%s %d", instant, step)
			calls, notes := b.calls(), b.notes()
			id := b.start(ada, "journey")
			if !b.carry(id, at) {
				t.Errorf("no worker was killed at %q", at)
			}
			r := b.run(id)
			if diff := cmp.Diff(whole, b.path(id)); diff != "" || r.Status != agents.StatusDone {
				t.Errorf("killed at %q: the run is %s, %s", at, r.Status, diff)
			}
			if want := `{"n": 2, "part1": true, "part2": true, "parts": 2, "answer": "loops"}`; string(r.State) != want {
				t.Errorf("killed at %q: it comes to %s", at, r.State)
			}
			if got := b.notes() - notes; got != len(whole) {
				t.Errorf("killed at %q: %d writes", at, got)
			}
			want := len(whole)
			if instant == "effect begun" {
				want-- // whether it was made can't be known, so it is not made again
			}
			if got := b.calls() - calls; got != want {
				t.Errorf("killed at %q: %d calls, want %d", at, got, want)
			}
		}
	}
}

// carry brings a run to its end, with one worker that is killed on the way, and
// says whether it was.
func (b *bundle) carry(id, at string) (killed bool) {
	b.Helper()
	for range 20 {
		r := b.run(id)
		switch {
		case !r.Status.Active():
			return killed
		case r.Status == agents.StatusWaiting:
			b.resume(ada, id, "loops")
		case !killed:
			worker := exec.CommandContext(b.Context(), os.Args[0])
			worker.Env = append(slices.Clone(os.Environ()), workerURL+"="+b.db.URL(), killAt+"="+at)
			out, err := worker.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				b.Fatalf("the worker ended with %v\n%s", err, out)
			}
			if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				killed = true
			} else if exit.ExitCode() != 3 {
				b.Fatalf("the worker failed: %v\n%s", err, out)
			}
		default:
			b.expire()
			b.work()
		}
	}
	b.Fatalf("killed at %q: the run is %s at %s", at, b.run(id).Status, b.run(id).Node)
	return killed
}

func (b *bundle) calls() (n int) {
	b.Helper()
	if err := b.db.As(system).QueryRow(b.Context(), countCalls, postgres.Args{}).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}
