package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrDidNotStart is in the error of Start when the server's process ended instead
// of becoming ready; the error carries what it said.
var ErrDidNotStart = errors.New("PostgreSQL did not start")

var errSocketGone = errors.New("PostgreSQL runs but its socket is gone")

// server is a postmaster process.
type server struct {
	layout    layout
	pid       int
	child     bool // of this process, which must reap it
	socketDir string
	port      int
}

// findServer returns the live server of the folder, by its postmaster.pid. A
// file that a dead server left, or whose pid another program got since, counts
// as none.
func findServer(l layout) (*server, bool) {
	text, err := readFile(l.pidFile())
	if err != nil {
		return nil, false
	}
	// pid, data folder, start time, port, socket folder, address, …
	lines := strings.Split(text, "\n")
	if len(lines) < 5 {
		return nil, false
	}
	pid, errPID := strconv.Atoi(strings.TrimSpace(lines[0]))
	port, errPort := strconv.Atoi(strings.TrimSpace(lines[3]))
	if errPID != nil || errPort != nil || pid <= 1 || lines[4] == "" {
		return nil, false
	}
	srv := &server{layout: l, pid: pid, socketDir: lines[4], port: port}
	return srv, srv.running()
}

// running looks whether the process works in our data folder, as every
// PostgreSQL does; a zombie or a stranger with the same pid doesn't.
func (s *server) running() bool {
	if s.child {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(s.pid, &status, syscall.WNOHANG, nil)
		return err == nil && pid == 0
	}
	return worksIn(s.pid, s.layout.data())
}

func worksIn(pid int, folder string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	if resolved, err := filepath.EvalSymlinks(folder); err == nil {
		folder = resolved
	}
	return cwd == folder
}

// awaitReady waits until the server takes connections, as long as ctx allows and
// the process lives: recovery after a crash may take minutes.
func (s *server) awaitReady(ctx context.Context) error {
	begin := time.Now()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		if !s.running() {
			return fmt.Errorf("%w in %s: %s", ErrDidNotStart, s.layout.root, s.lastWords())
		}
		// It listens before anything else; a cleaner of /tmp may have removed the
		// socket since.
		if time.Since(begin) > 10*time.Second && errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w", errSocketGone, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL in %s: %w (last: %w)", s.layout.root, context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ping fails when the server can't be reached or says that it isn't ready. Any
// other answer, such as too many connections, comes from a running server.
func (s *server) ping(ctx context.Context) error {
	conn, err := s.connect(ctx)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code != "57P03" && pgErr.Code != "57P01" { // cannot_connect_now, admin_shutdown
		return nil
	}
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func (s *server) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return pgx.Connect(ctx, s.url("postgres"))
}

func (s *server) url(db string) string { return socketURL(s.socketDir, s.port, db) }

// lastWords returns the ends of the start log and of today's log.
func (s *server) lastWords() string {
	words := tail(s.layout.startLog())
	logs, _ := filepath.Glob(filepath.Join(s.layout.logs(), "*.log")) // the pattern is well-formed
	newest, at := "", time.Time{}
	for _, path := range logs {
		if info, err := os.Lstat(path); err == nil && info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
	}
	if newest != "" && time.Since(at) < time.Minute {
		words += "\n" + tail(newest)
	}
	return strings.TrimSpace(words)
}

func tail(path string) string {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	const most = 2000
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, 2); err != nil {
			return ""
		}
	}
	buf := make([]byte, most)
	n, _ := f.Read(buf)
	return strings.TrimSpace(string(buf[:n]))
}

// stop asks for a fast shutdown, and for an immediate one when ctx ends first.
func (s *server) stop(ctx context.Context) error {
	if ended, err := s.signal(ctx, syscall.SIGINT); ended || err != nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if ended, err := s.signal(last, syscall.SIGQUIT); ended || err != nil {
		return err
	}
	return fmt.Errorf("PostgreSQL (pid %d) did not end", s.pid)
}

// signal sends one and reports whether the server ended before ctx did.
func (s *server) signal(ctx context.Context, signal syscall.Signal) (bool, error) {
	if !s.running() {
		return true, nil
	}
	if err := syscall.Kill(s.pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return false, fmt.Errorf("stop PostgreSQL (pid %d): %w", s.pid, err)
	}
	for {
		if !s.running() {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(10 * time.Millisecond):
		}
	}
}
