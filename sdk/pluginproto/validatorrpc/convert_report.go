package validatorrpc

import (
	"strings"

	validatorv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/validator/v1"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Enum tables; what is in neither direction becomes "" or UNSPECIFIED, which
// judging.CheckReport refuses.
var (
	outcomes = table(map[validatorv1.Outcome]judging.Outcome{
		validatorv1.Outcome_OUTCOME_EXITED:        judging.OutcomeExited,
		validatorv1.Outcome_OUTCOME_TIMED_OUT:     judging.OutcomeTimedOut,
		validatorv1.Outcome_OUTCOME_OUT_OF_MEMORY: judging.OutcomeOutOfMemory,
		validatorv1.Outcome_OUTCOME_OUTPUT_LIMIT:  judging.OutcomeOutputLimit,
		validatorv1.Outcome_OUTCOME_KILLED:        judging.OutcomeKilled,
		validatorv1.Outcome_OUTCOME_SKIPPED:       judging.OutcomeSkipped,
	})
	verdicts = table(map[validatorv1.Verdict]judging.Verdict{
		validatorv1.Verdict_VERDICT_PASSED:        judging.VerdictPassed,
		validatorv1.Verdict_VERDICT_FAILED:        judging.VerdictFailed,
		validatorv1.Verdict_VERDICT_INVALID:       judging.VerdictInvalid,
		validatorv1.Verdict_VERDICT_TIMED_OUT:     judging.VerdictTimedOut,
		validatorv1.Verdict_VERDICT_OUT_OF_MEMORY: judging.VerdictOutOfMemory,
		validatorv1.Verdict_VERDICT_OUTPUT_LIMIT:  judging.VerdictOutputLimit,
		validatorv1.Verdict_VERDICT_UNPROVEN:      judging.VerdictUnproven,
	})
	statuses = table(map[validatorv1.TestStatus]judging.TestStatus{
		validatorv1.TestStatus_TEST_STATUS_PASS:  judging.StatusPass,
		validatorv1.TestStatus_TEST_STATUS_FAIL:  judging.StatusFail,
		validatorv1.TestStatus_TEST_STATUS_ERROR: judging.StatusError,
		validatorv1.TestStatus_TEST_STATUS_SKIP:  judging.StatusSkip,
	})
	severities = table(map[validatorv1.Severity]judging.Severity{
		validatorv1.Severity_SEVERITY_INFO:    judging.SeverityInfo,
		validatorv1.Severity_SEVERITY_WARNING: judging.SeverityWarning,
		validatorv1.Severity_SEVERITY_ERROR:   judging.SeverityError,
	})
)

type enums[P, G comparable] struct {
	toGo    map[P]G
	toProto map[G]P
}

func table[P, G comparable](toGo map[P]G) enums[P, G] {
	e := enums[P, G]{toGo: toGo, toProto: make(map[G]P, len(toGo))}
	for p, g := range toGo {
		e.toProto[g] = p
	}
	return e
}

func stepResultToProto(r judging.StepResult) *validatorv1.StepResult {
	return &validatorv1.StepResult{
		StepId: r.StepID, Outcome: outcomes.toProto[r.Outcome], WallMs: millis(r.Wall),
		Processes: each(r.Processes, func(p judging.ProcessResult) *validatorv1.ProcessResult {
			return &validatorv1.ProcessResult{
				Role: p.Role, ExitCode: int32(p.ExitCode), Signal: int32(p.Signal), Stdout: p.Stdout, Stderr: p.Stderr,
				Truncated: p.Truncated, Collected: each(p.Collected, fileToProto), CpuMs: millis(p.CPU), MaxRssBytes: p.MaxRSSBytes,
				Outcome: outcomes.toProto[p.Outcome], CollectedTruncated: p.CollectedTruncated,
			}
		}),
	}
}

func stepResultFromProto(r *validatorv1.StepResult) judging.StepResult {
	return judging.StepResult{
		StepID: r.GetStepId(), Outcome: outcomes.toGo[r.GetOutcome()], Wall: fromMillis(r.GetWallMs()),
		Processes: each(r.GetProcesses(), func(p *validatorv1.ProcessResult) judging.ProcessResult {
			return judging.ProcessResult{
				Role: p.GetRole(), ExitCode: int(p.GetExitCode()), Signal: int(p.GetSignal()), Stdout: p.GetStdout(), Stderr: p.GetStderr(),
				Truncated: p.GetTruncated(), Collected: each(p.GetCollected(), fileFromProto), CPU: fromMillis(p.GetCpuMs()), MaxRSSBytes: p.GetMaxRssBytes(),
				Outcome: outcomes.toGo[p.GetOutcome()], CollectedTruncated: p.GetCollectedTruncated(),
			}
		}),
	}
}

func messageToProto(m judging.Message) *validatorv1.Message {
	if m.IsZero() {
		return nil
	}
	return &validatorv1.Message{Id: m.ID, Params: validMap(m.Params), Text: validMap(m.Text)}
}

func messageFromProto(m *validatorv1.Message) judging.Message {
	return judging.Message{ID: m.GetId(), Params: m.GetParams(), Text: m.GetText()}
}

func reportToProto(r *judging.Report) *validatorv1.Report {
	return &validatorv1.Report{
		Verdict: verdicts.toProto[r.Verdict], Score: r.Score, Integrity: string(r.Integrity),
		Summary: messageToProto(r.Summary), Versions: r.Versions, Output: valid(r.Output),
		Tests: each(r.Tests, func(t judging.Test) *validatorv1.Test {
			return &validatorv1.Test{
				Id: valid(t.ID), Name: valid(t.Name), Status: statuses.toProto[t.Status], Message: messageToProto(t.Message),
				Output: valid(t.Output), DurationMs: millis(t.Duration), TaskId: t.TaskID,
				Expected: valid(t.Expected), Actual: valid(t.Actual), Weight: t.Weight,
			}
		}),
		Findings: each(r.Findings, func(f judging.Finding) *validatorv1.Finding {
			return &validatorv1.Finding{
				File: f.File, Line: uint32(max(f.Line, 0)), Column: uint32(max(f.Column, 0)),
				EndLine: uint32(max(f.EndLine, 0)), EndColumn: uint32(max(f.EndColumn, 0)),
				Rule: f.Rule, Severity: severities.toProto[f.Severity], Message: messageToProto(f.Message), Excerpt: valid(f.Excerpt),
			}
		}),
	}
}

func reportFromProto(r *validatorv1.Report) *judging.Report {
	return &judging.Report{
		Verdict: verdicts.toGo[r.GetVerdict()], Score: r.GetScore(), Integrity: judging.Integrity(r.GetIntegrity()),
		Summary: messageFromProto(r.GetSummary()), Versions: r.GetVersions(), Output: r.GetOutput(),
		Tests: each(r.GetTests(), func(t *validatorv1.Test) judging.Test {
			return judging.Test{
				ID: t.GetId(), Name: t.GetName(), Status: statuses.toGo[t.GetStatus()], Message: messageFromProto(t.GetMessage()),
				Output: t.GetOutput(), Duration: fromMillis(t.GetDurationMs()), TaskID: t.GetTaskId(),
				Expected: t.GetExpected(), Actual: t.GetActual(), Weight: t.GetWeight(),
			}
		}),
		Findings: each(r.GetFindings(), func(f *validatorv1.Finding) judging.Finding {
			return judging.Finding{
				File: f.GetFile(), Line: int(f.GetLine()), Column: int(f.GetColumn()), EndLine: int(f.GetEndLine()), EndColumn: int(f.GetEndColumn()),
				Rule: f.GetRule(), Severity: severities.toGo[f.GetSeverity()], Message: messageFromProto(f.GetMessage()), Excerpt: f.GetExcerpt(),
			}
		}),
	}
}

func mutantToProto(m judging.Mutant) *validatorv1.Mutant {
	return &validatorv1.Mutant{Id: m.ID, Operator: m.Operator, Description: messageToProto(m.Description), Files: each(m.Files, fileToProto)}
}

func mutantFromProto(m *validatorv1.Mutant) judging.Mutant {
	return judging.Mutant{ID: m.GetId(), Operator: m.GetOperator(), Description: messageFromProto(m.GetDescription()), Files: each(m.GetFiles(), fileFromProto)}
}

// valid makes text fit a proto string; a learner's output is any bytes.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func validMap(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = valid(v)
	}
	return out
}
