package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
)

func TestAnErasureOfAKilledProcessIsFinishedByAnother(t *testing.T) {
	db, dir := postgrestest.DB(t), t.TempDir()
	pool := db.Pool()
	exec1 := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for _, user := range []string{goes, stays} {
		exec1(`INSERT INTO llm.learner_settings (user_id, local_only, updated_at) VALUES ($1, true, now())`, user)
		exec1(`INSERT INTO events.streams (stream_id, type, subject_id, version, created_at, updated_at) VALUES ('note:' || $1, 'note', $1, 5000, now(), now())`, user)
		exec1(`INSERT INTO events.events (event_id, stream_id, version, type, schema_version, subject_id, data, meta, occurred_at)
			SELECT gen_random_uuid(), 'note:' || $1, n, 'goal.started', 1, $1, '{}', json_build_object('actor', $1), now() FROM generate_series(1, 5000) n`, user)
	}
	command := func(settle string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), "events", "erase", "--user", goes, "--yes")
		c.Dir = t.TempDir()
		c.Env = append(os.Environ(), "DATABASE_URL="+db.URL(), "TRACKER_DATA_DIR="+dir, "TRACKER_EVENTS_ERASURE_SETTLE="+settle)
		return c
	}
	// It waits here for long, with one round done.
	killed := command("10m")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, time.Minute, func() (n int, erased bool) {
		if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM llm.learner_settings WHERE user_id = $1`, goes).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n, n == 0
	})
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	exec1(`UPDATE events.erasures SET leased_until = '-infinity'`) // as time does
	said, err := command("1ms").Output()
	file := regexp.MustCompile(`receipt: (\S+)`).FindSubmatch(said)
	if err != nil || len(file) < 2 {
		t.Fatalf("%v\n%s", err, said)
	}
	content, err := os.ReadFile(string(file[1]))
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := eventsfx.VerifyReceipt(content, "")
	if err != nil || !receipt.Complete || receipt.Tables["events.events"].Erased != 5000 || receipt.Tables["llm.learner_settings"].Erased != 1 {
		t.Errorf("%+v, %v", receipt, err)
	}
	var left string
	err = pool.QueryRow(t.Context(), `SELECT string_agg(DISTINCT subject_id || ' ' || n, ', ') FROM (
		SELECT subject_id, count(*) AS n FROM events.events WHERE subject_id IS NOT NULL GROUP BY 1) s`).Scan(&left)
	if want := fmt.Sprint(stays, " 5000"); err != nil || left != want {
		t.Errorf("left are %q, want %q, %v", left, want, err)
	}
}
