package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

const judgeDir = ".judge"

// layout is where everything lies in the sandbox.
type layout struct {
	submission []validator.File
	tests      []validator.File
	names      []string // the submission's
	modules    []string // the test modules
	dropped    []string // the submission's files that must not take part
	entry      string
	typed      bool // there is TypeScript to compile
	apart      bool // tests and submission can run in two processes
}

// arrange lays the tests over the submission.
func arrange(req *validator.Request) layout {
	opts := optionsOf(req)
	var l layout
	tree := paths{judgeDir: false}
	for _, f := range req.Task.Tests {
		if tree.add(f.Path) {
			l.tests = append(l.tests, writable(f))
		}
	}
	l.modules = testModules(req.Task.Tests)
	for _, f := range req.Submission.Files {
		if _, isTest := tree[f.Path]; isTest {
			continue // the task's own file counts
		}
		if takesOver(f.Path) || !tree.add(f.Path) {
			l.dropped = append(l.dropped, f.Path)
			continue
		}
		l.submission = append(l.submission, writable(f))
		l.names = append(l.names, f.Path)
	}
	l.entry = entry(l.names, opts.Entry)
	l.typed = slices.ContainsFunc(l.submission, isTyped) || slices.ContainsFunc(l.tests, isTyped)
	l.apart = opts.Isolation != "shared" && !req.OneProcess && len(l.modules) > 0 && worldless(&l) &&
		(req.Task.RequiredIntegrity == validator.IntegritySplit || !sharesHelpers(&l))
	return l
}

// paths are the names in a room; true for folders.
type paths map[string]bool

// add takes a name in, unless it is unfit or its place is taken.
func (p paths) add(name string) bool {
	if judging.CheckPath(name) != nil || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return false
	}
	if _, ok := p[name]; ok {
		return false
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if folder, ok := p[dir]; ok && !folder {
			return false
		}
	}
	p[name] = false
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		p[dir] = true
	}
	return true
}

func writable(f validator.File) validator.File {
	f.Writable = !isCode(f.Path)
	return f
}

func isCode(name string) bool {
	switch path.Ext(name) {
	case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx":
		return true
	}
	return false
}

func isTyped(f validator.File) bool {
	switch path.Ext(f.Path) {
	case ".ts", ".mts", ".cts", ".tsx":
		return !isConfig(f.Path)
	}
	return false
}

var (
	testName   = regexp.MustCompile(`(^|[-_.])(test|spec|tests)\.[cm]?[jt]sx?$`)
	configName = regexp.MustCompile(`^(\.?(babel|jest|vitest|vite|eslint|eslintrc|prettier|prettierrc|rollup|webpack|karma|postcss|tailwind)([.-](config|setup|rc))?(\.\w+)*\.[cm]?[jt]s|.*\.d\.[cm]?ts|test-runner\.mjs)$`)
)

func isConfig(name string) bool { return configName.MatchString(path.Base(name)) }

// testModules are the files that tests are read from; others help them.
func testModules(tests []validator.File) []string {
	var named, other []string
	for _, f := range tests {
		switch {
		case !isCode(f.Path) || isConfig(f.Path) || strings.HasPrefix(f.Path, "node_modules/"):
		case testName.MatchString(path.Base(f.Path)) || strings.HasPrefix(path.Base(f.Path), "test-") || strings.Contains("/"+f.Path, "/__tests__/"):
			named = append(named, f.Path)
		case declaresTests.Match(f.Content):
			other = append(other, f.Path)
		}
	}
	if len(named) == 0 {
		named = other
	}
	slices.Sort(named)
	return named
}

var declaresTests = regexp.MustCompile(`\b(describe|it|test|suite)(\.\w+)?\s*(\(|` + "`)")

// takesOver says whether a submitted file would replace what judges or what
// tests import, or can't be read by a person.
func takesOver(name string) bool {
	if path.Ext(name) == ".node" || path.Ext(name) == ".wasm" {
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "node_modules" || part == judgeDir {
			return true
		}
	}
	return false
}

func entry(names []string, wanted string) string {
	var programs []string
	for _, n := range names {
		if n == wanted && wanted != "" {
			return n
		}
		if isCode(n) && !isConfig(n) {
			programs = append(programs, n)
		}
	}
	for _, stem := range []string{"main", "index", "app"} {
		for _, ext := range []string{".js", ".mjs", ".cjs", ".ts"} {
			if slices.Contains(programs, stem+ext) {
				return stem + ext
			}
		}
	}
	if len(programs) == 1 {
		return programs[0]
	}
	return ""
}

// worldly marks tests that reach into the world of the code under test: its
// clock, its modules, its globals, its files, other programs.
var worldly = regexp.MustCompile(`useFakeTimers|mock\.timers|\b(jest|vi)\.(mock|doMock|unstable_mockModule|stubGlobal|stubEnv)\b|mock\.module|` +
	`(spyOn|mock\.method)\(\s*(global|globalThis|window|console|process|Math|Date|JSON|Object|Array|fs|fsp|http|https|os|crypto|\w+\.prototype)\b|` +
	`child_process|worker_threads|\b(writeFile|appendFile|mkdir|mkdtemp|unlink|rmSync|createWriteStream)|` +
	`\b(global|globalThis|window|process\.env|console|Math|Date)(\.\w+|\[[^\]]+\])\s*=[^=]|process\.(env|argv|stdin|exitCode|stdout\.write)\s*=[^=]|` +
	`Date\.now\(\)|new Date\(\)|performance\.now|` +
	`\bdelete\s+(global|globalThis|process\.env)\.|require\.cache|resetModules|` +
	`\beval\s*\(|\bnew\s+Function\s*\(|\bvm\.(run|Script|compile|Source)|` +
	// A server is reached from its own process only.
	`\.listen\s*\(|\.address\(\)|\bsupertest\b|\b(http|net)\.(get|request|connect|createConnection)\s*\(`)

var timers = regexp.MustCompile(`\bset(Timeout|Interval)\b`)

var imports = regexp.MustCompile(`(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["'` + "`" + `](\.{1,2}/[^"'` + "`" + `]+)["'` + "`" + `]`)

// worldless says whether the tests keep to what the submission hands out.
func worldless(l *layout) bool {
	return !slices.ContainsFunc(l.tests, func(f validator.File) bool {
		// Timers of the tests' own race each other, so both sides need one clock.
		return isCode(f.Path) && !isConfig(f.Path) && (worldly.Match(f.Content) || len(timers.FindAllIndex(f.Content, 2)) > 1)
	})
}

// sharesHelpers says whether the submission imports a helper file of the tests,
// which then must be the same for both. Where the course demands two processes,
// the submission has to do without: it could as well be after expected values.
func sharesHelpers(l *layout) bool {
	given := map[string]bool{}
	for _, f := range l.tests {
		if !slices.Contains(l.modules, f.Path) {
			given[f.Path] = true
			given[strings.TrimSuffix(f.Path, path.Ext(f.Path))] = true
		}
	}
	for _, f := range l.submission {
		if !isCode(f.Path) {
			continue
		}
		for _, m := range imports.FindAllSubmatch(f.Content, -1) {
			if given[path.Join(path.Dir(f.Path), string(m[1]))] {
				return true
			}
		}
	}
	return false
}
