//go:build linux && (amd64 || arm64)

package pid1

import (
	"errors"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/sweep"
	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// BareMarker is the argv[0] of a first process without namespaces: it is pid 1
// of nothing, and only what needs none confines its payload.
const BareMarker = "tracker-sandbox-bare"

// GuestMarker is the argv[0] of a first process that a second kernel started in
// a container of its own: that kernel has built the room.
const GuestMarker = "/tracker-sandbox-guest"

// enter finds out how this process was started, and by how much the host's
// descriptors are shifted.
func enter() (shift int, err error) {
	switch os.Args[0] {
	case BareMarker:
		// Whoever loses its parent becomes this process's child and is found.
		return 0, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	case GuestMarker:
		return guestShift, receiveDescriptors()
	}
	if os.Getpid() != 1 {
		return 0, errors.New("tracker-sandbox-init is started by the sandbox runner only")
	}
	return 0, nil
}

// Descriptors that come later than the process find their usual numbers taken,
// by the runtime's poller for one.
const (
	guestShift = 64
	safeFD     = 2 * guestShift
)

// receiveDescriptors takes the payload's from the control socket, which is
// standard input: a second kernel hands on the three standard ones and no more.
func receiveDescriptors() error {
	control, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, safeFD)
	if err != nil {
		return err
	}
	body, rights := make([]byte, 1), make([]byte, 256)
	_, n, _, _, err := unix.Recvmsg(control, body, rights, 0)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return errors.New("the host's descriptors did not come")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	given := append([]int{control}, fds...)
	for i, fd := range given {
		if given[i], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, safeFD); err != nil {
			return err
		}
	}
	for i, fd := range given {
		if err := unix.Dup3(fd, fdControl+guestShift+i, unix.O_CLOEXEC); err != nil {
			return err
		}
	}
	return closeOnExec()
}

// closeOnExec is CloseRange, also for kernels that lack it or that flag.
func closeOnExec() error {
	err := unix.CloseRange(fdControl, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name.Name()); err == nil && fd >= fdControl {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// buildBare readies what there is instead of a room.
func (p *process) buildBare() error {
	if !p.boot.Landlock {
		return nil
	}
	fd, err := landlock(p.boot)
	p.landlock = fd
	if err != nil {
		return &stageError{wire.StageConfine, "landlock", err}
	}
	return nil
}

// end kills every other process of the room. Without a pid namespace "every"
// would be the whole machine, so there they are looked for.
func (p *process) end() {
	switch {
	case !p.boot.Bare || os.Getpid() == 1:
		killAll()
	case p.boot.SwitchIDs:
		sweep.End(os.Getpid(), p.boot.UID)
	default:
		sweep.End(os.Getpid(), 0)
	}
}

// keepFolder makes a folder one in which the payload may make files, and touch
// none but its own: without mounts of their own, read-only files are kept by
// their owner and the folder's sticky bit.
func (p *process) keepFolder(root *os.Root, dir string) error {
	if !p.boot.SwitchIDs {
		return nil
	}
	if err := root.Chown(dir, 0, p.boot.GID); err != nil {
		return err
	}
	return root.Chmod(dir, 0o770|os.ModeSticky)
}

// What Landlock's first version knows of; later ones add to it.
const (
	landlockRead  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	landlockWrite = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	landlockFile = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
)

// LandlockVersion is what the kernel has of it; 0 is none.
func LandlockVersion() int {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(version)
}

// readable are small files that programs look things up in, and what a warm-up
// brings along.
var readable = []string{"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf", "/proc", warmDir}

// landlock makes the rules by which the payload reads its runtimes, writes its
// own folders, and reaches neither signals, sockets nor memory of others, as far
// as this kernel's version goes.
func landlock(b wire.Boot) (int, error) {
	version := LandlockVersion()
	attr := unix.LandlockRulesetAttr{Handled_access_fs: landlockRead | landlockWrite}
	if version >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	size := unsafe.Offsetof(attr.Quiet_access_fs)
	switch { // older kernels take no more than they know
	case version < 4:
		size = unsafe.Offsetof(attr.Handled_access_net)
	case version < 6:
		size = unsafe.Offsetof(attr.Scoped)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return -1, errno
	}
	rules := map[string]uint64{"/dev/null": landlockFile, "/dev/zero": landlockFile, "/dev/full": landlockFile, "/dev/random": landlockRead, "/dev/urandom": landlockRead}
	for _, name := range readable {
		rules[name] = landlockRead
	}
	for _, m := range b.Mounts {
		rules[m.Source] = landlockRead
	}
	for _, dir := range []string{workDir, "/tmp", "/dev/shm"} {
		rules[dir] = attr.Handled_access_fs
	}
	for name, access := range rules {
		if err := allow(int(fd), name, access&attr.Handled_access_fs); err != nil {
			return -1, &os.PathError{Op: "allow", Path: name, Err: err}
		}
	}
	return int(fd), nil
}

// allow adds a rule; what isn't there needs none.
func allow(ruleset int, name string, access uint64) error {
	dir, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(dir) }()
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= landlockFile | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(dir)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
