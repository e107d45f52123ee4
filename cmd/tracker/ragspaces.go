package main

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
)

// fallbacks say why a search went by words alone.
var fallbacks = map[rag.Fallback]string{
	rag.NoEmbedder:     "no model makes vectors; `tracker model pull` gets one that runs here, `tracker plugin list` shows what is enabled",
	rag.Building:       "the vectors are being made; `tracker rag spaces` shows how far they are",
	rag.TooSlow:        "the question's vector did not come in time (rag.embed_deadline)",
	rag.EmbedderFailed: "the embedding model could not be asked; `tracker rag spaces` and the server's log say why",
}

type ragSpacesCmd struct{}

// Run prints the spaces.
func (c *ragSpacesCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var service rag.Service
	return withModules(ctx, flags, func(*database) error { return printSpaces(ctx, service) }, &service)
}

func printSpaces(ctx context.Context, service rag.Service) error {
	index, err := service.Index(ctx, auth.System("operator"))
	if err != nil {
		return err
	}
	fmt.Printf("%d passages\n", index.Passages)
	for _, s := range index.Spaces {
		share := 100.0
		if index.Passages > 0 {
			share = 100 * float64(s.Embedded+s.Refused) / float64(index.Passages)
		}
		fmt.Printf("%-8s  %s/%s, %d dimensions, weight %.2f: %.1f %% (%d with vectors, %d to come, %d that the model can't take)\n",
			s.State, s.Provider, s.Model, s.Dimensions, s.Weight, share, s.Embedded, s.Missing, s.Refused)
		if s.Problem != "" {
			fmt.Printf("          %s\n", s.Problem)
		}
	}
	if index.Fallback != "" {
		fmt.Printf("searches go by words alone: %s\n", fallbacks[index.Fallback])
	}
	return nil
}

type ragEmbedCmd struct{}

// Run fills the configured model's space.
func (c *ragEmbedCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var service rag.Service
	var filler rag.Filler
	return withModules(ctx, flags, func(*database) error {
		if err := filler.Work(ctx); err != nil {
			return err
		}
		return printSpaces(ctx, service)
	}, &service, &filler)
}
