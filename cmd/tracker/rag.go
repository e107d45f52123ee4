package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/eval"
)

type ragCmd struct {
	Ingest ragIngestCmd `cmd:"" help:"Put a course's material into the index."`
	Search ragSearchCmd `cmd:"" help:"Ask the index a question, as the system."`
	Eval   ragEvalCmd   `cmd:"" help:"Measure the search on a BEIR folder (corpus.jsonl, queries.jsonl, qrels.tsv)."`
}

type ragIngestCmd struct {
	Course string   `required:"" help:"The course's id."`
	Prune  bool     `help:"Take documents out of the index that are not among the files."`
	Paths  []string `arg:"" name:"path" help:"Folders and files. Paths in the index are relative to each folder." type:"existingpath"`
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
		report, err := service.Ingest(ctx, postgres.As(auth.System("ingest")), c.Course, files, c.Prune, func(p rag.Progress) {
			fmt.Fprintf(os.Stderr, "\r%d of %d files", p.Done, p.Total)
		})
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return err
		}
		for _, p := range append(problems, report.Problems...) {
			fmt.Printf("not indexed: %s: %s\n", p.Path, p.Reason)
		}
		fmt.Printf("%d files added, %d changed, %d as they were, %d removed; %d passages\n",
			report.Added, report.Changed, report.Unchanged, report.Removed, report.Chunks)
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
		return nil
	}, &service)
}

type ragEvalCmd struct {
	Dir string `arg:"" help:"The folder of the set." type:"existingdir"`
}

// Run measures the search on a set, in a course of its own that is removed
// afterwards.
func (c *ragEvalCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	set, err := eval.Load(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	var service rag.Service
	return withModules(ctx, flags, func(db *database) error {
		course := "eval-" + uuid.NewString()[:8]
		result, err := eval.Run(ctx, service, course, set, nil)
		removed := db.InTx(context.WithoutCancel(ctx), postgres.As(auth.System("evaluation")), func(ctx context.Context, tx *postgres.Tx) error {
			return service.RemoveCourse(ctx, tx, course)
		})
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d documents, %d queries, %s\n", filepath.Base(c.Dir), result.Documents, result.Queries, result.Method)
		fmt.Printf("nDCG@10 %.4f   recall@10 %.4f   MRR@10 %.4f   p50 %s   p95 %s\n",
			result.NDCG, result.Recall, result.MRR, result.P50.Round(time.Microsecond*100), result.P95.Round(time.Microsecond*100))
		return removed
	}, &service)
}
