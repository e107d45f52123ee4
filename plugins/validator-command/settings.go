package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// language is one entry of the settings.
type language struct {
	// Name, Aliases, Extensions, DefaultFile and TestGlobs are as in the SDK.
	Name        string   `json:"name"`
	Aliases     []string `json:"aliases"`
	Extensions  []string `json:"extensions"`
	DefaultFile string   `json:"default_file"`
	TestGlobs   []string `json:"test_globs"`
	// Programs must be installed. Version prints the version.
	Programs []string `json:"programs"`
	Version  []string `json:"version"`
	// Env is set in every room; Mounts are shown besides the base system.
	Env    map[string]string `json:"env"`
	Mounts []string          `json:"mounts"`
	// Check reads one file of code ({file}) without running it.
	Check []string `json:"check"`
	// Build compiles; Artifacts are the files that it makes.
	Build     []string `json:"build"`
	Artifacts []string `json:"artifacts"`
	// Run runs the learner's program ({entry}).
	Run []string `json:"run"`
	// Test runs the tests: all files at once ({tests}), or one after the other
	// ({test}). What it writes is of Format (tap, junit, ctrf), on standard
	// output or in the file Report.
	Test   []string `json:"test"`
	Format string   `json:"format"`
	Report string   `json:"report"`
	// Mode is "apart" (the default) or "together".
	Mode string `json:"mode"`
	// Stub is what stands in place of a learner's file of code where tests run
	// apart: {client} is the command that runs the real one.
	Stub string `json:"stub"`
	// Patterns find diagnostics in what Check and Build say, line by line:
	// groups file, line, column, severity, message.
	Patterns []string `json:"patterns"`

	patterns []*regexp.Regexp
}

// shell is what there is without settings.
var shell = language{
	Name: "bash", Aliases: []string{"sh", "shell"}, Extensions: []string{".sh", ".bash"}, DefaultFile: "main.sh",
	TestGlobs: []string{"*.test.sh", "*_test.sh", "test_*.sh", "*.in", "cases.json"},
	Programs:  []string{"/bin/bash"}, Version: []string{"/bin/bash", "--version"},
	Check: []string{"/bin/bash", "-n", "{file}"}, Run: []string{"/bin/bash", "{entry}"},
	Test: []string{"/bin/bash", "{test}"}, Format: "tap",
	Stub:     "#!/bin/bash\nexec {client} \"$@\"\n",
	Patterns: []string{`^(?P<file>.+?): line (?P<line>\d+): (?P<message>.*)$`},
}

// readSettings reads the operator's settings: the languages besides bash, which
// one of them may replace.
func readSettings(raw []byte) ([]*language, error) {
	own := shell
	out := []*language{&own}
	if len(bytes.TrimSpace(raw)) > 0 {
		var settings struct {
			Languages []*language `json:"languages"`
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&settings); err != nil {
			return nil, err
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return nil, errors.New("there is text after the JSON object")
		}
		for _, l := range settings.Languages {
			if l == nil {
				return nil, errors.New("an entry of languages is empty")
			}
			out = slices.DeleteFunc(out, func(o *language) bool { return o.Name == l.Name })
			out = append(out, l)
		}
	}
	for _, l := range out {
		if err := l.check(); err != nil {
			return nil, fmt.Errorf("language %q: %w", l.Name, err)
		}
	}
	return out, nil
}

func (l *language) check() error {
	if l.Mode == "" {
		l.Mode = "apart"
	}
	if l.Stub == "" {
		l.Stub = "#!/bin/sh\nexec {client} \"$@\"\n"
	}
	if err := l.compile(); err != nil {
		return err
	}
	for _, a := range l.Artifacts {
		if judging.CheckPath(a) != nil || strings.ContainsAny(a, "*?[") {
			return fmt.Errorf("artifact %q must be the path of one file below the working folder", a)
		}
	}
	return l.commands()
}

// compile reads the patterns.
func (l *language) compile() error {
	for _, p := range l.Patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return fmt.Errorf("pattern %q: %w", p, err)
		}
		if re.SubexpIndex("file") < 0 || re.SubexpIndex("message") < 0 {
			return fmt.Errorf("pattern %q needs the groups (?P<file>…) and (?P<message>…)", p)
		}
		l.patterns = append(l.patterns, re)
	}
	return nil
}

// commands says whether the commands are enough to judge by.
func (l *language) commands() error {
	switch {
	case l.Mode != "apart" && l.Mode != "together":
		return fmt.Errorf("mode is %q; it must be apart or together", l.Mode)
	case len(l.Run) == 0 && len(l.Test) == 0:
		return errors.New("it needs run (for cases), or test")
	case len(l.Test) > 0 && !slices.Contains([]string{"tap", "junit", "ctrf"}, l.Format):
		return fmt.Errorf("format is %q; with test it must be tap, junit or ctrf", l.Format)
	case len(l.Test) > 0 && l.Mode == "apart" && len(l.Run) == 0:
		return errors.New("tests that run apart reach the submission by running it: it needs run, or mode together")
	case len(l.Build) > 0 && len(l.Artifacts) == 0:
		return errors.New("build makes something: name it in artifacts")
	}
	return nil
}

func (l *language) answers(name string) bool {
	return l.Name == name || slices.Contains(l.Aliases, name)
}

func (l *language) runtime() validator.Runtime {
	r := validator.Runtime{ID: l.Name, Programs: slices.Clone(l.Programs), VersionArgv: l.Version, Env: l.Env, Mounts: []validator.Mount{
		{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true},
		{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true},
	}}
	for _, m := range l.Mounts {
		r.Mounts = append(r.Mounts, validator.Mount{Source: m})
	}
	if len(l.Test) > 0 && l.Mode == "apart" {
		r.Programs = append(r.Programs, python)
	}
	return r
}

// isCode says whether a file is of the language.
func (l *language) isCode(name string) bool { return slices.Contains(l.Extensions, path.Ext(name)) }

// isTest says whether a task's file is one that the test command is given.
func (l *language) isTest(name string) bool {
	for _, glob := range l.TestGlobs {
		if ok, err := path.Match(glob, path.Base(name)); ok && err == nil && l.isCode(name) {
			return true
		}
	}
	return false
}

// fill puts values into the words of a command. A word that is a name of many
// becomes as many words.
func fill(argv []string, one map[string]string, tests []string) []string {
	var out []string
	for _, word := range argv {
		if word == "{tests}" {
			out = append(out, tests...)
			continue
		}
		for key, value := range one {
			word = strings.ReplaceAll(word, "{"+key+"}", value)
		}
		out = append(out, word)
	}
	return out
}

func uses(argv []string, name string) bool {
	return slices.ContainsFunc(argv, func(word string) bool { return strings.Contains(word, "{"+name+"}") })
}
