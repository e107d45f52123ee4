//go:build linux && (amd64 || arm64)

package pid1

import (
	"errors"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// stage is where the new root is put together. Every Linux host has /proc, no
// runtime lies below it, and the mount goes with the namespace.
const stage = "/proc"

var deviceNodes = []string{"null", "zero", "full", "random", "urandom"}

func buildRoom(b wire.Boot) error {
	steps := []func(wire.Boot) error{
		checkNamespaces, makePrivate, mountRoot, mountWarm, bindRuntimes, bindDevices, mountProc, mountScratch, writeEtc, enterRoot, nameHost, raiseLoopback,
	}
	for _, step := range steps {
		if err := step(b); err != nil {
			return err
		}
	}
	return nil
}

func mountError(what string, err error) error {
	if err == nil {
		return nil
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		err = le.Err
	}
	return &stageError{wire.StageMount, what, err}
}

// checkNamespaces stops before the first change when any namespace is still the
// host's: mounting or naming there would change the host itself.
func checkNamespaces(b wire.Boot) error {
	if len(b.Outside) == 0 {
		return &stageError{wire.StageConfine, "the host's namespaces are not known", unix.EINVAL}
	}
	for _, outside := range b.Outside {
		kind, _, _ := strings.Cut(outside, ":")
		inside, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return mountError("namespace "+kind, err)
		}
		if inside == outside {
			return &stageError{wire.StageConfine, "the " + kind + " namespace is the host's", unix.EPERM}
		}
	}
	return nil
}

// makePrivate keeps mounts from travelling back to the host.
func makePrivate(wire.Boot) error {
	return mountError("private propagation", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

func mountRoot(wire.Boot) error {
	err := unix.Mount("root", stage, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=1m,nr_inodes=2k,mode=0755")
	if err != nil {
		return mountError("root tmpfs", err)
	}
	for _, dir := range []string{"dev", "etc", "proc", "tmp", "room", ".scratch"} {
		if err := os.Mkdir(path.Join(stage, dir), 0o755); err != nil {
			return mountError(dir, err)
		}
	}
	return nil
}

// bindRuntimes shows the declared parts of the host, read-only. A source that
// is itself a link (/lib on a merged system) stays the same link.
func bindRuntimes(b wire.Boot) error {
	mounts := append([]wire.Mount(nil), b.Mounts...)
	sort.SliceStable(mounts, func(i, k int) bool {
		return strings.Count(mounts[i].Target, "/") < strings.Count(mounts[k].Target, "/")
	})
	for _, m := range mounts {
		if err := bindRuntime(m); err != nil {
			if m.Optional && errors.Is(err, unix.ENOENT) {
				continue
			}
			return mountError(m.Source, err)
		}
	}
	return nil
}

func bindRuntime(m wire.Mount) error {
	info, err := os.Lstat(m.Source)
	if err != nil {
		return err
	}
	target := path.Join(stage, m.Target)
	if info.Mode()&os.ModeSymlink != 0 && m.Source == m.Target {
		link, err := os.Readlink(m.Source)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(path.Dir(target), 0o755); err != nil {
			return err
		}
		return os.Symlink(link, target)
	}
	if info, err = os.Stat(m.Source); err != nil {
		return err
	}
	if err := makeTarget(target, info.IsDir()); err != nil {
		return err
	}
	if err := unix.Mount(m.Source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	return seal(target, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

func makeTarget(target string, dir bool) error {
	if dir {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(path.Dir(target), 0o755); err != nil {
		return err
	}
	if _, err := os.Lstat(target); err == nil {
		return nil
	}
	return os.WriteFile(target, nil, 0o644)
}

// seal adds attributes to a mount and all below it, and clears none.
func seal(target string, attrs uint64) error {
	if omitted == OmitReadOnly {
		attrs &^= unix.MOUNT_ATTR_RDONLY
	}
	return unix.MountSetattr(unix.AT_FDCWD, target, unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: attrs})
}

func bindDevices(wire.Boot) error {
	for _, name := range deviceNodes {
		source, target := path.Join("/dev", name), path.Join(stage, "dev", name)
		if err := os.WriteFile(target, nil, 0o666); err != nil {
			return mountError(source, err)
		}
		if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
			return mountError(source, err)
		}
		if err := seal(target, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC); err != nil {
			return mountError(source, err)
		}
	}
	for name, link := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(link, path.Join(stage, "dev", name)); err != nil {
			return mountError("/dev/"+name, err)
		}
	}
	return mountError("/dev/shm", os.Mkdir(path.Join(stage, "dev/shm"), 0o755))
}

// mountProc shows processes of this namespace only, and to each user his own;
// subset=pid leaves out the rest of /proc, which is about the machine.
func mountProc(wire.Boot) error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	target := path.Join(stage, "proc")
	options := "hidepid=2,subset=pid"
	if omitted == OmitHidepid {
		options = "subset=pid"
	}
	return mountError("proc", unix.Mount("proc", target, "proc", flags, options))
}

// mountScratch makes one tmpfs behind everything writable, so that a single
// size and a single inode count bound it all.
func mountScratch(b wire.Boot) error {
	scratch := path.Join(stage, ".scratch")
	options := "mode=0755,size=" + strconv.FormatInt(b.ScratchBytes, 10) + ",nr_inodes=" + strconv.FormatInt(b.ScratchInodes, 10)
	if omitted == OmitDiskLimit {
		options = "mode=0755,size=1g"
	}
	if err := unix.Mount("scratch", scratch, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return mountError("scratch tmpfs", err)
	}
	for dir, target := range map[string]string{"room": "room", "tmp": "tmp", "shm": "dev/shm"} {
		source := path.Join(scratch, dir)
		if err := os.Mkdir(source, 0o755); err != nil {
			return mountError(target, err)
		}
		if b.SwitchIDs {
			if err := os.Chown(source, b.UID, b.GID); err != nil {
				return mountError(target, err)
			}
		}
		if err := unix.Mount(source, path.Join(stage, target), "", unix.MS_BIND, ""); err != nil {
			return mountError(target, err)
		}
	}
	if err := unix.Unmount(scratch, unix.MNT_DETACH); err != nil {
		return mountError("scratch tmpfs", err)
	}
	return mountError("scratch tmpfs", os.Remove(scratch))
}

// EtcFiles are those of a room's /etc.
func EtcFiles(payloadUID, payloadGID int) map[string]string {
	uid, gid := strconv.Itoa(payloadUID), strconv.Itoa(payloadGID)
	return map[string]string{
		"passwd":        "root:x:0:0:root:/:/bin/false\nlearner:x:" + uid + ":" + gid + ":learner:/room:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
		"group":         "root:x:0:\nlearner:x:" + gid + ":\nnogroup:x:65534:\n",
		"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
	}
}

// writeEtc gives the payload a name, as many programs look theirs up.
func writeEtc(b wire.Boot) error {
	for name, text := range EtcFiles(b.UID, b.GID) {
		if err := os.WriteFile(path.Join(stage, "etc", name), []byte(text), 0o644); err != nil {
			return mountError("/etc/"+name, err)
		}
	}
	return nil
}

// enterRoot swaps the roots and lets go of the old one, so that no path, not
// even for pid 1, leads back to the host.
func enterRoot(wire.Boot) error {
	if err := unix.Chdir(stage); err != nil {
		return mountError("new root", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return mountError("pivot_root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return mountError("old root", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return mountError("new root", err)
	}
	return mountError("read-only root", unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC}))
}

func nameHost(b wire.Boot) error {
	return mountError("hostname", unix.Sethostname([]byte(b.Hostname)))
}

// raiseLoopback lets programs serve and call themselves: each room has a network
// of its own, whose one interface is this. A kernel that won't is no harm.
func raiseLoopback(wire.Boot) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return &stageError{wire.StageConfine, "loopback", err}
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	_ = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
	return nil
}
