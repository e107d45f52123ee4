package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/ragfx"
)

type ragWatchCmd struct {
	Course externalID    `required:"" placeholder:"ID" help:"The course's id."`
	Pull   bool          `help:"The folder is a checkout of a git repository: pull it each time."`
	Every  time.Duration `default:"30s" help:"How often the folder is looked through; where the system tells of changes, they are seen at once."`
	Folder string        `arg:"" help:"The folder of the course's material." type:"existingdir"`
}

// Run watches until it is interrupted.
func (c *ragWatchCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	folder, err := filepath.Abs(c.Folder)
	if err != nil {
		return err
	}
	var service rag.Service
	return withModules(ctx, flags, func(db *database) error {
		logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
		w := ragfx.NewWatcher(db.DB, service, map[string]rag.WatchConfig{string(c.Course): {Folder: folder, Pull: c.Pull, Every: c.Every}}, logger)
		w.Told = func(_ string, report rag.Report, problems []rag.Problem) { printReport(os.Stdout, report, problems) }
		fmt.Fprintf(os.Stderr, "watching %s for course %s; interrupt to stop\n", folder, c.Course)
		w.Run(ctx)
		return nil
	}, &service)
}

// printReport says what an ingest did.
func printReport(out io.Writer, report rag.Report, problems []rag.Problem) {
	for _, p := range append(problems, report.Problems...) {
		fmt.Fprintf(out, "not indexed: %s: %s\n", p.Path, p.Reason)
	}
	for _, c := range report.Cycles {
		fmt.Fprintln(out, cycleLine(c))
	}
	fmt.Fprintf(out, "%d files added, %d changed, %d as they were, %d removed; %d passages, %d concepts\n",
		report.Added, report.Changed, report.Unchanged, report.Removed, report.Chunks, report.Concepts)
}

func cycleLine(c rag.Cycle) string {
	return fmt.Sprintf("a cycle of prerequisites: %s → %s; what %s says of it doesn't count", strings.Join(c.Concepts, " → "), c.Concepts[0], c.Path)
}

type ragGraphCmd struct {
	Course externalID `required:"" placeholder:"ID" help:"The course's id."`
	Format string     `default:"text" enum:"text,mermaid,json" help:"text, mermaid or json."`
}

// Run prints a course's concept graph.
func (c *ragGraphCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var service rag.Service
	return withModules(ctx, flags, func(*database) error {
		g, err := service.Concepts(ctx, auth.System("graph"), string(c.Course))
		if err != nil {
			return err
		}
		return printGraph(os.Stdout, g, c.Format)
	}, &service)
}

func printGraph(out io.Writer, g rag.Graph, format string) error {
	switch format {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(g)
	case "mermaid":
		fmt.Fprintln(out, "flowchart LR")
		for _, c := range g.Concepts {
			fmt.Fprintf(out, "  c%d[%q]\n", c.Position, strings.NewReplacer(`"`, "'", "`", "'").Replace(c.Name))
		}
		drawn := map[string]bool{}
		for _, e := range g.Edges {
			from, _ := g.Find(e.Needs)
			to, _ := g.Find(e.Concept)
			arrow := fmt.Sprintf("  c%d --> c%d", from.Position, to.Position)
			if e.Kind == rag.EdgePrerequisite && !e.Broken && !drawn[arrow] {
				drawn[arrow] = true
				fmt.Fprintln(out, arrow)
			}
		}
		return nil
	}
	if len(g.Concepts) == 0 {
		fmt.Fprintln(out, "the course names no concepts; its documents can, in front matter (concepts, prerequisites) or under headings such as Concepts and Prerequisites")
		return nil
	}
	for _, c := range g.Concepts {
		where := "presupposed"
		switch {
		case c.Taught && c.Unit > 0:
			where = fmt.Sprintf("unit %d", c.Unit)
		case c.Taught:
			where = "taught"
		}
		fmt.Fprintf(out, "%3d  %-30s %-12s exercises: %d%s\n", c.Position, c.Name, where, len(g.Practice(c.Key)), needsOf(g, c.Key))
	}
	for _, c := range g.Cycles {
		fmt.Fprintln(out, cycleLine(c))
	}
	return nil
}

func needsOf(g rag.Graph, key string) string {
	var names []string
	seen := map[string]bool{}
	for _, e := range g.Edges {
		if needs, ok := g.Find(e.Needs); ok && e.Kind == rag.EdgePrerequisite && e.Concept == key && !e.Broken && !seen[needs.Key] {
			seen[needs.Key] = true
			names = append(names, needs.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "  needs: " + strings.Join(names, ", ")
}

type ragPolicyCmd struct {
	Course externalID `required:"" placeholder:"ID" help:"The course's id."`
	Scope  string     `enum:"course,global," default:"" help:"What a search in the course goes through when it doesn't say: course or global."`
	Peers  string     `enum:"on,off," default:"" help:"Whether learners find each other's validated code, under pseudonyms: on or off."`
}

// Run shows a course's policy, and changes it where asked to.
func (c *ragPolicyCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var change rag.PolicyPatch
	if c.Scope != "" {
		scope := rag.Scope(c.Scope)
		change.DefaultScope = &scope
	}
	if c.Peers != "" {
		on := c.Peers == "on"
		change.PeerSnapshots = &on
	}
	var service rag.Service
	return withModules(ctx, flags, func(db *database) error {
		as := auth.System("policy")
		if change != (rag.PolicyPatch{}) {
			err := db.InTx(ctx, postgres.As(as), func(ctx context.Context, tx *postgres.Tx) error {
				_, err := service.UpdatePolicyTx(ctx, tx, string(c.Course), change)
				return err
			})
			if err != nil {
				return err
			}
		}
		p, err := service.Policy(ctx, as, string(c.Course))
		if err != nil {
			return err
		}
		peers := "learners don't find each other's code"
		if p.PeerSnapshots {
			peers = "learners find each other's validated code, under pseudonyms"
		}
		fmt.Fprintf(os.Stdout, "course %s: searches go through scope %s when they don't say; %s\n", p.CourseID, p.DefaultScope, peers)
		return nil
	}, &service)
}
