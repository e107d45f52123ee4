//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/cgroup"
	"github.com/goals-tracker/tracker/sandbox/internal/seccomp"
	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// Runner executes steps. It is safe for concurrent use and holds nothing open
// between runs.
type Runner struct {
	cfg        Config
	initPath   string
	root, user bool // running as root; using a user namespace
	cgroups    *cgroup.Manager
	noCgroup   string // why there is none
	filter     []byte
	// serverFilter is a fork-server's, and the first of two that its children have.
	serverFilter []byte
	outside      []string // the host's namespaces
	// hostFilters are the seccomp filters that all rooms inherit.
	hostFilters int
	// namespaces and initEnv, of pid 1, are varied by tests that leave a layer out.
	namespaces uintptr
	initEnv    []string
	slots      chan int
	// yields says that programs can warm up at a lower priority, as it can be
	// raised again.
	yields bool
	// warmPatience is warmTimeout.
	warmPatience time.Duration
	turn         chan struct{} // held while taking several slots
	// guest and bare take the place of namespaces; nil for most.
	guest *guest
	bare  *bare
}

// New finds out what this machine grants and proves it by building a room. It
// fails where learners' code can't be confined, saying why and what an operator
// can do, unless Config.UnsafeWithoutIsolation lets it run all the same.
func New(cfg Config) (*Runner, error) {
	cfg = cfg.withDefaults()
	r := &Runner{cfg: cfg, namespaces: namespaces, root: os.Geteuid() == 0, user: true, slots: make(chan int, cfg.Slots), turn: make(chan struct{}, 1), warmPatience: warmTimeout}
	for i := range cfg.Slots {
		r.slots <- i
	}
	var err error
	if r.initPath, err = findInit(cfg.InitPath); err != nil {
		return nil, err
	}
	if r.hostFilters, err = ownFilters(); err != nil {
		return nil, err
	}
	r.findCgroups()
	if r.filter, err = seccomp.Program(seccomp.Options{DenySharedMemory: r.cgroups == nil}); err != nil {
		return nil, err
	}
	if r.serverFilter, err = seccomp.Program(seccomp.Options{DenySharedMemory: r.cgroups == nil, ForkServer: true}); err != nil {
		return nil, err
	}
	switch cfg.Backend {
	case "", BackendNative:
	case BackendRunsc:
		return r.secondKernel()
	default:
		return nil, fmt.Errorf("the sandbox's backend is %q; it must be %s or %s", cfg.Backend, BackendNative, BackendRunsc)
	}
	if err = r.native(); err == nil {
		return r, nil
	}
	if cfg.UnsafeWithoutIsolation {
		return r.unconfined(err)
	}
	return nil, err
}

// native makes rooms of namespaces, and proves it by building one.
func (r *Runner) native() (err error) {
	r.user = !r.root || !r.cfg.NoUserNamespace
	if r.outside, err = namespaceNames(r.user); err != nil {
		return err
	}
	err = r.tryRoom()
	if err != nil && r.root && r.user {
		// Root needs no user namespace, it is one layer more.
		withUser := err
		r.user = false
		if r.outside, err = namespaceNames(false); err != nil {
			return err
		}
		if err = r.tryRoom(); err != nil {
			err = errors.Join(withUser, err)
		}
	}
	if err != nil {
		return fmt.Errorf("learners' code can't be confined on this machine: %w%s", err, advice(err))
	}
	return nil
}

// Memory names what limits memory here: "cgroup v2", "cgroup v1" or "watchdog".
func (r *Runner) Memory() string {
	if r.cgroups == nil {
		return "watchdog"
	}
	return "cgroup " + r.cgroups.Kind()
}

// findInit prefers the small binary, as the start of the large one is paid by
// every room.
func findInit(path string) (string, error) {
	if path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("find sandbox-init: %w", err)
		}
		return filepath.Abs(path)
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find sandbox-init: %w", err)
	}
	beside := filepath.Join(filepath.Dir(self), "sandbox-init")
	if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
		return beside, nil
	}
	// This name stays right when the file is replaced by an upgrade.
	return "/proc/self/exe", nil
}

// ownFilters counts the seccomp filters of this process, which a container's
// runtime or systemd may have set.
func ownFilters() (int, error) {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("look up this process's seccomp filters: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, "Seccomp_filters:"); ok {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, nil // fork-servers need a kernel that says it, other rooms don't
}

// namespaceNames lists this process's own namespaces, which no room may share.
func namespaceNames(user bool) ([]string, error) {
	kinds := []string{"mnt", "pid", "net", "ipc", "uts", "cgroup"}
	if user {
		kinds = append(kinds, "user")
	}
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		name, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return nil, fmt.Errorf("look up the %s namespace: %w", kind, err)
		}
		names = append(names, name)
	}
	return names, nil
}

func (r *Runner) findCgroups() {
	if r.cfg.NoCgroup {
		r.noCgroup = "switched off by configuration"
		return
	}
	m, err := cgroup.Detect(r.cfg.CgroupParent)
	if err != nil {
		r.noCgroup = err.Error()
		return
	}
	m.Sweep()
	r.cgroups = m
}

// tryRoom builds a room and takes it down again without a job.
func (r *Runner) tryRoom() error {
	ctx, cancel := context.WithTimeout(context.Background(), prepareTimeout) //nolint:forbidigo // New has no caller's
	defer cancel()
	slots, err := r.take(ctx, 1)
	if err != nil {
		return err
	}
	room, err := r.open(slots[0], roomSpec{limits: DefaultLimits()})
	if err != nil {
		return err
	}
	if err = room.waitReady(ctx); err == nil {
		// What limits CPU time, and memory without a cgroup, must be seen.
		err = room.sampler.sample(room.body.pid(), true)
		r.yields = r.cgroups != nil && setNice(room.body.pid(), r.warmNice()) == nil && setNice(room.body.pid(), r.cfg.Nice) == nil
	}
	room.kill()
	return errors.Join(err, room.close())
}

// take reserves n slots together, as steps that each hold one and wait for a
// second would wait for ever.
func (r *Runner) take(ctx context.Context, n int) ([]int, error) {
	if n > cap(r.slots) {
		return nil, ErrOneProcess
	}
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a free sandbox: %w", ctx.Err())
	}
	defer func() { <-r.turn }()
	var slots []int
	for range n {
		select {
		case slot := <-r.slots:
			slots = append(slots, slot)
		case <-ctx.Done():
			for _, slot := range slots {
				r.slots <- slot
			}
			return nil, fmt.Errorf("wait for a free sandbox: %w", ctx.Err())
		}
	}
	return slots, nil
}

// tryTake reserves n slots if they are free now; nil if not.
func (r *Runner) tryTake(n int) []int {
	select {
	case r.turn <- struct{}{}:
	default:
		return nil // somebody waits for one
	}
	defer func() { <-r.turn }()
	var slots []int
	for range n {
		select {
		case slot := <-r.slots:
			slots = append(slots, slot)
		default:
			for _, slot := range slots {
				r.slots <- slot
			}
			return nil
		}
	}
	return slots
}

// advice turns the kernel's terse answer into what an operator can do.
func advice(err error) string {
	var hints []string
	var errno unix.Errno
	if errors.As(err, &errno) && (errno == unix.EPERM || errno == unix.EACCES || errno == unix.ENOSPC || errno == unix.EUSERS) {
		for file, hint := range map[string]string{
			"/proc/sys/kernel/unprivileged_userns_clone":             "set sysctl kernel.unprivileged_userns_clone=1",
			"/proc/sys/user/max_user_namespaces":                     "set sysctl user.max_user_namespaces=15000",
			"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "",
		} {
			raw, readErr := os.ReadFile(file)
			value := strings.TrimSpace(string(raw))
			switch {
			case readErr != nil:
			case hint != "" && value == "0":
				hints = append(hints, hint)
			case hint == "" && value == "1":
				hints = append(hints, "install an AppArmor profile with \"userns,\" for this binary, or set sysctl kernel.apparmor_restrict_unprivileged_userns=0")
			}
		}
		hints = append(hints, "in a container, allow namespaces (seccomp profile without the clone, unshare and mount restrictions) and an unmasked /proc")
	}
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		hints = append(hints, "use Linux 5.12 or newer")
	}
	if len(hints) == 0 {
		return ""
	}
	return "; " + strings.Join(hints, "; or ") + " (see sandbox/README.md)"
}

// mounts resolves the step's runtimes and keeps them to the allowed roots, also
// behind links.
func (r *Runner) mounts(step Step) ([]wire.Mount, error) {
	out := make([]wire.Mount, 0, len(step.Runtimes))
	for _, m := range step.Runtimes {
		resolved, err := filepath.EvalSymlinks(m.Source)
		if errors.Is(err, os.ErrNotExist) && m.Optional {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find runtime %s: %w", m.Source, err)
		}
		if !r.allowed(m.Source) || !r.allowed(resolved) {
			return nil, fmt.Errorf("%w: runtime %s lies outside the allowed folders (%s)", ErrStep, m.Source, strings.Join(r.cfg.RuntimeRoots, ", "))
		}
		if r.bare != nil && m.target() != m.Source {
			return nil, fmt.Errorf("runtime %s can't be shown as %s on a machine without namespaces", m.Source, m.target())
		}
		out = append(out, wire.Mount{Source: m.Source, Target: m.target(), Optional: m.Optional})
	}
	return out, nil
}

func (r *Runner) allowed(p string) bool {
	for _, root := range r.cfg.RuntimeRoots {
		if below(p, filepath.Clean(root)) {
			return true
		}
	}
	return false
}
