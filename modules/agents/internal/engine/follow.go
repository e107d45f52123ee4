package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

func (e *Engine) wait(ctx context.Context, tx *postgres.Tx, row *store.Row, x *Execution, i *Interrupt, word string, started time.Time) error {
	others, err := store.DueOf(ctx, tx, row.ID)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return fmt.Errorf("node %s waits for %s beside other branches", x.due.Node, i.For)
	}
	row.Status, row.WaitingFor, row.Question, row.Message, row.WakeAt = agents.StatusWaiting, i.For, i.Question, i.Message, time.Time{}
	row.Node = x.due.Node
	if i.Wake {
		first := max(int(e.cfg.MaterialEvery/time.Second), 1)
		row.WakeSeconds = min(max(2*row.WakeSeconds, first), 3600)
		row.WakeAt = e.now().Add(time.Duration(row.WakeSeconds) * time.Second)
	}
	return e.checkpoint(ctx, tx, row, x, word, started, []store.Due{{Step: row.Numbered + 1, Node: x.due.Node}})
}

// goOn makes due what follows; the run is done when nothing does.
func (e *Engine) goOn(ctx context.Context, tx *postgres.Tx, row *store.Row, x *Execution, n *Node, out Outcome, word string, started time.Time) error {
	var state State
	if err := json.Unmarshal(row.State, &state); err != nil {
		return fmt.Errorf("read state of run %s: %w", row.ID, err)
	}
	branches := out.Send
	if len(branches) == 0 {
		branches = x.graph.next(n, state)
	}
	due, err := store.DueOf(ctx, tx, row.ID)
	if err != nil {
		return err
	}
	most := x.graph.MaxSteps
	if most == 0 {
		most = 100
	}
	if row.Numbered+len(branches) > most {
		row.Status, row.Message = agents.StatusFailed, onOurSide
		e.logger.ErrorContext(ctx, "a run takes too many steps", "run", row.ID, "graph", row.Graph, "steps", row.Numbered)
		if err := store.Drop(ctx, tx, row.ID); err != nil {
			return err
		}
		return e.checkpoint(ctx, tx, row, x, "failed", started, nil)
	}
	if due, err = e.enqueue(ctx, tx, row, x, n, branches, due); err != nil {
		return err
	}
	if len(due) == 0 {
		row.Status, row.Node = agents.StatusDone, n.Name
	}
	return e.checkpoint(ctx, tx, row, x, word, started, due)
}

func (e *Engine) checkpoint(ctx context.Context, tx *postgres.Tx, row *store.Row, x *Execution, word string, started time.Time, due []store.Due) error {
	return store.PutCheckpoint(ctx, tx, row.ID, store.Checkpoint{
		Step: agents.Step{
			Number: x.Step, Node: x.due.Node, Outcome: word, StartedAt: started, FinishedAt: e.now(), Attempts: x.Attempt,
		},
		Position: row.Ended, State: row.State, Due: due,
	})
}

// enqueue makes branches due beside those that are, and lets joins go on that
// waited for nothing else.
func (e *Engine) enqueue(ctx context.Context, tx *postgres.Tx, row *store.Row, x *Execution, n *Node, branches []Branch, due []store.Due) ([]store.Due, error) {
	now := e.log.Now(tx)
	for _, b := range branches {
		to := x.graph.node(b.Node)
		if to == nil {
			return nil, fmt.Errorf("node %s sends to %q, which graph %s does not have", n.Name, b.Node, x.graph.Name)
		}
		if to.Join && holds(due, b.Node) {
			continue
		}
		row.Numbered++
		d := store.Due{RunID: row.ID, UserID: row.UserID, Step: row.Numbered, Node: b.Node, Held: to.Join}
		if b.Input != nil {
			var err error
			if d.Input, err = json.Marshal(b.Input); err != nil {
				return nil, fmt.Errorf("send to %s: %w", b.Node, err)
			}
		}
		if err := store.Enqueue(ctx, tx, d, x.graph.lane(), now); err != nil {
			return nil, err
		}
		due = append(due, d)
		if !d.Held {
			row.Node = b.Node
			e.tickets.Ticket(tx, 1, now)
		}
	}
	if len(due) > 0 && allHeld(due) {
		if err := store.Release(ctx, tx, row.ID); err != nil {
			return nil, err
		}
		e.tickets.Ticket(tx, len(due), now)
		for i := range due {
			due[i].Held = false
		}
		row.Node = due[0].Node
	}
	return due, nil
}

func holds(due []store.Due, node string) bool {
	for _, d := range due {
		if d.Held && d.Node == node {
			return true
		}
	}
	return false
}

func allHeld(due []store.Due) bool {
	for _, d := range due {
		if !d.Held {
			return false
		}
	}
	return true
}
