//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
	"github.com/goals-tracker/tracker/sandbox/internal/seccomp"
)

// bare is a machine without namespaces on which steps run all the same: one at
// a time, as there is only one WorkDir.
type bare struct {
	why      error
	landlock bool
}

// workMarker lies in a WorkDir that is the sandbox's. It is never touched
// without.
const workMarker = ".tracker-sandbox"

// Isolation says how this runner keeps programs off the machine.
func (r *Runner) Isolation() Isolation {
	switch {
	case r.guest != nil:
		return SecondKernel
	case r.bare != nil:
		return NoIsolation
	}
	return Namespaces
}

// OneProcess reports that steps of two processes are refused here.
func (r *Runner) OneProcess() bool { return r.bare != nil }

// Unsafe says in a line why programs run unconfined here; nil when they don't.
func (r *Runner) Unsafe() error {
	if r.bare == nil {
		return nil
	}
	return r.bare.why
}

// unconfined makes the best of a machine on which rooms can't be built.
func (r *Runner) unconfined(why error) (*Runner, error) {
	// A line is what it is read as.
	r.bare = &bare{why: errors.New(strings.ReplaceAll(why.Error(), "\n", "; ")), landlock: pid1.LandlockVersion() > 0}
	r.user = false
	r.slots = make(chan int, 1)
	r.slots <- 0
	var err error
	if r.filter, err = seccomp.Program(seccomp.Options{DenySharedMemory: r.cgroups == nil, DenyInternet: true}); err != nil {
		return nil, err
	}
	if err = errors.Join(claim(WorkDir), claim(WarmDir)); err == nil {
		err = r.tryRoom()
	}
	if err != nil {
		return nil, errors.Join(why, fmt.Errorf("run without isolation: %w", err))
	}
	return r, nil
}

// claim makes WorkDir or WarmDir when there is none, and takes no other than its
// own.
func claim(dir string) error {
	advice := fmt.Sprintf("as %s is where programs expect their files, make it for this purpose alone: install -d -o %d %s && touch %s as that user",
		dir, os.Geteuid(), dir, filepath.Join(dir, workMarker))
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		return os.WriteFile(filepath.Join(dir, workMarker), nil, 0o600)
	}
	if !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%w: %s", err, advice)
	}
	for _, name := range []string{dir, filepath.Join(dir, workMarker)} {
		var st unix.Stat_t
		if err := unix.Lstat(name, &st); err != nil || int(st.Uid) != os.Geteuid() || st.Mode&unix.S_IFMT == unix.S_IFLNK {
			return fmt.Errorf("%s is in other use: it is not this user's, or has no file %s; %s", dir, workMarker, advice)
		}
	}
	return nil
}

// empty clears a folder that was claimed.
func empty(dir string) error {
	return wipe(dir, func(entry os.DirEntry) bool { return entry.Name() != workMarker })
}

// layWarm puts files where a room would have them. Whoever calls it has the lock
// on WorkDir.
func layWarm(files []File) error {
	if len(files) == 0 {
		return nil
	}
	if err := claim(WarmDir); err != nil {
		return err
	}
	if err := empty(WarmDir); err != nil {
		return err
	}
	return writeBeside(WarmDir, files)
}

// writeBeside makes a folder with files that everybody may read and nobody write.
func writeBeside(dir string, files []File) error {
	if len(files) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, f := range files {
		mode := os.FileMode(0o444)
		if f.Executable {
			mode = 0o555
		}
		if err := errors.Join(root.MkdirAll(path.Dir(f.Path), 0o755), root.WriteFile(f.Path, f.Content, mode)); err != nil {
			return err
		}
	}
	return nil
}

// lockWork waits until no other server uses WorkDir and empties it.
func lockWork() (unlock func(), err error) {
	if err := claim(WorkDir); err != nil {
		return nil, err
	}
	lock, err := os.Open(filepath.Join(WorkDir, workMarker))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), prepareTimeout) //nolint:forbidigo // a room's start has no caller's
	defer cancel()
	for unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			_ = lock.Close()
			return nil, fmt.Errorf("%s is in use by another server for %s", WorkDir, prepareTimeout)
		case <-time.After(watchInterval):
		}
	}
	if err := empty(WorkDir); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return func() { _ = lock.Close() }, nil
}

// wipe removes the entries of a folder that are to go, and follows no link.
func wipe(dir string, goes func(os.DirEntry) bool) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	folder, err := root.Open(".")
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	entries, err := folder.ReadDir(-1)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		if goes(entry) {
			errs = append(errs, root.RemoveAll(entry.Name()))
		}
	}
	return errors.Join(errs...)
}

// sharedFolders are everybody's on the machine.
var sharedFolders = []string{"/tmp", "/var/tmp", "/dev/shm"}

// startBare begins as startProcess does; given is what pid 1 would get.
func (m *room) startBare(given given) error {
	unlock, err := lockWork()
	if err != nil {
		return err
	}
	body := &treeBody{}
	if m.runner.root {
		body.uid = m.runner.cfg.FirstUID + m.slot
	}
	body.after = func() {
		_ = empty(WorkDir)
		if len(m.spec.beside) > 0 {
			_ = empty(WarmDir)
		}
		if body.uid != 0 {
			// A normal user's files can't be told from the server's own.
			for _, dir := range sharedFolders {
				_ = wipe(dir, func(entry os.DirEntry) bool { return ownedBy(entry, body.uid) })
			}
		}
		unlock()
	}
	var null *os.File
	if err = layWarm(m.spec.beside); err == nil {
		null, err = os.Open(os.DevNull)
	}
	if err == nil {
		defer func() { _ = null.Close() }()
		body.proc, err = os.StartProcess(m.runner.initPath, []string{pid1.BareMarker}, &os.ProcAttr{
			Dir: "/", Env: append(initEnv(), m.runner.initEnv...),
			Files: append([]*os.File{null, null}, given.files()...), Sys: &syscall.SysProcAttr{Setsid: true},
		})
	}
	if err != nil {
		body.after()
		return err
	}
	m.body = body
	m.join(body.proc.Pid)
	return nil
}

func ownedBy(entry os.DirEntry, uid int) bool {
	info, err := entry.Info()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == uid
}
