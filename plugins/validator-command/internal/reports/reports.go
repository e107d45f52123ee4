// Package reports reads what test programs say in formats that many of them
// know: TAP 13 and 14, JUnit XML, CTRF JSON.
//
// What it reads is hostile: sizes, depths and counts are bounded, nothing is
// expanded, and what does not fit the format is an error. A report that
// contradicts itself (its plan, its totals, a name twice) is one too.
package reports

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bounds of a report. What is longer is refused, texts are cut.
const (
	MaxBytes = 4 << 20
	MaxTests = 5000
	maxText  = 8 << 10
	maxName  = 500
	maxDepth = 40
)

// Status is how a test ended.
type Status string

// The states of a test.
const (
	Pass  Status = "pass"
	Fail  Status = "fail"
	Error Status = "error"
	Skip  Status = "skip"
)

// Test is one test of a report.
type Test struct {
	// Name is unique in the report.
	Name     string
	Status   Status
	Message  string
	Output   string
	Expected string
	Actual   string
	Duration time.Duration
}

// Report is what a test program says.
type Report struct {
	Tests []Test
	// Stopped says why the program gave up, "" when it did not.
	Stopped string
}

// Format names a format.
type Format string

// The formats.
const (
	TAP   Format = "tap"
	JUnit Format = "junit"
	CTRF  Format = "ctrf"
)

// Parse reads a report.
func Parse(f Format, content []byte) (*Report, error) {
	if len(content) > MaxBytes {
		return nil, fmt.Errorf("the report has %d bytes; at most %d are read", len(content), MaxBytes)
	}
	var r *Report
	var err error
	switch f {
	case TAP:
		r, err = parseTAP(string(content))
	case JUnit:
		r, err = parseJUnit(content)
	case CTRF:
		r, err = parseCTRF(content)
	default:
		return nil, fmt.Errorf("format %q is unknown", f)
	}
	if err != nil {
		return r, fmt.Errorf("read the report as %s: %w", f, err)
	}
	return r, nil
}

var errTooMany = fmt.Errorf("it has more than %d tests", MaxTests)

// add adds a test within the bounds.
func (r *Report) add(t Test) error {
	if len(r.Tests) >= MaxTests {
		return errTooMany
	}
	t.Name = cut(oneLine(t.Name), maxName)
	if t.Name == "" {
		return errors.New("a test has no name")
	}
	t.Message, t.Output = cut(strings.TrimSpace(t.Message), maxText), cut(t.Output, maxText)
	t.Expected, t.Actual = cut(t.Expected, maxText), cut(t.Actual, maxText)
	r.Tests = append(r.Tests, t)
	return nil
}

// unique gives namesakes numbers, as frameworks allow equal names.
func (r *Report) unique() {
	count := map[string]int{}
	for i := range r.Tests {
		name := r.Tests[i].Name
		count[name]++
		for n := count[name]; n > 1; n = count[name] {
			candidate := fmt.Sprintf("%s #%d", name, n)
			if count[candidate] == 0 {
				r.Tests[i].Name = candidate
				count[candidate]++
				break
			}
			count[name]++
		}
	}
}

func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " ")
}

func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + " …"
}
