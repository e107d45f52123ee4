package watch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/goals-tracker/tracker/modules/rag"
)

// Fingerprint is of the names, sizes and times of a folder's files: of those
// that an ingest would read.
func Fingerprint(root string) (string, error) {
	sum := sha256.New()
	err := rag.WalkFS(os.DirFS(root), func(name string, entry fs.DirEntry) error {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("look through %s: %w", root, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// pullTime bounds a pull.
const pullTime = 2 * time.Minute

// pull brings a checkout up to date as far as that needs no merge. It asks
// nobody anything and runs no hook of the repository.
func pull(ctx context.Context, root string) error {
	ctx, cancel := context.WithTimeout(ctx, pullTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-C", root,
		"pull", "--ff-only", "--quiet", "--no-recurse-submodules")
	cmd.Env = []string{"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false", "SSH_ASKPASS=/bin/false", "LC_ALL=C"}
	for _, name := range []string{"PATH", "HOME", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	// A session of its own: ssh would ask on the server's terminal, whatever git
	// was told; and helpers of a pull that takes too long end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("git pull in %s: %w: %s", root, err, strings.TrimSpace(strings.ToValidUTF8(string(out[:min(len(out), 500)]), "")))
	}
	return nil
}

// notes tell that something changed, where the system can; looking again after
// a while is what can be relied on.
type notes struct {
	root    string
	logger  *slog.Logger
	watcher *fsnotify.Watcher
	came    chan struct{}
	changed atomic.Bool
	// known are the folders that the system tells of.
	known map[string]bool
}

func notify(root string, logger *slog.Logger) *notes {
	n := &notes{root: root, logger: logger, came: make(chan struct{}, 1), known: map[string]bool{}}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		logger.Info("the system can't tell of changes in the folder; it is looked through again and again", "error", err)
		return n
	}
	n.watcher = watcher
	n.follow()
	go n.listen()
	return n
}

func (n *notes) listen() {
	for {
		select {
		case _, ok := <-n.watcher.Events:
			if !ok {
				return
			}
			n.note()
		case _, ok := <-n.watcher.Errors:
			if !ok {
				return
			}
			n.note() // some were lost
		}
	}
}

func (n *notes) note() {
	n.changed.Store(true)
	select {
	case n.came <- struct{}{}:
	default:
	}
}

// follow has the system tell of folders that are new, too.
func (n *notes) follow() {
	if n.watcher == nil {
		return
	}
	there := map[string]bool{}
	err := rag.WalkFolders(os.DirFS(n.root), func(name string) error {
		if there[name] = true; !n.known[name] {
			n.note() // what came into it before now was told to nobody
		}
		return n.watcher.Add(n.root + "/" + name)
	})
	n.known = there
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		n.logger.Info("the system can't tell of all changes in the folder; it is looked through again and again", "error", err)
	}
}

// take reports whether something changed since it was asked last.
func (n *notes) take() bool { return n.changed.Swap(false) }

func (n *notes) close() {
	if n.watcher != nil {
		_ = n.watcher.Close()
	}
}
