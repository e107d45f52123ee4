package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// event is one line that the parent of the tests wrote.
type event struct {
	kind   byte // S started, R reported, X died, O output, L output limit, F finished
	id     string
	status byte   // of R
	text   string // of R
	signal int    // of X
	code   int    // of X
	output string
}

// eventsOf returns the parent's lines. Only the parent has the nonce and its
// standard output; a line without it ends the reading.
func eventsOf(p *validator.ProcessResult, nonce string) []event {
	var out []event
	for line := range bytes.Lines(p.Stdout) {
		rest, ok := bytes.CutPrefix(bytes.TrimSuffix(line, []byte("\n")), []byte(nonce+" "))
		if !ok {
			return out
		}
		fields := strings.Split(string(rest), " ")
		if len(fields) < 3 || len(fields[0]) != 1 {
			return out
		}
		e := event{kind: fields[0][0], id: unhex(fields[1]), output: unhex(fields[len(fields)-1])}
		if middle := fields[2 : len(fields)-1]; len(middle) >= 2 {
			switch e.kind {
			case 'R':
				e.status, e.text = middle[0][0], unhex(middle[1])
			case 'X':
				n, _ := strconv.Atoi(middle[1])
				if middle[0] == "signal" {
					e.signal = n
				} else {
					e.code = n
				}
			}
		}
		out = append(out, e)
	}
	return out
}

func unhex(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}

// collected is what the events of a run come to.
type collected struct {
	tests       []validator.Test
	findings    []validator.Finding
	output      string
	running     string // the test that started last and has not reported
	finished    bool   // the parent came to its end
	died        bool   // outside of any test
	outputLimit bool
	memory      bool // an allocation failed for want of memory
}

func collect(events []event, l *layout, sub *validator.Submission) *collected {
	k := &collected{}
	for i := range events {
		e := &events[i]
		var reported *sanitized
		clean, reported := splitSanitizer(e.output, sub)
		switch e.kind {
		case 'S':
			k.running = e.id
			k.output += clean
			continue
		case 'O':
			k.output += clean
			continue
		case 'L':
			k.outputLimit = true
			k.running = e.id
			continue
		case 'F':
			k.finished = true
			continue
		}
		t := validator.Test{ID: e.id, Name: nameOf(e.id), Output: strings.TrimRight(clean, "\n")}
		switch {
		case e.kind == 'R':
			k.running = ""
			read(&t, e, l)
		case e.id == "":
			k.died = true
			k.output += clean
			if reported != nil {
				k.findings = append(k.findings, reported.finding)
			}
			continue
		default:
			k.running = ""
			t.Status, t.Message = validator.Error, death(e, reported)
			if reported != nil {
				t.Status = validator.Fail
				k.memory = k.memory || reported.kind == "out-of-memory" || reported.kind == "allocation-size-too-big"
			}
		}
		if reported != nil && len(k.findings) < 50 && !slices.ContainsFunc(k.findings, func(f validator.Finding) bool {
			return f.Rule == reported.finding.Rule && f.File == reported.finding.File && f.Line == reported.finding.Line
		}) {
			k.findings = append(k.findings, reported.finding)
		}
		if at := slices.IndexFunc(k.tests, func(o validator.Test) bool { return o.ID == t.ID }); at >= 0 {
			// A name that is taken twice: TEST_CASE in a template, RUN_TEST in a loop.
			n := 2
			for slices.ContainsFunc(k.tests, func(o validator.Test) bool { return o.ID == fmt.Sprintf("%s#%d", t.ID, n) }) {
				n++
			}
			t.ID = fmt.Sprintf("%s#%d", t.ID, n)
		}
		k.tests = append(k.tests, t)
	}
	return k
}

// read takes over what a test has reported.
func read(t *validator.Test, e *event, l *layout) {
	switch e.status {
	case 'p':
		t.Status = validator.Pass
	case 's':
		t.Status = validator.Skip
		t.Message = textSkipped
		if _, why, ok := strings.Cut(e.text, ":IGNORE: "); ok {
			why = strings.TrimSpace(why)
			t.Message = validator.Text("c.skipped", "Skipped: {reason}", "Omitida: {reason}", "reason", why)
		}
	case 'f':
		t.Status = validator.Fail
		explainCheck(t, e.text, l)
	default:
		t.Status = validator.Error
		t.Message = textJumped
	}
}

func fileOf(id string) string { f, _, _ := strings.Cut(id, "::"); return f }

func nameOf(id string) string {
	if _, name, ok := strings.Cut(id, "::"); ok {
		return name
	}
	return id
}

// place is a file's name as the submission has it.
func place(name string) string {
	return path.Clean(strings.TrimPrefix(name, "/work/"))
}
