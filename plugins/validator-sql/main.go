// Command validator-sql judges SQL: queries, and scripts that define or change
// data, on throw-away SQLite or PostgreSQL databases.
//
// Learners' statements run in a room that holds the task's data and nothing of
// what is expected; the task's own reference runs in another. What both answer
// travels as data, and this plugin compares it (integrity "split"). Each test
// gets a fresh database. README.md says how tests are written.
package main

import (
	"embed"

	"github.com/goals-tracker/tracker/plugins/validator-sql/internal/sqltext"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// programs is what runs in the sandbox.
//
//go:embed py/*.py py/shm.c
var programs embed.FS

const (
	version = "1.0.0"
	python  = "/usr/bin/python3"
)

// options are what a task may set.
type options struct {
	Dialect     string   `json:"dialect" enum:"sqlite,postgres" doc:"The database that statements run on."`
	Order       string   `json:"order" enum:"auto,ordered,unordered" doc:"Whether the order of rows counts; auto: when the reference or the check has an ORDER BY."`
	Columns     string   `json:"columns" enum:"names,any" doc:"Whether the names of columns count."`
	Tolerance   float64  `json:"tolerance" doc:"How far numbers may be from those that are expected."`
	IgnoreRules []string `json:"ignore_rules" doc:"Rules whose findings are left out, such as select-star."`
}

func (o options) settings() settings {
	s := settings{anyNames: o.Columns == "any", tolerance: o.Tolerance}
	if o.Order != "auto" {
		s.order = o.Order
	}
	return s
}

func (o options) dialect() sqltext.Dialect { return sqltext.Dialect(o.Dialect) }

// postgresBin is the folder of this machine's PostgreSQL, "" for none.
var postgresBin = findPostgres()

var spec = newSpec(postgresBin)

// newSpec describes the plugin on a machine with that PostgreSQL, "" for none.
func newSpec(postgres string) *validator.Spec {
	s := &validator.Spec{
		Name:    "validator-sql",
		Version: version,
		Languages: []validator.Language{{
			Name: "sql", Aliases: []string{"sqlite", "postgresql"}, Extensions: []string{".sql"}, DefaultFile: "query.sql",
			TestGlobs: []string{"*.test.sql", "*_test.sql", "solution.sql", "*.solution.sql"},
		}},
		Runtimes: []validator.Runtime{{
			ID: "sqlite", Mounts: system, Programs: []string{python},
			VersionArgv: []string{python, "-I", "-S", "-c", `import sqlite3; print("SQLite", sqlite3.sqlite_version)`},
			Env:         map[string]string{"PYTHONDONTWRITEBYTECODE": "1"},
		}},
		Options: options{Dialect: "sqlite", Order: "auto", Columns: "names"},
		Plan:    plan,
		Judge:   judge,
		Mutate:  mutate,
	}
	if postgres != "" {
		s.Runtimes = append(s.Runtimes, postgresRuntime(postgres))
	}
	return s
}

var system = []validator.Mount{
	{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true},
	{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true},
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
