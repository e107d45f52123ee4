package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/validator"
	"github.com/goals-tracker/tracker/sdk/validatortest"
)

func TestSpec(t *testing.T) { validatortest.Spec(t, spec) }

func TestCases(t *testing.T) { validatortest.Dir(t, spec, "testdata") }

func TestBinary(t *testing.T) { validatortest.Binary(t, validatortest.Build(t)) }

func TestMoreCases(t *testing.T) {
	if os.Getenv("TRACKER_TEST_FULL") == "" {
		t.Skip("more of the same kinds; make test-full runs them")
	}
	validatortest.Dir(t, spec, "testdata/more")
}

// AddressSanitizer reserves terabytes of addresses, so it is left out where a
// room's data are bounded because there is no memory cgroup.
func TestCasesOfAddressSanitizer(t *testing.T) {
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := runner.Run(t.Context(), sandbox.Step{Runtimes: sandbox.System(), Processes: []sandbox.Process{{Argv: []string{"sh", "-c", "ulimit -d"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if out := string(res.Processes[0].Stdout); strings.TrimSpace(out) != "unlimited" {
		t.Skipf("rooms have no memory cgroup here, and bound data to %s", out)
	}
	validatortest.Dir(t, spec, "testdata/address")
}

func TestTestsAreFoundWhereTheyAreSurelyCompiled(t *testing.T) {
	for name, c := range map[string]struct {
		file, src string
		all       bool
		style     style
		names     []string
	}{
		"unity":      {"test_a.c", "#include \"unity.h\"\n// RUN_TEST(no)\nint main(void) { UNITY_BEGIN(); RUN_TEST(a);\n#if 0\nRUN_TEST(b);\n#endif\n RUN_TEST( c ); RUN_TEST(a); return UNITY_END(); }", false, unity, []string{"a", "c"}},
		"functions":  {"test_a.c", "#ifndef GUARD\nvoid test_one(void) {}\nstatic void test_two() {}\n#ifdef LATER\nvoid test_three(void) {}\n#endif\nvoid test_declared(void);\n#endif\n", false, functions, []string{"test_one", "test_two"}},
		"catch":      {"a_test.cpp", "#include <catch2/catch.hpp>\nTEST_CASE(\"one \\\"quoted\\\"\", \"[tag]\") {}\n/* TEST_CASE(\"no\") {} */\nTEST_CASE(\"hidden\", \"[.]\") {}\nSCENARIO(\"three\" \" parts\") {}\n#if defined(EXERCISM_RUN_ALL_TESTS)\nTEST_CASE(\"later\") {}\n#endif\n", false, catch, []string{"one \"quoted\"", "Scenario: three parts"}},
		"catch, all": {"a_test.cpp", "#include \"test/catch.hpp\"\n#if defined(EXERCISM_RUN_ALL_TESTS)\nTEST_CASE(\"later\") {}\n#else\nTEST_CASE(\"sooner\") {}\n#endif\n", true, catch, []string{"later"}},
		"program":    {"check.c", "int main(int argc, char **argv) { return 0; }", false, program, []string{"main"}},
		"helper":     {"help.c", "int domain(void) { return 1; }", false, helper, nil},
	} {
		m := readModule(validator.File{Path: c.file, Content: []byte(c.src)}, c.all)
		if m.style != c.style || !slices.Equal(m.names, c.names) {
			t.Errorf("%s: style %d, %q", name, m.style, m.names)
		}
	}
}

func FuzzReadingSourcesNeverFails(f *testing.F) {
	f.Add("#define a /* \"x\" */ R\"(x)\" '\\'' 1'000 // \\\n#if 0\nTEST_CASE(\"a\")\n#endif")
	f.Fuzz(func(t *testing.T, src string) {
		if len(bare(src, true)) != len(strings.ReplaceAll(src, "\r\n", "\n")) {
			t.Error("the length has changed")
		}
		readModule(validator.File{Path: "a.cpp", Content: []byte(src)}, false)
		splitSanitizer(src, &validator.Submission{})
	})
}
