package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestOperatorsSayFromWhereOnEventsArePublished(t *testing.T) {
	url := postgrestest.URL(t)
	command := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), append([]string{"events", "outbox", "--env-file=/dev/null"}, args...)...)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "TRACKER_DATA_DIR="+t.TempDir(), "SECRET_KEY="+testSecret, "TRACKER_SERVER_DEV=true")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := command(); err != nil || !strings.Contains(out, "nothing was published yet") {
		t.Errorf("before anything is published it says %s: %v", out, err)
	}
	for _, from := range []string{"now", "beginning"} {
		if out, err := command("--from", from); from == "now" && (err != nil || !strings.Contains(out, "published up to 0, 0 behind")) {
			t.Errorf("from %s it says %s: %v", from, out, err)
		} else if from == "beginning" && err != nil {
			t.Errorf("from the beginning of an empty log it says %s: %v", out, err)
		}
	}
	for from, want := range map[string]string{"yesterday": "use now, beginning, or a sequence", "0": "use now, beginning, or a sequence", "7": "the log's go from 1 to 0"} {
		if out, err := command("--from", from); err == nil || !strings.Contains(out, want) {
			t.Errorf("from %s it says %s: %v", from, out, err)
		}
	}
}
