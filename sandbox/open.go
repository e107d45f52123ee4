//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/cgroup"
	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
)

const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// insideID is the user that every payload is, seen from inside.
const insideID = 1000

// initCaps are what a normal user's pid 1 needs in its own namespaces; root's
// has them without asking.
var initCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_KILL}

// open starts a room's pid 1, which builds it at once. The room owns the slot,
// also when open fails. The caller must kill and close it.
func (r *Runner) open(slot int, spec roomSpec) (*room, error) {
	m := &room{spec: spec, runner: r, slot: slot, joined: make(chan error, 1), booted: make(chan struct{}), sent: make(chan struct{}),
		ready: make(chan struct{}), warmed: make(chan struct{}), started: make(chan struct{}), halted: make(chan struct{}), ended: make(chan struct{}), gone: make(chan struct{})}
	m.frameLimit.Store(smallFrame)
	m.sampler.tree = r.guest != nil || r.bare != nil
	if r.bare != nil && r.root {
		m.sampler.uid = r.cfg.FirstUID + slot
	}
	if err := m.launch(); err != nil {
		if m.group != nil {
			_ = m.group.Remove()
		}
		r.slots <- slot
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	return m, nil
}

// groupLimits leave room for pid 1 and its threads.
func groupLimits(l Limits) cgroup.Limits {
	return cgroup.Limits{Memory: l.Memory, Tasks: l.Processes + 16}
}

// ends are a room's descriptors on both sides.
type ends struct{ ours, theirs []*os.File }

func (e *ends) pair(ours, theirs *os.File) {
	e.ours, e.theirs = append(e.ours, ours), append(e.theirs, theirs)
}

// launch makes descriptors, group and process. What the payload will hold is
// passed now; pid 1 keeps it from everything else.
func (m *room) launch() (err error) {
	if manager := m.runner.cgroups; manager != nil {
		limits := groupLimits(m.spec.limits)
		if m.runner.guest != nil {
			limits.Memory, limits.Tasks = limits.Memory+guestMemory, limits.Tasks+guestTasks
		}
		if m.group, err = manager.New(limits); err != nil {
			return err
		}
	}
	var e ends
	defer func() {
		closeAll(e.theirs)
		if err != nil {
			closeAll(e.ours)
		}
	}()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	// Only a non-blocking descriptor gets deadlines.
	_ = unix.SetNonblock(pair[0], true)
	m.control = os.NewFile(uintptr(pair[0]), "sandbox control")
	inner := os.NewFile(uintptr(pair[1]), "sandbox control")
	e.pair(m.control, inner)
	var pipes [3]*os.File
	for i := range pipes {
		reader, writer, err := os.Pipe()
		if err != nil {
			return err
		}
		e.pair(reader, writer)
		pipes[i] = writer
	}
	m.stderr, m.outputs = e.ours[1], [2]*os.File{e.ours[2], e.ours[3]}
	given := given{control: inner, stderr: pipes[0], out: pipes[1], err: pipes[2], channel: m.spec.channel}
	if m.spec.stdin {
		if given.stdin, m.stdin, err = os.Pipe(); err != nil {
			return err
		}
		e.pair(m.stdin, given.stdin)
	}
	switch {
	case m.spec.from != nil:
		err = m.fork(given)
	case m.runner.guest != nil:
		err = m.startGuest(given)
	case m.runner.bare != nil:
		err = m.startBare(given)
	default:
		err = m.startProcess(given)
	}
	if err != nil {
		return err
	}
	go m.read()
	go m.sendBoot()
	return nil
}

// given is what a room gets of the host; stdin and channel may be nil.
type given struct{ control, stderr, out, err, stdin, channel *os.File }

// files are in the order in which pid 1 expects them, after standard input and
// output, which it has no use for.
func (g given) files() []*os.File {
	files := []*os.File{g.stderr, g.control, g.out, g.err}
	for _, f := range []*os.File{g.stdin, g.channel} {
		if f != nil {
			files = append(files, f)
		}
	}
	return files
}

// initEnv is pid 1's: a collector or a second scheduler would only cost start-up.
func initEnv() []string { return []string{"GOGC=off", "GOMAXPROCS=1"} }

func (m *room) startProcess(given given) error {
	r := m.runner
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer func() { _ = null.Close() }()
	attr := &syscall.SysProcAttr{Cloneflags: r.namespaces, Setsid: true}
	if m.hasUserNamespace() {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		if r.root {
			ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}, {ContainerID: insideID, HostID: r.cfg.FirstUID + m.slot, Size: 1}}
			attr.UidMappings, attr.GidMappings, attr.GidMappingsEnableSetgroups = ids, ids, true
		} else {
			attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: insideID, HostID: os.Geteuid(), Size: 1}}
			attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: insideID, HostID: os.Getegid(), Size: 1}}
			attr.AmbientCaps = initCaps
		}
	}
	bornInside := false
	if m.group != nil && r.cgroups.Kind() == cgroup.V2 {
		dir, err := m.group.Open()
		if err != nil {
			return err
		}
		defer func() { _ = dir.Close() }()
		attr.UseCgroupFD, attr.CgroupFD = true, int(dir.Fd())
		bornInside = true
	}
	proc, err := os.StartProcess(r.initPath, []string{pid1.Marker}, &os.ProcAttr{
		Dir:   "/",
		Env:   append(initEnv(), r.initEnv...),
		Files: append([]*os.File{null, null}, given.files()...),
		Sys:   attr,
	})
	if err != nil {
		return err
	}
	m.body = ownBody{proc}
	if bornInside {
		close(m.joined)
		return nil
	}
	m.join(proc.Pid)
	return nil
}

// join moves pid 1 into its cgroup while it builds the room, as that takes
// milliseconds.
func (m *room) join(pid int) {
	if m.group == nil {
		close(m.joined)
		return
	}
	go func() {
		if err := m.group.Join(pid); err != nil {
			m.joined <- err
		}
		close(m.joined)
	}()
}

// hasUserNamespace is false for root's fork-servers: what they fork gets its
// namespace, and the host can only map ids into a child of its own.
func (m *room) hasUserNamespace() bool {
	return m.runner.user && (!m.spec.server || !m.runner.root)
}
