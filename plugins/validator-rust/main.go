// Command validator-rust judges Rust with rustc: packages in the layout of Cargo
// or bare files, with #[test] functions in tests/ or in modules of the task's.
//
// The submission is compiled to a library in a room that holds no tests; no
// build script or procedural macro of its runs. Each test file becomes a program
// whose #[test] functions are called by a harness of our own, in children of a
// parent that never runs code of the submission (internal/forkparent). Tests and
// submission share a process, so integrity is "shared"; programs judged by what
// they print are "split" by nature.
package main

import (
	"embed"

	"github.com/goals-tracker/tracker/plugins/internal/cases"
	"github.com/goals-tracker/tracker/plugins/internal/native"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// harness is compiled into test programs.
//
//go:embed rust
var harness embed.FS

const version = "1.0.0"

// words are what the messages are made by.
const words = native.Language("rust")

// options are what a task may set.
type options struct {
	Edition      string       `json:"edition" doc:"The edition of bare files, and of packages whose Cargo.toml names none: 2015, 2018, 2021 or 2024."`
	RunIgnored   bool         `json:"run_ignored" doc:"Run tests marked with #[ignore], too."`
	Features     []string     `json:"features" doc:"Features of the package to switch on, beside its default ones."`
	Cases        []cases.Case `json:"cases" doc:"Runs of the program: name, stdin, args, and the stdout that is expected."`
	ForbidUnsafe bool         `json:"forbid_unsafe" doc:"Refuse unsafe code in the submission."`
	IgnoreRules  []string     `json:"ignore_rules" doc:"Warnings whose findings are left out, such as dead_code."`
}

var spec = &validator.Spec{
	Name:    "validator-rust",
	Version: version,
	Languages: []validator.Language{{
		Name: "rust", Aliases: []string{"rs"}, Extensions: []string{".rs"}, DefaultFile: "main.rs",
		TestGlobs: []string{"tests/*.rs", "test_*.rs", "*_test.rs"},
	}},
	Runtimes: []validator.Runtime{{
		ID: "rust",
		Mounts: []validator.Mount{
			{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true},
			{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true},
		},
		// Found in /usr/local/bin or /usr/bin; a toolchain in a home folder can't be
		// seen from the sandbox.
		Programs:    []string{"rustc", "gcc", "readelf"},
		VersionArgv: []string{"rustc", "--version"},
		Env:         map[string]string{"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"},
	}},
	Options: options{Edition: "2021"},
	Plan:    plan,
	Judge:   judge,
	Mutate:  mutate,
}

// optionsOf returns what the task has set.
func optionsOf(req *validator.Request) options {
	o, ok := req.Options.(options)
	if !ok {
		panic("the SDK hands over another type of options than the spec has")
	}
	return o
}

func main() { validator.Main(spec) }
