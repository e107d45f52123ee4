//go:build linux && (amd64 || arm64)

package pid1

import (
	"encoding/binary"
	"path"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// ChannelFD is where the payload finds its end of the channel.
const ChannelFD = 3

// lastCapability is one beyond any that kernels have; dropping an unknown one
// ends the loop.
const lastCapability = 64

// launch is everything the child needs, laid out before the fork: after it the
// child may neither allocate nor grow its stack, since the runtime's other
// threads, and the locks they hold, don't exist there.
type launch struct {
	path, dir  *byte
	argv, envv []*byte
	moves      []move
	rlimits    []rlimit
	filter     unix.SockFprog
	uid, gid   uintptr
	switchIDs  bool
	keepCaps   bool // these two only when tests omit a layer
	keepPrivs  bool
	keepBounds bool    // only where nobody has capabilities to drop them
	landlock   uintptr // 0 is none
	nice       uintptr
	oomPath    *byte
	oomScore   *byte
	oomLen     uintptr
	caps       unix.CapUserHeader
	noCaps     [2]unix.CapUserData
	report     [8]byte
	fdReport   uintptr
}

type move struct{ from, to uintptr }

type rlimit struct {
	resource uintptr
	value    unix.Rlimit
}

// childStage names the step at which the child gave up.
type childStage uint32

const (
	childSession childStage = iota + 1
	childDescriptors
	childDir
	childNice
	childRlimits
	childCapBounds
	childIDs
	childCaps
	childNoNewPrivs
	childLandlock
	childFilter
	childExec
)

var childStages = map[childStage]string{
	childSession: "session", childDescriptors: "descriptors", childDir: "working folder", childNice: "priority",
	childRlimits: "resource limits", childCapBounds: "capability bounds", childIDs: "user and group", childCaps: "capabilities",
	childNoNewPrivs: "no_new_privs", childLandlock: "landlock", childFilter: "seccomp filter",
}

// spawn starts the payload and returns its pid once the exec has succeeded.
func (p *process) spawn(job *wire.Job) (int, error) {
	l, err := p.prepare(job)
	if err != nil {
		return 0, err
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, &stageError{wire.StageConfine, "report pipe", err}
	}
	l.fdReport = uintptr(pipe[1])
	pid, errno := fork(l)
	_ = unix.Close(pipe[1])
	for _, fd := range p.handedOver() {
		// Held here, they would keep the payload's pipes from ending with it.
		_ = unix.Close(fd)
	}
	if errno != 0 {
		return 0, &stageError{wire.StageConfine, "fork", errno}
	}
	runtime.KeepAlive(l)
	var report [8]byte
	n, _ := control{pipe[0]}.Read(report[:])
	_ = unix.Close(pipe[0])
	if n == 0 {
		return pid, nil
	}
	if n != len(report) {
		return 0, &stageError{wire.StageConfine, "report", unix.EPROTO}
	}
	at := childStage(binary.NativeEndian.Uint32(report[:]))
	errno = syscall.Errno(binary.NativeEndian.Uint32(report[4:]))
	if at == childExec {
		return 0, &stageError{wire.StageExec, job.Program, errno}
	}
	if at == childDir {
		return 0, &stageError{wire.StageExec, job.Dir, errno}
	}
	return 0, &stageError{wire.StageConfine, childStages[at], errno}
}

// handedOver lists the host's descriptors that belong to the payload.
func (p *process) handedOver() []int {
	fds := []int{fdStdout + p.shift, fdStderr + p.shift}
	next := fdExtra + p.shift
	for _, given := range []bool{p.boot.Stdin, p.boot.Channel} {
		if given {
			fds = append(fds, next)
			next++
		}
	}
	return fds
}

func (p *process) prepare(job *wire.Job) (*launch, error) {
	program, err := lookPath(job.Program, job.Dir, job.Env)
	if err != nil {
		return nil, &stageError{wire.StageExec, job.Program, err}
	}
	l := &launch{
		uid: uintptr(p.boot.UID), gid: uintptr(p.boot.GID), switchIDs: p.boot.SwitchIDs && omitted != OmitIdentity, nice: uintptr(job.Nice),
		keepCaps: omitted == OmitCapabilities, keepPrivs: omitted == OmitPrivileges,
		keepBounds: p.boot.Bare && !p.boot.SwitchIDs, landlock: uintptr(p.landlock), caps: unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3},
	}
	if l.path, err = unix.BytePtrFromString(program); err != nil {
		return nil, &stageError{wire.StageExec, program, err}
	}
	if l.dir, err = unix.BytePtrFromString(job.Dir); err != nil {
		return nil, &stageError{wire.StageExec, job.Dir, err}
	}
	if l.argv, err = syscall.SlicePtrFromStrings(job.Argv); err != nil {
		return nil, &stageError{wire.StageExec, "arguments", err}
	}
	if l.envv, err = syscall.SlicePtrFromStrings(job.Env); err != nil {
		return nil, &stageError{wire.StageExec, "environment", err}
	}
	if err := p.prepareMoves(l, job); err != nil {
		return nil, err
	}
	for _, r := range job.Rlimits {
		var now unix.Rlimit
		if err := unix.Getrlimit(r.Resource, &now); err != nil {
			return nil, &stageError{wire.StageConfine, "resource limits", err}
		}
		// A host that is itself limited can't give more than it has.
		hard := min(r.Hard, now.Max)
		l.rlimits = append(l.rlimits, rlimit{uintptr(r.Resource), unix.Rlimit{Cur: min(r.Soft, hard), Max: hard}})
	}
	if len(job.Filter) == 0 || len(job.Filter)%8 != 0 {
		return nil, &stageError{wire.StageConfine, "seccomp filter", unix.EINVAL}
	}
	filter := make([]unix.SockFilter, len(job.Filter)/8)
	for i := range filter {
		raw := job.Filter[8*i:]
		filter[i] = unix.SockFilter{Code: binary.NativeEndian.Uint16(raw), Jt: raw[2], Jf: raw[3], K: binary.NativeEndian.Uint32(raw[4:])}
	}
	l.filter = unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	// When memory runs out the payload goes, not the process that reports it.
	const score = "1000"
	if l.oomPath, err = unix.BytePtrFromString("/proc/self/oom_score_adj"); err != nil {
		return nil, &stageError{wire.StageConfine, "oom score", err}
	}
	if l.oomScore, err = unix.BytePtrFromString(score); err != nil {
		return nil, &stageError{wire.StageConfine, "oom score", err}
	}
	l.oomLen = uintptr(len(score))
	return l, nil
}

func (p *process) prepareMoves(l *launch, job *wire.Job) error {
	extra := uintptr(fdExtra + p.shift)
	channel := extra
	if p.boot.Stdin {
		channel++
	}
	if job.Stdin {
		l.moves = append(l.moves, move{extra, 0})
	} else {
		null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return &stageError{wire.StageConfine, "standard input", err}
		}
		l.moves = append(l.moves, move{uintptr(null), 0})
	}
	l.moves = append(l.moves, move{uintptr(fdStdout + p.shift), 1}, move{uintptr(fdStderr + p.shift), 2})
	if job.Channel {
		// The control socket had this number; the copy here covers it.
		l.moves = append(l.moves, move{channel, ChannelFD})
	}
	return nil
}

// lookPath resolves a bare name by the payload's own PATH inside the room.
func lookPath(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, v := range env {
		list, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for folder := range strings.SplitSeq(list, ":") {
			if !path.IsAbs(folder) {
				folder = path.Join(dir, folder)
			}
			candidate := path.Join(folder, name)
			var st unix.Stat_t
			if unix.Stat(candidate, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&0o111 != 0 {
				return candidate, nil
			}
		}
	}
	return "", unix.ENOENT
}

func timeval(t unix.Timeval) time.Duration {
	return time.Duration(t.Sec)*time.Second + time.Duration(t.Usec)*time.Microsecond
}

// fork splits the process and turns the child into the payload. It is a plain
// fork, not a vfork: the child must apply limits that the exec of the standard
// library has no place for, and may then use memory of its own.
//
//go:noinline
//go:norace
//go:nocheckptr
func fork(l *launch) (int, syscall.Errno) { //nolint:cyclop // the child makes one system call after another, and no call that could grow its stack
	// All locals that the child touches exist before the fork.
	var (
		all, none uint64
		r1        uintptr
		errno     syscall.Errno
		i         int
		at        childStage
	)
	all = ^uint64(0)
	rlimits, moves := l.rlimits, l.moves
	argv, envv := unsafe.Pointer(&l.argv[0]), unsafe.Pointer(&l.envv[0])

	// No handler of the Go runtime may run in the child.
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0)
	r1, _, errno = unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || r1 != 0 {
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
		return int(r1), errno
	}

	at = childSession
	if _, _, errno = unix.RawSyscall(unix.SYS_SETSID, 0, 0, 0); errno != 0 {
		goto failed
	}
	at = childDescriptors
	for i = 0; i < len(moves); i++ {
		if _, _, errno = unix.RawSyscall(unix.SYS_DUP3, moves[i].from, moves[i].to, 0); errno != 0 {
			goto failed
		}
	}
	at = childDir
	if _, _, errno = unix.RawSyscall(unix.SYS_CHDIR, uintptr(unsafe.Pointer(l.dir)), 0, 0); errno != 0 {
		goto failed
	}
	for i = 1; i < 65; i++ {
		setSignal(i, sigDefault)
	}
	// Its own /proc files belong to the child only while it is dumpable; they
	// are not security, so a kernel without them is no reason to stop.
	_, _, _ = unix.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1, 0)
	if r1, _, errno = unix.RawSyscall6(unix.SYS_OPENAT, ^uintptr(99), uintptr(unsafe.Pointer(l.oomPath)), unix.O_WRONLY|unix.O_CLOEXEC, 0, 0, 0); errno == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_WRITE, r1, uintptr(unsafe.Pointer(l.oomScore)), l.oomLen)
		_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, r1, 0, 0)
	}
	at = childNice
	if l.nice != 0 {
		if _, _, errno = unix.RawSyscall(unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, l.nice); errno != 0 {
			goto failed
		}
	}
	at = childRlimits
	for i = 0; i < len(rlimits); i++ {
		if _, _, errno = unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, rlimits[i].resource, uintptr(unsafe.Pointer(&rlimits[i].value)), 0, 0, 0); errno != 0 {
			goto failed
		}
	}
	at = childCapBounds
	for i = 0; i < lastCapability && !l.keepCaps && !l.keepBounds; i++ {
		if _, _, errno = unix.RawSyscall(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(i), 0); errno == unix.EINVAL {
			break
		}
		if errno != 0 {
			goto failed
		}
	}
	at = childIDs
	if l.switchIDs {
		if _, _, errno = unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
			goto failed
		}
		if _, _, errno = unix.RawSyscall(unix.SYS_SETRESGID, l.gid, l.gid, l.gid); errno != 0 {
			goto failed
		}
		if _, _, errno = unix.RawSyscall(unix.SYS_SETRESUID, l.uid, l.uid, l.uid); errno != 0 {
			goto failed
		}
	}
	at = childCaps
	if !l.keepCaps {
		if _, _, errno = unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0); errno != 0 && errno != unix.EINVAL { // a kernel without them
			goto failed
		}
		if _, _, errno = unix.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&l.caps)), uintptr(unsafe.Pointer(&l.noCaps[0])), 0); errno != 0 {
			goto failed
		}
	}
	if !l.keepPrivs {
		at = childNoNewPrivs
		if _, _, errno = unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
			goto failed
		}
	}
	at = childLandlock
	if l.landlock != 0 {
		if _, _, errno = unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, l.landlock, 0, 0); errno != 0 {
			goto failed
		}
	}
	if !l.keepPrivs {
		at = childFilter
		if _, _, errno = unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&l.filter))); errno != 0 {
			goto failed
		}
	}
	at = childExec
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
	_, _, errno = unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(l.path)), uintptr(argv), uintptr(envv))

failed:
	*(*uint32)(unsafe.Pointer(&l.report[0])) = uint32(at)
	*(*uint32)(unsafe.Pointer(&l.report[4])) = uint32(errno)
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, l.fdReport, uintptr(unsafe.Pointer(&l.report[0])), 8)
	for {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 127, 0, 0)
	}
}
