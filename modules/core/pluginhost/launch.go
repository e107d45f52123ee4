package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/goals-tracker/tracker/sdk/pluginproto"
)

// instance is one life of a plugin.
type instance struct {
	proc    *process
	conn    *grpc.ClientConn
	client  any
	version int
	// generation tells the binaries apart that a slot has run.
	generation int
	desc       Description
	started    time.Time
	sockets    string
	calls      int // guarded by the slot's mu
	once       sync.Once
}

// kill ends the instance and all its processes, and waits until they are gone.
func (i *instance) kill() {
	i.once.Do(func() {
		i.proc.kill()
		if i.conn != nil {
			_ = i.conn.Close()
		}
		<-i.proc.done
		_ = os.RemoveAll(i.sockets)
	})
}

// launch starts a plugin, connects to it and asks what it is.
func (h *Host) launch(ctx context.Context, s *slot, p *Plugin) (*instance, error) {
	drop := isRoot() && !h.cfg.KeepPrivileges
	inst, err := h.launchAs(ctx, s, p, drop)
	if drop && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL)) {
		h.warnUser.Do(func() {
			h.cfg.Logger.Warn("this machine does not let plugins run as other users, so they run as the server's", "error", err)
		})
		return h.launchAs(ctx, s, p, false)
	}
	return inst, err
}

func (h *Host) launchAs(ctx context.Context, s *slot, p *Plugin, drop bool) (*instance, error) {
	binary, err := h.dir.stage(p)
	if err != nil {
		return nil, err
	}
	cfg, identity, err := pluginproto.HostConfig(s.kind.kindName(), s.kind.protocolVersions(), h.cfg.StartTimeout)
	if err != nil {
		return nil, err
	}
	inst := &instance{started: time.Now()}
	var begun atomic.Pointer[process]
	cfg.UnixSocketConfig = &plugin.UnixSocketConfig{TempDir: h.dir.path}
	cfg.RunnerFunc = func(_ hclog.Logger, spec *exec.Cmd, sockets string) (runner.Runner, error) {
		inst.sockets = sockets
		cmd, err := h.command(s, p, binary, append(identity, spec.Env...), sockets, drop)
		if err != nil {
			return nil, err
		}
		inst.proc = newProcess(cmd, &tail{log: h.log(p.Name)})
		begun.Store(inst.proc)
		return inst.proc, nil
	}
	client := plugin.NewClient(cfg)
	// Client.Kill is never used: it waits without a bound and dials again.
	stop := context.AfterFunc(ctx, func() {
		if p := begun.Load(); p != nil {
			p.kill()
		}
	})
	defer stop()
	addr, err := client.Start()
	if err == nil {
		inst.limit(h.cfg.MemoryBytes)
		inst.version = client.NegotiatedVersion()
		err = h.connect(ctx, s, inst, addr, cfg)
	}
	if err != nil {
		if inst.proc == nil || inst.proc.pid == 0 {
			_ = os.RemoveAll(inst.sockets)
			return nil, startAdvice(err)
		}
		inst.kill()
		return nil, explain(err, s, inst.proc)
	}
	return inst, nil
}

// command is the plugin's process, with a minimal environment and, as root,
// a user of its own.
func (h *Host) command(s *slot, p *Plugin, binary string, handshake []string, sockets string, drop bool) (*exec.Cmd, error) {
	cmd := exec.Command(binary, p.Args...) //nolint:noctx // it outlives its start; process.kill ends it with all its children
	cmd.Dir = sockets
	cmd.Env = append([]string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + sockets, "TMPDIR=" + sockets,
		pluginproto.EnvKind + "=" + s.kind.kindName(),
		pluginproto.EnvHostPID + "=" + strconv.Itoa(os.Getpid()),
	}, handshake...)
	for k, v := range p.Env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if drop {
		id := uint32(s.uid)
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id, Groups: []uint32{}}
		if err := os.Chown(sockets, s.uid, s.uid); err != nil {
			return nil, err
		}
	}
	return cmd, nil
}

// limit bounds what a plugin can take from the machine. It comes a moment
// after the start, which a plugin that is on the allow-list may have.
func (i *instance) limit(memory uint64) {
	for res, v := range map[int]uint64{unix.RLIMIT_DATA: memory, unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: 1024} {
		_ = unix.Prlimit(i.proc.pid, res, &unix.Rlimit{Cur: v, Max: v}, nil)
	}
}

// connect dials the plugin's socket and asks the plugin what it is.
func (h *Host) connect(ctx context.Context, s *slot, inst *instance, addr net.Addr, cfg *plugin.ClientConfig) error {
	if addr.Network() != "unix" || filepath.Dir(addr.String()) != inst.sockets {
		return fmt.Errorf("it listens on %s %s; it must listen on a unix socket in $PLUGIN_UNIX_SOCKET_DIR", addr.Network(), addr)
	}
	if fi, err := os.Lstat(addr.String()); err != nil || fi.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("%s is not a socket", addr)
	}
	conn, err := pluginproto.Dial(addr.String(), cfg.TLSConfig)
	if err != nil {
		return err
	}
	inst.conn = conn
	go drainStdio(ctx, conn, inst.proc.said)
	inst.client = s.kind.connect(inst.version, conn, h.cfg.HostVersion)
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	inst.desc, err = s.kind.describe(ctx, inst.client)
	switch {
	case status.Code(err) == codes.Unimplemented:
		return fmt.Errorf("it is no %s plugin: check its kind in the configuration", s.kind.kindName())
	case err != nil && over(ctx, err):
		return fmt.Errorf("it did not describe itself within %s", describeTimeout)
	case err != nil:
		return fmt.Errorf("it did not describe itself: %w", err)
	case inst.desc.Name != s.name:
		return fmt.Errorf("it says that its name is %q, but it is configured as %q: use its own name", inst.desc.Name, s.name)
	}
	return nil
}

// explain adds to a failed start what an operator can do about it.
func explain(err error, s *slot, p *process) error {
	ours := s.kind.protocolVersions()
	if explained := pluginproto.ExplainStart(err, s.kind.kindName(), ours); explained != err { //nolint:errorlint // whether it is the same
		return explained
	}
	switch text := err.Error(); {
	case strings.Contains(text, "timeout while waiting for plugin to start"):
		return fmt.Errorf("it did not say that it is there within %s%s", s.host.cfg.StartTimeout, quoted(p))
	case strings.Contains(text, "plugin exited before"), strings.Contains(text, "Unrecognized remote plugin message"):
		return fmt.Errorf("it ended, or closed its output, before it said that it is there (%s): is it a plugin for this machine?", p.epitaph())
	}
	return fmt.Errorf("%w%s", err, quoted(p))
}

func quoted(p *process) string {
	if last := p.said.last(); last != "" {
		return "; it said: " + last
	}
	return ""
}

func startAdvice(err error) error {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("%w: it is not a program for this machine", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: the plugins' folder may be on a file system without programs (noexec); set plugins.dir to another", err)
	}
	return err
}
