package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestArgumentsThatCannotBeRightAreRefusedWithTheValueAndWhatToDo(t *testing.T) {
	empty := t.TempDir()
	database := "database.url=" + postgrestest.URL(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"token", "--user", ""}, "ids have 1 to 36 characters"},
		{[]string{"token", "--user", "ben", "--course", strings.Repeat("x", 37)}, "ids have 1 to 36 characters"},
		{[]string{"rag", "ingest", "--course", "two words", empty}, `"two words" can't be an id`},
		{[]string{"webhooks", "list", strings.Repeat("x", 37)}, "ids have 1 to 36 characters"},
		{[]string{"plugin", "list", "--set", "plugins.dir=/nowhere/x"}, `plugins.dir is "/nowhere/x"`},
		{[]string{"plugin", "disable", "x", "--set", "plugins.dir=" + empty}, "there are: none"},
		{[]string{"validate", "--language", "python", "--submission", empty, "--options", "{bad"}, `--options is "{bad": write a JSON object`},
		{[]string{"validate", "--language", "python", "--submission", empty, "--set", "plugins.dir=" + empty}, "no validator runs; `tracker plugin list` shows why"},
		{[]string{"migrate", "import", "--from", "notaurl", "--set", database}, "--from can't be read: write postgresql://"},
		{[]string{"migrate", "import", "--from", "postgresql://bo@127.0.0.1:1/old", "--set", database}, `database "old" at 127.0.0.1:1 can't be reached as "bo": `},
		{[]string{"demo", "--academy", "http://127.0.0.1:1"}, "nobody answers at http://127.0.0.1:1 "},
	} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), c.args...)
		cmd.Env = append(os.Environ(), "SECRET_KEY="+testSecret, "TRACKER_DATA_DIR="+empty)
		said, err := cmd.CombinedOutput()
		var ended *exec.ExitError
		if !errors.As(err, &ended) || !strings.Contains(string(said), c.want) || strings.Count(string(said), ": ") > 6 {
			t.Errorf("tracker %s: %v, %s", strings.Join(c.args, " "), err, said)
		}
	}
}

func TestNoMigrationIsUndoneUntilSomebodyRepeatsItsNumber(t *testing.T) {
	db := postgrestest.URL(t)
	tracker := func(input string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), append(args, "--set", "database.url="+db)...)
		cmd.Env, cmd.Stdin = append(os.Environ(), "TRACKER_DATA_DIR="+t.TempDir()), strings.NewReader(input)
		said, err := cmd.CombinedOutput()
		return string(said), err
	}
	if said, err := tracker("", "migrate", "up"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for _, input := range []string{"", "y\n", "1\n"} {
		if said, err := tracker(input, "migrate", "down"); err == nil || !strings.Contains(said, "nothing was undone") {
			t.Errorf("%q: %v, %s", input, err, said)
		}
	}
	if said, _ := tracker("", "migrate", "status"); strings.Contains(said, "pending\n") {
		t.Errorf("undone: %s", said)
	}
	said, err := tracker("", "migrate", "down", "--yes")
	after, _ := tracker("", "migrate", "status")
	if err != nil || !strings.Contains(said, ".sql was undone") || strings.Count(after, "pending\n") != 1 {
		t.Errorf("%v: %s\n%s", err, said, after)
	}
}
