package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func run(t *testing.T, skips string, lines ...string) (string, bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "skips.txt")
	if err := os.WriteFile(path, []byte(skips), 0o600); err != nil {
		t.Fatal(err)
	}
	allowed, err := readSkips(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r := report{out: &out, allowed: allowed, output: map[string][]string{}, running: map[string]bool{}}
	if err := r.read(strings.NewReader(strings.Join(lines, "\n"))); err != nil {
		t.Fatal(err)
	}
	ok := r.summary()
	return out.String(), ok
}

func line(action, test, output string) string {
	return `{"Action":"` + action + `","Package":"` + module + `a/b","Test":"` + test + `","Output":"` + output + `"}`
}

func TestReportsCountAndDecide(t *testing.T) {
	start, good := line("start", "", ""), line("pass", "TestGood", "")
	ended := line("pass", "", "")
	for name, c := range map[string]struct {
		skips string
		lines []string
		ok    bool
		want  []string
	}{
		"all passed":                {"", []string{start, good, ended}, true, []string{"1 passed, 0 failed, 0 skipped\n"}},
		"a failure with its output": {"", []string{start, line("output", "TestBad", `why\n`), line("fail", "TestBad", ""), line("fail", "", "")}, false, []string{"why\n", "failed: a/b TestBad", "0 passed, 1 failed, 0 skipped\n"}},
		"a skip nobody listed":      {"", []string{start, line("output", "TestLazy", `not today\n`), line("skip", "TestLazy", ""), ended}, false, []string{"not today", "skipped without a listed reason: a/b TestLazy", "0 passed, 1 failed, 1 skipped\n"}},
		"a listed skip":             {"a/b TestLazy: needs a GPU\n", []string{start, line("skip", "TestLazy", ""), ended}, true, []string{"0 passed, 0 failed, 1 skipped\n"}},
		"a listed tree of skips":    {"a/b TestLazy/...: needs a GPU\n", []string{start, line("skip", "TestLazy/big/one", ""), ended}, true, []string{"1 skipped\n"}},
		"a package that panicked":   {"", []string{start, line("output", "TestBoom", `panic: x\n`), line("fail", "", "")}, false, []string{"panic: x", "a/b (the package itself)"}},
		"a package that never ends": {"", []string{start, good}, false, []string{"a/b (did not end)"}},
		"nothing at all":            {"", nil, false, []string{"no package ran"}},
		"words that are not JSON":   {"", []string{"go: cannot find main module", start, ended}, true, []string{"cannot find main module"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, ok := run(t, c.skips, c.lines...)
			if ok != c.ok {
				t.Errorf("ok = %v", ok)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
		})
	}
}

func TestASkipListedWithoutAReasonIsRefused(t *testing.T) {
	for _, bad := range []string{"a/b TestLazy", "a/b TestLazy: ", "TestLazy: because"} {
		path := filepath.Join(t.TempDir(), "skips.txt")
		if err := os.WriteFile(path, []byte("# comment\n"+bad+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readSkips(path); err == nil || !strings.Contains(err.Error(), ":2:") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
