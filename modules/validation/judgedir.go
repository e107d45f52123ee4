package validation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// DirOptions say what JudgeDir judges.
type DirOptions struct {
	// Language is a name or alias that a validator knows: "python". Required.
	Language string
	// Submission is the folder of the code. Required. What lies hidden in it, and
	// what tools leave behind (__pycache__, node_modules, a virtual environment,
	// build output), is left out.
	Submission string
	// Tests is the folder of the tests, or of the whole exercise; "" judges without. It may be the folder
	// of the submission or lie in it: what the language calls test files is then
	// the tests, the rest the submission.
	Tests string
	// Options are the plugin's, a JSON object; nil is none.
	Options []byte
	// Limits bound each step; zero fields take the defaults.
	Limits judging.Limits
	// Timeout bounds all of it. Defaults to 5 minutes.
	Timeout time.Duration
	// Stage hears what is going on: "compile", "test". May be nil.
	Stage func(string)
}

// Bounds of a folder, below what a message to a plugin may have.
const (
	maxDirFiles = 2000
	maxDirBytes = 16 << 20
)

// JudgeDir judges a folder, with neither server nor database. An error means
// that it could not be judged, and is for the one who called: a language that
// no plugin knows, a folder that can't be read, a plugin that failed.
func JudgeDir(ctx context.Context, host *pluginhost.Host, runner *sandbox.Runner, o DirOptions) (Report, error) {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if runner == nil {
		return Report{}, judge.ErrNoSandbox
	}
	engine := judge.New(host, runner, judging.Limits{})
	catalog := judge.NewCatalog(host, engine)
	catalog.Load(ctx)
	match, ok := catalog.Find(o.Language)
	if !ok {
		known := strings.Join(catalog.Languages(), ", ")
		if known == "" {
			known = "none, since no validator runs; `tracker plugin list` shows why"
		}
		return Report{}, fmt.Errorf("no validator judges %q; these can be judged: %s%s", o.Language, known, problems(catalog))
	}
	dirs, err := readDirs(o, match.Language)
	if err != nil {
		return Report{}, err
	}
	res, err := engine.Judge(ctx, judge.Job{
		Plugin:     match.Plugin,
		Submission: judging.Submission{Files: dirs.submission, Language: match.Language.Name},
		Task:       judging.Task{Tests: dirs.tests, Options: o.Options, Limits: o.Limits},
	}, o.Stage)
	if err != nil {
		return Report{}, err
	}
	if dirs.guessed {
		res.Report.Integrity = judging.IntegrityShared // a helper of the tests may be the learner's
	}
	r := NewReport(res, "", maxDirBytes)
	for _, p := range dirs.kept {
		r.Findings = append(r.Findings, Finding{File: p, Rule: "task-file", Severity: judging.SeverityWarning, Message: Text{
			EN: p + " belongs to the task, whose own copy was used instead of yours.",
			ES: p + " pertenece a la tarea, y se usó su propia copia en lugar de la tuya.",
		}})
	}
	return r, nil
}

// problems are those of plugins that did not start.
func problems(c *judge.Catalog) (text string) {
	for _, e := range c.Entries() {
		if e.Info.Problem != "" {
			text += fmt.Sprintf("; plugin %s: %s", e.Info.Name, e.Info.Problem)
		}
	}
	return text
}

// dirs are the files of both folders.
type dirs struct {
	submission, tests []judging.File
	overlap
}

// readDirs reads submission and tests, and parts them where they share a folder.
// The folder of the tests may be a whole exercise with the stub that learners
// start from: overlap says whose copy counts of what both hold.
func readDirs(o DirOptions, language judging.Language) (d dirs, err error) {
	root, err := realDir(o.Submission)
	if err != nil {
		return d, fmt.Errorf("submission: %w", err)
	}
	if o.Tests == "" {
		d.submission, err = readDir(root, "", false)
		return d, err
	}
	testRoot, err := realDir(o.Tests)
	if err != nil {
		return d, fmt.Errorf("tests: %w", err)
	}
	if testRoot != root {
		if d.tests, err = readDir(testRoot, root, true); err != nil {
			return d, err
		}
		if d.submission, err = readDir(root, testRoot, false); err != nil {
			return d, err
		}
		d.overlap = part(d.tests, d.submission, language, solutionOf(testRoot))
		d.tests = slices.DeleteFunc(d.tests, func(f judging.File) bool {
			return slices.ContainsFunc(d.starters, func(s judging.File) bool { return s.Path == f.Path })
		})
		return d, nil
	}
	all, err := readDir(root, "", false)
	if err != nil {
		return d, err
	}
	for _, f := range all {
		if isTest(f.Path, language.TestGlobs) {
			d.tests = append(d.tests, f)
		} else {
			d.submission = append(d.submission, f)
		}
	}
	if len(d.tests) == 0 {
		return d, fmt.Errorf("tests: %s holds no file like %s", o.Tests, strings.Join(language.TestGlobs, ", "))
	}
	return d, nil
}

func isTest(p string, globs []string) bool {
	for _, g := range globs {
		name := path.Base(p)
		if strings.Contains(g, "/") {
			name = p
		}
		if ok, err := path.Match(g, name); err == nil && ok {
			return true
		}
	}
	return false
}

func realDir(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no folder is named")
	}
	abs, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	if abs, err = filepath.Abs(abs); err != nil {
		return "", err
	}
	if fi, err := os.Stat(abs); err != nil {
		return "", err
	} else if !fi.IsDir() {
		return "", fmt.Errorf("%s is not a folder", dir)
	}
	return abs, nil
}

// readDir reads the regular files below dir, but for those below except. Links
// are not followed. What tools make is left out, but packages that tests bring
// along in a node_modules of a modest size.
func readDir(dir, except string, ofTests bool) (files []judging.File, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	total := 0
	err = fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if p == "." {
				return nil
			}
			if strings.HasPrefix(e.Name(), ".") || madeByTools(root, p, ofTests) || except != "" && filepath.Join(dir, p) == except {
				return fs.SkipDir
			}
			return nil
		}
		if !e.Type().IsRegular() || strings.HasSuffix(p, ".pyc") {
			return nil
		}
		if err := judging.CheckPath(p); err != nil {
			return err
		}
		content, err := fs.ReadFile(root.FS(), p)
		if err != nil {
			return err
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		if total += len(content); total > maxDirBytes || len(files) >= maxDirFiles {
			return fmt.Errorf("%s holds more than %d files or %d bytes: name the folder of the exercise alone", dir, maxDirFiles, maxDirBytes)
		}
		files = append(files, judging.File{Path: p, Content: content, Writable: true, Executable: fi.Mode()&0o111 != 0})
		return nil
	})
	return files, err
}

// madeByTools tells what tools have made from a folder of the same name that a
// person made.
func madeByTools(root *os.Root, dir string, ofTests bool) bool {
	holds := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			_, err := root.Lstat(path.Join(dir, name))
			return err == nil
		})
	}
	switch path.Base(dir) {
	case "__pycache__":
		return true
	case "node_modules":
		return !ofTests || !modest(root, dir)
	case "target":
		return holds("CACHEDIR.TAG", ".rustc_info.json", "classes", "maven-status")
	}
	return holds("pyvenv.cfg")
}

// What a node_modules may hold to be taken for the tests' own.
const (
	maxPackagesFiles = 500
	maxPackagesBytes = 4 << 20
)

func modest(root *os.Root, dir string) bool {
	files, size := 0, int64(0)
	err := fs.WalkDir(root.FS(), dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		if files, size = files+1, size+fi.Size(); files > maxPackagesFiles || size > maxPackagesBytes {
			return errors.New("too much")
		}
		return nil
	})
	return err == nil
}
