package main

import (
	"bytes"
	"cmp"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// source is one Go file of the module.
type source struct {
	path    string
	content []byte
	// learner says that the submission brought it.
	learner bool
	name    string // of its package
	imports []string
	// broken says that the package clause or the imports can't be read.
	broken bool
}

func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// layout is what lies where: the submission with the tests over it.
type layout struct {
	module  string
	minor   int // of the go directive, 0 for none
	sources []*source
	// data are all other files, by path.
	data    map[string]validator.File
	learner map[string]bool // the data files that the submission brought
	pkgs    map[string]*pkg // by folder, "." for the root
	byPath  map[string]*pkg // by import path
	dropped []string
	// ownTests says that the submission's own tests were left out.
	ownTests bool
	tested   bool // the task has tests
}

// pkg is a folder with Go files.
type pkg struct {
	dir, path, name string
	code            []*source       // all but tests
	tests           []*source       // in the package itself
	external        []*source       // in package name_test
	foreign         []*source       // of another package's name
	names           map[string]bool // that its tests use; nil until asked for
}

// arrange puts submission and tests together. It never fails: what makes no
// sense is found by the rules or by the compiler.
func arrange(req *validator.Request) *layout {
	l := &layout{data: map[string]validator.File{}, learner: map[string]bool{}, pkgs: map[string]*pkg{}, byPath: map[string]*pkg{}, tested: len(req.Task.Tests) > 0}
	given, support, mod := l.takeTask(req.Task.Tests)
	l.module, l.minor = readModule(mod)
	theirs := ""
	for _, f := range sorted(req.Submission.Files) {
		switch base := path.Base(f.Path); {
		case given[f.Path], skipped(f.Path):
		case l.tested && strings.HasSuffix(f.Path, "_test.go"):
			l.ownTests = true
		case isGo(f.Path) && support[path.Dir(f.Path)] && path.Dir(f.Path) != ".",
			l.tested && slices.Contains(strings.Split(f.Path, "/"), "vendor"),
			base == "go.work", path.Ext(base) == ".s", path.Ext(base) == ".syso", path.Ext(base) == ".c", !safe(f.Path):
			l.dropped = append(l.dropped, f.Path)
		default:
			if f.Path == "go.mod" {
				var directive int
				theirs, directive = readModule(string(f.Content))
				if !l.tested && mod == "" {
					l.minor = directive // tests are never read as older Go than their author's
				}
			}
			l.add(f, true)
		}
	}
	slices.SortFunc(l.sources, func(a, b *source) int { return cmp.Compare(a.path, b.path) })
	l.nameModule(theirs)
	l.group()
	return l
}

// takeTask adds the task's files. It returns their paths, the folders whose Go
// files are all the task's, and its go.mod.
func (l *layout) takeTask(files []validator.File) (given, support map[string]bool, mod string) {
	given, support = map[string]bool{}, map[string]bool{}
	for _, f := range files {
		if skipped(f.Path) {
			continue
		}
		given[f.Path] = true
		if f.Path == "go.mod" {
			mod = string(f.Content)
		}
		if dir := path.Dir(f.Path); isGo(f.Path) {
			if _, known := support[dir]; !known {
				support[dir] = true
			}
			if strings.HasSuffix(f.Path, "_test.go") {
				support[dir] = false
			}
		}
		l.add(f, false)
	}
	return given, support, mod
}

// skipped are folders that the go command doesn't look into, and what tracks
// keep beside their exercises.
func skipped(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

func isGo(name string) bool { return strings.HasSuffix(name, ".go") }

// safe are names that can stand in a compiler's list of files.
func safe(name string) bool {
	return !isGo(name) || !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func sorted(files []validator.File) []validator.File {
	return slices.SortedFunc(slices.Values(files), func(a, b validator.File) int { return cmp.Compare(a.Path, b.Path) })
}

// add takes a file in: as source when the go command would compile it.
func (l *layout) add(f validator.File, learner bool) {
	base := path.Base(f.Path)
	if !isGo(f.Path) || strings.HasPrefix(base, "_") || inData(f.Path) {
		l.data[f.Path], l.learner[f.Path] = f, learner
		return
	}
	if !matches(f) {
		return
	}
	s := &source{path: f.Path, content: f.Content, learner: learner}
	file, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Content, parser.ImportsOnly)
	if file == nil || file.Name == nil || err != nil {
		s.broken = true
	}
	if file != nil && file.Name != nil {
		s.name = file.Name.Name
		for _, i := range file.Imports {
			if p, err := strconv.Unquote(i.Path.Value); err == nil {
				s.imports = append(s.imports, p)
			}
		}
	}
	l.sources = append(l.sources, s)
}

func inData(name string) bool {
	for part := range strings.SplitSeq(path.Dir(name), "/") {
		if part == "testdata" || strings.HasPrefix(part, "_") {
			return true
		}
	}
	return false
}

// matches asks go/build about file names and build constraints.
func matches(f validator.File) bool {
	c := build.Default
	c.GOOS, c.GOARCH, c.CgoEnabled = "linux", runtime.GOARCH, true
	c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(f.Content))), nil }
	ok, err := c.MatchFile(".", path.Base(f.Path))
	return ok || err != nil // what can't be read is the compiler's to explain
}

var (
	moduleLine = regexp.MustCompile(`(?m)^\s*module\s+"?([^\s"/][^\s"]*)`)
	goLine     = regexp.MustCompile(`(?m)^\s*go\s+(1\.\d+\S*)`)
)

func readModule(mod string) (module string, goMinor int) {
	if m := moduleLine.FindStringSubmatch(mod); m != nil {
		module = m[1]
	}
	if m := goLine.FindStringSubmatch(mod); m != nil {
		goMinor = minor(m[1])
	}
	return module, goMinor
}

// nameModule settles the module's path without a go.mod of the task's: by the
// learner's, unless it is called as the standard library is or has no place for
// what the tests import.
func (l *layout) nameModule(theirs string) {
	if l.module != "" {
		return
	}
	if theirs != "" && !standard[firstElement(theirs)] {
		l.module = theirs
		if l.missing(theirs) == 0 {
			return
		}
	}
	if guess := l.guessModule(); l.module == "" || l.missing(guess) < l.missing(theirs) {
		l.module = guess
	}
}

// missing counts the imports of the task's files that a module of that path does
// not have.
func (l *layout) missing(module string) (n int) {
	dirs := map[string]bool{}
	for _, s := range l.sources {
		dirs[path.Dir(s.path)] = true
	}
	for _, s := range l.sources {
		for _, i := range s.imports {
			dir, inside := strings.CutPrefix(i, module+"/")
			there := standard[firstElement(i)] || dirs["vendor/"+i] || i == module || inside && dirs[dir]
			if !s.learner && !there {
				n++
			}
		}
	}
	return n
}

// guessModule finds the path that makes the most imports point to a folder.
func (l *layout) guessModule() string {
	dirs := map[string]bool{}
	for _, s := range l.sources {
		dirs[path.Dir(s.path)] = true
	}
	votes := map[string]int{}
	for _, s := range l.sources {
		for _, p := range s.imports {
			if standard[firstElement(p)] || dirs["vendor/"+p] {
				continue
			}
			if dirs["."] && (!s.learner || strings.Contains(p, ".")) && alike(path.Base(p), l.nameOf(".")) {
				votes[p]++
			}
			for d := range dirs {
				if m, ok := strings.CutSuffix(p, "/"+d); ok && d != "." && m != "" {
					votes[m] += 2 // a folder of that name is the better sign
				}
			}
		}
	}
	best := "task"
	for _, m := range slices.Sorted(maps.Keys(votes)) {
		if votes[m] > votes[best] {
			best = m
		}
	}
	return best
}

// alike says whether the last element of an import path may be a package of
// that name, as in go-yaml/v2 and yaml.
func alike(element, name string) bool {
	return name != "" && (strings.Contains(element, name) || strings.Contains(name, element))
}

func firstElement(p string) string {
	first, _, _ := strings.Cut(p, "/")
	return first
}

// group sorts sources into packages.
func (l *layout) group() {
	for _, s := range l.sources {
		dir := path.Dir(s.path)
		p := l.pkgs[dir]
		if p == nil {
			p = &pkg{dir: dir, path: l.pathOf(dir)}
			l.pkgs[dir] = p
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(l.pkgs)) {
		p := l.pkgs[dir]
		// A path that two folders have, one below vendor, is the task's.
		if q := l.byPath[p.path]; q == nil || strings.HasPrefix(dir, "vendor/") {
			l.byPath[p.path] = p
		}
		p.name = l.nameOf(dir)
		for _, s := range l.sources {
			if path.Dir(s.path) != dir {
				continue
			}
			switch {
			case s.isTest() && s.name == p.name+"_test":
				p.external = append(p.external, s)
			case s.name != p.name && s.name != "":
				p.foreign = append(p.foreign, s)
			case s.isTest():
				p.tests = append(p.tests, s)
			default:
				p.code = append(p.code, s)
			}
		}
	}
}

// nameOf is the name of a folder's package: what the task's files say, else
// what the submission's first file says.
func (l *layout) nameOf(dir string) string {
	name, rank := "", 9
	for _, s := range l.sources {
		if path.Dir(s.path) != dir || s.name == "" {
			continue
		}
		n, r := s.name, 3
		switch {
		case !s.learner && !s.isTest():
			r = 0
		case !s.learner && !strings.HasSuffix(n, "_test"):
			r = 1
		case s.isTest() && strings.HasSuffix(n, "_test"):
			n, r = strings.TrimSuffix(n, "_test"), 4
		case s.learner && !s.isTest():
			r = 2
		}
		if r < rank {
			name, rank = n, r
		}
	}
	return name
}

// pathOf is the import path of a folder.
func (l *layout) pathOf(dir string) string {
	if dir == "." {
		return l.module
	}
	if vendored, ok := strings.CutPrefix(dir, "vendor/"); ok {
		return vendored
	}
	return l.module + "/" + dir
}

// resolve returns the package of an import, or nil for one of the standard
// library or of nowhere.
func (l *layout) resolve(importPath string) *pkg {
	if isStandard(importPath) && (machine.has(importPath) || importPath != l.module && !strings.HasPrefix(importPath, l.module+"/")) {
		return nil
	}
	return l.byPath[importPath]
}

// testedPkgs are those with tests, in the order of their folders.
func (l *layout) testedPkgs() []*pkg {
	var out []*pkg
	for _, dir := range slices.Sorted(maps.Keys(l.pkgs)) {
		if p := l.pkgs[dir]; l.tested && len(p.tests)+len(p.external) > 0 && !strings.HasPrefix(dir+"/", "vendor/") {
			out = append(out, p)
		}
	}
	return out
}

// brings says whether the task has files that its tests may read.
func (l *layout) brings() bool {
	for name := range l.data {
		if base := path.Base(name); !l.learner[name] && base != "go.mod" && base != "go.sum" && path.Ext(base) != ".md" {
			return true
		}
	}
	return false
}

// staying says whether nobody may change the working folder, so that what tests
// read by name there is the task's, unless they change it themselves.
func (l *layout) staying() bool {
	return l.brings() && !slices.ContainsFunc(l.sources, func(s *source) bool {
		return !s.learner && (bytes.Contains(s.content, []byte("Chdir")) || slices.Contains(s.imports, "os/exec"))
	})
}
