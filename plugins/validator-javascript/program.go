package main

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// program reports on a run without tests: it proves nothing but that it runs.
func program(r *validator.Report, req *validator.Request, run *validator.StepResult) (*validator.Report, error) {
	p := run.Process("main")
	r.Output = strings.TrimRight(string(p.Stdout), "\n")
	var said struct {
		Syntax  []syntaxError `json:"syntax"`
		Failure *failure      `json:"failure"`
	}
	if lines := bytes.Split(bytes.TrimSpace(p.Stderr), []byte("\n")); p.ExitCode != 0 {
		_ = json.Unmarshal(lines[len(lines)-1], &said)
	}
	switch {
	case run.Outcome == validator.OutcomeTimedOut:
		r.Verdict = validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory || heapFull(p):
		r.Verdict = validator.OutOfMemory
	case run.Outcome == validator.OutcomeOutputLimit:
		r.Verdict = validator.OutputLimit
	case len(said.Syntax) > 0:
		for i := range said.Syntax {
			r.Findings = append(r.Findings, syntaxFinding(&said.Syntax[i], &req.Submission))
		}
		r.Verdict, r.Summary = validator.Invalid, syntaxSummary(&said.Syntax[0])
		return r, nil
	case said.Failure != nil:
		r.Verdict, r.Summary = validator.Failed, explain(said.Failure)
		return r, nil
	case run.Outcome == validator.OutcomeKilled:
		r.Verdict = validator.Failed
	case p.ExitCode != 0:
		r.Verdict = validator.Failed
		r.Summary = validator.Text("js.exit-code", "Your program ended with the exit code {code}.", "Tu programa terminó con el código de salida {code}.", "code", p.ExitCode)
		return r, nil
	default:
		r.Verdict, r.Summary = validator.Unproven, summaryUnproven
		return r, nil
	}
	r.Summary = summary(r, &collected{})
	return r, nil
}
