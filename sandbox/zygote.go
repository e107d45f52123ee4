//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// ForkServerEnv is set, to the number of a descriptor, for a warm-up program
// that is started as a fork-server.
const ForkServerEnv = "TRACKER_FORK_SERVER_FD"

// forkedFilters is how many seccomp filters a forked process has: its server's,
// which still allows to build a room, and the one that every payload has. Those
// of the host, as in a container, come on top.
const forkedFilters = 2

// forkTimeout bounds a fork; it only strikes on a machine that is out of order,
// or when the server is.
const forkTimeout = 5 * time.Second

// zygote is a fork-server: a room of its own, without a job, whose program
// forks the first processes of other rooms. As root it runs as an ordinary user
// of the host's user namespace and has no capabilities; as a normal user it is
// a payload like any other.
type zygote struct {
	room *room
	// outside are its namespaces, of which its children may share none.
	outside []string
	// inside is what its children's rooms are made of: what it sees itself.
	inside []wire.Mount

	mu   sync.Mutex // one fork at a time
	conn *os.File

	// rooms counts those that live; its end would be theirs.
	holding sync.Mutex
	rooms   int
	retired bool
}

// startZygote returns when the program has loaded what it needs.
func (r *Runner) startZygote(ctx context.Context, mounts []wire.Mount, w *WarmUp, l Limits) (*zygote, error) {
	slots := r.tryTake(1)
	if slots == nil {
		return nil, errNoSlots
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		r.slots <- slots[0]
		return nil, fmt.Errorf("make channel: %w", err)
	}
	_ = unix.SetNonblock(fds[0], true)
	inner := os.NewFile(uintptr(fds[1]), "fork-server")
	z := &zygote{conn: os.NewFile(uintptr(fds[0]), "fork-server")}
	l.OpenFiles = max(l.OpenFiles, 256)
	z.room, err = r.open(slots[0], roomSpec{mounts: mounts, limits: l, stdin: true, channel: inner, beside: w.Files, warm: w, server: true})
	_ = inner.Close()
	if err != nil {
		_ = z.conn.Close()
		return nil, err
	}
	if err := z.settle(ctx, mounts); err != nil {
		return nil, errors.Join(err, z.close())
	}
	return z, nil
}

func (z *zygote) settle(ctx context.Context, mounts []wire.Mount) error {
	if err := z.room.waitReady(ctx); err != nil {
		return err
	}
	if err := z.room.warmUp(ctx, ForkServerEnv+"="+strconv.Itoa(ChannelFD)); err != nil {
		return err
	}
	for _, own := range z.room.runner.outside {
		kind, _, _ := strings.Cut(own, ":")
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", z.room.body.pid(), kind))
		if err != nil {
			return fmt.Errorf("look up the fork-server's %s namespace: %w", kind, err)
		}
		z.outside = append(z.outside, name)
	}
	for _, m := range mounts {
		z.inside = append(z.inside, wire.Mount{Source: m.Target, Target: m.Target, Optional: m.Optional})
	}
	z.inside = append(z.inside, wire.Mount{Source: WarmDir, Target: WarmDir})
	return nil
}

func (z *zygote) alive() bool {
	select {
	case <-z.room.gone:
		return false
	default:
		return true
	}
}

func (z *zygote) close() error {
	z.room.kill()
	_ = z.conn.Close()
	return z.room.close()
}

// hold keeps it alive until the release; false when it is too late.
func (z *zygote) hold() bool {
	z.holding.Lock()
	defer z.holding.Unlock()
	if z.retired {
		return false
	}
	z.rooms++
	return true
}

func (z *zygote) release() error {
	z.holding.Lock()
	z.rooms--
	last := z.rooms == 0 && z.retired
	z.holding.Unlock()
	if !last {
		return nil
	}
	return z.close()
}

// retire ends it once its last room is gone.
func (z *zygote) retire() error {
	z.holding.Lock()
	again := z.retired
	z.retired = true
	idle := z.rooms == 0
	z.holding.Unlock()
	if again || !idle {
		return nil
	}
	return z.close()
}

// forkRequest is what a fork-server is asked for; the descriptors that go with it
// are the room's own, in the order of given.files, with sandbox-init at the end.
type forkRequest struct {
	// Argv0 and Env are those of sandbox-init, which becomes pid 1.
	Argv0 string   `json:"argv0"`
	Env   []string `json:"env"`
	// Map is the user and group that the process maps to itself; 0 when the
	// host writes its map.
	Map int `json:"map"`
	// Ambient are the capabilities that pid 1 needs where it isn't root.
	Ambient []uintptr `json:"ambient"`
	// ID is the payload's user and group; Switch says whether it must change to
	// them.
	ID     int  `json:"id"`
	Switch bool `json:"switch"`
	Nice   int  `json:"nice"`
	// Channel says that there is one among the descriptors.
	Channel bool `json:"channel"`
	// Filter is the payload's seccomp program.
	Filter []byte `json:"filter"`
}

// fork has the server fork what will be this room's pid 1 and puts it where it
// belongs before anything of the room exists.
func (m *room) fork(given given) (err error) {
	z, r := m.spec.from, m.runner
	if !z.hold() {
		return errors.New("the fork-server is going away")
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, z.release())
		}
	}()
	request := forkRequest{Argv0: pid1.Marker, Env: initEnv(), ID: insideID, Switch: r.root, Nice: r.cfg.Nice, Channel: given.channel != nil, Filter: r.filter}
	if !r.root {
		request.Map, request.Ambient = insideID, initCaps
	}
	text, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("ask the fork-server: %w", err)
	}
	program, err := os.Open(r.initPath)
	if err != nil {
		return fmt.Errorf("ask the fork-server: %w", err)
	}
	defer func() { _ = program.Close() }()
	if err := passCredentials(m.control); err != nil {
		return err
	}
	if err := z.send(text, append(given.files(), program)); err != nil {
		return err
	}
	pid, err := m.born()
	if err != nil {
		return err
	}
	body, err := openBody(pid)
	if err != nil {
		return err
	}
	if err := m.admit(pid); err != nil {
		body.kill()
		body.close()
		return err
	}
	m.body = body
	close(m.joined)
	return nil
}

func passCredentials(control *os.File) error {
	conn, err := control.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := conn.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }); err != nil {
		return err
	}
	return set
}

func (z *zygote) send(text []byte, files []*os.File) error {
	fds := make([]int, len(files))
	for i, f := range files {
		// What a program gets must block, as it would from exec.
		fds[i] = int(f.Fd())
		if err := unix.SetNonblock(fds[i], false); err != nil {
			return fmt.Errorf("ask the fork-server: %w", err)
		}
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	_ = z.conn.SetWriteDeadline(time.Now().Add(forkTimeout))
	conn, err := z.conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("ask the fork-server: %w", err)
	}
	var sent error
	err = conn.Write(func(fd uintptr) bool {
		sent = unix.Sendmsg(int(fd), text, unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL)
		return !errors.Is(sent, unix.EAGAIN)
	})
	if err = errors.Join(err, sent); err != nil {
		return fmt.Errorf("ask the fork-server: %w", err)
	}
	return nil
}

// born waits for the forked process to speak up. The kernel says who it is.
func (m *room) born() (pid int, err error) {
	_ = m.control.SetReadDeadline(time.Now().Add(forkTimeout))
	defer func() { _ = m.control.SetReadDeadline(time.Time{}) }()
	conn, err := m.control.SyscallConn()
	if err != nil {
		return 0, err
	}
	const header = 5
	frame, rights := make([]byte, header), make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	var n, rn int
	var received error
	err = conn.Read(func(fd uintptr) bool {
		n, rn, _, _, received = unix.Recvmsg(int(fd), frame, rights, unix.MSG_CMSG_CLOEXEC)
		return !errors.Is(received, unix.EAGAIN)
	})
	if err = errors.Join(err, received); err != nil {
		return 0, fmt.Errorf("wait for the forked process: %w", err)
	}
	if n != header || wire.Kind(frame[header-1]) != wire.KindBorn {
		return 0, errors.New("wait for the forked process: the fork-server gave up")
	}
	messages, err := unix.ParseSocketControlMessage(rights[:rn])
	if err != nil || len(messages) != 1 {
		return 0, fmt.Errorf("wait for the forked process: it does not say who it is (%w)", err)
	}
	credentials, err := unix.ParseUnixCredentials(&messages[0])
	if err != nil {
		return 0, fmt.Errorf("wait for the forked process: %w", err)
	}
	return int(credentials.Pid), nil
}

// admit gives the process its user ids, where that takes the host's rights, and
// its cgroup, and lets it go on.
func (m *room) admit(pid int) error {
	r := m.runner
	if r.root {
		server, own := r.cfg.FirstUID+m.spec.from.room.slot, r.cfg.FirstUID+m.slot
		ids := fmt.Sprintf("0 %d 1\n%d %d 1\n", server, insideID, own)
		for _, name := range []string{"gid_map", "uid_map"} {
			if err := os.WriteFile(fmt.Sprintf("/proc/%d/%s", pid, name), []byte(ids), 0); err != nil {
				return fmt.Errorf("map the forked process's ids: %w", err)
			}
		}
	}
	if m.group != nil {
		if err := m.group.Join(pid); err != nil {
			return err
		}
	}
	return wire.WriteFrame(m.control, wire.KindAdmit, nil)
}
