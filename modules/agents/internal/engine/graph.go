// Package engine runs graphs durably: a node is executed by one job, outside of
// any transaction; its outcome (state, checkpoint, what is due next, its own
// writes) is recorded in one, if its worker still holds the lease. What a kill
// interrupts is executed again, but no effect and no paid call is made twice.
package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// State is what nodes hand on, by name. Branches that run side by side write
// different names.
type State map[string]json.RawMessage

// Get reads a value of the state; the zero value where there is none.
func Get[T any](s State, name string) (value T, err error) {
	raw, ok := s[name]
	if !ok {
		return value, nil
	}
	if err = json.Unmarshal(raw, &value); err != nil {
		return value, fmt.Errorf("read %q of the state: %w", name, err)
	}
	return value, nil
}

// Graph is nodes and the edges between them. A run keeps the version that it
// began with; register the old one as long as runs of it may be under way.
type Graph struct {
	// Name and Version are Required.
	Name    string
	Version int
	// Start is the first node. Required.
	Start string
	Nodes []Node
	// Edges of a node are tried in their order. A node none of whose edges holds
	// ends its branch; the run is done when no branch is left.
	Edges []Edge
	// Background graphs come after those that somebody looks at. Defaults to false.
	Background bool
	// Forks lets runs be forked: when their effects may happen another time.
	// Defaults to false.
	Forks bool
	// MaxSteps bounds the executions of a run, and so its cycles. Defaults to 100.
	MaxSteps int
}

// Node is a step of a graph.
type Node struct {
	// Name is unique in the graph. Required.
	Name string
	// Run does the node's work, outside of any transaction. It may run again after
	// a kill: effects and paid calls go through Execution.Once, writes to the
	// database through Outcome.Commit. An *errs.Error that waiting won't mend ends
	// the run with its text, any other error is tried again. Required.
	Run func(ctx context.Context, x *Execution) (Outcome, error)
	// Attempts is how often it is tried. Defaults to the configured number.
	Attempts int
	// Timeout bounds one execution. Defaults to the configured one.
	Timeout time.Duration
	// Fan takes all edges that hold, side by side, not the first alone.
	Fan bool
	// Join waits until all other branches of the run have ended or come to it.
	Join bool
}

// Edge leads from a node to the next.
type Edge struct {
	From, To string
	// When says whether it is taken; nil always.
	When func(State) bool
	// Label says so in the drawing.
	Label string
}

// Outcome is what an execution comes to. The zero value goes on.
type Outcome struct {
	// Word is how the step is called in the run's history. Defaults to "done".
	Word string
	// Set puts values into the state, as JSON.
	Set map[string]any
	// Label says who made what comes of the run; "" leaves it.
	Label string
	// Wait interrupts the run. When it is resumed, the node runs again with the
	// answer as its input. Not beside other branches.
	Wait *Interrupt
	// Fail ends the run with a message for its learner.
	Fail *agents.Text
	// Send starts a branch for each in place of the node's edges.
	Send []Branch
	// Commit writes in the transaction that records the outcome, as the system.
	// Nothing of it stays when the lease was lost.
	Commit func(ctx context.Context, tx *postgres.Tx, c *Commit) error
}

// Interrupt is what a run waits for. It holds no job meanwhile.
type Interrupt struct {
	For agents.Waiting
	// Question is set for answers.
	Question *agents.Question
	// Message says what is asked for.
	Message agents.Text
	// Wake takes the run up again by itself after a while, with no answer.
	Wake bool
}

// Branch is a node to execute with an input of its own.
type Branch struct {
	Node  string
	Input any
}

// Commit is what an outcome's own writes may do besides using the transaction.
type Commit struct {
	Run    agents.Run
	append func(payloads ...proto.Message)
}

// Append appends events to the run's stream.
func (c *Commit) Append(payloads ...proto.Message) { c.append(payloads...) }

func (g *Graph) node(name string) *Node {
	for i := range g.Nodes {
		if g.Nodes[i].Name == name {
			return &g.Nodes[i]
		}
	}
	return nil
}

// next are the branches that follow a node.
func (g *Graph) next(n *Node, s State) (to []Branch) {
	for _, e := range g.Edges {
		if e.From != n.Name || e.When != nil && !e.When(s) {
			continue
		}
		to = append(to, Branch{Node: e.To})
		if !n.Fan {
			break
		}
	}
	return to
}

func (g *Graph) lane() int {
	if g.Background {
		return 1
	}
	return 0
}

// check finds slips in a graph, when it is registered.
func (g *Graph) check() error {
	if g.Name == "" || g.Version < 1 || g.node(g.Start) == nil {
		return fmt.Errorf("graph %q version %d: name, version and a start that is a node are required", g.Name, g.Version)
	}
	seen := map[string]bool{}
	for _, n := range g.Nodes {
		if n.Name == "" || n.Run == nil || seen[n.Name] {
			return fmt.Errorf("graph %s: node %q needs a name of its own and something to run", g.Name, n.Name)
		}
		seen[n.Name] = true
	}
	for _, e := range g.Edges {
		if !seen[e.From] || !seen[e.To] {
			return fmt.Errorf("graph %s: the edge from %q to %q leads past its nodes", g.Name, e.From, e.To)
		}
	}
	return nil
}

// Read reads the state of a run.
func Read(raw json.RawMessage) (s State, err error) {
	if err = json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	return s, nil
}
