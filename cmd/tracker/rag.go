package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

type ragCmd struct {
	Ingest ragIngestCmd `cmd:"" help:"Put a course's material into the index."`
	Watch  ragWatchCmd  `cmd:"" help:"Keep a course's material as a folder or a checkout has it; a server does so by its settings (rag.watch)."`
	Graph  ragGraphCmd  `cmd:"" help:"Show what a course teaches in which order, and what needs what."`
	Policy ragPolicyCmd `cmd:"" help:"Show how a course's material is searched, and change it."`
	Search ragSearchCmd `cmd:"" help:"Ask the index a question, as the system."`
	Spaces ragSpacesCmd `cmd:"" help:"Show the embedding spaces: which is searched, and how full each is."`
	Embed  ragEmbedCmd  `cmd:"" help:"Give passages their vectors now; a server does so by itself."`
	Eval   ragEvalCmd   `cmd:"" help:"Measure the search on BEIR folders (corpus.jsonl, queries.jsonl, qrels.tsv), in a database of its own."`
	Bench  ragBenchCmd  `cmd:"" help:"Measure how fast the search is among many passages, in a database of its own."`
}

type ragIngestCmd struct {
	Course externalID `required:"" placeholder:"ID" help:"The course's id."`
	Prune  bool       `help:"Take documents out of the index that are not among the files."`
	Paths  []string   `arg:"" name:"path" help:"Folders and files. Paths in the index are relative to each folder." type:"existingpath"`
}

// Run ingests files.
func (c *ragIngestCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var files []rag.File
	var problems []rag.Problem
	for _, path := range c.Paths {
		more, bad, err := readMaterial(path)
		if err != nil {
			return err
		}
		files, problems = append(files, more...), append(problems, bad...)
	}
	var service rag.Service
	return withModules(ctx, flags, func(*database) error {
		report, err := service.Ingest(ctx, postgres.As(auth.System("ingest")), string(c.Course), files, c.Prune, func(p rag.Progress) {
			fmt.Fprintf(os.Stderr, "\r%d of %d files", p.Done, p.Total)
		})
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return err
		}
		printReport(os.Stdout, report, problems)
		return nil
	}, &service)
}

// readMaterial reads a folder, or one file under its own name.
func readMaterial(path string) ([]rag.File, []rag.Problem, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return rag.ReadFS(os.DirFS(path))
	}
	content, err := fs.ReadFile(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	return []rag.File{{Path: filepath.Base(path), Content: content}}, nil, err
}

type ragSearchCmd struct {
	Course string `help:"Only in this course."`
	Limit  int    `default:"5" help:"How many passages."`
	Query  string `arg:"" help:"The question."`
}

// Run prints passages.
func (c *ragSearchCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var service rag.Service
	return withModules(ctx, flags, func(*database) error {
		found, err := service.Search(ctx, auth.System("search"), rag.Query{Text: c.Query, CourseID: c.Course, Limit: c.Limit})
		if err != nil {
			return err
		}
		for _, p := range found.Passages {
			fmt.Printf("%6.2f  %s:%d-%d  %s\n", p.Score, p.Path, p.StartLine, p.EndLine, p.Heading)
		}
		if len(found.Passages) == 0 {
			fmt.Println("nothing fits")
		}
		if found.Fallback != "" {
			fmt.Printf("by words alone: %s\n", fallbacks[found.Fallback])
		}
		return nil
	}, &service)
}
