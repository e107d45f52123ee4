package reports

import (
	"fmt"
	"strings"
	"testing"
)

// show is a report in one line.
func show(r *Report, err error) string {
	var b strings.Builder
	for _, t := range r.Tests {
		fmt.Fprintf(&b, "%s[%s]", t.Status, t.Name)
		if t.Message != "" {
			fmt.Fprintf(&b, "(%s)", t.Message)
		}
	}
	if r.Stopped != "" {
		fmt.Fprintf(&b, " stopped: %s", r.Stopped)
	}
	if err != nil {
		fmt.Fprintf(&b, " error: %s", err)
	}
	return b.String()
}

func TestTAPIsReadInAllItsForms(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plan first":            {"TAP version 14\n1..2\nok 1 - adds\nnot ok 2 - divides\n", "pass[adds]fail[divides]"},
		"plan last, no numbers": {"ok adds\nok\n1..2\n", "pass[adds]pass[2]"},
		"directives":            {"1..3\nok 1 - a # SKIP no net\nnot ok 2 - b # TODO later\nok 3 - c \\# 1\n", "skip[a](no net)skip[b](later)pass[c # 1]"},
		"diagnostics":           {"1..1\nnot ok 1 - a\n  ---\n  message: 'no'\n  expected: 3\n  got: 4\n  ...\n", "fail[a](no)"},
		"subtests":              {"1..1\n# Subtest: x\n    1..1\n    not ok 1 - inner\nnot ok 1 - x\n", "fail[x]"},
		"bail out":              {"1..3\nok 1 - a\nBail out! no database\nok 2 - b\n", "pass[a] stopped: no database"},
		"equal names":           {"1..3\nok 1 - a\nok 2 - a\nok 3 - a #2\n", "pass[a]pass[a #2]pass[a #2 #2]"},
		"no plan":               {"ok 1\n", "pass[1] error: read the report as tap: it has no plan (1..N), so nobody knows whether a test is missing"},
		"too few":               {"1..2\nok 1\n", "pass[1] error: read the report as tap: its plan says 2 tests, and 1 are there"},
		"twice":                 {"1..2\nok 2 - a\nnot ok 2 - a\n", "pass[a] error: read the report as tap: test 2 is reported twice"},
		"two plans":             {"1..1\nok 1\n1..1\n", "pass[1] error: read the report as tap: it has two plans"},
		"out of plan":           {"1..1\nok 7 - a\n", "pass[a] error: read the report as tap: test 7 is outside of its plan of 1"},
		"an open block swallows no result": {"1..1\nok 1 - forged\n  ---\nnot ok 2 - real\n",
			"pass[forged]fail[real] error: read the report as tap: its plan says 1 tests, and 2 are there"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := show(Parse(TAP, []byte(c.in))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestJUnitIsReadAsItsManyWritersWriteIt(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"suites": {`<testsuites><testsuite tests="3"><testcase classname="C" name="a" time="0.5"/><testcase name="b"><failure message="no">at 3</failure></testcase>` +
			`<testcase name="c"><error>boom</error></testcase></testsuite><testsuite><testcase name="d"><skipped/></testcase></testsuite></testsuites>`,
			"pass[C.a]fail[b](no)error[c](boom)skip[d]"},
		"one suite":     {`<?xml version="1.0"?><testsuite><testcase name="a"><system-out>x</system-out></testcase></testsuite>`, "pass[a]"},
		"a wrong total": {`<testsuite tests="2"><testcase name="a"/></testsuite>`, "pass[a] error: read the report as junit: a suite says that it has 2 tests, and 1 are there"},
		"an entity":     {`<!DOCTYPE x [<!ENTITY e "boom">]><testsuite/>`, " error: read the report as junit: it has a document type, which a report does not need"},
		"no report":     {`<html/>`, " error: read the report as junit: its root is <html>, not <testsuites> or <testsuite>"},
		"nothing":       {``, " error: read the report as junit: it is empty"},
		"a case in a case": {`<testsuite><testcase name="a"><failure message="got "/><testcase name="a"/></testcase></testsuite>`,
			" error: read the report as junit: a case holds another: was output put into it without escaping it?"},
		"failed and more": {`<testsuite><testcase name="a"><failure/><skipped/></testcase></testsuite>`, "fail[a]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := show(Parse(JUnit, []byte(c.in))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	if _, err := Parse(JUnit, []byte(strings.Repeat("<testsuite>", 100))); err == nil {
		t.Error("elements nested a hundred deep were read")
	}
}

func TestCTRFIsReadInOldAndNewVersions(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"states": {`{"results":{"summary":{"tests":4},"tests":[{"name":"a","status":"passed","suite":"S"},{"name":"b","status":"failed","message":"no","suite":["S","T"]},` +
			`{"name":"c","status":"pending"},{"name":"d","status":"other","trace":"t"}]}}`, "pass[S > a]fail[S > T > b](no)skip[c]error[d](t)"},
		"a wrong total": {`{"results":{"summary":{"tests":2},"tests":[{"name":"a","status":"passed"}]}}`, "pass[a] error: read the report as ctrf: its summary says 2 tests, and 1 are there"},
		"two documents": {`{"results":{}}{}`, " error: read the report as ctrf: there is text after the JSON object"},
		"no name":       {`{"results":{"tests":[{"status":"passed"}]}}`, " error: read the report as ctrf: a test has no name"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := show(Parse(CTRF, []byte(c.in))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1..1\nok 1 - a\n  ---\n  a: b\n", `<testsuite><testcase name="a"><failure/></testcase></testsuite>`, `{"results":{"tests":[{"name":"a","status":"passed"}]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []Format{TAP, JUnit, CTRF} {
			r, err := Parse(format, []byte(s))
			if r == nil && err == nil {
				t.Fatal("neither a report nor an error")
			}
			if err != nil {
				continue
			}
			names := map[string]bool{}
			for _, test := range r.Tests {
				if test.Name == "" || names[test.Name] || len(test.Name) > 2*maxName || len(test.Output) > 3*maxText || len(test.Message) > 2*maxText {
					t.Fatalf("%s: %q", format, test.Name)
				}
				names[test.Name] = true
			}
			if len(r.Tests) > MaxTests {
				t.Fatalf("%d tests", len(r.Tests))
			}
		}
	})
}
