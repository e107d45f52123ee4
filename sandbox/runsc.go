//go:build linux && (amd64 || arm64)

package sandbox

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/cgroup"
	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// guest is a second kernel that runs each process in a container of its own.
type guest struct {
	program, version string
	// init is the first process, as a file that a container can show, with what
	// it is linked to: nothing, where it is the small sandbox-init.
	init  string
	needs []wire.Mount
}

// What a second kernel takes for itself, on top of its program's limits.
const (
	guestMemory = 160 << 20
	guestTasks  = 512
)

// notInGuests are limits that a second kernel doesn't let anybody set: it has
// no queues, priorities or signals to spare with the host.
var notInGuests = []int{unix.RLIMIT_MSGQUEUE, unix.RLIMIT_SIGPENDING, unix.RLIMIT_NICE, unix.RLIMIT_RTPRIO}

// bundles are the containers' folders; whoever holds the lock on one uses it.
const bundles = "tracker-runsc-"

// secondKernel makes rooms with runsc instead, and proves it by building one.
func (r *Runner) secondKernel() (*Runner, error) {
	program, err := exec.LookPath("runsc")
	if err != nil {
		return nil, errors.New("the sandbox's backend is runsc, which is not installed (Debian: apt-get install runsc; else https://gvisor.dev/docs/user_guide/install), or set the backend to native")
	}
	r.guest = &guest{program: program, init: r.initPath}
	if r.guest.init == "/proc/self/exe" {
		if r.guest.init, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find sandbox-init: %w", err)
		}
	}
	if out, err := exec.Command(program, "--version").Output(); err == nil { //nolint:noctx // it answers at once
		r.guest.version, _, _ = strings.Cut(strings.TrimPrefix(string(out), "runsc version "), "\n")
	}
	if linked(r.guest.init) {
		if r.guest.needs, err = r.mounts(Step{Runtimes: optional(System())}); err != nil {
			return nil, err
		}
	}
	sweepBundles()
	if err := r.tryRoom(); err != nil {
		return nil, fmt.Errorf("runsc can't confine learners' code on this machine: %w%s", err, advice(err))
	}
	return r, nil
}

// linked reports whether a program needs a loader and libraries.
func linked(name string) bool {
	program, err := elf.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = program.Close() }()
	return slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// startGuest executes runsc with the control socket as the first process's
// standard input, over which the other descriptors follow.
func (m *room) startGuest(given given) (err error) {
	bundle, unlock, err := m.writeBundle()
	if err != nil {
		return err
	}
	body := &treeBody{guest: true, after: func() { _ = os.RemoveAll(bundle); unlock() }}
	defer func() {
		if err != nil {
			body.close()
		}
	}()
	// Nothing is written to it. Not /dev/null: runsc gives what it gets as output
	// to the container's user, the host's own device as well.
	nothing, err := os.Create(filepath.Join(bundle, "output"))
	if err != nil {
		return err
	}
	defer func() { _ = nothing.Close() }()
	gate, open, err := os.Pipe()
	if err != nil {
		return err
	}
	defer closeAll([]*os.File{gate, open})
	attr := &syscall.SysProcAttr{Setsid: true}
	if m.group != nil && m.runner.cgroups.Kind() == cgroup.V2 {
		dir, err := m.group.Open()
		if err != nil {
			return err
		}
		defer func() { _ = dir.Close() }()
		attr.UseCgroupFD, attr.CgroupFD = true, int(dir.Fd())
	}
	argv := []string{"/bin/sh", "-c", `read -r go <&3; exec "$0" "$@" 3<&-`, m.runner.guest.program,
		"--root", bundle, "--network=none", "--ignore-cgroups", "--log=/dev/null", "--file-access-mounts=exclusive"}
	if !m.runner.root {
		argv = append(argv, "--rootless")
	}
	// The shell waits until it is in its cgroup, as the processes that it starts
	// would otherwise be outside.
	body.proc, err = os.StartProcess("/bin/sh", append(argv, "run", "--bundle", bundle, strings.TrimPrefix(filepath.Base(bundle), bundles)), &os.ProcAttr{
		Dir: "/", Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + bundle, "TMPDIR=" + bundle},
		Files: []*os.File{given.control, nothing, given.stderr, gate}, Sys: attr,
	})
	if err != nil {
		return err
	}
	if m.group != nil && !attr.UseCgroupFD {
		err = m.group.Join(body.proc.Pid)
	}
	if err == nil {
		err = m.sendDescriptors(given)
	}
	if err == nil {
		_, err = open.WriteString("\n")
	}
	if err != nil {
		body.kill()
		body.wait()
		return err
	}
	m.body = body
	close(m.joined)
	return nil
}

// sendDescriptors hands over what isn't standard input, output or error.
func (m *room) sendDescriptors(given given) error {
	var fds []int
	for _, f := range []*os.File{given.out, given.err, given.stdin, given.channel} {
		if f != nil {
			fds = append(fds, int(f.Fd()))
		}
	}
	conn, err := m.control.SyscallConn()
	if err != nil {
		return err
	}
	var sendErr error
	err = conn.Control(func(fd uintptr) { sendErr = unix.Sendmsg(int(fd), []byte{0}, unix.UnixRights(fds...), nil, 0) })
	return errors.Join(err, sendErr)
}

// object is a part of a container's description.
type object = map[string]any

// writeBundle describes the container as the Open Container Initiative's
// runtimes read it, in a folder that is locked as long as it is in use.
func (m *room) writeBundle() (bundle string, unlock func(), err error) {
	if bundle, err = os.MkdirTemp("", bundles); err != nil {
		return "", nil, err
	}
	lock, err := os.Open(bundle)
	if err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(bundle)
			_ = lock.Close()
		}
	}()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", nil, err
	}
	root := filepath.Join(bundle, "root")
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		return "", nil, err
	}
	for name, text := range pid1.EtcFiles(insideID, insideID) {
		if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(text), 0o644); err != nil {
			return "", nil, err
		}
	}
	if err := writeBeside(filepath.Join(root, WarmDir), m.spec.beside); err != nil {
		return "", nil, err
	}
	mounts, err := m.guestMounts(root)
	if err != nil {
		return "", nil, err
	}
	capabilities := []string{"CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_CHOWN", "CAP_FOWNER", "CAP_KILL", "CAP_DAC_OVERRIDE"}
	raw, err := json.Marshal(object{
		"ociVersion": "1.0.0", "hostname": "sandbox", "root": object{"path": "root", "readonly": true}, "mounts": mounts,
		"process": object{
			"user": object{"uid": 0, "gid": 0}, "args": []string{pid1.GuestMarker}, "env": initEnv(), "cwd": "/", "noNewPrivileges": true,
			"capabilities": object{"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
		},
		"linux": object{"namespaces": []object{{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}}},
	})
	if err != nil {
		return "", nil, err
	}
	return bundle, func() { _ = lock.Close() }, os.WriteFile(filepath.Join(bundle, "config.json"), raw, 0o600)
}

// guestMounts are the runtimes, and three file systems that each have the size
// that a room's one would have.
func (m *room) guestMounts(root string) ([]object, error) {
	readOnly := []string{"ro", "rbind", "nosuid", "nodev"}
	scratch := []string{"nosuid", "nodev", "mode=01777", "size=" + strconv.FormatInt(m.spec.limits.Disk, 10)}
	all := []object{
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": pid1.GuestMarker, "type": "bind", "source": m.runner.guest.init, "options": readOnly},
	}
	for _, dir := range []string{WorkDir, "/tmp", "/dev/shm"} {
		all = append(all, object{"destination": dir, "type": "tmpfs", "source": "tmpfs", "options": scratch})
	}
	runtimes := slices.Clone(m.spec.mounts)
	for _, need := range m.runner.guest.needs {
		if !slices.ContainsFunc(runtimes, func(r wire.Mount) bool { return r.Target == need.Target }) {
			runtimes = append(runtimes, need)
		}
	}
	slices.SortStableFunc(runtimes, func(a, b wire.Mount) int {
		return strings.Count(a.Target, "/") - strings.Count(b.Target, "/")
	})
	for _, r := range runtimes {
		link, err := os.Readlink(r.Source)
		if err != nil || r.Source != r.Target {
			all = append(all, object{"destination": r.Target, "type": "bind", "source": r.Source, "options": readOnly})
			continue
		}
		if err := os.MkdirAll(path.Join(root, path.Dir(r.Target)), 0o755); err != nil {
			return nil, err
		}
		if err := os.Symlink(link, path.Join(root, r.Target)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sweepBundles removes what servers left that were killed.
func sweepBundles() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), bundles+"*"))
	for _, dir := range left {
		info, statErr := os.Stat(dir)
		lock, err := os.Open(dir)
		if err != nil {
			continue
		}
		// One that was made just now may not be locked yet.
		if statErr == nil && time.Since(info.ModTime()) > time.Minute && unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}
