// Command validator-c judges C and C++ with GCC, under its sanitizers: tests in
// the words of Unity, Catch2 or doctest, plain assert and main programs, and
// programs that are judged by what they print.
//
// The submission is compiled to a shared library in a room that holds no tests;
// the tests become a program that is linked against it. That program runs where
// no source lies. Its first act, before any constructor, is to become the parent
// of the processes that run tests; only the parent has the nonce and the
// descriptor that results leave by (c/supervisor.c). Tests and submission share
// a process, so integrity is "shared"; programs judged by what they print are
// "split" by nature.
package main

import (
	"embed"

	"github.com/goals-tracker/tracker/plugins/internal/cases"
	"github.com/goals-tracker/tracker/plugins/internal/native"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// programs is what is compiled into the test program.
//
//go:embed c
var programs embed.FS

const version = "1.0.0"

// words are what the messages are made by.
const words = native.Language("c")

// options are what a task may set.
type options struct {
	StandardC   string            `json:"standard_c" doc:"The -std of C files."`
	StandardCpp string            `json:"standard_cpp" doc:"The -std of C++ files."`
	Sanitizers  string            `json:"sanitizers" enum:"address+undefined,address,undefined,none" doc:"What watches over memory and undefined behaviour while the tests run."`
	RunSkipped  bool              `json:"run_skipped" doc:"Run tests that are marked as ignored, too: TEST_IGNORE() and what EXERCISM_RUN_ALL_TESTS guards."`
	Defines     map[string]string `json:"defines" doc:"Macros to define for all files, by name."`
	Cases       []cases.Case      `json:"cases" doc:"Runs of the program: name, stdin, args, and the stdout that is expected."`
	AllowAsm    bool              `json:"allow_asm" doc:"Accept inline assembly in the submission."`
	IgnoreRules []string          `json:"ignore_rules" doc:"Warnings whose findings are left out, such as -Wunused-variable."`
}

var spec = &validator.Spec{
	Name:    "validator-c",
	Version: version,
	Languages: []validator.Language{
		{
			Name: "c", Extensions: []string{".c", ".h"}, DefaultFile: "main.c",
			TestGlobs: []string{"test_*.c", "*_test.c"},
		},
		{
			Name: "cpp", Aliases: []string{"c++", "cxx"}, Extensions: []string{".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx", ".h"}, DefaultFile: "main.cpp",
			TestGlobs: []string{"test_*.cpp", "*_test.cpp", "test_*.cc", "*_test.cc"},
		},
	},
	Runtimes: []validator.Runtime{{
		ID: "gcc",
		Mounts: []validator.Mount{
			{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true},
			{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true},
		},
		Programs:    []string{"gcc", "g++", "objcopy", "readelf"},
		VersionArgv: []string{"g++", "--version"},
		// The compiler's words are read by machine; no locale changes them.
		Env: map[string]string{"LC_ALL": "C", "LANG": "C"},
	}},
	Options:   options{StandardC: "c17", StandardCpp: "c++20", Sanitizers: "address+undefined"},
	Plan:      plan,
	Judge:     judge,
	Mutate:    mutate,
	MaxRounds: 1,
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
