//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/cgroup"
	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// insideID is the user that every payload is, seen from inside.
const insideID = 1000

// initCaps are what a normal user's pid 1 needs in its own namespaces; root's
// has them without asking.
var initCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SETPCAP, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_KILL}

// open starts a room's pid 1, which builds it at once. The room owns the slot,
// also when open fails. The caller must kill and close it.
func (r *Runner) open(slot int, spec roomSpec) (*room, error) {
	m := &room{spec: spec, runner: r, slot: slot, joined: make(chan error, 1), sent: make(chan struct{}),
		ready: make(chan struct{}), started: make(chan struct{}), ended: make(chan struct{}), gone: make(chan struct{})}
	if err := m.launch(); err != nil {
		if m.group != nil {
			_ = m.group.Remove()
		}
		r.slots <- slot
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	return m, nil
}

// launch makes descriptors, group and process. What the payload will hold is
// passed now; pid 1 keeps it from everything else.
func (m *room) launch() error {
	if manager := m.runner.cgroups; manager != nil {
		group, err := manager.New(cgroup.Limits{Memory: m.spec.limits.Memory, Tasks: m.spec.limits.Processes + 16})
		if err != nil {
			return err
		}
		m.group = group
	}
	var theirs, ours []*os.File
	ok := false
	defer func() {
		closeAll(theirs)
		if !ok {
			closeAll(ours)
		}
	}()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	theirs = append(theirs, null)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	// Only a non-blocking descriptor gets deadlines.
	_ = unix.SetNonblock(pair[0], true)
	m.control = os.NewFile(uintptr(pair[0]), "sandbox control")
	inner := os.NewFile(uintptr(pair[1]), "sandbox control")
	ours, theirs = append(ours, m.control), append(theirs, inner)
	var pipes [3][2]*os.File
	for i := range pipes {
		if pipes[i][0], pipes[i][1], err = os.Pipe(); err != nil {
			return err
		}
		ours, theirs = append(ours, pipes[i][0]), append(theirs, pipes[i][1])
	}
	m.stderr = pipes[0][0]
	// pid 1 expects: null twice, its own stderr, control, stdout, stderr, then
	// stdin and channel if there are any.
	given := []*os.File{null, null, pipes[0][1], inner, pipes[1][1], pipes[2][1]}
	var stdin *os.File
	if m.hasStdin() {
		reader, writer, err := os.Pipe()
		if err != nil {
			return err
		}
		stdin = writer
		ours, theirs, given = append(ours, writer), append(theirs, reader), append(given, reader)
	}
	if m.spec.channel != nil {
		given = append(given, m.spec.channel)
	}
	if err := m.startProcess(given); err != nil {
		return err
	}
	ok = true
	m.capture = newCapture(m.spec.limits.Output, func() { m.stop(OutputLimit) }, pipes[1][0], pipes[2][0])
	go m.read()
	go m.send(stdin)
	return nil
}

func (m *room) hasStdin() bool { return m.spec.process != nil && len(m.spec.process.Stdin) > 0 }

func (m *room) startProcess(files []*os.File) error {
	r := m.runner
	attr := &syscall.SysProcAttr{Cloneflags: namespaces, Setsid: true}
	if r.user {
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
		Dir: "/",
		// A collector or a second scheduler would only cost start-up.
		Env:   []string{"GOGC=off", "GOMAXPROCS=1"},
		Files: files,
		Sys:   attr,
	})
	if err != nil {
		return err
	}
	m.proc = proc
	if m.group == nil || bornInside {
		close(m.joined)
		return nil
	}
	// While pid 1 builds the room, as joining takes milliseconds.
	go func() {
		if err := m.group.Join(proc.Pid); err != nil {
			m.joined <- err
		}
		close(m.joined)
	}()
	return nil
}

// send writes everything the room needs up to the word to start. Errors show as
// the end of the room.
func (m *room) send(stdin *os.File) {
	defer close(m.sent)
	if stdin != nil {
		go func() {
			_, _ = stdin.Write(m.spec.process.Stdin)
			_ = stdin.Close()
		}()
	}
	r := m.runner
	boot := wire.Boot{Outside: r.outside, Mounts: m.spec.mounts, Hostname: "sandbox", ScratchBytes: m.spec.limits.Disk, ScratchInodes: int64(m.spec.limits.Inodes),
		UID: insideID, GID: insideID, SwitchIDs: r.root}
	if r.root && !r.user {
		boot.UID, boot.GID = r.cfg.FirstUID+m.slot, r.cfg.FirstUID+m.slot
	}
	_ = wire.WriteFrame(m.control, wire.KindBoot, boot.Encode())
	if m.spec.process == nil {
		return
	}
	for _, f := range m.spec.process.Files {
		frame := wire.File{Path: f.Path, Content: f.Content, ReadOnly: f.ReadOnly, Executable: f.Executable}
		_ = wire.WriteFrame(m.control, wire.KindFile, frame.Encode())
	}
	_ = wire.WriteFrame(m.control, wire.KindJob, m.job().Encode())
}

func (m *room) job() wire.Job {
	p, l := m.spec.process, m.spec.limits
	dir := p.Dir
	if !path.IsAbs(dir) {
		dir = path.Join(WorkDir, dir)
	}
	program := p.Program
	if program == "" {
		program = p.Argv[0]
	}
	return wire.Job{
		Program: program, Argv: p.Argv, Env: mergeEnv(BaseEnv(), p.Env), Dir: dir, Stdin: m.hasStdin(), Channel: m.spec.channel != nil,
		Rlimits: m.rlimits(), Filter: m.runner.filter, Nice: m.runner.cfg.Nice,
		Collect: p.Collect, CollectBytes: l.Collect, CollectFiles: int64(l.CollectFiles),
	}
}

func (m *room) rlimits() []wire.Rlimit {
	l := m.spec.limits
	// The sum is watched; this ends a single process if the watch should not.
	cpu := uint64((l.CPU+time.Second-1)/time.Second) + 1
	same := func(resource int, value uint64) wire.Rlimit {
		return wire.Rlimit{Resource: resource, Soft: value, Hard: value}
	}
	limits := []wire.Rlimit{
		same(unix.RLIMIT_CORE, 0),
		{Resource: unix.RLIMIT_CPU, Soft: cpu, Hard: cpu + 1},
		same(unix.RLIMIT_FSIZE, uint64(l.FileSize)),
		same(unix.RLIMIT_NOFILE, uint64(l.OpenFiles)),
		same(unix.RLIMIT_NPROC, uint64(l.Processes)),
		// Threads take their stack size from the soft one; programs that recurse
		// deeply may raise theirs.
		{Resource: unix.RLIMIT_STACK, Soft: 8 << 20, Hard: 64 << 20},
		same(unix.RLIMIT_MEMLOCK, 1<<20),
		same(unix.RLIMIT_MSGQUEUE, 0),
		same(unix.RLIMIT_SIGPENDING, 256),
		same(unix.RLIMIT_NICE, 0),
		same(unix.RLIMIT_RTPRIO, 0),
	}
	if m.group == nil {
		// The watchdog looks every few milliseconds; this stops the one process
		// that takes everything between two looks. It is generous, as it counts
		// what runtimes only reserve, and as the watchdog is the one to say what
		// happened.
		limits = append(limits, same(unix.RLIMIT_DATA, uint64(2*l.Memory+128<<20)))
	}
	return limits
}

// mergeEnv keeps the last value of each name.
func mergeEnv(lists ...[]string) []string {
	var out []string
	at := map[string]int{}
	for _, entry := range slices.Concat(lists...) {
		name, _, _ := strings.Cut(entry, "=")
		if i, ok := at[name]; ok {
			out[i] = entry
			continue
		}
		at[name] = len(out)
		out = append(out, entry)
	}
	return out
}
