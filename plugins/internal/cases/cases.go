// Package cases judges programs by what they print on a given standard input.
// The expected texts never are where the program runs. How a program of a
// language tells of its crash, a plugin says by Judge.Read.
package cases

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/native"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// Case is a program's input and what it must print.
type Case struct {
	Name   string   `json:"name"`
	Stdin  string   `json:"stdin"`
	Stdout string   `json:"stdout"`
	Args   []string `json:"args"`
}

// StepID is the step that runs a case, by its index.
func StepID(i int) string { return "case" + strconv.Itoa(i+1) }

// Filed returns the cases that are pairs of files: NAME.in with NAME.out or
// NAME.ans, for tests that hold no code.
func Filed(tests []validator.File, isCode func(name string) bool) []Case {
	content := map[string]string{}
	var out []Case
	for _, f := range tests {
		if isCode(f.Path) {
			return nil
		}
		content[f.Path] = string(f.Content)
	}
	for _, f := range tests {
		stem := strings.TrimSuffix(f.Path, path.Ext(f.Path))
		if e := path.Ext(f.Path); e == ".out" || e == ".ans" {
			out = append(out, Case{Name: stem, Stdin: content[stem+".in"], Stdout: string(f.Content)})
		}
	}
	slices.SortFunc(out, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Ending is what a program's standard error and exit tell.
type Ending struct {
	// Said is what the program itself wrote to standard error.
	Said string
	// Crash says why the program came to no good end; zero when it did.
	Crash validator.Message
	// Finding is the place in the submission that a tool blames. With it, the
	// test has failed; without, a crash is an error.
	Finding *validator.Finding
}

// Judge reports on programs of a language.
type Judge struct {
	Language native.Language
	Read     func(p *validator.ProcessResult) Ending
}

// Compare reports on the runs of all cases.
func (j Judge) Compare(r *validator.Report, req *validator.Request, all []Case) (*validator.Report, error) {
	r.Integrity = validator.IntegritySplit
	worst := validator.Passed
	for i, c := range all {
		run := req.Result(StepID(i))
		if run == nil || run.Process("main") == nil {
			return nil, fmt.Errorf("case %d was not run", i+1)
		}
		p := run.Process("main")
		name := c.Name
		if name == "" {
			name = StepID(i)
		}
		t := validator.Test{ID: fmt.Sprintf("%s::%s", StepID(i), name), Name: name, Status: validator.Pass, Duration: run.Wall}
		end := j.Read(p)
		v := native.Limit(run)
		switch {
		case v != validator.Passed:
			t.Status, t.Message = validator.Error, j.Language.TestLimit(v)
		case end.Finding != nil:
			t.Status, t.Message = validator.Fail, end.Crash
			r.Findings = append(r.Findings, *end.Finding)
		case !end.Crash.IsZero():
			t.Status, t.Message = validator.Error, end.Crash
		case settle(string(p.Stdout)) != settle(c.Stdout):
			t.Status = validator.Fail
			t.Expected, t.Actual = c.Stdout, string(p.Stdout)
			t.Message = j.difference(settle(c.Stdout), settle(string(p.Stdout)))
		}
		t.Output = strings.TrimRight(end.Said, "\n")
		if t.Status != validator.Pass && worst == validator.Passed {
			worst = validator.Failed
			if v != validator.Passed {
				worst = v
			}
		}
		r.Tests = append(r.Tests, t)
	}
	r.Score, r.Verdict = validator.Score(r.Tests), worst
	r.Summary = j.Language.Summary(r)
	return r, nil
}

// Alone reports on the step "run" of a program without tests: it proves nothing
// but that it runs.
func (j Judge) Alone(r *validator.Report, req *validator.Request) (*validator.Report, error) {
	run := req.Result("run")
	if run == nil || run.Process("main") == nil {
		return nil, fmt.Errorf("the program was not run")
	}
	p := run.Process("main")
	end := j.Read(p)
	r.Output = strings.TrimRight(string(p.Stdout)+end.Said, "\n")
	r.Verdict = native.Limit(run)
	switch {
	case r.Verdict != validator.Passed:
		r.Summary = j.Language.LimitSummary(r.Verdict)
	case end.Finding != nil:
		r.Verdict, r.Summary = validator.Failed, end.Crash
		r.Findings = append(r.Findings, *end.Finding)
	case !end.Crash.IsZero():
		r.Verdict, r.Summary = validator.Failed, end.Crash
	case p.ExitCode != 0:
		r.Verdict = validator.Failed
		r.Summary = j.Language.Text("exit-code", "Your program ended with the exit code {code}.", "Tu programa terminó con el código de salida {code}.", "code", p.ExitCode)
	default:
		r.Verdict = validator.Unproven
		r.Summary = j.Language.Text("unproven",
			"Your program compiles and runs. The task has no tests, so nothing more is proven.",
			"Tu programa compila y se ejecuta. La tarea no tiene pruebas, así que no se demuestra nada más.")
	}
	return r, nil
}

// settle leaves out what nobody sees: spaces at the end of lines, and empty
// lines at the end.
func settle(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func (j Judge) difference(want, got string) validator.Message {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	if got == "" {
		return j.Language.Text("printed-nothing", "Your program printed nothing.", "Tu programa no imprimió nada.")
	}
	quote := func(line string) string { return strconv.Quote(native.Short(line)) }
	for i := range max(len(w), len(g)) {
		switch {
		case i >= len(g):
			return j.Language.Text("printed-less", "The output ends after line {line}; {expected} should follow.", "La salida termina tras la línea {line}; debería seguir {expected}.", "line", len(g), "expected", quote(w[i]))
		case i >= len(w):
			return j.Language.Text("printed-more", "The output should end after line {line}, but {actual} follows.", "La salida debería terminar tras la línea {line}, pero sigue {actual}.", "line", len(w), "actual", quote(g[i]))
		case w[i] != g[i]:
			return j.Language.Text("printed", "Line {line} of the output should be {expected}, but is {actual}.", "La línea {line} de la salida debería ser {expected}, pero es {actual}.",
				"line", i+1, "expected", quote(w[i]), "actual", quote(g[i]))
		}
	}
	return validator.Message{}
}
