// Command validator-java judges Java with tests in JUnit 5 (JUnit 4 too) and
// AssertJ.
//
// One process compiles submission and tests and runs them (integrity "shared"):
// the submission's classes have a loader of their own that sees nothing of the
// tests, and a guard keeps them from ending the process or breaking into others'
// classes. README.md says what that holds and what it does not.
//
// Results are lines signed with the run's nonce. A test that did not report did
// not pass, whatever a process says with its exit code.
package main

import (
	"github.com/goals-tracker/tracker/sdk/validator"
)

const version = "1.0.0"

// options are what a task may set.
type options struct {
	RunSkipped  bool     `json:"run_skipped" doc:"Run the tests that are marked as @Disabled too."`
	Entry       string   `json:"entry" doc:"The file whose main method is run when the task has no tests; by default Main.java or the only one."`
	IgnoreRules []string `json:"ignore_rules" doc:"Rules whose warnings are left out, such as compiler.warn.raw.class.use."`
}

var spec = &validator.Spec{
	Name:    "validator-java",
	Version: version,
	Languages: []validator.Language{{
		Name: "java", Aliases: []string{"java17", "jdk"}, Extensions: []string{".java"}, DefaultFile: "Main.java",
		TestGlobs: []string{"*Test.java", "*Tests.java", "Test*.java"},
	}},
	Runtimes: []validator.Runtime{{
		ID: "java",
		Mounts: []validator.Mount{
			{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true},
			{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true},
			// Debian keeps a JDK's settings here and links to them.
			{Source: "/etc/java-17-openjdk", Optional: true}, {Source: "/etc/java-21-openjdk", Optional: true},
		},
		// Found in /usr/local/bin or /usr/bin; javac tells a JDK from a JRE.
		Programs:    []string{"java", "javac"},
		VersionArgv: []string{"java", "-version"},
		WarmUp:      warmUp(),
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
