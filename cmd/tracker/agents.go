package main

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
)

type agentsCmd struct {
	Show agentsShowCmd `cmd:"" help:"Draw a run with its path and cost."`
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
		fmt.Printf("%s %s v%d: %s at %s, %s\n", run.ID, run.Graph, run.GraphVersion, run.Status, run.Node, run.Label)
		fmt.Printf("%d model calls, %d tokens in, %d out, %.6f USD\n\n", run.Cost.ModelCalls, run.Cost.InputTokens, run.Cost.OutputTokens, float64(run.Cost.Micros)/1e6)
		fmt.Println(run.Mermaid)
		return nil
	}, &service)
}
