package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// postgresHome is where distributions put PostgreSQL, a folder per version.
const postgresHome = "/usr/lib/postgresql"

// findPostgres returns the folder of the newest PostgreSQL's programs, or "".
func findPostgres() string {
	found, err := filepath.Glob(postgresHome + "/*/bin/initdb")
	if err != nil {
		return ""
	}
	found = slices.DeleteFunc(found, func(p string) bool {
		_, err := os.Stat(filepath.Join(filepath.Dir(p), "postgres"))
		return err != nil
	})
	if len(found) == 0 {
		return ""
	}
	major := func(p string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(p))))
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) }))
}

func postgresRuntime(bin string) validator.Runtime {
	return validator.Runtime{
		ID: "postgres", Mounts: system, Programs: []string{python, bin + "/postgres", bin + "/initdb"},
		VersionArgv: []string{bin + "/postgres", "--version"},
		Env:         map[string]string{"PYTHONDONTWRITEBYTECODE": "1", "TRACKER_POSTGRES": bin},
	}
}
