package sandbox

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// ChannelFD is the descriptor at which each of two processes finds its end of
// the channel, a UNIX stream socket.
const ChannelFD = 3

// WorkDir is where a process finds its files and starts.
const WorkDir = "/room"

// ErrStep marks a step that no machine could run: the caller's mistake.
var ErrStep = errors.New("invalid step")

// Step is what Run executes. Each process has a room of its own: it sees
// neither the other's files nor its memory, and reaches it by the channel only.
type Step struct {
	// Name appears in errors. Optional.
	Name string
	// Runtimes are the parts of the host that the processes may read. Start
	// with System(). Required for anything but static programs.
	Runtimes []Mount
	// Processes are one or two. The first leads: when it has ended, the other
	// gets Grace to follow and is then killed. Required.
	Processes []Process
	// Limits hold for each process; fields left zero take DefaultLimits.
	Limits Limits
	// Recurring says that steps of this kind come again, so that a Pool may keep
	// rooms for them. A Runner ignores it.
	Recurring bool
	// WarmUp may serve the processes that are Warm, in a Pool. Optional.
	WarmUp *WarmUp
}

// WarmDir is where the files of a WarmUp are, and where its program starts.
const WarmDir = "/warm"

// WarmUp is a program that waits in a room for a process to become. It is
// confined as that process will be, in WarmDir. When it is ready it writes the
// line "ready" to standard output, nothing before it, and reads one line from
// standard input: a JSON object with argv, env and dir of the process, whose
// files are then in WorkDir. End of file instead means that it is not needed.
// From there on it is the process, whose standard input follows the line once
// that was read.
type WarmUp struct {
	// Argv is the program. Without one, only the files wait.
	Argv []string
	// Env is added to BaseEnv as NAME=value.
	Env []string
	// Files are put below WarmDir, read-only, also where a process that is Warm
	// is executed: what it needs in either case is sent once.
	Files []File
	// ForkServer says that the program, when it finds ForkServerEnv in its
	// environment, forks a process for each room instead (see README.md).
	ForkServer bool
}

func (w *WarmUp) forks() bool { return w != nil && w.ForkServer && w.serves() }

// serves says whether there is a program.
func (w *WarmUp) serves() bool { return len(w.Argv) > 0 }

// warms says whether the WarmUp is for the i-th process; not where a runtime is
// mounted in its place.
func (s Step) warms(i int) bool {
	p := &s.Processes[i]
	return p.Warm && s.WarmUp != nil && p.Program == "" && !slices.ContainsFunc(s.Runtimes, func(m Mount) bool { return below(m.target(), WarmDir) })
}

// Grace is how long a second process may outlive the first.
const Grace = 250 * time.Millisecond

// Mount shows a file or folder of the host, read-only, without set-id bits and
// devices. A Source that is itself a symbolic link and has no other Target
// appears as the same link.
type Mount struct {
	// Source is an absolute path below one of Config.RuntimeRoots. Required.
	Source string
	// Target is where it appears; defaults to Source. Not /proc, /dev, /room,
	// /tmp or anything below them.
	Target string
	// Optional leaves the mount out when Source doesn't exist.
	Optional bool
}

// Process is one program of a step.
type Process struct {
	// Role names the process in results and errors, e.g. "tests". Required when
	// there are two, and then distinct.
	Role string
	// Argv is the program, looked up in PATH when it has no slash, and its
	// arguments. Required.
	Argv []string
	// Program is executed in place of Argv[0], which then is only the name that
	// the process sees. Defaults to Argv[0].
	Program string
	// Env is added to BaseEnv as NAME=value; the last of equal names counts.
	Env []string
	// Dir is the starting folder: absolute, or relative to WorkDir. Defaults to
	// WorkDir.
	Dir string
	// Files are put below WorkDir before the start.
	Files []File
	// Stdin is what the process reads; none reads as empty.
	Stdin []byte
	// Collect names the files to bring back after the end, relative to WorkDir:
	// path.Match by segment, "**" for any number of segments. Only regular
	// files come, never through links.
	Collect []string
	// Channel connects the two processes at ChannelFD; both or neither.
	Channel bool
	// Warm says that the step's WarmUp may become this process, which finds its
	// files in WarmDir. It must behave the same when Argv is executed.
	Warm bool
	// Limits override the step's where not zero; Wall is the step's alone.
	Limits Limits
}

// File is a file of a room.
type File struct {
	// Path is relative to WorkDir, with slashes and without "..".
	Path    string
	Content []byte
	// ReadOnly also means that the process can neither replace nor remove it,
	// nor move the folders that it is in.
	ReadOnly bool
	// Executable sets the x bits.
	Executable bool
	// ExecuteOnly lets the process run a program that it can neither read nor
	// change. The running program's memory can't be read from outside either.
	ExecuteOnly bool
}

// Limits bound one process with all its descendants. In a step, zero means the
// default; nothing can be unlimited.
type Limits struct {
	// Wall counts from the exec of the program.
	Wall time.Duration
	// CPU counts all descendants together; children that ended unnoticed
	// (SIGCHLD ignored) only count where a cgroup v2 is in use.
	CPU time.Duration
	// Memory in bytes. With a cgroup it includes files in the room; without one
	// it is the sum of anonymous memory, sampled.
	Memory int64
	// Output in bytes, standard output and standard error together.
	Output int64
	// FileSize in bytes, of any one file.
	FileSize int64
	// Disk in bytes, of all files in /room, /tmp and /dev/shm, the step's own
	// included.
	Disk int64
	// Collect in bytes, of all collected files.
	Collect int64
	// Inodes counts files and folders in /room, /tmp and /dev/shm.
	Inodes int
	// Processes counts processes and threads.
	Processes int
	// OpenFiles counts descriptors of one process.
	OpenFiles int
	// CollectFiles counts collected files.
	CollectFiles int
}

// DefaultLimits fit one small exercise in an interpreted language.
func DefaultLimits() Limits {
	return Limits{
		Wall: 10 * time.Second, CPU: 10 * time.Second, Memory: 256 << 20, Output: 1 << 20, FileSize: 16 << 20,
		Disk: 64 << 20, Collect: 4 << 20, Inodes: 4096, Processes: 64, OpenFiles: 256, CollectFiles: 256,
	}
}

// or fills zero fields from d.
func (l Limits) or(d Limits) Limits {
	pick := func(v, d int64) int64 {
		if v == 0 {
			return d
		}
		return v
	}
	return Limits{
		Wall: time.Duration(pick(int64(l.Wall), int64(d.Wall))), CPU: time.Duration(pick(int64(l.CPU), int64(d.CPU))),
		Memory: pick(l.Memory, d.Memory), Output: pick(l.Output, d.Output), FileSize: pick(l.FileSize, d.FileSize),
		Disk: pick(l.Disk, d.Disk), Collect: pick(l.Collect, d.Collect),
		Inodes: int(pick(int64(l.Inodes), int64(d.Inodes))), Processes: int(pick(int64(l.Processes), int64(d.Processes))),
		OpenFiles: int(pick(int64(l.OpenFiles), int64(d.OpenFiles))), CollectFiles: int(pick(int64(l.CollectFiles), int64(d.CollectFiles))),
	}
}

// Smallest values with which a process can start at all, and the largest that
// the transport and one tmpfs are made for.
const (
	minMemory    = 4 << 20
	minOpenFiles = 16
	maxCollect   = 256 << 20
)

func (l Limits) check() error {
	for name, v := range map[string]int64{
		"wall": int64(l.Wall), "cpu": int64(l.CPU), "output": l.Output, "file size": l.FileSize, "disk": l.Disk,
		"collect": l.Collect, "inodes": int64(l.Inodes), "processes": int64(l.Processes), "collected files": int64(l.CollectFiles),
	} {
		if v <= 0 {
			return fmt.Errorf("limit on %s is %d: it must be positive", name, v)
		}
	}
	if l.Memory < minMemory {
		return fmt.Errorf("limit on memory is %d bytes: at least %d are needed", l.Memory, minMemory)
	}
	if l.OpenFiles < minOpenFiles {
		return fmt.Errorf("limit on open files is %d: at least %d are needed", l.OpenFiles, minOpenFiles)
	}
	if l.Collect > maxCollect {
		return fmt.Errorf("limit on collected bytes is %d: at most %d are possible", l.Collect, maxCollect)
	}
	return nil
}

// BaseEnv is the environment every process starts with; nothing of the host's
// is passed on.
func BaseEnv() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/tmp", "LANG=C.UTF-8", "USER=learner", "LOGNAME=learner"}
}

// System is the host's base system as most programs need it: shared libraries,
// /usr and the links around it.
func System() []Mount {
	return []Mount{
		{Source: "/usr"},
		{Source: "/bin", Optional: true}, {Source: "/sbin", Optional: true}, {Source: "/lib", Optional: true},
		{Source: "/lib32", Optional: true}, {Source: "/lib64", Optional: true}, {Source: "/libx32", Optional: true},
		{Source: "/etc/alternatives", Optional: true}, {Source: "/etc/ld.so.cache", Optional: true},
	}
}

// Validate reports the first thing that makes the step impossible; it wraps
// ErrStep. Run does the same first.
func (s Step) Validate() error {
	if err := s.check(); err != nil {
		if s.Name != "" {
			return fmt.Errorf("%w %s: %w", ErrStep, s.Name, err)
		}
		return fmt.Errorf("%w: %w", ErrStep, err)
	}
	return nil
}

func (s Step) check() error {
	if len(s.Processes) < 1 || len(s.Processes) > 2 {
		return fmt.Errorf("%d processes: one or two are possible", len(s.Processes))
	}
	for _, m := range s.Runtimes {
		if err := m.check(); err != nil {
			return err
		}
	}
	if s.WarmUp != nil {
		if err := s.WarmUp.check(); err != nil {
			return fmt.Errorf("warm-up: %w", err)
		}
	}
	for i, p := range s.Processes {
		if err := p.check(p.Limits.or(s.Limits).or(DefaultLimits())); err != nil {
			return fmt.Errorf("process %d %s: %w", i, p.Role, err)
		}
	}
	if len(s.Processes) == 1 {
		if s.Processes[0].Channel {
			return errors.New("a channel needs two processes")
		}
		return nil
	}
	a, b := s.Processes[0], s.Processes[1]
	if a.Role == "" || b.Role == "" || a.Role == b.Role {
		return fmt.Errorf("two processes need two different roles, not %q and %q", a.Role, b.Role)
	}
	if a.Channel != b.Channel {
		return fmt.Errorf("only one of %s and %s has the channel", a.Role, b.Role)
	}
	return nil
}

// ownTargets are the room's own; a runtime over them would break or weaken it.
var ownTargets = []string{"/proc", "/dev", WorkDir, "/tmp", "/sys", "/.scratch"}

func (m Mount) target() string {
	if m.Target == "" {
		return m.Source
	}
	return m.Target
}

func (m Mount) check() error {
	for _, p := range []string{m.Source, m.target()} {
		if !path.IsAbs(p) || path.Clean(p) != p || p == "/" || strings.ContainsRune(p, 0) {
			return fmt.Errorf("runtime %q: need a clean absolute path below the root", p)
		}
	}
	for _, own := range ownTargets {
		if below(m.target(), own) {
			return fmt.Errorf("runtime %q: %s belongs to the room", m.target(), own)
		}
	}
	return nil
}

// below reports whether p is root or lies in it.
func below(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func checkProgram(argv, env []string, paths ...string) error {
	if len(argv) == 0 || argv[0] == "" {
		return errors.New("no program to run")
	}
	for _, s := range slices.Concat(argv, env, paths) {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("%q contains NUL", s)
		}
	}
	for _, e := range env {
		if name, _, ok := strings.Cut(e, "="); !ok || name == "" {
			return fmt.Errorf("environment entry %q is not NAME=value", e)
		}
	}
	return nil
}

// warmLimits bound the files of a warm-up program.
func warmLimits() Limits { return Limits{Disk: 64 << 20, Inodes: 4096} }

func (w *WarmUp) check() error {
	if len(w.Argv) > 0 {
		if err := checkProgram(w.Argv, w.Env); err != nil {
			return err
		}
	}
	return checkFiles(w.Files, warmLimits())
}

func (p Process) check(l Limits) error {
	if err := l.check(); err != nil {
		return err
	}
	if err := checkProgram(p.Argv, p.Env, p.Dir, p.Program); err != nil {
		return err
	}
	for _, pattern := range p.Collect {
		if err := wire.CheckGlob(pattern); err != nil {
			return err
		}
	}
	return checkFiles(p.Files, l)
}

// checkFiles refuses what the room could not hold, so that a full disk inside
// is always the payload's doing.
func checkFiles(files []File, l Limits) error {
	const page = 4096
	var bytes int64
	entries := map[string]bool{} // true for folders
	for _, f := range files {
		if err := wire.CheckPath(f.Path); err != nil {
			return fmt.Errorf("file: %w", err)
		}
		if _, taken := entries[f.Path]; taken {
			return fmt.Errorf("file %s: the name is taken twice", f.Path)
		}
		entries[f.Path] = false
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if folder, taken := entries[dir]; taken && !folder {
				return fmt.Errorf("file %s: %s is a file", f.Path, dir)
			}
			entries[dir] = true
		}
		bytes += (int64(len(f.Content)) + page - 1) / page * page
	}
	if bytes > l.Disk {
		return fmt.Errorf("files take %d bytes of a disk limited to %d", bytes, l.Disk)
	}
	// The room's own folders take a few.
	if len(entries)+8 > l.Inodes {
		return fmt.Errorf("%d files and folders where %d inodes are allowed", len(entries), l.Inodes)
	}
	return nil
}
