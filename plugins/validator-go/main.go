// Command validator-go judges Go with go test's files: tests, subtests,
// examples, the seeds of fuzz tests.
//
// It runs neither the go command nor the submission's code itself: it reads
// packages and tests from the sources, compiles and links them with the
// toolchain's own compiler and linker in one step, and runs the test binary in
// another that has no sources. Results leave the test binary as frames signed
// with a key that is read before any code of the submission's is initialised
// (folder harness). A test that did not report did not pass, whatever the
// process says with its exit code.
package main

import (
	"embed"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// harness is compiled into every test binary.
//
//go:embed harness/*.go
var harness embed.FS

const version = "1.0.0"

// options are what a task may set.
type options struct {
	Entry       string   `json:"entry" doc:"The folder of the program that is run when the task has no tests; by default the only one with package main."`
	IgnoreRules []string `json:"ignore_rules" doc:"Rules whose findings are left out, such as gofmt; errors stay."`
}

// machine is the toolchain that was found when the plugin started.
var machine = findToolchain("/usr/local/go", "/usr/lib/go", "/usr/lib/golang", "/usr/lib/go-1.*", "/usr/local/go1.*")

var spec = &validator.Spec{
	Name:    "validator-go",
	Version: version,
	Languages: []validator.Language{{
		Name: "go", Aliases: []string{"golang"}, Extensions: []string{".go"}, DefaultFile: "main.go",
		TestGlobs: []string{"*_test.go"},
	}},
	Runtimes: []validator.Runtime{{
		ID: "go",
		Mounts: []validator.Mount{
			{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true},
			{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true}, {Source: "/etc/ssl/certs", Optional: true},
		},
		Programs:    []string{machine.root + "/bin/go", "sh"},
		VersionArgv: []string{machine.root + "/bin/go", "version"},
		Env:         map[string]string{"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTELEMETRY": "off", "CGO_ENABLED": "0", "GOROOT": machine.root},
	}},
	Options: options{},
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
