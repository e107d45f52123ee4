package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
)

// system is as whom the engine reads and writes.
var system = auth.System("agents")

// Tickets makes jobs; each takes one execution, the fairest there is.
type Tickets interface {
	// Ticket makes n jobs that run at a time or soon after, if the unit of work
	// commits.
	Ticket(tx *postgres.Tx, n int, at time.Time)
}

// Engine runs graphs. Any number of replicas may run on one database.
type Engine struct {
	db      *postgres.DB
	log     *events.Log
	cfg     agents.Config
	tickets Tickets
	push    func(userID, kind string, payload any)
	logger  *slog.Logger
	graphs  map[string][]*Graph
	worker  string
	now     func() time.Time
	// at hears of each instant between which something is recorded; for tests,
	// which kill the worker there.
	at func(instant, runID string, step int)
}

// New makes an engine; push sends what may be lost to a learner's screens.
func New(db *postgres.DB, log *events.Log, cfg agents.Config, tickets Tickets, push func(userID, kind string, payload any), logger *slog.Logger) *Engine {
	host, _ := os.Hostname()
	return &Engine{
		db: db, log: log, cfg: cfg, tickets: tickets, push: push, logger: logger.With("part", "agents"),
		graphs: map[string][]*Graph{}, worker: fmt.Sprintf("%.60s/%d", host, os.Getpid()), now: time.Now,
		at: func(string, string, int) {},
	}
}

// Register adds a graph; new runs take the highest version. Wiring time only.
func (e *Engine) Register(g *Graph) error {
	if err := g.check(); err != nil {
		return err
	}
	if e.graph(g.Name, g.Version) != nil {
		return fmt.Errorf("graph %s version %d is there already", g.Name, g.Version)
	}
	e.graphs[g.Name] = append(e.graphs[g.Name], g)
	return nil
}

func (e *Engine) graph(name string, version int) *Graph {
	for _, g := range e.graphs[name] {
		if g.Version == version {
			return g
		}
	}
	return nil
}

func (e *Engine) newest(name string) (newest *Graph) {
	for _, g := range e.graphs[name] {
		if newest == nil || g.Version > newest.Version {
			newest = g
		}
	}
	return newest
}

// Start begins a run in the unit of work, as its actor; ID, graph, owner and
// what it is about come from r, its first events from payloads. Nil when a run
// stands in its place.
func (e *Engine) Start(ctx context.Context, tx *postgres.Tx, r agents.Run, set map[string]any, payloads ...proto.Message) (*agents.Run, error) {
	g := e.newest(r.Graph)
	if g == nil {
		return nil, fmt.Errorf("start graph %q: it is not registered", r.Graph)
	}
	now := e.log.Now(tx)
	state, err := merge(nil, set)
	if err != nil {
		return nil, err
	}
	r.GraphVersion, r.Status, r.Node, r.CreatedAt, r.UpdatedAt = g.Version, agents.StatusQueued, g.Start, now, now
	r.Version = int64(len(payloads))
	row := store.Row{Run: r, State: state, Numbered: 1}
	if ok, err := store.Insert(ctx, tx, row); err != nil || !ok {
		return nil, err
	}
	e.log.Append(tx, stream(r), 0, payloads...)
	first := store.Due{RunID: r.ID, UserID: r.UserID, Step: 1, Node: g.Start}
	begin := store.Checkpoint{
		Step:  agents.Step{Node: g.Start, Outcome: "started", StartedAt: now, FinishedAt: now},
		State: state, Due: []store.Due{first},
	}
	e.later(tx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := store.PutCheckpoint(ctx, tx, r.ID, begin); err != nil {
			return err
		}
		return store.Enqueue(ctx, tx, first, g.lane(), now)
	})
	return &row.Run, nil
}

// Resume takes a run that waits up again: its node runs with the answer as its
// input. The row is locked, and of this unit of work's actor.
func (e *Engine) Resume(ctx context.Context, tx *postgres.Tx, row *store.Row, answer any, payloads ...proto.Message) error {
	g := e.graph(row.Graph, row.GraphVersion)
	if g == nil {
		return fmt.Errorf("resume run %s: graph %s version %d is not registered", row.ID, row.Graph, row.GraphVersion)
	}
	input, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("resume run %s: %w", row.ID, err)
	}
	now := e.log.Now(tx)
	row.Numbered++
	row.Status, row.WaitingFor, row.Question, row.Message, row.WakeAt, row.UpdatedAt = agents.StatusQueued, agents.ForNothing, nil, agents.Text{}, time.Time{}, now
	e.append(tx, row, payloads...)
	if err := store.Update(ctx, tx, *row); err != nil {
		return err
	}
	due := store.Due{RunID: row.ID, UserID: row.UserID, Step: row.Numbered, Node: row.Node, Input: input}
	e.later(tx, func(ctx context.Context, tx *postgres.Tx) error { return store.Enqueue(ctx, tx, due, g.lane(), now) })
	return nil
}

// Cancel ends a run wherever it stands; a node that is being executed notices
// when it wants to record its outcome, or sooner. The row is locked, and of this
// unit of work's actor.
func (e *Engine) Cancel(ctx context.Context, tx *postgres.Tx, row *store.Row, payloads ...proto.Message) error {
	row.Status, row.WaitingFor, row.Question, row.WakeAt, row.UpdatedAt = agents.StatusCancelled, agents.ForNothing, nil, time.Time{}, e.log.Now(tx)
	e.append(tx, row, payloads...)
	if err := store.Update(ctx, tx, *row); err != nil {
		return err
	}
	tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error { return store.Drop(ctx, tx, row.ID) })
	return nil
}

// ErrNothingGoesOn is Fork's when nothing was due after that step, or the graph
// can't be forked.
var ErrNothingGoesOn = errors.New("nothing goes on from that step")

// Fork begins a run anew after a step of another, which stays as it is, in the
// unit of work and as its actor: with the state of that time and the same
// version of the graph. Nil when a run stands in its place.
func (e *Engine) Fork(ctx context.Context, tx *postgres.Tx, from agents.Run, step int, id string, payloads ...proto.Message) (*agents.Run, error) {
	c, err := store.GetCheckpoint(ctx, tx, tx.Actor(), from.ID, step)
	if err != nil {
		return nil, err
	}
	g := e.graph(from.Graph, from.GraphVersion)
	if c == nil || g == nil || !g.Forks || len(c.Due) == 0 {
		return nil, fmt.Errorf("fork run %s after step %d: %w", from.ID, step, ErrNothingGoesOn)
	}
	now := e.log.Now(tx)
	r := agents.Run{
		ID: id, Graph: from.Graph, GraphVersion: from.GraphVersion, UserID: from.UserID, CourseID: from.CourseID, GoalID: from.GoalID,
		TaskID: from.TaskID, ValidationRunID: from.ValidationRunID, Status: agents.StatusQueued, Node: c.Due[0].Node,
		ForkedFrom: from.ID, ForkedStep: step, CreatedAt: now, UpdatedAt: now, Version: int64(len(payloads)),
	}
	if ok, err := store.Insert(ctx, tx, store.Row{Run: r, State: c.State, Numbered: len(c.Due)}); err != nil || !ok {
		return nil, err
	}
	e.log.Append(tx, stream(r), 0, payloads...)
	for i := range c.Due {
		c.Due[i].RunID, c.Due[i].UserID, c.Due[i].Step = id, r.UserID, i+1
	}
	begin := store.Checkpoint{Step: agents.Step{Node: c.Node, Outcome: "forked", StartedAt: now, FinishedAt: now}, State: c.State, Due: c.Due}
	e.later(tx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := store.PutCheckpoint(ctx, tx, id, begin); err != nil {
			return err
		}
		for _, d := range c.Due {
			if err := store.Enqueue(ctx, tx, d, g.lane(), now); err != nil {
				return err
			}
		}
		e.tickets.Ticket(tx, len(c.Due)-1, now)
		return nil
	})
	return &r, nil
}

// Draw draws a run's graph with its path; "" when its version is not known.
func (e *Engine) Draw(r agents.Run) string {
	if g := e.graph(r.Graph, r.GraphVersion); g != nil {
		return g.Mermaid(r)
	}
	return ""
}

// later runs fn at the end of the unit of work, as the system, and makes a
// ticket for what it enqueued.
func (e *Engine) later(tx *postgres.Tx, fn func(context.Context, *postgres.Tx) error) {
	tx.BeforeCommit(fn)
	e.tickets.Ticket(tx, 1, e.now())
}

func (e *Engine) append(tx *postgres.Tx, row *store.Row, payloads ...proto.Message) {
	e.log.Append(tx, stream(row.Run), row.Version, payloads...)
	row.Version += int64(len(payloads))
}

func stream(r agents.Run) events.Stream {
	return events.Stream{Type: agents.StreamRun, ID: r.ID, SubjectID: r.UserID, CourseID: r.CourseID}
}

// merge puts values into a state.
func merge(state json.RawMessage, set map[string]any) (json.RawMessage, error) {
	s := State{}
	if len(state) > 0 {
		if err := json.Unmarshal(state, &s); err != nil {
			return nil, fmt.Errorf("read state: %w", err)
		}
	}
	for name, value := range set {
		raw, err := encode(value)
		if err != nil {
			return nil, fmt.Errorf("put %q into the state: %w", name, err)
		}
		s[name] = raw
	}
	return json.Marshal(s)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
