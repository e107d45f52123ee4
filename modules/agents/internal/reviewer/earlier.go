package reviewer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Earlier reads what the learner was told about a task before a snapshot,
// newest first.
type Earlier interface {
	Before(ctx context.Context, taskID string, snapshotNumber int) ([]agents.Feedback, error)
}

// history is what was said and seen before a case.
type history struct {
	feedback []agents.Feedback
	// last is the run that the newest feedback is about; nil for none.
	last *validation.Run
}

// recall reads what was said before. Whatever can't be read is left out: a
// review without it is still one.
func (r *Reviewer) recall(ctx context.Context, c *Case) error {
	all, err := r.earlier.Before(ctx, c.Task.ID, c.Run.SnapshotNumber)
	if err != nil {
		return err
	}
	c.history.feedback = slices.DeleteFunc(all, func(f agents.Feedback) bool { return f.Dispute == agents.DisputeWithdrawn })
	for i, f := range c.history.feedback {
		c.history.feedback[i].Comments = slices.DeleteFunc(f.Comments, func(c agents.Comment) bool { return c.Withdrawn })
	}
	if len(c.history.feedback) == 0 {
		return nil
	}
	run, err := r.verdicts.Run(ctx, system, c.history.feedback[0].ValidationRunID)
	if errs.CodeOf(err) == errs.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if run.Report != nil {
		c.history.last = &run
	}
	return nil
}

// points are what a report holds against a submission: tests that did not pass,
// and findings by rule and file.
func points(r validation.Report) map[string]bool {
	all := map[string]bool{}
	for _, t := range r.Tests {
		if t.Status == judging.StatusFail || t.Status == judging.StatusError {
			all["test "+t.ID] = true
		}
	}
	for _, f := range r.Findings {
		all["finding "+f.Rule+" "+f.File] = true
	}
	return all
}

// progress says how much of what was wrong before is mended; "" where there is
// nothing to compare. A test that could not run any more is not mended.
func (c *Case) progress() string {
	if c.history.last == nil {
		return ""
	}
	was, is := points(*c.history.last.Report), points(c.Report)
	ran := map[string]bool{}
	for _, t := range c.Report.Tests {
		ran["test "+t.ID] = true
	}
	fixed := 0
	for p := range was {
		if is[p] || strings.HasPrefix(p, "test ") && !ran[p] || c.Report.Verdict == judging.VerdictInvalid {
			continue
		}
		fixed++
	}
	if len(was) == 0 {
		return ""
	}
	return fmt.Sprintf(phrases[c.Locale].fixed, fixed, len(was), c.history.last.SnapshotNumber)
}

// same says whether two comments are about the same test or finding.
func same(a, b agents.Comment) bool {
	return a.TestID != "" && a.TestID == b.TestID || a.Rule != "" && a.Rule == b.Rule && a.File == b.File
}

// often is from how many snapshots in a row on a hint is better than a comment.
const often = 3

// recognise marks comments that repeat what was said about the snapshots right
// before.
func (c *Case) recognise(comments []agents.Comment) {
	said := phrases[c.Locale]
	for i := range comments {
		times, number := 1, c.Run.SnapshotNumber
		for _, f := range c.history.feedback {
			if f.SnapshotNumber == number {
				continue // a re-judging of the same snapshot
			}
			if !slices.ContainsFunc(f.Comments, func(o agents.Comment) bool { return same(comments[i], o) }) {
				break
			}
			times, number = times+1, f.SnapshotNumber
		}
		if times == 1 {
			continue
		}
		comments[i].Since = number
		comments[i].Text = fmt.Sprintf(said.still, number) + " " + comments[i].Text
		if times >= often {
			comments[i].Text += "\n\n" + said.hint
		}
	}
}

// fromEarlier gives what a model said of equivalent code of the same learner: the
// same but for comments and blank lines, with the same report. ok is false when
// there is none.
func (r *Reviewer) fromEarlier(ctx context.Context, c *Case) (comments []agents.Comment, label string, ok bool, err error) {
	for _, f := range c.history.feedback {
		if f.Label == agents.BuiltInReviewer || f.Locale != c.Locale {
			continue
		}
		run, err := r.verdicts.Run(ctx, system, f.ValidationRunID)
		if errs.CodeOf(err) == errs.NotFound {
			continue
		}
		if err != nil {
			return nil, "", false, err
		}
		if run.Report == nil || run.Report.Verdict != c.Report.Verdict || !equal(points(*run.Report), points(c.Report)) {
			continue
		}
		snapshot, err := r.verdicts.Snapshot(ctx, system, run.SnapshotID)
		if errs.CodeOf(err) == errs.NotFound {
			continue
		}
		if err != nil {
			return nil, "", false, err
		}
		lines, alike := align(snapshot.Files, c.Files)
		if !alike {
			continue
		}
		for _, comment := range f.Comments {
			if comment.File != "" {
				comment.StartLine, comment.EndLine = lines[place{comment.File, comment.StartLine}], lines[place{comment.File, comment.EndLine}]
			}
			comment.Since = 0
			comments = append(comments, comment)
		}
		return comments, fmt.Sprintf("%s, snapshot %d", strings.TrimSuffix(f.Label, ", snapshot "+fmt.Sprint(f.SnapshotNumber)), f.SnapshotNumber), true, nil
	}
	return nil, "", false, nil
}

func equal(a, b map[string]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}

type place struct {
	file string
	line int
}

// align finds for each line of the code of one snapshot its line in another that
// differs in comments, blank lines and trailing blanks alone.
func align(from, to []validation.File) (lines map[place]int, alike bool) {
	if len(from) != len(to) {
		return nil, false
	}
	lines = map[place]int{}
	for _, f := range from {
		i := slices.IndexFunc(to, func(o validation.File) bool { return o.Path == f.Path })
		if i < 0 {
			return nil, false
		}
		a, b := code(f.Content), code(to[i].Content)
		if len(a) != len(b) {
			return nil, false
		}
		for n := range a {
			if a[n].text != b[n].text {
				return nil, false
			}
			lines[place{f.Path, a[n].number}] = b[n].number
		}
	}
	return lines, true
}

type codeLine struct {
	text   string
	number int
}

// code are the lines that say something: indentation counts, since it does in
// some languages.
func code(content string) (all []codeLine) {
	for i, text := range strings.Split(content, "\n") {
		text = strings.TrimRight(text, " \t\r")
		bare := strings.TrimLeft(text, " \t")
		if bare == "" || strings.HasPrefix(bare, "#") || strings.HasPrefix(bare, "//") {
			continue
		}
		all = append(all, codeLine{text, i + 1})
	}
	return all
}
