package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// programs is what runs in the sandbox.
//
//go:embed js
var programs embed.FS

const codeFile = judgeDir + "/code.cjs"

func interpreter() []string { return []string{"node", "--no-warnings", "--experimental-vm-modules"} }

// runtimes are Node.js as tests and submissions need it, and with the compiler
// loaded, where this build has one.
func runtimes() []validator.Runtime {
	node := validator.Runtime{
		ID: "node",
		Mounts: []validator.Mount{
			{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true},
			{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true},
		},
		// Found in /usr/local/bin or /usr/bin.
		Programs:    []string{"node"},
		VersionArgv: []string{"node", "-p", `"Node.js " + process.versions.node`},
		Env:         map[string]string{"NODE_OPTIONS": "", "NO_COLOR": "1", "NODE_DISABLE_COLORS": "1"},
		WarmUp:      &validator.WarmUp{Argv: append(interpreter(), validator.WarmDir+"/warm.js"), Files: warmFiles(), Protocol: validator.WarmOnce},
	}
	typescript := node
	typescript.ID = "typescript"
	typescript.WarmUp = nil
	if bin, err := readCompiler(); err == nil {
		typescript.WarmUp = &validator.WarmUp{
			Argv:  append(slices.Clone(node.WarmUp.Argv), "compile"),
			Files: append(warmFiles(), validator.File{Path: "typescript.bin", Content: bin}), Protocol: validator.WarmOnce,
		}
	}
	return []validator.Runtime{node, typescript}
}

// node is a process of ours with the given files; input is what it reads.
func node(mode string, input any, files []validator.File) (validator.Process, error) {
	raw, err := json.Marshal(input)
	if err != nil {
		return validator.Process{}, err
	}
	code, err := packed()
	if err != nil {
		return validator.Process{}, err
	}
	return validator.Process{
		Role: "main", Argv: append(interpreter(), codeFile, mode), Warm: true, Stdin: raw,
		Files: append(slices.Clone(files), validator.File{Path: codeFile, Content: code}),
	}, nil
}

// packed is our own code as one file, so that little is sent for each run.
var packed = sync.OnceValues(func() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("'use strict';\nconst files = {\n")
	err := eachProgram(func(name string, content []byte) error {
		if name != "warm.js" {
			fmt.Fprintf(&out, "%q: (module, exports, require) => {%s},\n", "./"+name, content)
		}
		return nil
	})
	out.WriteString(`};
const loaded = {};
function own(name) {
  if (!Object.hasOwn(files, name)) return require(name);
  if (!Object.hasOwn(loaded, name)) {
    loaded[name] = { exports: {} };
    files[name](loaded[name], loaded[name].exports, own);
  }
  return loaded[name].exports;
}
own('./entry.js').main(process.argv[2], require('node:fs').readFileSync(0, 'utf8'));
`)
	return out.Bytes(), err
})

// warmFiles are our own programs for the warm-up.
func warmFiles() []validator.File {
	var out []validator.File
	err := eachProgram(func(name string, content []byte) error {
		out = append(out, validator.File{Path: name, Content: content})
		return nil
	})
	if err != nil {
		panic(err) // embedded: they are there or the build is broken
	}
	return append(out, validator.File{Path: "package.json", Content: []byte(`{"type":"commonjs"}`)})
}

func eachProgram(do func(name string, content []byte) error) error {
	return fs.WalkDir(programs, "js", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".js" {
			return err
		}
		content, err := programs.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the plugin's own file %s: %w", name, err)
		}
		return do(strings.TrimPrefix(name, "js/"), content)
	})
}
