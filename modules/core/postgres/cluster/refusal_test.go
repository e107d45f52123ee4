package cluster_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres/cluster"
)

// refusal starts with the config and returns what the error says.
func refusal(t *testing.T, cfg cluster.Config) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	c, err := cluster.Start(ctx, cfg)
	if err == nil {
		stop(t, c)
		t.Fatal("it started")
	}
	return err.Error()
}

func mentions(t *testing.T, message string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(message, want) {
			t.Errorf("the error does not mention %q: %s", want, message)
		}
	}
}

func TestAFolderNobodyUnprivilegedCanEnterIsRefusedByName(t *testing.T) {
	if os.Geteuid() != 0 {
		dir := folder(t)
		if err := os.Mkdir(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		mentions(t, refusal(t, config(dir)), dir, "TRACKER_DATA_DIR", "DATABASE_URL")
		return
	}
	dir := folder(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	mentions(t, refusal(t, config(dir)), dir, "postgres", "nobody", "TRACKER_DATA_DIR", "DATABASE_URL")
}

func TestMissingProgramsAreNamedWithTheWayOn(t *testing.T) {
	cfg := config(folder(t))
	cfg.Binaries = t.TempDir()
	mentions(t, refusal(t, cfg), cfg.Binaries, "make setup", "DATABASE_URL")
}

func TestProgramsThatAreTooOldAreRefused(t *testing.T) {
	cfg := config(folder(t))
	cfg.Binaries = t.TempDir()
	for _, name := range []string{"initdb", "postgres"} {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) 13.4'\n"
		if err := os.WriteFile(filepath.Join(cfg.Binaries, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mentions(t, refusal(t, cfg), "version 13", "too old", "make setup")
}

func TestDataOfAnotherVersionIsRefused(t *testing.T) {
	dir := folder(t)
	stop(t, start(t, config(dir)))
	version := filepath.Join(dir, "postgres", "data", "PG_VERSION")
	if err := os.WriteFile(version, []byte("11\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mentions(t, refusal(t, config(dir)), "PostgreSQL 11", "postgresql-11", "pg_upgrade")
}

func TestASettingPostgresRefusesIsToldInItsWords(t *testing.T) {
	cfg := config(folder(t))
	cfg.Settings["shared_buffers"] = "lots"
	mentions(t, refusal(t, cfg), cfg.DataDir, "shared_buffers", "lots")
}

func TestAnInterruptedFirstStartLeavesNothingInTheWay(t *testing.T) {
	dir := folder(t)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if c, err := cluster.Start(ctx, config(dir)); err == nil {
		stop(t, c)
		t.Fatal("it started within 200 ms: there was nothing to interrupt")
	}
	query[int](t, start(t, config(dir)), "SELECT 1")
}
