// Command validator-python judges Python with pytest or unittest.
//
// First it reads submission and tests without running them: syntax, rules, and
// the ids of the tests that must report. Then the tests run. Results leave their
// process as lines signed with the run's nonce, and a test that did not report
// did not pass, whatever the process says with its exit code.
//
// Tests and submission run in two processes with a channel between them
// (integrity "split"). Tests that can't be kept apart from the submission say so
// by themselves, and run with it in one process (integrity "shared").
package main

import (
	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	version = "1.0.0"
	python  = "/usr/bin/python3"
)

// options are what a task may set.
type options struct {
	Framework     string   `json:"framework" enum:"auto,pytest,unittest" doc:"What runs the tests; auto looks at them."`
	Entry         string   `json:"entry" doc:"The program that is run when the task has no tests; by default main.py or the only file."`
	TrustEquality bool     `json:"trust_equality" doc:"Lets objects of the submission's own classes say whether they equal plain values, such as numbers."`
	IgnoreRules   []string `json:"ignore_rules" doc:"Rules whose findings are left out, such as unused-import."`
}

var spec = &validator.Spec{
	Name:    "validator-python",
	Version: version,
	Languages: []validator.Language{{
		Name: "python", Aliases: []string{"py", "python3"}, Extensions: []string{".py"}, DefaultFile: "main.py",
		TestGlobs: []string{"test_*.py", "*_test.py", "tests.py", "conftest.py"},
	}},
	Runtimes: []validator.Runtime{{
		ID: "python",
		Mounts: []validator.Mount{
			{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true},
			{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true},
		},
		Programs: []string{python},
		VersionArgv: []string{python, "-I", "-c", `import platform
try:
    import pytest
    print("Python", platform.python_version() + ", pytest", pytest.__version__)
except ImportError:
    print("Python", platform.python_version() + ", no pytest")`},
		Env:    map[string]string{"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
		WarmUp: &validator.WarmUp{Argv: append(interpreter(), validator.WarmDir+"/warm.py"), Files: warmFiles(), Protocol: validator.WarmForkServer},
	}},
	Options: options{Framework: "auto"},
	Plan:    plan,
	More:    more,
	Judge:   judge,
	Mutate:  mutateSolution,
}

func main() { validator.Main(spec) }
