package validation_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
)

// enoughMutants is how many faulty solutions the tests of an exercise are tried
// on.
const enoughMutants = 20

// TestEvalTestsOfEveryLanguageAreProvenOrRefused tries out, with each validator
// that makes mutants, an exercise with good tests and the same with poor ones:
// the first are proven by 20 mutants or more, the second are refused.
func TestEvalTestsOfEveryLanguageAreProvenOrRefused(t *testing.T) {
	if os.Getenv("TRACKER_EVAL") == "" {
		t.Skip("an evaluation: make eval runs it")
	}
	cases, err := filepath.Glob("testdata/proofs/*.txtar")
	if err != nil || len(cases) < 8 {
		t.Fatalf("%d exercises: %v", len(cases), err)
	}
	b := setup(t, validationtest.Options{Host: validators(t), Config: validation.DefaultConfig(), Pool: true})
	for _, file := range cases {
		language := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(language, func(t *testing.T) {
			of := exercise(t, file)
			c := validation.Candidate{Language: language, Starter: of["starter"], Solution: of["solution"], Tests: of["tests"]}
			p, err := b.Prover.Prove(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("good tests notice %d of %d mutants of %d operators, by %s", p.Killed, p.Mutants, len(p.Operators), p.Plugin)
			if why := p.Unproven(); why.EN != "" || p.Mutants < enoughMutants || len(p.Operators) < 8 {
				t.Errorf("good tests are not proven: %s; %+v", why.EN, p)
			}
			for _, s := range p.Survivors {
				t.Logf("not noticed: %s", s.What.EN)
			}
			c.Tests = of["weak"]
			if p, err = b.Prover.Prove(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			t.Logf("poor tests notice %d of %d", p.Killed, p.Mutants)
			if why := p.Unproven(); !strings.Contains(why.EN, "notice only") {
				t.Errorf("poor tests are taken for good: %q, %+v", why.EN, p)
			}
		})
	}
}

var heading = regexp.MustCompile(`(?m)^-- (\w+)/(\S+) --\n`)

// exercise reads the files of an exercise, by what they are for.
func exercise(t *testing.T, name string) map[string][]validation.File {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]validation.File{}
	at := heading.FindAllSubmatchIndex(raw, -1)
	for i, m := range at {
		end := len(raw)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		role := string(raw[m[2]:m[3]])
		out[role] = append(out[role], validation.File{Path: string(raw[m[4]:m[5]]), Content: string(raw[m[1]:end])})
	}
	return out
}

// validators is a host of the validators in bin/plugins: of all, or of those
// that are named.
func validators(t *testing.T, names ...string) *pluginhost.Host {
	t.Helper()
	dir := os.Getenv("TRACKER_BIN")
	if dir == "" {
		dir = "../../bin"
	}
	paths, err := filepath.Glob(filepath.Join(dir, "plugins", "validator-*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no validators in %s: run make build (%v)", dir, err)
	}
	var cfg pluginhost.Config
	for _, path := range paths {
		if len(names) > 0 && !slices.Contains(names, filepath.Base(path)) {
			continue
		}
		sum, err := pluginhost.Sum(path)
		if err != nil {
			t.Fatal(err)
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Plugins = append(cfg.Plugins, pluginhost.Plugin{Name: filepath.Base(path), Path: abs, SHA256: sum, Enabled: true})
	}
	host, err := pluginhost.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}
