//go:build linux && (amd64 || arm64)

package pid1

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// linkPatience is in milliseconds.
const linkPatience = 3000

// adopt takes over a payload that was forked before the room existed. It is a
// child of this process and moved into the new root with it. It confines itself
// once it is told that the room stands; that is looked at, not believed.
func (p *process) adopt() error {
	link := control{fdLink}
	if _, err := link.Write([]byte{'b'}); err != nil {
		return &stageError{wire.StageConfine, "forked process", err}
	}
	var answer [64]byte
	n, err := link.Read(answer[:])
	if err != nil {
		return &stageError{wire.StageConfine, "forked process", err}
	}
	if string(answer[:n]) != "c" {
		return &stageError{wire.StageConfine, "forked process: " + string(answer[:n]), unix.EPERM}
	}
	// It closes the link at once, and leaves nobody behind who holds it.
	closed := []unix.PollFd{{Fd: fdLink, Events: unix.POLLIN}}
	if n, _ := unix.Poll(closed, linkPatience); n != 1 {
		return &stageError{wire.StageConfine, "forked process: its link stays open", unix.EPERM}
	}
	if n, _ := link.Read(answer[:]); n != 0 {
		return &stageError{wire.StageConfine, "forked process: it holds on to its link", unix.EPERM}
	}
	_ = unix.Close(fdLink)
	// Only now may a normal user's pid 1 see it, which has fewer capabilities
	// than it had.
	pids, err := others()
	if err != nil || len(pids) != 1 {
		return &stageError{wire.StageConfine, fmt.Sprintf("one forked process was expected and %d are here", len(pids)), unix.ECHILD}
	}
	if err := p.verify(pids[0]); err != nil {
		return &stageError{wire.StageConfine, "forked process: " + err.Error(), unix.EPERM}
	}
	p.watchChild(pids[0])
	return nil
}

// verify compares what the kernel says of a process with what spawn would have
// made of it.
func (p *process) verify(pid int) error {
	if err := p.verifyStatus(pid); err != nil {
		return err
	}
	proc := "/proc/" + strconv.Itoa(pid)
	for _, outside := range p.boot.Outside {
		kind, _, _ := strings.Cut(outside, ":")
		own, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return err
		}
		if theirs, err := os.Readlink(proc + "/ns/" + kind); err != nil || theirs != own {
			return fmt.Errorf("its %s namespace is %s, not %s", kind, theirs, own)
		}
	}
	var own, theirs unix.Stat_t
	if err := errors.Join(unix.Stat("/", &own), unix.Stat(proc+"/root", &theirs)); err != nil {
		return err
	}
	if own.Dev != theirs.Dev || own.Ino != theirs.Ino {
		return errors.New("its root is another")
	}
	if dir, err := os.Readlink(proc + "/cwd"); err != nil || dir != warmDir {
		return fmt.Errorf("its working folder is %q", dir)
	}
	return p.verifyDescriptors(proc + "/fd")
}

func (p *process) verifyStatus(pid int) error {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return err
	}
	uid, gid := strconv.Itoa(p.boot.UID), strconv.Itoa(p.boot.GID)
	const none = "0000000000000000"
	want := map[string]string{
		"Uid": strings.Join([]string{uid, uid, uid, uid}, " "), "Gid": strings.Join([]string{gid, gid, gid, gid}, " "),
		"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none,
		"NoNewPrivs": "1", "Seccomp": "2", "Seccomp_filters": strconv.Itoa(p.boot.Filters), "Threads": "1",
		"PPid": "1",
	}
	if p.boot.SwitchIDs {
		want["Groups"] = ""
	}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(line, ":")
		expected, ok := want[name]
		if !ok {
			continue
		}
		if got := strings.Join(strings.Fields(value), " "); got != expected {
			return fmt.Errorf("%s is %q, not %q", name, got, expected)
		}
		delete(want, name)
	}
	for name := range want {
		return fmt.Errorf("the kernel does not say its %s", name)
	}
	return nil
}

// verifyDescriptors finds nothing but pipes and sockets where a payload has
// them: a folder would lead out of the room.
func (p *process) verifyDescriptors(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	most := 2
	if p.boot.Channel {
		most = ChannelFD
	}
	for _, name := range names {
		number, err := strconv.Atoi(name.Name())
		if err != nil {
			return err
		}
		target, err := os.Readlink(dir + "/" + name.Name())
		if err != nil {
			return err
		}
		pipe := strings.HasPrefix(target, "pipe:[") || number == ChannelFD && strings.HasPrefix(target, "socket:[")
		if number > most || !pipe {
			return fmt.Errorf("descriptor %d is %s", number, target)
		}
	}
	return nil
}
