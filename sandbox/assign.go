//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/sweep"
	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// sendBoot says what to build. Errors show as the end of the room.
func (m *room) sendBoot() {
	defer close(m.booted)
	r := m.runner
	outside := r.outside
	if m.spec.from != nil {
		outside = slices.Concat(outside, m.spec.from.outside)
	} else if !m.hasUserNamespace() {
		outside = slices.DeleteFunc(slices.Clone(outside), func(name string) bool { return strings.HasPrefix(name, "user:") })
	}
	boot := wire.Boot{Outside: outside, Mounts: m.spec.mounts, Hostname: "sandbox",
		ScratchBytes: m.spec.limits.Disk, ScratchInodes: int64(m.spec.limits.Inodes),
		UID: insideID, GID: insideID, SwitchIDs: r.root || r.guest != nil, Bare: r.guest != nil || r.bare != nil, Landlock: r.bare != nil && r.bare.landlock, Stdin: m.stdin != nil, Channel: m.spec.channel != nil}
	if r.root && !m.hasUserNamespace() {
		boot.UID, boot.GID = r.cfg.FirstUID+m.slot, r.cfg.FirstUID+m.slot
	}
	switch {
	case m.spec.from != nil:
		boot.Filters = forkedFilters + r.hostFilters
		boot.Mounts = m.spec.from.inside
	case m.spec.warm != nil || len(m.spec.beside) > 0:
		boot.WarmDir = true
		for _, f := range m.spec.beside {
			boot.Warm = append(boot.Warm, wire.File{Path: f.Path, Content: f.Content, Executable: f.Executable})
		}
	}
	_ = wire.WriteFrame(m.control, wire.KindBoot, boot.Encode())
}

// assign gives the room what it is for. It fails when the room died meanwhile.
func (m *room) assign(t task) error {
	if m.group != nil && groupLimits(t.limits) != groupLimits(m.spec.limits) {
		if err := m.group.Limit(groupLimits(t.limits)); err != nil {
			return err
		}
	}
	m.mu.Lock()
	if m.dead {
		m.mu.Unlock()
		<-m.gone
		return m.failure()
	}
	m.task = t
	m.frameLimit.Store(t.limits.Collect + smallFrame)
	m.capture = newCapture(t.limits.Output, func() { m.stop(OutputLimit) }, m.outputs[0], m.outputs[1])
	m.mu.Unlock()
	if m.warmStart() {
		go m.feedWarm()
	} else {
		go m.feed()
	}
	go m.sendJob()
	return nil
}

func (m *room) warmStart() bool { return m.spec.warm != nil || m.spec.from != nil }

// feed writes standard input, which a room has that may not need it.
func (m *room) feed() {
	if m.stdin == nil {
		return
	}
	_, _ = m.stdin.Write(m.task.process.Stdin)
	_ = m.stdin.Close()
}

// sendJob writes everything the room needs up to the word to start. Errors show
// as the end of the room.
func (m *room) sendJob() {
	defer close(m.sent)
	<-m.booted
	for _, f := range m.task.process.Files {
		frame := wire.File{Path: f.Path, Content: f.Content, ReadOnly: f.ReadOnly, Executable: f.Executable, ExecuteOnly: f.ExecuteOnly}
		_ = wire.WriteFrame(m.control, wire.KindFile, frame.Encode())
	}
	_ = wire.WriteFrame(m.control, wire.KindJob, m.job().Encode())
}

func (m *room) job() wire.Job {
	p, l := m.task.process, m.task.limits
	program := p.Program
	if program == "" {
		program = p.Argv[0]
	}
	job := wire.Job{
		Program: program, Argv: p.Argv, Env: mergeEnv(BaseEnv(), p.Env), Dir: p.dir(),
		Stdin: len(p.Stdin) > 0, Channel: m.spec.channel != nil,
		Rlimits: m.rlimits(l), Filter: m.runner.filter, Nice: m.runner.cfg.Nice,
		Collect: p.Collect, CollectBytes: l.Collect, CollectFiles: int64(l.CollectFiles),
	}
	if l.Disk != m.spec.limits.Disk || l.Inodes != m.spec.limits.Inodes {
		job.Limits = wire.Limits{ScratchBytes: l.Disk, ScratchInodes: int64(l.Inodes)}
	}
	return job
}

// dir is where the process starts.
func (p Process) dir() string {
	if path.IsAbs(p.Dir) {
		return p.Dir
	}
	return path.Join(WorkDir, p.Dir)
}

func (m *room) rlimits(l Limits) []wire.Rlimit {
	// The sum is watched; this ends a single process if the watch should not.
	cpu := uint64((l.CPU+time.Second-1)/time.Second) + 1
	processes := l.Processes
	if m.runner.bare != nil && !m.runner.root {
		processes += sweep.Threads(os.Geteuid()) // they are counted together
	}
	limits := append(fixedRlimits(),
		wire.Rlimit{Resource: unix.RLIMIT_CPU, Soft: cpu, Hard: cpu + 1},
		exactly(unix.RLIMIT_FSIZE, uint64(l.FileSize)),
		exactly(unix.RLIMIT_NOFILE, uint64(l.OpenFiles)),
		exactly(unix.RLIMIT_NPROC, uint64(processes)))
	if m.group == nil {
		limits = append(limits, exactly(unix.RLIMIT_DATA, dataLimit(l)))
	}
	if m.runner.guest != nil {
		limits = slices.DeleteFunc(limits, func(l wire.Rlimit) bool { return slices.Contains(notInGuests, l.Resource) })
	}
	return limits
}

func exactly(resource int, value uint64) wire.Rlimit {
	return wire.Rlimit{Resource: resource, Soft: value, Hard: value}
}

// dataLimit stops the one process that takes everything between two looks of
// the watchdog. It is generous, as it counts what runtimes only reserve, and as
// the watchdog is the one to say what happened.
func dataLimit(l Limits) uint64 { return uint64(2*l.Memory + 128<<20) }

// fixedRlimits don't depend on the job.
func fixedRlimits() []wire.Rlimit {
	return []wire.Rlimit{
		exactly(unix.RLIMIT_CORE, 0),
		// Threads take their stack size from the soft one; programs that recurse
		// deeply may raise theirs.
		{Resource: unix.RLIMIT_STACK, Soft: 8 << 20, Hard: 64 << 20},
		exactly(unix.RLIMIT_MEMLOCK, 1<<20),
		exactly(unix.RLIMIT_MSGQUEUE, 0),
		exactly(unix.RLIMIT_SIGPENDING, 256),
		exactly(unix.RLIMIT_NICE, 0),
		exactly(unix.RLIMIT_RTPRIO, 0),
	}
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
