package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// findPgbench looks beside the server's own programs first: in the PATH may be
// a wrapper, or another version.
func findPgbench(ctx context.Context, pool *pgxpool.Pool, binaries string) (string, error) {
	dirs := []string{binaries}
	var dir string
	// Only superusers may ask.
	if err := pool.QueryRow(ctx, "SELECT setting FROM pg_config WHERE name = 'BINDIR'").Scan(&dir); err == nil {
		dirs = append(dirs, dir)
	}
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well-formed
	slices.SortFunc(installed, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(b, a)) })
	for _, dir := range append(dirs, installed...) {
		if path, err := exec.LookPath(filepath.Join(dir, "pgbench")); err == nil && dir != "" {
			return path, nil
		}
	}
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	return "", errors.New("pgbench is not installed: it comes with PostgreSQL's server (`make setup` installs it); name its folder in database.binaries")
}

// pgbench is the side that runs a script, with a session per client.
func (b *bench) pgbench(s script, clients int) side {
	return side{name: "pgbench", run: func(ctx context.Context) (work, error) {
		out, usage, err := b.script(ctx, s, fmt.Sprintf("--client=%d", clients), fmt.Sprintf("--jobs=%d", min(clients, runtime.NumCPU())),
			fmt.Sprintf("--time=%d", max(1, int(math.Round(b.Round.Seconds())))))
		if err != nil {
			return work{}, err
		}
		w, err := read(out)
		w.clientsCPU = usage
		return w, err
	}}
}

// script runs pgbench; cpu is the seconds of CPU time that it took itself.
func (b *bench) script(ctx context.Context, s script, args ...string) (out []byte, cpu float64, err error) {
	file, err := os.CreateTemp("", "tracker-bench-*.sql")
	if err != nil {
		return nil, 0, fmt.Errorf("write script for pgbench: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(s.text)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, 0, fmt.Errorf("write script for pgbench: %w", err)
	}
	args = append(args, "--no-vacuum", "--protocol=prepared", "--file="+file.Name(),
		// The time of a UUIDv7 and its version, so that ids come after those that are
		// there, as any writer's do.
		"--define=t="+uuid.Must(uuid.NewV7()).String()[:15])
	for _, v := range s.vars {
		args = append(args, "--define="+v)
	}
	cmd := exec.CommandContext(ctx, b.program, args...)
	if cmd.Env, err = environment(b.db.url); err != nil {
		return nil, 0, err
	}
	if out, err = cmd.CombinedOutput(); err != nil {
		return nil, 0, fmt.Errorf("pgbench: %w: %s", err, tail(out))
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		cpu = seconds(*usage)
	}
	return out, cpu, nil
}

// environment leads pgbench to the database with what the server's connections
// have. The password is not for everybody's process list.
func environment(url string) ([]string, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("read the database URL for pgbench")
	}
	tls := "disable"
	if cfg.TLSConfig != nil {
		tls = "require"
	}
	return append(os.Environ(),
		"LC_ALL=C", "PGHOST="+cfg.Host, fmt.Sprintf("PGPORT=%d", cfg.Port), "PGUSER="+cfg.User, "PGPASSWORD="+cfg.Password,
		"PGDATABASE="+cfg.Database, "PGSSLMODE="+tls, "PGAPPNAME=pgbench",
		fmt.Sprintf("PGOPTIONS=-c statement_timeout=%d -c idle_in_transaction_session_timeout=%d",
			statementTimeout.Milliseconds(), time.Minute.Milliseconds()),
	), nil
}

var (
	processed = regexp.MustCompile(`number of transactions actually processed: (\d+)`)
	failed    = regexp.MustCompile(`number of failed transactions: (\d+)`)
	perSecond = regexp.MustCompile(`tps = ([\d.]+) \(without initial connection time\)`)
)

func read(out []byte) (work, error) {
	count, rate := processed.FindSubmatch(out), perSecond.FindSubmatch(out)
	if count == nil || rate == nil {
		return work{}, fmt.Errorf("pgbench says nothing of its transactions: %s", tail(out))
	}
	if wrong := failed.FindSubmatch(out); wrong != nil && string(wrong[1]) != "0" {
		return work{}, fmt.Errorf("%s transactions of pgbench failed: %s", wrong[1], tail(out))
	}
	n, err := strconv.Atoi(string(count[1]))
	if err != nil {
		return work{}, fmt.Errorf("read what pgbench says: %w", err)
	}
	tps, err := strconv.ParseFloat(string(rate[1]), 64)
	if err != nil || tps <= 0 {
		return work{}, fmt.Errorf("pgbench did nothing: %s", tail(out))
	}
	return work{count: n, seconds: float64(n) / tps}, nil
}

func tail(out []byte) string {
	text := strings.TrimSpace(string(out))
	return text[max(0, len(text)-1000):]
}
