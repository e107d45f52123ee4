package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
)

type agentsCmd struct {
	Show     agentsShowCmd `cmd:"" help:"Draw a run with its path and cost."`
	Disputes disputesCmd   `cmd:"" help:"See what people call wrong, settle it, and make cases of it."`
}

type agentsShowCmd struct {
	Run_ string `arg:"" name:"run" help:"The run's id."`
}

// Run draws a run.
func (c *agentsShowCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var service agents.Service
	return withModules(ctx, flags, func(*database) error {
		run, err := service.Get(ctx, auth.System("operator"), c.Run_)
		if err != nil {
			return err
		}
		showRun(os.Stdout, run)
		return nil
	}, &service)
}

// showRun says where a run stands, how it came there and at what cost, and
// draws it.
func showRun(to io.Writer, run agents.Run) {
	fmt.Fprintf(to, "%s %s v%d: %s at %s", run.ID, run.Graph, run.GraphVersion, run.Status, run.Node)
	if run.WaitingFor != agents.ForNothing {
		fmt.Fprintf(to, ", waiting for %s", run.WaitingFor)
	}
	if run.Label != "" {
		fmt.Fprintf(to, ", %s", run.Label)
	}
	if run.ForkedFrom != "" {
		fmt.Fprintf(to, "\nforked from %s after step %d", run.ForkedFrom, run.ForkedStep)
	}
	fmt.Fprintf(to, "\n%s\n\n", costOf(run.Cost))
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STEP\tNODE\tOUTCOME\tTOOK\tATTEMPTS\tCOST")
	for _, s := range run.Steps {
		cost := "-"
		if s.Cost.ModelCalls > 0 {
			cost = costOf(s.Cost)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%s\n", s.Number, s.Node, s.Outcome, s.FinishedAt.Sub(s.StartedAt).Round(time.Millisecond), s.Attempts, cost)
	}
	_ = table.Flush()
	fmt.Fprintf(to, "\n%s", run.Mermaid)
}

func costOf(c agents.Cost) string {
	return fmt.Sprintf("%d model calls, %d tokens in, %d out, %.6f USD", c.ModelCalls, c.InputTokens, c.OutputTokens, float64(c.Micros)/1e6)
}
