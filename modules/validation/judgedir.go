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
	// what tools leave behind (__pycache__, node_modules), is left out.
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
		return Report{}, fmt.Errorf("no validator judges %q; these can be judged: %s%s", o.Language, strings.Join(catalog.Languages(), ", "), problems(catalog))
	}
	submission, tests, err := readDirs(o, match.Language)
	if err != nil {
		return Report{}, err
	}
	res, err := engine.Judge(ctx, judge.Job{
		Plugin:     match.Plugin,
		Submission: judging.Submission{Files: submission, Language: match.Language.Name},
		Task:       judging.Task{Tests: tests, Options: o.Options, Limits: o.Limits},
	}, o.Stage)
	if err != nil {
		return Report{}, err
	}
	return NewReport(res, "", maxDirBytes), nil
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

// readDirs reads submission and tests, and parts them where they share a folder.
// The folder of the tests may be a whole exercise with the stub that learners
// start from: where it holds source that the submission holds too, and that is
// no test, the submission's counts.
func readDirs(o DirOptions, language judging.Language) (submission, tests []judging.File, err error) {
	root, err := realDir(o.Submission)
	if err != nil {
		return nil, nil, fmt.Errorf("submission: %w", err)
	}
	if o.Tests == "" {
		submission, err = readDir(root, "")
		return submission, nil, err
	}
	testRoot, err := realDir(o.Tests)
	if err != nil {
		return nil, nil, fmt.Errorf("tests: %w", err)
	}
	if testRoot != root {
		if tests, err = readDir(testRoot, root); err != nil {
			return nil, nil, err
		}
		submission, err = readDir(root, testRoot)
		return submission, withoutStubs(tests, submission, language), err
	}
	all, err := readDir(root, "")
	if err != nil {
		return nil, nil, err
	}
	for _, f := range all {
		if isTest(f.Path, language.TestGlobs) {
			tests = append(tests, f)
		} else {
			submission = append(submission, f)
		}
	}
	if len(tests) == 0 {
		return nil, nil, fmt.Errorf("tests: %s holds no file like %s", o.Tests, strings.Join(language.TestGlobs, ", "))
	}
	return submission, tests, nil
}

// withoutStubs leaves out of tests what the submission fills in. Other files
// than the language's source, such as data and settings, stay the tests'.
func withoutStubs(tests, submission []judging.File, language judging.Language) []judging.File {
	filled := map[string]bool{}
	for _, f := range submission {
		filled[f.Path] = true
	}
	return slices.DeleteFunc(tests, func(f judging.File) bool {
		return filled[f.Path] && slices.Contains(language.Extensions, path.Ext(f.Path)) && !isTest(f.Path, language.TestGlobs)
	})
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

// leftOut are folders that tools make.
var leftOut = map[string]bool{"__pycache__": true, "node_modules": true, "target": true, "venv": true}

// readDir reads the regular files below dir, but for those below except. Links
// are not followed.
func readDir(dir, except string) (files []judging.File, err error) {
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
			hidden := p != "." && strings.HasPrefix(e.Name(), ".")
			if hidden || leftOut[e.Name()] && p != "." || except != "" && filepath.Join(dir, p) == except {
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
