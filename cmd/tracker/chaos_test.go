package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	postgrescluster "github.com/goals-tracker/tracker/modules/core/postgres/cluster"
)

const (
	chaosLearners = 200
	chaosTasks    = 3
	chaosReplicas = 3
)

// TestChaos has learners hand in code on replicas while, in turn, each part of
// the system dies: what was acknowledged is in the log once, each screen got its
// events once and in order, every snapshot has one verdict, and a consumer of
// RabbitMQ saw every event.
func TestChaos(t *testing.T) {
	if os.Getenv("TRACKER_CHAOS") == "" {
		t.Skip("minutes of faults under load: make chaos runs it")
	}
	db := startDatabase(t)
	rabbit, redis := brokertest.Own(t), cachetest.Own(t)
	address := rabbit.Host(t)
	heard := hear(t, address)
	c := &fleet{t: t}
	for range chaosReplicas {
		c.replicas = append(c.replicas, replica(t, "api,worker,publisher", "DATABASE_URL="+db.url(), "RABBITMQ_URL="+address, "REDIS_URL="+redis.URL()))
	}

	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	enough := make(chan struct{})
	screens, off := context.WithCancel(ctx)
	var watching sync.WaitGroup
	learners := make([]*learner, chaosLearners)
	work, working := errgroup.WithContext(ctx)
	for i := range learners {
		l := c.learner(i)
		learners[i] = l
		watching.Go(func() { l.watch(screens) })
		work.Go(func() error {
			for !l.open() { // its screen sees all that it does
				select {
				case <-working.Done():
					return working.Err()
				case <-time.After(20 * time.Millisecond):
				}
			}
			return l.work(working, enough)
		})
	}
	done := make(chan error, 1)
	go func() { done <- work.Wait() }()
	c.faults(ctx, t, done, db, rabbit, redis)
	close(enough)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, db.url())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	until(t, 2*time.Minute, func() (string, bool) { return arrived(t, conn, learners) })
	off()
	watching.Wait()
	connections := 0
	for _, l := range learners {
		connections += l.connections
		l.check(t, conn)
	}
	total := verdicts(t, conn, learners)
	until(t, 2*time.Minute, func() (int, bool) { n := heard.missing(t, conn); return n, n == 0 })
	heard.order(t, conn)
	t.Logf("%d learners, %d connections, %d snapshots, %d messages from RabbitMQ", len(learners), connections, total, heard.count())
}

// faults makes each part die once, unless the work ends by itself, which is an
// error of its own.
func (c *fleet) faults(ctx context.Context, t *testing.T, done chan error, db *ownDatabase, rabbit *brokertest.Server, redis *cachetest.Server) {
	t.Helper()
	reborn := func(p *process, seconds int) func() error {
		return func() error { p.kill(); pause(ctx, seconds); p.start(); return nil }
	}
	for _, fault := range []struct {
		name   string
		strike func() error
	}{
		{"a replica is killed", reborn(c.replicas[0], 2)},
		{"RabbitMQ is killed", func() error { err := rabbit.Kill(); pause(ctx, 3); return errors.Join(err, rabbit.Start()) }},
		{"Redis is stopped and forgets", func() error { redis.Kill(); pause(ctx, 3); return redis.Start() }},
		{"another replica is killed", reborn(c.replicas[1], 1)},
		{"PostgreSQL restarts", func() error { return db.restart(ctx) }},
		{"plugins are killed", c.killPlugins},
		{"the last replica is killed", reborn(c.replicas[2], 1)},
	} {
		pause(ctx, 4)
		select {
		case err := <-done:
			done <- err
			t.Errorf("the work had ended before %s", fault.name)
			return
		default:
		}
		if err := fault.strike(); err != nil {
			t.Errorf("%s: %v", fault.name, err)
		}
	}
	pause(ctx, 4)
}

func pause(ctx context.Context, seconds int) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(seconds) * time.Second):
	}
}

// killPlugins kills the validators that the replicas run.
func (c *fleet) killPlugins() error {
	var parents []int
	for _, p := range c.replicas {
		parents = append(parents, p.cmd.Process.Pid)
	}
	entries, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	killed := 0
	for _, entry := range entries {
		stat, err := os.ReadFile(entry)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		parent, err := strconv.Atoi(fields[1])
		if err != nil || !slices.Contains(parents, parent) || !strings.Contains(string(stat), "validator") {
			continue
		}
		pid, err := strconv.Atoi(strings.Fields(string(stat))[0])
		if err == nil && pid > 1 && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed == 0 {
		return errors.New("no plugin was found to kill")
	}
	return nil
}

// ownDatabase is a PostgreSQL of the test's own, which it restarts.
type ownDatabase struct {
	cfg postgrescluster.Config
	*postgrescluster.Cluster
}

func startDatabase(t *testing.T) *ownDatabase {
	t.Helper()
	dir, err := os.MkdirTemp("", "tracker-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // the account that it runs as goes through
		t.Fatal(err)
	}
	d := &ownDatabase{cfg: postgrescluster.Config{DataDir: filepath.Join(dir, "data"), Logger: slog.New(slog.DiscardHandler)}}
	if d.Cluster, err = postgrescluster.Start(t.Context(), d.cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Stop(context.WithoutCancel(t.Context())), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *ownDatabase) url() string { return d.URL("") }

func (d *ownDatabase) restart(ctx context.Context) (err error) {
	if err := d.Stop(ctx); err != nil {
		return err
	}
	pause(ctx, 1)
	d.Cluster, err = postgrescluster.Start(ctx, d.cfg)
	return err
}

// open reports whether the screen was connected.
func (l *learner) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch != ""
}

// owed are the ids of a learner's events, in order.
func owed(t *testing.T, conn *pgx.Conn, user string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT event_id::text FROM events.events WHERE subject_id = $1 ORDER BY position`, user)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// arrived reports whether every goal is done with, and every screen has as many
// events as it is owed, and notes those: what the agents do afterwards can come
// when nobody looks any more.
func arrived(t *testing.T, conn *pgx.Conn, learners []*learner) (string, bool) {
	t.Helper()
	for _, l := range learners {
		var completed int
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM events.events WHERE subject_id = $1 AND type = 'goal.completed'`, l.id).Scan(&completed); err != nil {
			t.Fatal(err)
		}
		if completed < l.goals {
			return fmt.Sprintf("%s has completed %d goals of %d", l.id, completed, l.goals), false
		}
		l.owed = owed(t, conn, l.id)
		l.mu.Lock()
		got := len(l.seen)
		l.mu.Unlock()
		if got < len(l.owed) {
			return fmt.Sprintf("%s has %d events of %d", l.id, got, len(l.owed)), false
		}
	}
	return "", true
}

// check compares a screen with the log.
func (l *learner) check(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for _, w := range l.wrong {
		t.Errorf("%s: %s", l.id, w)
	}
	all := owed(t, conn, l.id)
	if len(l.seen) < len(l.owed) || len(l.seen) > len(all) || !slices.Equal(l.seen, all[:len(l.seen)]) {
		t.Errorf("%s saw %d events, it was owed %d, or in another order: %s", l.id, len(l.seen), len(l.owed), difference(l.seen, all))
	}
	if len(l.acknowledged) != l.goals*chaosTasks {
		t.Errorf("%s handed in %d times for %d goals", l.id, len(l.acknowledged), l.goals)
	}
	for _, id := range l.acknowledged {
		if l.verdicts[id] != "passed" {
			t.Errorf("%s: snapshot %s is %q on the screen", l.id, id, l.verdicts[id])
		}
	}
}

// difference says where a screen's events part from those that it is owed.
func difference(seen, owed []string) string {
	at := 0
	for at < min(len(seen), len(owed)) && seen[at] == owed[at] {
		at++
	}
	var missing []string
	for n, id := range owed {
		if !slices.Contains(seen, id) {
			missing = append(missing, fmt.Sprintf("%d: %s", n, id))
		}
	}
	return fmt.Sprintf("they part at %d, it never saw %q", at, missing)
}

// verdicts checks that the log has each acknowledged command once and one verdict
// for each snapshot, and counts those.
func verdicts(t *testing.T, conn *pgx.Conn, learners []*learner) int {
	t.Helper()
	count := func(sql string, args ...any) (n int) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	goals := 0
	for _, l := range learners {
		goals += l.goals
	}
	for kind, want := range map[string]int{
		"goal.created": goals, "goal.completed": goals, "task.created": goals * chaosTasks, "snapshot.submitted": goals * chaosTasks,
		"validation.completed": goals * chaosTasks, "task.completed": goals * chaosTasks,
	} {
		if got := count(`SELECT count(*) FROM events.events WHERE type = $1`, kind); got != want {
			t.Errorf("the log has %d events %s, want %d", got, kind, want)
		}
	}
	total := 0
	for _, l := range learners {
		for _, id := range l.acknowledged {
			total++
			if n := count(`SELECT count(*) FROM events.events WHERE type = 'snapshot.submitted' AND data->>'snapshot_id' = $1`, id); n != 1 {
				t.Errorf("snapshot %s was acknowledged once and is in the log %d times", id, n)
			}
			if n := count(`SELECT count(*) FROM validation.runs WHERE snapshot_id = $1::uuid AND verdict = 'passed'`, id); n != 1 {
				t.Errorf("snapshot %s has %d verdicts", id, n)
			}
		}
	}
	return total
}
