package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	superuser = "tracker"
	port      = 5432 // only names the socket: the server listens on no address
)

// Config says which server to run. The zero value runs the default one.
type Config struct {
	// DataDir is the tracker's data folder; the server's files go to its
	// subfolder "postgres". Defaults to DefaultDataDir().
	DataDir string

	// Binaries is the folder of initdb and postgres. Defaults to the newest
	// PostgreSQL 15+ installed that has pgvector.
	Binaries string

	// Database is created when it doesn't exist. Defaults to "tracker".
	Database string

	// Settings are PostgreSQL settings laid over the durable defaults. They
	// take effect when the server starts, not when it is adopted.
	Settings map[string]string

	// Detached starts a server that nobody owns: it outlives the process, is
	// watched by no goroutine and is stopped by StopDetached. For tests.
	Detached bool

	// Logger hears of starts, crashes and restarts. Defaults to slog.Default().
	Logger *slog.Logger
}

// Cluster is a running server, owned by this process or attached to.
type Cluster struct {
	cfg    Config
	layout layout
	server atomic.Pointer[server]
	lock   *os.File // nil unless this process is the owner

	stopOnce sync.Once
	stopErr  error
	cancel   context.CancelFunc
	watched  chan struct{}
}

// DefaultDataDir returns TRACKER_DATA_DIR when set, else /var/lib/tracker for
// root and $XDG_DATA_HOME/tracker (~/.local/share/tracker) for anybody else.
func DefaultDataDir() (string, error) {
	if dir := os.Getenv("TRACKER_DATA_DIR"); dir != "" {
		return dir, nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/tracker", nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tracker"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return "", errors.New("no home folder to keep data in: set TRACKER_DATA_DIR to a folder of this user")
	}
	return filepath.Join(home, ".local", "share", "tracker"), nil
}

// Start returns when the server accepts connections. It creates the data folder
// on first use, adopts a server whose owner was killed, and attaches to one
// whose owner lives. Recovery after a crash is waited for as long as ctx allows.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Database == "" {
		cfg.Database = superuser
	}
	if cfg.DataDir == "" {
		dir, err := DefaultDataDir()
		if err != nil {
			return nil, err
		}
		cfg.DataDir = dir
	}
	lay, err := prepare(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg, layout: lay}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	if err := c.ensureDatabase(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return nil, errors.Join(err, c.Stop(stopCtx))
	}
	return c, nil
}

// start becomes the owner when nobody is, else waits until the owner's server
// is ready. It tries both in turn: an owner may die while we wait for it.
func (c *Cluster) start(ctx context.Context) error {
	for {
		lock, owner, err := tryLock(c.layout.lockFile())
		if err != nil {
			return err
		}
		if owner {
			return c.own(ctx, lock)
		}
		if srv, ok := findServer(c.layout); ok && srv.ping(ctx) == nil {
			c.server.Store(srv)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the PostgreSQL in %s, which another process is starting: %w", c.layout.root, context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *Cluster) own(ctx context.Context, lock *os.File) error {
	srv, err := adoptOrLaunch(ctx, c.cfg, c.layout)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	c.server.Store(srv)
	if c.cfg.Detached {
		return lock.Close()
	}
	c.lock = lock
	watchCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel, c.watched = cancel, make(chan struct{})
	go c.watch(watchCtx)
	return nil
}

// watch starts the server again when it goes down without having been asked to.
func (c *Cluster) watch(ctx context.Context) {
	defer close(c.watched)
	const longest = 30 * time.Second
	pause := 250 * time.Millisecond
	for wait := pause; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if c.server.Load().running() {
			wait, pause = 250*time.Millisecond, 250*time.Millisecond
			continue
		}
		c.cfg.Logger.ErrorContext(ctx, "the embedded PostgreSQL went down; starting it again", "folder", c.layout.root)
		srv, err := adoptOrLaunch(ctx, c.cfg, c.layout)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			pause = min(2*pause, longest)
			wait = pause
			c.cfg.Logger.ErrorContext(ctx, "the embedded PostgreSQL did not start", "error", err, "again_in", wait)
			continue
		}
		c.server.Store(srv)
	}
}

// URL returns the connection URL of a database, as the cluster's superuser
// "tracker" over the unix socket. It holds no secret. An empty name means
// Config.Database.
func (c *Cluster) URL(db string) string {
	if db == "" {
		db = c.cfg.Database
	}
	return c.server.Load().url(db)
}

// Owner reports whether Stop of this cluster stops the server.
func (c *Cluster) Owner() bool { return c.lock != nil }

// Stop ends the server by a fast shutdown (open transactions are rolled back)
// when this process owns it, and does nothing otherwise. When ctx ends first,
// the server is ended at once; it recovers by its log at the next start.
func (c *Cluster) Stop(ctx context.Context) error {
	if c.lock == nil {
		return nil
	}
	c.stopOnce.Do(func() {
		c.cancel()
		<-c.watched
		c.stopErr = errors.Join(c.server.Load().stop(ctx), c.lock.Close())
	})
	return c.stopErr
}

// StopDetached stops the server of a data folder that was started with
// Config.Detached; it does nothing when none runs.
func StopDetached(ctx context.Context, dataDir string) error {
	root, err := filepath.Abs(dataDir)
	if err != nil {
		return fmt.Errorf("find folder %s: %w", dataDir, err)
	}
	srv, ok := findServer(layout{root: filepath.Join(root, subfolder)})
	if !ok {
		return nil
	}
	return srv.stop(ctx)
}

// tryLock returns the locked file, or false when another process holds it.
// The lock ends with the process, however that ends.
func tryLock(path string) (*os.File, bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("open the lock of the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("lock %s: %w", path, err)
	}
	// The content is for people who wonder; the lock itself is what counts.
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return f, true, nil
}

func socketURL(socketDir string, port int, db string) string {
	u := url.URL{
		Scheme: "postgresql", User: url.User(superuser), Path: "/" + db,
		RawQuery: url.Values{"host": {socketDir}, "port": {fmt.Sprint(port)}}.Encode(),
	}
	return u.String()
}
