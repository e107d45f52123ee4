package main

import (
	"github.com/goals-tracker/tracker/plugins/internal/cases"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// programJudge judges programs by what they print. What a sanitizer says among it
// is a finding in the submission.
func programJudge(sub *validator.Submission) cases.Judge {
	return cases.Judge{Language: words, Read: func(p *validator.ProcessResult) cases.Ending {
		said, reported := splitSanitizer(string(p.Stderr), sub)
		end := cases.Ending{Said: said}
		switch {
		case reported != nil:
			end.Crash, end.Finding = reported.finding.Message, &reported.finding
		case p.Signal != 0:
			end.Crash = signalText(p.Signal)
		}
		return end
	}}
}
