package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
)

// Mermaid draws a graph as a flowchart, with the path of a run: visited nodes
// with how often, how long and at what cost, the edges it took, and where it
// stands.
func (g *Graph) Mermaid(r agents.Run) string {
	visits, taken := map[string]int{}, map[[2]string]bool{}
	took, cost := map[string]time.Duration{}, map[string]agents.Cost{}
	before := ""
	for _, s := range r.Steps {
		visits[s.Node]++
		took[s.Node] += s.FinishedAt.Sub(s.StartedAt)
		c := cost[s.Node]
		c.ModelCalls, c.Micros = c.ModelCalls+s.Cost.ModelCalls, c.Micros+s.Cost.Micros
		c.InputTokens, c.OutputTokens = c.InputTokens+s.Cost.InputTokens, c.OutputTokens+s.Cost.OutputTokens
		cost[s.Node] = c
		if before != "" {
			taken[[2]string{before, s.Node}] = true
		}
		before = s.Node
	}
	if r.Status.Active() && before != "" && r.Node != before {
		taken[[2]string{before, r.Node}] = true
	}
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	for _, n := range g.Nodes {
		label := n.Name
		if visits[n.Name] > 1 {
			label += fmt.Sprintf(" ×%d", visits[n.Name])
		}
		if visits[n.Name] > 0 {
			label += "<br/>" + took[n.Name].Round(time.Millisecond).String()
		}
		if c := cost[n.Name]; c.ModelCalls > 0 {
			label += fmt.Sprintf("<br/>%d model calls, %d tokens, $%.4f", c.ModelCalls, c.InputTokens+c.OutputTokens, float64(c.Micros)/1e6)
		}
		fmt.Fprintf(&b, "  %s[%q]\n", n.Name, label)
	}
	var thick []string
	for i, e := range g.Edges {
		arrow := "-->"
		if e.Label != "" {
			arrow += fmt.Sprintf("|%q|", e.Label)
		}
		fmt.Fprintf(&b, "  %s %s %s\n", e.From, arrow, e.To)
		if taken[[2]string{e.From, e.To}] {
			thick = append(thick, fmt.Sprint(i))
		}
	}
	b.WriteString("  classDef visited fill:#d7f0dd,stroke:#2e7d32\n  classDef here fill:#fff3c4,stroke:#b26a00,stroke-width:3px\n  classDef failed fill:#fbd5d5,stroke:#b3261e\n")
	for _, n := range g.Nodes {
		if class := classOf(n.Name, r, visits); class != "" {
			fmt.Fprintf(&b, "  class %s %s\n", n.Name, class)
		}
	}
	if len(thick) > 0 {
		fmt.Fprintf(&b, "  linkStyle %s stroke:#2e7d32,stroke-width:3px\n", strings.Join(thick, ","))
	}
	return b.String()
}

func classOf(node string, r agents.Run, visits map[string]int) string {
	switch {
	case node == r.Node && r.Status == agents.StatusFailed:
		return "failed"
	case node == r.Node && r.Status.Active():
		return "here"
	case visits[node] > 0:
		return "visited"
	}
	return ""
}
