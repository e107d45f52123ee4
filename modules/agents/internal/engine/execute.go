package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Execution is one try of a node.
type Execution struct {
	Run   agents.Run
	State State
	// Input is what a branch was sent with, or the answer to an interrupt; nil
	// for none.
	Input json.RawMessage
	// Step is its number in the run, Attempt counts from 1.
	Step, Attempt int
	// Show says how much of a model's words so far the learner may see before
	// they were checked; nil shows how many there are and no more.
	Show func(soFar string) string

	due    store.Due
	token  string
	graph  *Graph
	engine *Engine
}

// errLost: another worker has the execution now, or the run was ended.
var errLost = errors.New("the lease was lost")

// Work takes the fairest execution that is due and runs it; false when there is
// none. An error means that nothing was recorded: the execution is found again
// when its lease has run out.
func (e *Engine) Work(ctx context.Context) (bool, error) {
	token := newID()
	due, err := store.Take(ctx, e.db.As(system), token, e.worker, e.cfg.Lease, e.now())
	if err != nil || due == nil {
		return false, err
	}
	e.at("taken", due.RunID, due.Step)
	x := &Execution{Step: due.Step, Attempt: due.Attempt, Input: due.Input, due: *due, token: token, engine: e}
	err = e.execute(ctx, x)
	if errors.Is(err, errLost) {
		e.logger.InfoContext(ctx, "a node's lease was lost", "run", due.RunID, "node", due.Node)
		return true, nil
	}
	return true, err
}

func (e *Engine) execute(ctx context.Context, x *Execution) error {
	if err := e.begin(ctx, x); err != nil {
		return err
	}
	if x.graph == nil {
		return e.fail(ctx, x, agents.Text{
			EN: "This run was started by another version of the server, which is gone. Please ask again.",
			ES: "Esta ejecución la empezó otra versión del servidor que ya no está. Vuelve a pedirlo.",
		}, fmt.Errorf("graph %s version %d is not registered", x.Run.Graph, x.Run.GraphVersion))
	}
	n := x.graph.node(x.due.Node)
	if n == nil {
		return e.fail(ctx, x, onOurSide, fmt.Errorf("graph %s has no node %s", x.graph.Name, x.due.Node))
	}
	attempts := n.Attempts
	if attempts == 0 {
		attempts = e.cfg.Attempts
	}
	if x.Attempt > attempts+5 { // it takes its worker down again and again
		return e.fail(ctx, x, onOurSide, fmt.Errorf("node %s never came to an end", n.Name))
	}
	e.at("begun", x.Run.ID, x.Step)
	e.tell(x, "started")
	started := e.now()
	out, err := e.run(ctx, n, x)
	e.at("executed", x.Run.ID, x.Step)
	if err == nil {
		err = e.record(ctx, x, n, out, started)
	}
	switch {
	case err == nil || errors.Is(err, errLost):
		return err
	case ctx.Err() != nil: // the server stops: not the node's fault
		return e.giveBack(context.WithoutCancel(ctx), x, 0)
	}
	if text, ok := final(err); ok {
		return e.fail(ctx, x, text, err)
	}
	if x.Attempt >= attempts {
		return e.fail(ctx, x, onOurSide, err)
	}
	e.logger.WarnContext(ctx, "a node is tried again", "run", x.Run.ID, "graph", x.Run.Graph, "node", n.Name, "attempt", x.Attempt, "error", err)
	e.tell(x, "retrying")
	return e.giveBack(ctx, x, e.cfg.RetryAfter<<min(x.Attempt-1, 10))
}

var onOurSide = agents.Text{
	EN: "This could not be finished because of a problem on our side. Please try again in a while.",
	ES: "No se pudo terminar por un problema nuestro. Vuelve a intentarlo dentro de un rato.",
}

// hopeless are failures that come again however often one tries.
var hopeless = []errs.Code{
	errs.InvalidArgument, errs.NotFound, errs.AlreadyExists, errs.FailedPrecondition, errs.PermissionDenied, errs.Unimplemented,
}

// final reports whether trying again is of no use, and what to say then.
func final(err error) (agents.Text, bool) {
	var known *errs.Error
	if !errors.As(err, &known) {
		return agents.Text{}, false
	}
	if !slices.Contains(hopeless, known.Kind.Code) {
		return agents.Text{}, false
	}
	return agents.Text{EN: known.English, ES: known.Spanish}, true
}

// begin reads the run and marks it as running.
func (e *Engine) begin(ctx context.Context, x *Execution) error {
	return e.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		row, err := store.Lock(ctx, tx, system, x.due.RunID)
		if err != nil {
			return err
		}
		if row == nil || !row.Status.Active() {
			return errLost
		}
		if row.Status != agents.StatusRunning || row.Node != x.due.Node {
			row.Status, row.Node, row.UpdatedAt = agents.StatusRunning, x.due.Node, e.log.Now(tx)
			if err := store.Update(ctx, tx, *row); err != nil {
				return err
			}
		}
		x.Run, x.graph, x.State = row.Run, e.graph(row.Graph, row.GraphVersion), State{}
		return json.Unmarshal(row.State, &x.State)
	})
}

// run executes the node while its lease is kept alive.
func (e *Engine) run(ctx context.Context, n *Node, x *Execution) (out Outcome, err error) {
	timeout := n.Timeout
	if timeout == 0 {
		timeout = e.cfg.NodeTimeout
	}
	limited, done := context.WithTimeout(ctx, timeout)
	defer done()
	working, cancel := context.WithCancelCause(limited)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		e.keep(working, x, cancel)
	}()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("node %s panicked: %v", n.Name, r)
		}
		lost := errors.Is(context.Cause(working), errLost)
		cancel(nil)
		<-beating
		if lost {
			err = errLost
		}
	}()
	return n.Run(working, x)
}

// keep extends the lease until the node is done; a lost lease cancels the node.
func (e *Engine) keep(ctx context.Context, x *Execution, cancel context.CancelCauseFunc) {
	every := time.NewTicker(e.cfg.Lease / 3)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			held, err := store.Extend(ctx, e.db.As(system), x.due, x.token, e.cfg.Lease, e.now())
			if err == nil && !held {
				cancel(errLost)
				return
			}
		}
	}
}

// record writes what came of an execution, all or nothing.
func (e *Engine) record(ctx context.Context, x *Execution, n *Node, out Outcome, started time.Time) error {
	state := "done"
	err := e.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		version := x.Run.Version
		if out.Commit != nil {
			// First: it locks goals and tasks, and others lock those before runs.
			err := out.Commit(ctx, tx, &Commit{Run: x.Run, append: func(payloads ...proto.Message) {
				e.log.Append(tx, stream(x.Run), version, payloads...)
				version += int64(len(payloads))
			}})
			if err != nil {
				return err
			}
		}
		row, err := e.compareAndSet(ctx, tx, x)
		if err != nil {
			return err
		}
		if row.Version != x.Run.Version {
			return errLost // somebody appended to its stream, so it went on elsewhere
		}
		row.Version, row.UpdatedAt = version, e.log.Now(tx)
		if row.State, err = merge(row.State, out.Set); err != nil {
			return err
		}
		if out.Label != "" {
			row.Label = out.Label
		}
		word := out.Word
		switch {
		case out.Fail != nil:
			state, word = "failed", orElse(word, "failed")
			row.Status, row.Message = agents.StatusFailed, *out.Fail
			if err := store.Drop(ctx, tx, row.ID); err != nil {
				return err
			}
			err = e.checkpoint(ctx, tx, row, x, orElse(word, "failed"), started, nil)
		case out.Wait != nil:
			state = "waiting"
			err = e.wait(ctx, tx, row, x, out.Wait, orElse(word, "waiting"), started)
		default:
			err = e.goOn(ctx, tx, row, x, n, out, orElse(word, "done"), started)
		}
		if err != nil {
			return err
		}
		err = store.Update(ctx, tx, *row)
		e.at("recording", x.Run.ID, x.Step)
		return err
	})
	if err == nil {
		e.at("recorded", x.Run.ID, x.Step)
		e.tell(x, state)
	}
	return err
}

// compareAndSet locks the run and takes the execution out of the queue, if it
// is still ours and the run goes on.
func (e *Engine) compareAndSet(ctx context.Context, tx *postgres.Tx, x *Execution) (*store.Row, error) {
	row, err := store.Lock(ctx, tx, system, x.due.RunID)
	if err != nil {
		return nil, err
	}
	if row == nil || !row.Status.Active() {
		return nil, errLost
	}
	held, err := store.Finish(ctx, tx, x.due, x.token)
	if err != nil {
		return nil, err
	}
	if !held {
		return nil, errLost
	}
	row.Ended++
	return row, nil
}

// fail ends the run of an execution that came to nothing.
func (e *Engine) fail(ctx context.Context, x *Execution, text agents.Text, cause error) error {
	e.logger.ErrorContext(ctx, "a run failed", "run", x.Run.ID, "graph", x.Run.Graph, "node", x.due.Node, "attempt", x.Attempt, "error", cause)
	return e.record(ctx, x, nil, Outcome{Fail: &text}, e.now())
}

func (e *Engine) giveBack(ctx context.Context, x *Execution, wait time.Duration) error {
	at := e.now().Add(wait)
	return e.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		held, err := store.GiveBack(ctx, tx, x.due, x.token, at)
		if err == nil && held {
			e.tickets.Ticket(tx, 1, at)
		}
		return err
	})
}

// tell pushes what a node does to the learner's screens.
func (e *Engine) tell(x *Execution, state string) {
	e.push(x.Run.UserID, agents.PushNode, x.about(map[string]any{"state": state}))
}

// about completes a push with where it comes from.
func (x *Execution) about(push map[string]any) map[string]any {
	push["run_id"], push["graph"], push["goal_id"], push["task_id"] = x.Run.ID, x.Run.Graph, x.Run.GoalID, x.Run.TaskID
	push["step"], push["node"] = x.Step, x.due.Node
	if x.Run.ValidationRunID != "" {
		push["validation_run_id"] = x.Run.ValidationRunID // tells which snapshot it is about
	}
	return push
}

func orElse(word, other string) string {
	if word == "" {
		return other
	}
	return word
}
