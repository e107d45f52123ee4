package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// layout is what goes where.
type layout struct {
	main    []validator.File // sources that are compiled as the submission
	tests   []validator.File // sources that only tests see
	files   []validator.File // all others
	names   []string         // the submission's
	dropped []string         // the submission's files that must not take part
	given   int              // how many of main are the task's
	junit   map[string]string
}

// arrange lays the tests over the submission.
func arrange(req *validator.Request) layout {
	l := layout{junit: map[string]string{}}
	tree := paths{judgeDir: false}
	var helpers []validator.File
	tested := false
	for _, f := range req.Task.Tests {
		switch {
		case path.Base(f.Path) == "junit-platform.properties":
			l.junit = properties(string(f.Content))
		case !isJava(f.Path):
			if !isBuild(f.Path) && tree.add(f.Path) {
				l.files = append(l.files, writable(f))
			}
		case path.Base(f.Path) == "module-info.java":
		case usesFramework.Match(f.Content):
			tested = true
			tree.add(f.Path)
			l.tests = append(l.tests, f)
		default:
			helpers = append(helpers, f)
		}
	}
	for _, f := range req.Submission.Files {
		if _, ours := tree[f.Path]; ours {
			continue // the task's own file counts
		}
		switch {
		case takesOver(&f) || !tree.add(f.Path):
			l.dropped = append(l.dropped, f.Path)
		case isJava(f.Path):
			l.names = append(l.names, f.Path)
			l.main = append(l.main, f)
		default:
			l.names = append(l.names, f.Path)
			l.files = append(l.files, writable(f))
		}
	}
	l.place(helpers)
	if !tested {
		l.tests = nil
	}
	return l
}

// place puts the task's sources without tests where they are used: beside the
// submission if that names their class, else beside the tests.
func (l *layout) place(helpers []validator.File) {
	own := l.main
	for _, f := range helpers {
		if slices.ContainsFunc(own, func(s validator.File) bool { return sameClass(&s, &f) }) {
			continue // the submission is the one that was asked for
		}
		stem := strings.TrimSuffix(path.Base(f.Path), ".java")
		word := regexp.MustCompile(`\b` + regexp.QuoteMeta(stem) + `\b`)
		used := slices.ContainsFunc(own, func(s validator.File) bool { return word.Match(s.Content) })
		if inMain(f.Path) || used && !inTest(f.Path) {
			l.main = append(l.main, f)
			l.given++
		} else {
			l.tests = append(l.tests, f)
		}
	}
}

func sameClass(a, b *validator.File) bool {
	return path.Base(a.Path) == path.Base(b.Path) && packageOf(a.Content) == packageOf(b.Content)
}

func inMain(name string) bool { return strings.Contains("/"+name, "/src/main/") }
func inTest(name string) bool { return strings.Contains("/"+name, "/src/test/") }
func isJava(name string) bool { return path.Ext(name) == ".java" }

// isBuild says whether a file of the task is for a build tool, which is not used.
func isBuild(name string) bool {
	return path.Ext(name) == ".jar" || strings.HasPrefix(name, "gradle/") || strings.HasPrefix(name, ".") || path.Base(name) == "gradlew" || path.Base(name) == "gradlew.bat"
}

func writable(f validator.File) validator.File {
	f.Writable = true
	return f
}

var (
	usesFramework = regexp.MustCompile(`(?m)^\s*import\s+(?:static\s+)?(?:org\.junit|org\.assertj|junit\.framework)\b|@org\.junit\.`)
	packageLine   = regexp.MustCompile(`(?m)^\s*package\s+([\w.\s]+?)\s*;`)
	reserved      = regexp.MustCompile(`^(?:org\.(?:junit|assertj|opentest4j|apiguardian|hamcrest)|junit|net\.bytebuddy|tracker|java|javax|jdk|sun|com\.sun)(?:\.|$)`)
)

func packageOf(source []byte) string {
	m := packageLine.FindSubmatch(source)
	if m == nil {
		return ""
	}
	return strings.Join(strings.Fields(string(m[1])), "")
}

// takesOver says whether a submitted file would replace what judges, can't be
// read by a person, or is a test of the learner's own.
func takesOver(f *validator.File) bool {
	for part := range strings.SplitSeq(f.Path, "/") {
		if part == judgeDir || part == "META-INF" {
			return true
		}
	}
	switch path.Ext(f.Path) {
	case ".class", ".jar", ".so", ".jmod":
		return true
	case ".java":
		return path.Base(f.Path) == "module-info.java" || inTest(f.Path) || usesFramework.Match(f.Content) || reserved.MatchString(packageOf(f.Content))
	}
	return path.Base(f.Path) == "junit-platform.properties"
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

// properties reads lines of key = value.
func properties(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "!") {
			out[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return out
}
