package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// programs is what runs in the sandbox.
//
//go:embed all:py
var programs embed.FS

const (
	judgeDir   = ".judge"
	eventsFile = judgeDir + "/events"
	// start is what a process is that no warm-up program serves.
	start = "import sys; sys.path.insert(0, '" + validator.WarmDir + "'); from tracker_judge import entry; del sys.path[0]; entry.main(sys.argv[1])"
)

func interpreter() []string { return []string{python, "-I", "-B", "-X", "utf8"} }

// process is one of ours. It learns on standard input what it is to do; a nonce
// is for those whose results count.
func process(role, mode, nonce string, settings map[string]any) (validator.Process, error) {
	job, err := json.Marshal(settings)
	if err != nil {
		return validator.Process{}, err
	}
	p := validator.Process{
		Role: role, Argv: append(interpreter(), "-c", start, mode), Warm: true, Stdin: append(job, '\n'),
		// Read-only, it keeps the folder of the events where it is.
		Files: []validator.File{{Path: judgeDir + "/README", Content: []byte("The judge's own folder.\n")}},
	}
	if nonce != "" {
		p.Stdin, p.Collect = append([]byte(nonce+"\n"), p.Stdin...), []string{eventsFile}
	}
	return p, nil
}

// warmFiles are our own programs, for the warm-up and for what is executed.
func warmFiles() []validator.File {
	var out []validator.File
	err := eachProgram(func(name string, content []byte) error {
		out = append(out, validator.File{Path: name, Content: content})
		return nil
	})
	if err != nil {
		panic(err) // embedded: they are there or the build is broken
	}
	return out
}

func eachProgram(do func(name string, content []byte) error) error {
	return fs.WalkDir(programs, "py", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".py" {
			return err
		}
		content, err := programs.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the plugin's own file %s: %w", name, err)
		}
		return do(strings.TrimPrefix(name, "py/"), content)
	})
}
