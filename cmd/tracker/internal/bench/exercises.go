package bench

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// folders hold the exercises: submission and tests side by side, in raw/ what
// only the raw command needs. ".txt" keeps Go's files from being this program's.
//
//go:embed exercises
var folders embed.FS

// exercise is something that is judged.
type exercise struct {
	name   string
	plugin string // "" runs a program in a room, without a verdict
	folder string
	// typed are the commands that people would type.
	typed [][]string
	// tests marks the tests' files by a part of their names.
	tests string
	// warms says that the plugin's runtimes have a warm-up program.
	warms bool
	bars  map[string]bar // by way

	language   string
	submission judging.Submission
	task       judging.Task
}

// exercises are all, with the bars that verdicts on them should stay below.
func exercises() []exercise {
	return []exercise{
		{name: "true", typed: [][]string{{"/bin/true"}}, bars: map[string]bar{"cold": {adds: 20}, "prepared": {adds: 4}}},
		{name: "pytest", plugin: "validator-python", folder: "pytest", language: "python", tests: "test_", warms: true,
			typed: [][]string{{"/usr/bin/python3", "-m", "pytest", "-q"}}, bars: map[string]bar{"warm": {ratio: 0.30}}},
		{name: "unittest split", plugin: "validator-python", folder: "unittest", language: "python", tests: "test_", warms: true,
			typed: [][]string{{"/usr/bin/python3", "-m", "unittest", "-q"}}, bars: map[string]bar{"warm": {ratio: 0.35}}},
		{name: "node --test", plugin: "validator-javascript", folder: "node", language: "javascript", tests: ".test.", warms: true,
			typed: [][]string{{"node", "--test"}}, bars: map[string]bar{"warm": {ratio: 0.50}}},
		{name: "javac && java", plugin: "validator-java", folder: "java", language: "java", tests: "Test.java", warms: true,
			typed: [][]string{{"javac", "-d", "out", "Calc.java", "Main.java"}, {"java", "-cp", "out", "Main"}}, bars: map[string]bar{"warm": {ratio: 0.25}}},
		{name: "go test", plugin: "validator-go", folder: "go", language: "go", tests: "_test.go",
			typed: [][]string{{"go", "test", "-count=1", "."}}},
	}
}

// missing says why the exercise can't be measured here, or "".
func (e *exercise) missing(host *pluginhost.Host) string {
	for _, argv := range e.typed {
		if _, err := exec.LookPath(argv[0]); err != nil {
			return argv[0] + " is not installed"
		}
	}
	if e.plugin == "" {
		return ""
	}
	if _, err := host.Validator(e.plugin); err != nil {
		return err.Error()
	}
	return ""
}

// step is a room that only runs the command.
func (e *exercise) step() sandbox.Step {
	return sandbox.Step{Name: e.name, Runtimes: sandbox.System(), Recurring: true, Processes: []sandbox.Process{{Argv: e.typed[0]}}}
}

// raw lays the exercise out as people have it, and reads it.
func (e *exercise) raw() (*rawCommand, error) {
	dir, err := os.MkdirTemp("", "tracker-bench-*")
	if err != nil {
		return nil, err
	}
	r := &rawCommand{dir: dir, typed: e.typed}
	if e.folder == "" {
		return r, nil
	}
	e.submission.Language = e.language
	e.submission.Files, e.task.Tests = nil, nil
	root := path.Join("exercises", e.folder)
	err = fs.WalkDir(folders, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := folders.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimSuffix(strings.TrimPrefix(name, root+"/"), ".txt")
		name, onlyRaw := strings.CutPrefix(name, "raw/")
		f := judging.File{Path: name, Content: content}
		isTest := strings.Contains(name, e.tests)
		switch {
		case onlyRaw:
		case isTest:
			e.task.Tests = append(e.task.Tests, f)
		default:
			e.submission.Files = append(e.submission.Files, f)
		}
		return os.WriteFile(filepath.Join(dir, name), content, 0o600)
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return r, nil
}

// rawCommand is what a person would type.
type rawCommand struct {
	dir   string
	typed [][]string
}

func (r *rawCommand) run(ctx context.Context) error {
	for _, argv := range r.typed {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Dir = r.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
		}
	}
	return nil
}

func (r *rawCommand) remove() { _ = os.RemoveAll(r.dir) }
