package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// adoptOrLaunch returns a ready server; the caller holds the lock.
func adoptOrLaunch(ctx context.Context, cfg Config, l layout) (*server, error) {
	if srv, ok := findServer(l); ok {
		err := srv.awaitReady(ctx)
		if err == nil {
			cfg.Logger.InfoContext(ctx, "adopted the running embedded PostgreSQL", "pid", srv.pid, "folder", l.root)
			return srv, nil
		}
		if errors.Is(err, errSocketGone) {
			cfg.Logger.WarnContext(ctx, "restarting the embedded PostgreSQL to get its socket back", "pid", srv.pid, "error", err)
			err = srv.stop(ctx)
		} else if errors.Is(err, ErrDidNotStart) {
			err = nil // it was going down: it is gone, start another
		}
		if err != nil {
			return nil, err
		}
	}
	major, err := l.majorOf()
	if err != nil {
		return nil, err
	}
	p, err := findPrograms(ctx, cfg.Binaries, major)
	if err != nil {
		return nil, err
	}
	if major == 0 {
		if err := initialize(ctx, p, l, cfg.Settings); err != nil {
			return nil, err
		}
	}
	srv, err := launch(ctx, p, l, cfg.Settings)
	if err != nil {
		return nil, err
	}
	cfg.Logger.InfoContext(ctx, "started the embedded PostgreSQL", "version", p.major, "pid", srv.pid, "folder", l.root)
	return srv, nil
}

func launch(ctx context.Context, p programs, l layout, settings map[string]string) (*server, error) {
	socketDir, err := l.socketDir()
	if err != nil {
		return nil, err
	}
	if err := l.configure(socketDir, settings); err != nil {
		return nil, err
	}
	if err := clearStaleLocks(ctx, l, socketDir); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(l.startLog(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() { _ = out.Close() }()
	// Not CommandContext: the server outlives ctx, and a killed tracker too.
	cmd := exec.Command(p.path("postgres"), "-D", l.data(), "-c", "config_file="+l.config())
	cmd.Dir, cmd.Env, cmd.SysProcAttr = l.root, environment, l.account.attributes()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	srv := &server{layout: l, pid: cmd.Process.Pid, child: true, socketDir: socketDir, port: port}
	if err := cmd.Process.Release(); err != nil { // reaped by running
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := srv.awaitReady(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return nil, errors.Join(err, srv.stop(stopCtx))
	}
	return srv, nil
}

// clearStaleLocks removes the lock files of a dead server whose pid still means
// something: a stranger's process, or a zombie that nobody reaps. PostgreSQL
// would refuse to start. It handles a free pid itself, and that is left to it,
// since the files also guard against surviving children.
func clearStaleLocks(ctx context.Context, l layout, socketDir string) error {
	text, err := readFile(l.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", l.pidFile(), err)
	}
	first, _, _ := strings.Cut(text, "\n")
	// What isn't a number is left to PostgreSQL, which says best what is wrong.
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	if pid <= 1 {
		return nil
	}
	// A killed server needs a moment to be reaped, and its children to notice.
	for patience := time.Now().Add(2 * time.Second); ; {
		if !taken(pid) {
			return nil
		}
		if time.Now().After(patience) && len(workersIn(l.data())) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of a dead PostgreSQL's processes %v in %s: %w", workersIn(l.data()), l.root, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
	for _, path := range []string{l.pidFile(), filepath.Join(socketDir, fmt.Sprintf(".s.PGSQL.%d.lock", port))} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a stale lock: %w", err)
		}
	}
	return nil
}

// taken reports whether a process that we may signal has that pid.
func taken(pid int) bool { return syscall.Kill(pid, 0) == nil }

// workersIn returns the processes whose working folder is that one.
func workersIn(folder string) []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && worksIn(pid, folder) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// ensureDatabase creates the database that URL("") names.
func (c *Cluster) ensureDatabase(ctx context.Context) error {
	conn, err := c.server.Load().connect(ctx)
	if err != nil {
		return fmt.Errorf("connect to the embedded PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	const query = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if err := conn.QueryRow(ctx, query, c.cfg.Database).Scan(&exists); err != nil {
		return fmt.Errorf("look for database %s: %w", c.cfg.Database, err)
	}
	if exists {
		return nil
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{c.cfg.Database}.Sanitize())
	var pgErr *pgconn.PgError
	// Another process may have been faster: duplicate_database, unique_violation.
	if errors.As(err, &pgErr) && (pgErr.Code == "42P04" || pgErr.Code == "23505") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", c.cfg.Database, err)
	}
	return nil
}
