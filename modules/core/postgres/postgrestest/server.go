package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/goals-tracker/tracker/modules/core/postgres/cluster"
)

// DataDir returns the folder of the shared test server of this user.
func DataDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("tracker-pgtest-%d", os.Geteuid()))
}

// Stop stops the shared test server, if one runs. `make test` calls it last.
func Stop(ctx context.Context) error { return cluster.StopDetached(ctx, DataDir()) }

var (
	serverMu    sync.Mutex
	serverKnown string
)

// serverURL returns the maintenance database's URL, starting the shared server
// when needed.
func serverURL(ctx context.Context) (string, error) {
	if url := os.Getenv(ServerVariable); url != "" {
		return url, nil
	}
	serverMu.Lock()
	defer serverMu.Unlock()
	if serverKnown != "" {
		return serverKnown, nil
	}
	if err := ours(DataDir()); err != nil {
		return "", err
	}
	c, err := start(ctx)
	if errors.Is(err, cluster.ErrDidNotStart) {
		// Without fsync a power cut spoils the folder; all in it can be made again.
		if removeErr := os.RemoveAll(filepath.Join(DataDir(), "postgres", "data")); removeErr != nil {
			return "", errors.Join(err, removeErr)
		}
		c, err = start(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("%w (or name a server for tests in %s)", err, ServerVariable)
	}
	serverKnown = c.URL("postgres")
	return serverKnown, nil
}

func start(ctx context.Context) (*cluster.Cluster, error) {
	return cluster.Start(ctx, cluster.Config{
		DataDir:  DataDir(),
		Database: "postgres",
		Detached: true,
		Logger:   slog.New(slog.DiscardHandler),
		Settings: map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
			"max_connections": "300", "max_wal_size": "2GB", "checkpoint_timeout": "30min",
			"autovacuum_naptime": "5s", "log_error_verbosity": "default",
		},
	})
}

// ours refuses a folder that somebody else put at our place in /tmp.
func ours(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is not a folder of this user: remove it, or set TMPDIR", dir)
	}
	return nil
}
