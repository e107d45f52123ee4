package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// style is what a test file is written for.
type style int

const (
	helper    style = iota // holds no tests
	program                // main decides with assert or its exit code
	functions              // test… functions, called by us
	unity                  // RUN_TEST in main
	catch                  // Catch2, or doctest
)

// module is a source file of the tests.
type module struct {
	file    string
	style   style
	unity   bool // includes Unity's header
	content string
	names   []string // of its tests, as far as they can be read
}

var (
	includesUnity = regexp.MustCompile(`(?m)^\s*#\s*include\s*["<]([^">]*\bunity(?:_fixture)?\.h)[">]`)
	includesCatch = regexp.MustCompile(`(?m)^\s*#\s*include\s*["<][^">]*\b(catch|doctest|catch_\w+)\.(hpp|h)[">]`)
	runTest       = regexp.MustCompile(`\bRUN_TEST\s*\(\s*(\w+)`)
	hasMain       = regexp.MustCompile(`\bmain\s*\([^;{]*\)\s*(?:noexcept\s*)?\{`)
	testFunction  = regexp.MustCompile(`(?m)^\s*(?:static\s+|inline\s+)*void\s+([tT]est\w*)\s*\(\s*(?:void\s*)?\)\s*(?:noexcept\s*)?\{`)
	catchCase     = regexp.MustCompile(`\b(TEST_CASE|SCENARIO|TEST_CASE_METHOD|TEST_CASE_FIXTURE|SCENARIO_METHOD)\s*\(\s*(?:[\w:<>]+\s*,\s*)?((?:"(?:[^"\\\n]|\\.)*"\s*)+)(?:,\s*"((?:[^"\\\n]|\\.)*)")?`)
	catchAny      = regexp.MustCompile(`\b(TEST_CASE|SCENARIO|TEMPLATE_TEST_CASE|TEST_CASE_METHOD|TEST_CASE_FIXTURE|CATCH_TEST_CASE)\w*\s*\(`)
	catchMain     = regexp.MustCompile(`(?m)^[ \t]*#[ \t]*define[ \t]+(CATCH_CONFIG_(MAIN|RUNNER)|DOCTEST_CONFIG_IMPLEMENT\w*)\b.*$`)
	testIgnore    = regexp.MustCompile(`\bTEST_IGNORE(_MESSAGE)?\s*\([^;]*\)\s*;`)
	quoted        = regexp.MustCompile(`"((?:[^"\\\n]|\\.)*)"`)
)

// isSource says whether a file is compiled by itself.
func isSource(name string) bool { return isC(name) || isCpp(name) }

func isC(name string) bool { return path.Ext(name) == ".c" }

func isCpp(name string) bool {
	switch path.Ext(name) {
	case ".cpp", ".cc", ".cxx", ".c++", ".C":
		return true
	}
	return false
}

func isHeader(name string) bool {
	switch path.Ext(name) {
	case ".h", ".hpp", ".hh", ".hxx", ".h++", ".inl", ".inc", ".def", ".ipp", ".tpp", ".tcc":
		return true
	}
	return false
}

func isCode(name string) bool { return isSource(name) || isHeader(name) }

// readModule finds out what a source file of the tests is.
func readModule(f validator.File, runSkipped bool) module {
	src := strings.ReplaceAll(string(f.Content), "\r\n", "\n")
	m := module{file: f.Path}
	code := bare(src, true)
	m.unity = includesUnity.MatchString(bare(src, false))
	if runSkipped && m.unity {
		// Blanked where it stands, so that lines and columns stay.
		for _, at := range testIgnore.FindAllStringIndex(code, -1) {
			src = src[:at[0]] + strings.Map(space, src[at[0]:at[1]]) + src[at[1]:]
		}
	}
	if includesCatch.MatchString(bare(src, false)) || catchAny.MatchString(code) {
		src = catchMain.ReplaceAllString(src, "")
		m.style = catch
	}
	m.content = src
	sure := certain(bare(src, false), runSkipped)
	sureCode := certain(code, runSkipped)
	switch {
	case m.style == catch:
		m.names = catchNames(sure)
	case runTest.MatchString(code) && hasMain.MatchString(code):
		m.style = unity
		for _, r := range runTest.FindAllStringSubmatch(sureCode, -1) {
			m.add(r[1])
		}
	case hasMain.MatchString(code):
		m.style, m.names = program, []string{"main"}
	default:
		for _, r := range testFunction.FindAllStringSubmatch(sureCode, -1) {
			m.style = functions
			m.add(r[1])
		}
	}
	return m
}

func space(r rune) rune {
	if r == '\n' {
		return r
	}
	return ' '
}

func (m *module) add(name string) {
	if !slices.Contains(m.names, name) {
		m.names = append(m.names, name)
	}
}

func catchNames(src string) []string {
	var out []string
	for _, r := range catchCase.FindAllStringSubmatch(src, -1) {
		tags := r[3]
		if strings.Contains(tags, "[.") || strings.Contains(tags, "[!hide]") {
			continue // not run unless asked for
		}
		name := ""
		for _, q := range quoted.FindAllStringSubmatch(r[2], -1) {
			name += unescape(q[1])
		}
		if strings.HasPrefix(r[1], "SCENARIO") {
			name = "Scenario: " + name
		}
		if name != "" && !strings.ContainsRune(name, '\n') {
			out = append(out, name)
		}
	}
	return out
}

// unescape reads the escapes that names of tests hold.
func unescape(s string) string {
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\'`, `'`, `\n`, "\n", `\t`, "\t").Replace(s)
}

var directive = regexp.MustCompile(`^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b\s*(.*)$`)

// certain blanks the lines of which it is not known, without a preprocessor,
// that they are compiled.
func certain(src string, runSkipped bool) string {
	type level struct{ now, before bool } // before: an earlier branch may have been it
	var stack []level
	var out strings.Builder
	for line := range strings.Lines(src) {
		m := directive.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			open := !slices.ContainsFunc(stack, func(l level) bool { return !l.now })
			if open {
				out.WriteString(line)
			} else {
				out.WriteString("\n")
			}
			continue
		}
		out.WriteString("\n")
		switch m[1] {
		case "if", "ifdef", "ifndef":
			yes, known := decide(m[1], strings.TrimSpace(m[2]), runSkipped)
			stack = append(stack, level{now: yes && known, before: yes || !known})
		case "elif", "else":
			if len(stack) == 0 {
				continue
			}
			l := &stack[len(stack)-1]
			yes, known := true, true
			if m[1] == "elif" {
				yes, known = decide("if", strings.TrimSpace(m[2]), runSkipped)
			}
			l.now, l.before = yes && known && !l.before, l.before || yes || !known
		case "endif":
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
			}
		}
	}
	return out.String()
}

// decide answers the conditions that tests do have.
func decide(kind, condition string, runSkipped bool) (yes, known bool) {
	condition = strings.Trim(strings.ReplaceAll(condition, " ", ""), "()")
	switch condition {
	case "0":
		return false, kind == "if"
	case "1":
		return true, kind == "if"
	case "EXERCISM_RUN_ALL_TESTS", "defined(EXERCISM_RUN_ALL_TESTS", "definedEXERCISM_RUN_ALL_TESTS":
		return runSkipped != (kind == "ifndef"), true
	case "EXERCISM_TEST_SUITE", "defined(EXERCISM_TEST_SUITE":
		return kind == "ifndef", true
	}
	// A guard around the whole file.
	return true, kind == "ifndef"
}
