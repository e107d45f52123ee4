package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/cases"
	"github.com/goals-tracker/tracker/plugins/internal/files"
	"github.com/goals-tracker/tracker/sdk/validator"
)

const judgeDir = ".judge"

// layout is where everything lies, and what it is.
type layout struct {
	submission []validator.File // all that takes part
	tests      []validator.File // the task's, as they are compiled
	modules    []module         // the sources among them
	sources    []string         // the submission's
	headers    []string         // the submission's
	names      []string
	dropped    []string // the submission's files that must not take part
	unity      string   // the task's unity.h; "" when ours is needed
	usesUnity  bool
	usesCatch  bool
	cases      []cases.Case
	refusals   []refusal
}

// arrange lays the tests over the submission.
func arrange(req *validator.Request) *layout {
	opts := optionsOf(req)
	l := &layout{cases: opts.Cases}
	tree := files.Tree{judgeDir: false}
	for _, f := range req.Task.Tests {
		if tree.Add(f.Path) {
			l.addTest(f, opts)
		}
	}
	l.cases = append(l.cases, cases.Filed(req.Task.Tests, isSource)...)
	for _, f := range req.Submission.Files {
		if _, isTest := tree[f.Path]; isTest {
			continue // the task's own file counts
		}
		if takesOver(f.Path) || !tree.Add(f.Path) {
			l.dropped = append(l.dropped, f.Path)
			continue
		}
		l.submission = append(l.submission, f)
		l.names = append(l.names, f.Path)
		switch {
		case isSource(f.Path):
			l.sources = append(l.sources, f.Path)
		case isHeader(f.Path):
			l.headers = append(l.headers, f.Path)
		}
	}
	l.refusals = refuse(l, opts)
	return l
}

// addTest takes a file of the task's in, with our framework in place of its own.
func (l *layout) addTest(f validator.File, opts options) {
	base := path.Base(f.Path)
	switch {
	case base == "catch.hpp" || base == "catch_amalgamated.hpp" || base == "doctest.h":
		// Ours is built already, and of the same major version or a stand-in for it.
		shim := "#include <catch2/catch.hpp>\n"
		if base == "catch_amalgamated.hpp" {
			shim = "#include <catch2/gt_v3.hpp>\n"
		}
		if base == "doctest.h" {
			shim = "#include <doctest/doctest.h>\n"
		}
		f.Content = []byte(shim)
	case base == "catch_amalgamated.cpp":
		return
	case base == "unity.h":
		l.unity = f.Path
	case isSource(f.Path) && base != "unity.c":
		m := readModule(f, opts.RunSkipped)
		f.Content = []byte(m.content)
		l.modules = append(l.modules, m)
		l.usesUnity = l.usesUnity || m.unity
		l.usesCatch = l.usesCatch || m.style == catch
	}
	l.tests = append(l.tests, f)
}

// hasTests says whether there are tests that are compiled.
func (l *layout) hasTests() bool {
	return slices.ContainsFunc(l.modules, func(m module) bool { return m.style != helper })
}

// expected returns the ids that must report.
func (l *layout) expected() []string {
	var out []string
	for _, m := range l.modules {
		for _, n := range m.names {
			out = append(out, m.file+"::"+n)
		}
	}
	return out
}

// standardHeaders would be found in place of the compiler's own.
var standardHeaders = regexp.MustCompile(`^(assert|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|tgmath|threads|time|uchar|wchar|wctype|unistd|poll|fcntl|unity|unity_internals|unity_fixture|harness|system|catch|catch_\w+|doctest)\.(h|hpp)$`)

// takesOver says whether a submitted file would replace what judges or what
// tests include, or can't be read by a person.
func takesOver(name string) bool {
	switch path.Ext(name) {
	case ".o", ".a", ".so", ".obj", ".lib", ".dll", ".dylib", ".gch", ".pch", ".s", ".S", ".asm", ".ld", ".lds", ".map", ".spec", ".specs", ".i", ".ii":
		return true
	}
	if b := path.Base(name); standardHeaders.MatchString(b) || b == "unity.c" || b == "catch_amalgamated.cpp" || strings.Contains(b, ".so.") {
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == judgeDir || part == "catch2" || part == "doctest" {
			return true
		}
	}
	return false
}

var includes = regexp.MustCompile(`(?m)^\s*#\s*include\s*["<]([^">]+)[">]`)

// sharedHeaders are the task's headers that the submission includes by name.
// Frameworks are none of its business.
func (l *layout) sharedHeaders() []validator.File {
	wanted := map[string]bool{}
	note := func(content []byte) {
		for _, m := range includes.FindAllSubmatch(content, -1) {
			wanted[path.Base(string(m[1]))] = true
		}
	}
	for _, f := range l.submission {
		if isCode(f.Path) {
			note(f.Content)
		}
	}
	var out []validator.File
	for range 4 { // headers that include headers
		for _, f := range l.tests {
			if isHeader(f.Path) && wanted[path.Base(f.Path)] && !standardHeaders.MatchString(path.Base(f.Path)) &&
				!slices.ContainsFunc(out, func(o validator.File) bool { return o.Path == f.Path }) {
				out = append(out, f)
				note(f.Content)
			}
		}
	}
	return out
}

// data are the files that programs may read or write.
func (l *layout) data() []validator.File {
	var out []validator.File
	for _, f := range slices.Concat(l.tests, l.submission) {
		if base := path.Base(f.Path); isCode(f.Path) || base == "CMakeLists.txt" || strings.EqualFold(base, "makefile") {
			continue
		}
		if !slices.ContainsFunc(l.cases, func(c cases.Case) bool { return strings.TrimSuffix(f.Path, path.Ext(f.Path)) == c.Name }) {
			f.Writable = true
			out = append(out, f)
		}
	}
	return out
}
