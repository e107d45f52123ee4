// Command validator-text takes what is written in prose: answers, notes,
// reports. It decides nothing: what is there is unproven, whoever set the task
// or learns by it completes it, and the reviewer holds it against the task's
// criteria. It reads the files and runs nothing.
package main

import (
	"context"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

var spec = &validator.Spec{
	Name: "validator-text", Version: "1.0.0",
	Languages: []validator.Language{{
		Name: judging.LanguageText, Aliases: []string{"prose", "markdown", "md"},
		Extensions: []string{".md", ".markdown", ".txt", ".rst", ".adoc", ".tex"}, DefaultFile: "answer.md",
	}},
	Judge: judge,
}

var (
	summaryRead  = validator.Text("text.read", "Your text was received. The task has no tests, so nothing is proven.", "Tu texto se ha recibido. La tarea no tiene pruebas, así que no se demuestra nada.")
	summaryEmpty = validator.Text("text.empty", "There is nothing written in your files yet.", "Todavía no hay nada escrito en tus archivos.")
	summaryAsWas = validator.Text("text.unchanged", "Your files are still as the task gave them.", "Tus archivos siguen como los dio la tarea.")
)

func judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	if len(req.Task.Tests) > 0 {
		return nil, validator.TaskErrorf("the task has tests, which can't decide on prose: give it the language that they test, or take them away")
	}
	given := map[string]string{}
	for _, f := range req.Task.Starter {
		given[f.Path] = strings.TrimSpace(string(f.Content))
	}
	written, own := false, false
	for _, f := range req.Submission.Files {
		text := strings.TrimSpace(string(f.Content))
		before, starter := given[f.Path]
		written = written || text != ""
		own = own || text != "" && (!starter || text != before)
	}
	// Nothing ran beside anything: what decides is out of the submission's reach.
	r := &validator.Report{Verdict: validator.Unproven, Integrity: judging.IntegritySplit, Summary: summaryRead}
	switch {
	case !written:
		r.Verdict, r.Summary = validator.Invalid, summaryEmpty
	case !own:
		r.Verdict, r.Summary = validator.Invalid, summaryAsWas
	}
	return r, nil
}

func main() { validator.Main(spec) }
