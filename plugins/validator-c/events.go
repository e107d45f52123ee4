package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// collected is what the events of a run come to.
type collected struct {
	forkparent.Progress

	tests    []validator.Test
	findings []validator.Finding
	output   string
	memory   bool // an allocation failed for want of memory
}

func collect(events []forkparent.Event, l *layout, sub *validator.Submission) *collected {
	k := &collected{}
	for i := range events {
		e := &events[i]
		var reported *sanitized
		clean, reported := splitSanitizer(e.Output, sub)
		switch e.Kind {
		case forkparent.Started:
			k.Running = e.ID
			k.output += clean
			continue
		case forkparent.Printed:
			k.output += clean
			continue
		case forkparent.OutputLimit:
			k.OutputLimit = true
			k.Running = e.ID
			continue
		case forkparent.Finished:
			k.Finished = true
			continue
		case forkparent.Reported, forkparent.Died:
		}
		t := validator.Test{ID: e.ID, Name: forkparent.TestName(e.ID), Output: strings.TrimRight(clean, "\n")}
		switch {
		case e.Kind == forkparent.Reported:
			k.Running = ""
			read(&t, e, l)
		case e.ID == "":
			k.Died = true
			k.output += clean
			k.note(reported)
			continue
		default:
			k.Running = ""
			t.Status, t.Message = validator.Error, death(e, reported)
			if reported != nil {
				t.Status = validator.Fail
				k.memory = k.memory || reported.kind == "out-of-memory" || reported.kind == "allocation-size-too-big"
			}
		}
		k.note(reported)
		k.add(t)
	}
	return k
}

// note takes a sanitizer's finding in, once for each place.
func (k *collected) note(s *sanitized) {
	if s == nil || len(k.findings) >= 50 || slices.ContainsFunc(k.findings, func(f validator.Finding) bool {
		return f.Rule == s.finding.Rule && f.File == s.finding.File && f.Line == s.finding.Line
	}) {
		return
	}
	k.findings = append(k.findings, s.finding)
}

// add takes a test in, under a name of its own where it is taken: TEST_CASE in a
// template, RUN_TEST in a loop.
func (k *collected) add(t validator.Test) {
	id := t.ID
	for n := 2; slices.ContainsFunc(k.tests, func(o validator.Test) bool { return o.ID == t.ID }); n++ {
		t.ID = fmt.Sprintf("%s#%d", id, n)
	}
	k.tests = append(k.tests, t)
}

// read takes over what a test has reported.
func read(t *validator.Test, e *forkparent.Event, l *layout) {
	switch e.Status {
	case 'p':
		t.Status = validator.Pass
	case 's':
		t.Status = validator.Skip
		t.Message = words.Skipped()
		if _, why, ok := strings.Cut(e.Text, ":IGNORE: "); ok {
			why = strings.TrimSpace(why)
			t.Message = validator.Text("c.skipped", "Skipped: {reason}", "Omitida: {reason}", "reason", why)
		}
	case 'f':
		t.Status = validator.Fail
		explainCheck(t, e.Text, l)
	default:
		t.Status = validator.Error
		t.Message = textJumped
	}
}

func fileOf(id string) string { f, _, _ := strings.Cut(id, "::"); return f }

// place is a file's name as the submission has it.
func place(name string) string {
	return path.Clean(strings.TrimPrefix(name, validator.WorkDir+"/"))
}
