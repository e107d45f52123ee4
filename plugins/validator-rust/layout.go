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

const (
	judgeDir = ".judge"
	// unitProgram is the program of tests that are modules of the submission's crate.
	unitProgram = "unit"
)

// layout is where everything lies, and what it is.
type layout struct {
	submission []validator.File
	tests      []validator.File
	names      []string // the submission's
	dropped    []string
	manifest   manifest
	crate      string   // the library's name
	root       string   // the library's root file; "" when there is none
	program    string   // the program's root file; "" when there is none
	modules    []string // test files that become programs
	inside     []string // test files that are modules of the submission's crate
	expected   []string
	cases      []cases.Case
	refusals   []validator.Finding
}

// arrange lays the tests over the submission.
func arrange(req *validator.Request) *layout {
	opts := optionsOf(req)
	l := &layout{cases: opts.Cases}
	tree := files.Tree{judgeDir: false}
	for _, f := range req.Task.Tests {
		if tree.Add(f.Path) {
			f.Writable = path.Ext(f.Path) != ".rs"
			l.tests = append(l.tests, f)
		}
	}
	var own manifest
	for _, f := range req.Submission.Files {
		if path.Base(f.Path) == "Cargo.toml" && (own.name == "" || f.Path == "Cargo.toml") {
			own = readManifest(string(f.Content))
		}
		if _, isTest := tree[f.Path]; isTest {
			continue // the task's own file counts
		}
		if takesOver(f.Path) || !tree.Add(f.Path) {
			l.dropped = append(l.dropped, f.Path)
			continue
		}
		f.Writable = path.Ext(f.Path) != ".rs"
		l.submission = append(l.submission, f)
		l.names = append(l.names, f.Path)
	}
	l.manifest = own
	for _, f := range l.tests {
		if f.Path == "Cargo.toml" {
			l.manifest = readManifest(string(f.Content))
		}
	}
	if l.manifest.edition == "" {
		l.manifest.edition = opts.Edition
	}
	for _, f := range l.tests {
		if path.Ext(f.Path) == ".rs" {
			l.place(f)
		}
	}
	slices.Sort(l.modules)
	l.roots()
	l.crateName()
	l.cases = append(l.cases, cases.Filed(req.Task.Tests, func(name string) bool { return path.Ext(name) == ".rs" })...)
	l.refusals = refuse(l, opts)
	return l
}

// place says whether a test file is a program or part of the submission's crate.
func (l *layout) place(f validator.File) {
	names := testNames(string(f.Content))
	code := bare(string(f.Content))
	if !testMark.MatchString(code) {
		return
	}
	if strings.HasPrefix(f.Path, "src/") || usesSuper.MatchString(code) && !usesCrate.MatchString(code) {
		l.inside = append(l.inside, f.Path)
		module := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(f.Path, "src/"), ".rs"), "/mod")
		for _, n := range names {
			l.expected = append(l.expected, unitProgram+"::"+strings.ReplaceAll(module, "/", "::")+"::"+n)
		}
		return
	}
	l.modules = append(l.modules, f.Path)
	for _, n := range names {
		l.expected = append(l.expected, f.Path+"::"+n)
	}
}

var (
	testMark  = regexp.MustCompile(`#\s*\[\s*(?:\w+\s*::\s*)*test\s*\]`)
	usesSuper = regexp.MustCompile(`(?m)^use\s+(super|crate)::`)
	usesCrate = regexp.MustCompile(`(?m)^\s*(?:pub\s+)?use\s+([a-z_]\w*)(?:::|;)|^\s*extern\s+crate\s+(\w+)`)
	hasMain   = regexp.MustCompile(`(?m)^\s*(?:pub\s+)?(?:async\s+)?fn\s+main\s*\(`)
)

// roots finds the files that the crates begin with.
func (l *layout) roots() {
	has := func(name string) bool { return name != "" && slices.Contains(l.names, name) }
	for _, name := range []string{l.manifest.lib, "src/lib.rs", "lib.rs"} {
		if has(name) {
			l.root = name
			break
		}
	}
	for _, name := range []string{l.manifest.bin, "src/main.rs", "main.rs"} {
		if has(name) {
			l.program = name
			break
		}
	}
	if l.root == "" && (l.program == "" || len(l.modules) > 0) {
		l.bareRoots()
	}
}

// bareRoots finds them among files that lie as in no package.
func (l *layout) bareRoots() {
	var single []string
	for _, f := range l.submission {
		if path.Ext(f.Path) != ".rs" || f.Path == l.program || strings.HasPrefix(f.Path, "tests/") {
			continue
		}
		if hasMain.MatchString(bare(string(f.Content))) && l.program == "" && len(l.modules) == 0 {
			l.program = f.Path
			return
		}
		single = append(single, f.Path)
	}
	// The one that the tests ask for, or the only one.
	for _, m := range l.modules {
		for _, crate := range l.asked(m) {
			for _, name := range single {
				if strings.TrimSuffix(path.Base(name), ".rs") == crate {
					l.root = name
					return
				}
			}
		}
	}
	if len(single) > 0 {
		slices.Sort(single)
		l.root = single[0]
	} else if len(l.modules) > 0 {
		l.root = l.program // functions beside a main
	}
}

// asked are the crates that a test file uses.
func (l *layout) asked(module string) []string {
	var out []string
	for _, f := range l.tests {
		if f.Path != module {
			continue
		}
		for _, m := range usesCrate.FindAllStringSubmatch(bare(string(f.Content)), -1) {
			name := m[1] + m[2]
			if !slices.Contains([]string{"std", "core", "alloc", "crate", "self", "super", "test", "proc_macro"}, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// crateName is what the tests call the submission.
func (l *layout) crateName() {
	l.crate = strings.ReplaceAll(l.manifest.name, "-", "_")
	if l.crate != "" && len(l.modules) == 0 {
		return
	}
	var asked []string
	for _, m := range l.modules {
		asked = append(asked, l.asked(m)...)
	}
	if l.crate == "" || len(asked) > 0 && !slices.Contains(asked, l.crate) {
		for _, name := range asked {
			if !slices.Contains(l.manifest.crates, name) {
				l.crate = name
				break
			}
		}
	}
	if !crateWord.MatchString(l.crate) {
		l.crate = "submission"
	}
}

var crateWord = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// takesOver says whether a submitted file would change how it is built, or
// can't be read by a person.
func takesOver(name string) bool {
	switch path.Ext(name) {
	case ".rlib", ".rmeta", ".so", ".a", ".o", ".ll", ".bc", ".s", ".S", ".ld":
		return true
	}
	base := path.Base(name)
	if base == "build.rs" || base == "rust-toolchain" || base == "rust-toolchain.toml" {
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == judgeDir || part == ".cargo" || part == "target" {
			return true
		}
	}
	return strings.HasPrefix(name, "tests/")
}

// source is what the submission is compiled from: its own files, and those that
// the task puts beside them, unless they hold tests.
func (l *layout) source() []validator.File {
	out := slices.Clone(l.submission)
	for _, f := range l.tests {
		if strings.HasPrefix(f.Path, "src/") && path.Ext(f.Path) == ".rs" && !testMark.MatchString(bare(string(f.Content))) {
			out = append(out, f)
		}
	}
	return out
}

// data are the files that programs may read or write.
func (l *layout) data() []validator.File {
	var out []validator.File
	for _, f := range slices.Concat(l.tests, l.submission) {
		base := path.Base(f.Path)
		if path.Ext(f.Path) == ".rs" || base == "Cargo.lock" {
			continue
		}
		if !slices.ContainsFunc(l.cases, func(c cases.Case) bool { return strings.TrimSuffix(f.Path, path.Ext(f.Path)) == c.Name }) {
			f.Writable = true
			out = append(out, f)
		}
	}
	return out
}
