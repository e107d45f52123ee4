//go:build linux && (amd64 || arm64)

package pid1

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// warmDir is where a warm-up program finds its files and starts.
const warmDir = "/warm"

// mountWarm gives the warm-up program's files a read-only file system of their
// own, as they may hold programs, which the root can't.
func mountWarm(b wire.Boot) error {
	if !b.WarmDir {
		return nil
	}
	const page, least = 4096, 64 << 10
	size, inodes := int64(least), 64
	for _, f := range b.Warm {
		size += (int64(len(f.Content)) + 2*page - 1) / page * page
		inodes += 16
	}
	target := path.Join(stage, warmDir)
	if err := os.Mkdir(target, 0o755); err != nil {
		return mountError(warmDir, err)
	}
	err := unix.Mount("warm", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("mode=0755,size=%d,nr_inodes=%d", size, inodes))
	if err != nil {
		return mountError(warmDir, err)
	}
	root, err := os.OpenRoot(target)
	if err != nil {
		return mountError(warmDir, err)
	}
	defer func() { _ = root.Close() }()
	for _, f := range b.Warm {
		if err := writeWarm(root, f); err != nil {
			return mountError(path.Join(warmDir, f.Path), err)
		}
	}
	return mountError(warmDir, seal(target, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV))
}

func writeWarm(root *os.Root, f wire.File) error {
	if err := wire.CheckPath(f.Path); err != nil {
		return err
	}
	if dir := path.Dir(f.Path); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	mode := os.FileMode(0o444)
	if f.Executable {
		mode = 0o555
	}
	return root.WriteFile(f.Path, f.Content, mode)
}

// startWarm executes the warm-up program, confined like any payload. Its limits
// come with the job.
func (p *process) startWarm(body []byte) error {
	if p.child != 0 {
		return errors.New("told to start a second warm-up program")
	}
	job, err := wire.DecodeJob(body)
	if err != nil {
		return err
	}
	child, err := p.spawn(&job)
	if err != nil {
		return err
	}
	p.watchChild(child)
	return wire.WriteFrame(p.control, wire.KindWarmed, nil)
}

// watchChild waits for a payload that has no job yet. Should it end before it
// gets one, the room is of no use.
func (p *process) watchChild(child int) {
	p.child, p.reaped = child, make(chan wire.Exited, 1)
	go func() {
		exited := reap(child, killAll)
		if p.turn.CompareAndSwap(false, true) {
			p.fail(&stageError{wire.StageWarm, "it ended before its job with " + describe(unix.WaitStatus(exited.Status)), unix.ECHILD})
			unix.Exit(1)
		}
		p.reaped <- exited
	}()
}

func describe(s unix.WaitStatus) string {
	if s.Signaled() {
		return s.Signal().String()
	}
	return "code " + strconv.Itoa(s.ExitStatus())
}

// handOver makes the job's limits those of the warm-up program, which then only
// waits for the host's line.
func (p *process) handOver() error {
	if !p.turn.CompareAndSwap(false, true) {
		select {} // the room is ending
	}
	if info, err := os.Stat(p.job.Dir); err != nil || !info.IsDir() {
		return &stageError{wire.StageExec, p.job.Dir, unix.ENOENT}
	}
	pids, err := others()
	if err != nil {
		return &stageError{wire.StageConfine, "processes of the warm-up program", err}
	}
	err = p.asPayload(func() error { return p.relimitAll(pids) })
	if err != nil {
		return &stageError{wire.StageConfine, "resource limits", err}
	}
	return nil
}

func (p *process) relimitAll(pids []int) error {
	for _, pid := range pids {
		used := cpuTime(pid)
		if pid == p.child {
			p.used = used
		}
		for _, r := range p.job.Rlimits {
			if err := relimit(pid, r, used); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return nil
}

// relimit never raises a hard limit: nobody else could either.
func relimit(pid int, r wire.Rlimit, used time.Duration) error {
	if r.Resource == unix.RLIMIT_CPU {
		spent := uint64((used + time.Second - 1) / time.Second)
		r.Soft, r.Hard = r.Soft+spent, r.Hard+spent
	}
	var now unix.Rlimit
	if err := unix.Prlimit(pid, r.Resource, nil, &now); err != nil {
		return err
	}
	hard := min(r.Hard, now.Max)
	return unix.Prlimit(pid, r.Resource, &unix.Rlimit{Cur: min(r.Soft, hard), Max: hard}, nil)
}

// asPayload runs f on this thread with the payload's real user, whom the kernel
// lets change the limits of what is his; others need a capability that a server
// in a container may lack. The effective user stays, and so do all rights.
func (p *process) asPayload(f func() error) error {
	err := f()
	if !errors.Is(err, unix.EPERM) || !p.boot.SwitchIDs {
		return err
	}
	uid, gid, keep := uintptr(unix.Getuid()), uintptr(unix.Getgid()), ^uintptr(0)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(p.boot.GID), keep, keep); errno != 0 {
		return errno
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(p.boot.UID), keep, keep); errno != 0 {
		return errno
	}
	err = f()
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uid, keep, keep); errno != 0 {
		return errno
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, gid, keep, keep); errno != 0 {
		return errno
	}
	return err
}

// others lists the room's processes but for pid 1.
func others() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 1 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// cpuTime is what all threads of a process have used; the clock of a process is
// numbered as clock_getcpuclockid does.
func cpuTime(pid int) time.Duration {
	const perProcess = 2
	var ts unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|perProcess), &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// limitScratch gives the room's file system the size that the job asks for.
func (p *process) limitScratch() error {
	l := p.job.Limits
	if p.boot.Bare || l.ScratchBytes == 0 && l.ScratchInodes == 0 {
		return nil
	}
	options := fmt.Sprintf("size=%d,nr_inodes=%d", l.ScratchBytes, l.ScratchInodes)
	return mountError("limits of "+workDir, unix.Mount("", workDir, "", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, options))
}
