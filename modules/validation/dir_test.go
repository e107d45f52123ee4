package validation_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/report"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

var room = sync.OnceValues(func() (*sandbox.Runner, error) { return sandbox.New(sandbox.Config{}) })

// folder writes pairs of path and content.
func folder(t *testing.T, pairs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i+1 < len(pairs); i += 2 {
		name := filepath.Join(dir, pairs[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(pairs[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAFolderIsJudgedWithNeitherServerNorDatabase(t *testing.T) {
	runner, err := room()
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := "def double(n):\n    return 2 * n\n", "def double(n):\n    return 0\n"
	tests := folder(t, "test_main.py", doubleTest)
	together := folder(t, "main.py", right, "test_main.py", doubleTest, "__pycache__/x.pyc", "\xff", ".git/config", "x")
	inside := folder(t, "main.py", wrong, "tests/test_main.py", doubleTest)
	exercise := folder(t, "main.py", "def double(n):\n    pass\n", "test_main.py", doubleTest)
	helped := folder(t, "main.py", "from helper import twice as double\n", "helper.py", "def twice(n):\n    return 2 * n\n", "test_main.py", "def test_forged():\n    pass\n")
	handing := folder(t, "main.py", "def double(n):\n    pass\n", "factor.py", "TWO = 2\n", "test_main.py", doubleTest)
	packaged := folder(t, "target/__init__.py", "", "target/main.py", right)
	checked := folder(t, "checks.py", "def same(a, b):\n    assert a == b\n", "test_main.py", "from checks import same\nfrom main import double\n\ndef test_double():\n    same(double(2), 4)\n")
	for _, c := range []struct {
		name     string
		options  validation.DirOptions
		verdict  judging.Verdict
		exit     int
		mistaken string
	}{
		{"passing", validation.DirOptions{Language: "python", Submission: folder(t, "main.py", right), Tests: tests}, judging.VerdictPassed, 0, ""},
		{"failing", validation.DirOptions{Language: "py", Submission: folder(t, "main.py", wrong), Tests: tests}, judging.VerdictFailed, 1, ""},
		{"invalid", validation.DirOptions{Language: "python", Submission: folder(t, "main.py", "def ("), Tests: tests}, judging.VerdictInvalid, 1, ""},
		{"without tests", validation.DirOptions{Language: "python", Submission: folder(t, "main.py", right)}, judging.VerdictUnproven, 2, ""},
		{"one folder for both", validation.DirOptions{Language: "python", Submission: together, Tests: together}, judging.VerdictPassed, 0, ""},
		{"tests inside", validation.DirOptions{Language: "python", Submission: inside, Tests: filepath.Join(inside, "tests")}, judging.VerdictFailed, 1, ""},
		{"a stub beside the tests", validation.DirOptions{Language: "python", Submission: folder(t, "main.py", right), Tests: exercise}, judging.VerdictPassed, 0, ""},
		{"a stub handed in", validation.DirOptions{Language: "python", Submission: folder(t, "main.py", "def double(n):\n    pass\n"), Tests: exercise}, judging.VerdictFailed, 1, ""},
		{"a helper beside it", validation.DirOptions{Language: "python", Submission: helped, Tests: exercise}, judging.VerdictPassed, 0, ""},
		{"a package that is called like what tools make", validation.DirOptions{Language: "python", Submission: packaged, Tests: folder(t, "test_main.py", "from target.main import double\n\ndef test_double():\n    assert double(2) == 4\n")}, judging.VerdictPassed, 0, ""},
		{"a file that the exercise hands out", validation.DirOptions{Language: "python", Submission: folder(t, "main.py", "from factor import TWO\n\ndef double(n):\n    return TWO * n\n"), Tests: handing}, judging.VerdictPassed, 0, ""},
		{"a helper of the tests replaced", validation.DirOptions{Language: "python", Submission: folder(t, "main.py", wrong, "checks.py", "def same(a, b): pass\n"), Tests: checked}, judging.VerdictFailed, 1, ""},
		{"no such language", validation.DirOptions{Language: "cobol", Submission: together}, "", 2, "python"},
		{"no such folder", validation.DirOptions{Language: "python", Submission: "/nowhere"}, "", 2, "/nowhere"},
		{"no tests in the folder", validation.DirOptions{Language: "python", Submission: tests + "/../..", Tests: "/nowhere"}, "", 2, "tests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := validation.JudgeDir(t.Context(), python(t), runner, c.options)
			if c.mistaken != "" {
				if err == nil || !strings.Contains(err.Error(), c.mistaken) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != c.verdict || r.ExitCode() != c.exit {
				t.Errorf("verdict %s, exit %d, want %s, %d: %+v", r.Verdict, r.ExitCode(), c.verdict, c.exit, r)
			}
		})
	}
}

// sample holds what every format must show or escape.
func sample() validation.Report {
	return validation.Report{
		Verdict: judging.VerdictFailed, Score: 0.5, Plugin: "validator-python", PluginVersion: "1.0.0",
		Toolchain: map[string]string{"python": "Python 3.11.2", "pytest": "7.2.1"}, Integrity: "split", RequiredIntegrity: "shared", Output: "hello\n",
		Limits:  validation.Limits{WallMS: 10_000, MemoryBytes: 256 << 20},
		Timings: validation.Timings{Path: "warm", Queue: 5 * time.Millisecond, Prepare: 2 * time.Millisecond, Run: 30 * time.Millisecond, Judge: 4 * time.Millisecond},
		Summary: validation.Text{EN: "1 of 2 tests passed.", ES: "Pasó 1 de 2 pruebas."},
		Tests: []validation.Test{
			{ID: "t::one", Name: "one", Status: judging.StatusPass, Duration: 12 * time.Millisecond},
			{ID: "t::two", Status: judging.StatusFail, Message: validation.Text{EN: "got <b> & \x1b[31m", ES: "salió <b>"}, Output: "hi\x07\n", Expected: "4", Actual: "5", TaskID: "1"},
			{ID: "t::three", Name: "three", Status: judging.StatusSkip},
		},
		Findings: []validation.Finding{
			{File: "a b.py", Line: 3, Column: 2, EndLine: 3, EndColumn: 5, Rule: "bare-except", Severity: judging.SeverityWarning, Message: validation.Text{EN: "Name the exception.", ES: "Nombra la excepción."}, Excerpt: "except:\n^"},
			{Rule: "missing", Severity: judging.SeverityError, Message: validation.Text{EN: "main.py is missing.", ES: "Falta main.py."}},
		},
	}
}

func render(t *testing.T, f report.Format, r validation.Report, o report.Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Write(&out, f, r, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheJSONReportIsTheContractOfTheCommandLine(t *testing.T) {
	var got, want any
	if err := json.Unmarshal([]byte(render(t, report.JSON, sample(), report.Options{Took: 1500 * time.Millisecond})), &got); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal([]byte(`{"verdict":"failed","score":0.5,"tests":[
		{"name":"one","status":"pass","message":"","output":"","task_id":""},
		{"name":"t::two","status":"fail","message":"got <b> & \u001b[31m","output":"hi\u0007\n","task_id":"1"},
		{"name":"three","status":"skip","message":"","output":"","task_id":""}],
		"findings":[
		{"file":"a b.py","line":3,"column":2,"rule":"bare-except","severity":"warning","message":"Name the exception."},
		{"file":"","line":0,"column":0,"rule":"missing","severity":"error","message":"main.py is missing."}],
		"duration_ms":1500, "summary":"1 of 2 tests passed.", "output":"hello\n", "integrity":"split", "required_integrity":"shared",
		"plugin":"validator-python", "plugin_version":"1.0.0", "toolchain":{"python":"Python 3.11.2","pytest":"7.2.1"},
		"limits":{"wall_ms":10000,"memory_bytes":268435456}, "timings":{"queue_ms":5,"prepare_ms":2,"run_ms":30,"judge_ms":4,"path":"warm"}}`), &want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	empty := render(t, report.JSON, validation.PlatformError(""), report.Options{})
	if !strings.Contains(empty, `"tests": []`) || !strings.Contains(empty, `"findings": []`) {
		t.Errorf("lists without entries are not []: %s", empty)
	}
}

func TestTheTextReportNamesWhatFailedAndSteersNoTerminal(t *testing.T) {
	text := render(t, report.Text, sample(), report.Options{})
	for _, want := range []string{"ok   one", "FAIL t::two", "expected: 4", "a b.py:3:2: warning: Name the exception. (bare-except)", "1 of 2 tests passed.", "failed: score 0.50, 2 findings"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\x07") {
		t.Errorf("control characters came through: %q", text)
	}
	if es := render(t, report.Text, sample(), report.Options{Language: "es"}); !strings.Contains(es, "Nombra la excepción.") {
		t.Errorf("not in Spanish:\n%s", es)
	}
}

func TestTheJUnitReportIsXMLWithAFailureForWhateverFailed(t *testing.T) {
	type suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testsuite>testcase"`
	}
	read := func(r validation.Report) (s suites) {
		if err := xml.Unmarshal([]byte(render(t, report.JUnit, r, report.Options{})), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	got := read(sample())
	if got.Tests != 4 || got.Failures != 2 || got.Skipped != 1 || len(got.Cases) != 4 || got.Cases[1].Failure == nil || !strings.HasPrefix(got.Cases[1].Failure.Message, "got <b> & ") {
		t.Errorf("got %+v", got)
	}
	for _, verdict := range []judging.Verdict{judging.VerdictTimedOut, judging.VerdictPlatformError, judging.VerdictUnproven} {
		if s := read(validation.Report{Verdict: verdict}); s.Errors != 1 || s.Tests != 1 {
			t.Errorf("a report without tests that is %s has %+v", verdict, s)
		}
	}
	if s := read(validation.Report{Verdict: judging.VerdictPassed}); s.Errors+s.Failures != 0 {
		t.Errorf("a pass has %+v", s)
	}
}

func TestTheSARIFReportIsValidAndPlacesFindings(t *testing.T) {
	text := render(t, report.SARIF, sample(), report.Options{Root: "/home/x"})
	log, err := sarif.FromString(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Validate(); err != nil {
		t.Errorf("not valid: %v", err)
	}
	results := log.Runs[0].Results
	if len(results) != 3 || results[0].Level != "warning" || results[1].Level != "error" {
		t.Fatalf("results: %s", text)
	}
	place := results[0].Locations[0].PhysicalLocation
	if *place.ArtifactLocation.URI != "file:///home/x/a%20b.py" || *place.Region.StartLine != 3 || *place.Region.EndColumn != 5 {
		t.Errorf("placed at %s %+v", *place.ArtifactLocation.URI, place.Region)
	}
}

// Whatever the format, it says what judged, under which limits, where the time
// went and what the submission printed.
func TestEveryFormatSaysWhatJudgedUnderWhichLimitsAndWhatWasPrinted(t *testing.T) {
	for _, f := range report.Formats {
		text := render(t, f, sample(), report.Options{})
		for _, want := range []string{"validator-python", "1.0.0", "Python 3.11.2", "7.2.1", "split", "10000", "268435456", "hello", "warm", "30"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", f, want, text)
			}
		}
	}
}
