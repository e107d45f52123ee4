package reports

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	tapPlan   = regexp.MustCompile(`^1\.\.(\d{1,9})(?:\s*#\s*(.*))?$`)
	tapResult = regexp.MustCompile(`^(not )?ok\b(?:[ \t]+(\d{1,9})\b)?[ \t]*(?:- )?(.*)$`)
	tapNote   = regexp.MustCompile(`(?i)(?:^|[^\\])#[ \t]*(skip|todo)\S*[ \t]*(.*)$`)
	tapDirect = regexp.MustCompile(`(?i)[ \t]*#[ \t]*(skip|todo).*$`)
)

// tap reads one level of a TAP stream. Subtests, which are indented, are kept as
// the text of the test that they lead to: that one says whether they passed.
type tap struct {
	report Report
	plan   int // -1 before there is one
	seen   map[int]bool
	yaml   bool
	nested []string
	note   strings.Builder // comments and subtests behind the last test
}

func parseTAP(s string) (*Report, error) {
	p := &tap{plan: -1, seen: map[int]bool{}}
	for line := range strings.SplitSeq(s, "\n") {
		if err := p.line(strings.TrimRight(line, " \t\r")); err != nil {
			return &p.report, err
		}
		if p.report.Stopped != "" {
			break
		}
	}
	p.endTest()
	p.report.unique()
	return &p.report, p.check()
}

func (p *tap) line(line string) error {
	indented := strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t")
	switch {
	case indented:
		p.inside(line)
		return nil
	case line == "":
		return nil
	}
	// What is not indented ends a block, whatever the block says: nothing that a
	// program prints can swallow a result.
	p.yaml = false
	switch {
	case strings.HasPrefix(line, "#"):
		if !strings.HasPrefix(line, "# Subtest") && p.note.Len() < maxText {
			p.note.WriteString(strings.TrimPrefix(strings.TrimPrefix(line, "#"), " ") + "\n")
		}
		return nil
	case strings.HasPrefix(strings.ToLower(line), "bail out!"):
		p.endTest()
		p.report.Stopped = cut(strings.TrimSpace(line[len("bail out!"):]), maxName)
		if p.report.Stopped == "" {
			p.report.Stopped = "Bail out!"
		}
		return nil
	}
	if m := tapPlan.FindStringSubmatch(line); m != nil {
		if p.plan >= 0 {
			return errors.New("it has two plans")
		}
		p.plan, _ = strconv.Atoi(m[1])
		if p.plan == 0 && m[2] != "" {
			p.report.Stopped = "" // all skipped
		}
		return nil
	}
	if m := tapResult.FindStringSubmatch(line); m != nil {
		return p.result(m)
	}
	return nil // other text is not ours
}

// inside keeps what stands below a test or before the one that sums it up.
func (p *tap) inside(line string) {
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "---" && len(p.report.Tests) > 0:
		p.yaml = true
	case p.yaml && trimmed == "...":
		p.yaml = false
	case p.yaml:
		p.diagnostic(trimmed, line)
	case len(p.nested) < 200:
		p.nested = append(p.nested, line)
	}
}

// diagnostic reads the few keys of a YAML block that are in use everywhere, and
// keeps the rest as text.
func (p *tap) diagnostic(trimmed, line string) {
	t := &p.report.Tests[len(p.report.Tests)-1]
	key, value, ok := strings.Cut(trimmed, ":")
	value = strings.TrimSpace(value)
	if ok && value != "" && value != "|-" && value != "|" && value != ">" {
		value = strings.Trim(value, `"'`)
		switch key {
		case "message":
			t.Message = cut(value, maxText)
			return
		case "expected", "wanted", "want":
			t.Expected = cut(value, maxText)
			return
		case "actual", "found", "got":
			t.Actual = cut(value, maxText)
			return
		case "duration_ms":
			if ms, err := strconv.ParseFloat(value, 64); err == nil && ms >= 0 && ms < 1e9 {
				t.Duration = time.Duration(ms * float64(time.Millisecond))
			}
			return
		}
	}
	if len(t.Output) < maxText {
		t.Output += strings.TrimRight(line, " ") + "\n"
	}
}

func (p *tap) result(m []string) error {
	p.endTest()
	number := len(p.seen) + 1
	if m[2] != "" {
		number, _ = strconv.Atoi(m[2])
	}
	if p.seen[number] {
		return fmt.Errorf("test %d is reported twice", number)
	}
	p.seen[number] = true
	t := Test{Name: strings.TrimSpace(tapDirect.ReplaceAllString(m[3], "")), Status: Pass}
	t.Name = strings.NewReplacer(`\#`, "#", `\\`, `\`).Replace(t.Name)
	if t.Name == "" {
		t.Name = strconv.Itoa(number)
	}
	if m[1] != "" {
		t.Status = Fail
	}
	if note := tapNote.FindStringSubmatch(m[3]); note != nil {
		// Not ok, but expected: both mean that the test does not count.
		t.Status, t.Message = Skip, note[2]
	}
	if len(p.nested) > 0 && t.Status == Fail {
		t.Output = strings.Join(p.nested, "\n") + "\n"
	}
	p.nested = nil
	return p.report.add(t)
}

// endTest gives comments to the test that they follow.
func (p *tap) endTest() {
	if n := len(p.report.Tests); n > 0 && p.note.Len() > 0 {
		t := &p.report.Tests[n-1]
		if t.Status == Fail {
			t.Output = cut(t.Output+p.note.String(), maxText)
		}
	}
	p.note.Reset()
}

func (p *tap) check() error {
	switch n := len(p.report.Tests); {
	case p.report.Stopped != "":
		return nil
	case p.plan < 0:
		return errors.New("it has no plan (1..N), so nobody knows whether a test is missing")
	case p.plan != n:
		return fmt.Errorf("its plan says %d tests, and %d are there", p.plan, n)
	}
	for n := range p.seen {
		if n < 1 || n > p.plan {
			return fmt.Errorf("test %d is outside of its plan of %d", n, p.plan)
		}
	}
	return nil
}
