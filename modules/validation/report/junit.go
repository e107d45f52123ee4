package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
	// Properties are a wrapper, which must not be there when it is empty.
	Properties *junitProperties `xml:"properties,omitempty"`
	Cases      []junitCase      `xml:"testcase"`
	Out        string           `xml:"system-out,omitempty"`
}

type junitProperties struct {
	All []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Time    string     `xml:"time,attr"`
	Failure *junitFail `xml:"failure,omitempty"`
	Error   *junitFail `xml:"error,omitempty"`
	Skipped *struct{}  `xml:"skipped,omitempty"`
	Out     string     `xml:"system-out,omitempty"`
}

type junitFail struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// writeJUnit shows tests as test cases, and each finding of severity error as a
// failed one: a tool that reads only JUnit must not take a submission that does
// not compile for one without failures.
func writeJUnit(w io.Writer, r validation.Report, o Options) error {
	suite := junitSuite{Name: r.Plugin, Time: seconds(o.Took), Out: r.Output}
	for i, f := range facts(r) {
		if i == 0 {
			suite.Properties = &junitProperties{}
		}
		suite.Properties.All = append(suite.Properties.All, junitProperty{f.name, f.value})
	}
	for _, t := range r.Tests {
		c := junitCase{Class: r.Plugin, Name: nameOf(t), Time: seconds(t.Duration), Out: t.Output}
		fail := &junitFail{Message: t.Message.In(o.Language), Text: difference(t)}
		switch t.Status {
		case judging.StatusFail:
			c.Failure, suite.Failures = fail, suite.Failures+1
		case judging.StatusError:
			c.Error, suite.Errors = fail, suite.Errors+1
		case judging.StatusSkip:
			c.Skipped, suite.Skipped = &struct{}{}, suite.Skipped+1
		case judging.StatusPass: // says no more
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, f := range r.Findings {
		if f.Severity != judging.SeverityError {
			continue
		}
		suite.Failures++
		suite.Cases = append(suite.Cases, junitCase{
			Class: r.Plugin + ".findings", Name: fmt.Sprintf("%s:%d:%d %s", f.File, f.Line, f.Column, f.Rule), Time: "0.000",
			Failure: &junitFail{Message: f.Message.In(o.Language), Type: f.Rule, Text: f.Excerpt},
		})
	}
	if r.Verdict != judging.VerdictPassed && suite.Failures+suite.Errors == 0 {
		suite.Errors++
		suite.Cases = append(suite.Cases, junitCase{
			Class: r.Plugin, Name: "verdict", Time: "0.000", Error: &junitFail{Message: r.Summary.In(o.Language), Type: string(r.Verdict)},
		})
	}
	suite.Tests = len(suite.Cases)
	all := junitSuites{
		Name: "tracker validate", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Skipped: suite.Skipped,
		Time: suite.Time, Suites: []junitSuite{suite},
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func difference(t validation.Test) string {
	if t.Expected == "" && t.Actual == "" {
		return ""
	}
	return "expected: " + t.Expected + "\nactual:   " + t.Actual
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
