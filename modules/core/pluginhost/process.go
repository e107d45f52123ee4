package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/sys/unix"
)

// process is one plugin process and all that it starts. It is go-plugin's
// runner: go-plugin sees of it the handshake's line and nothing else.
type process struct {
	cmd  *exec.Cmd
	pid  int
	done chan struct{} // closed when the process is gone
	said *tail

	mu     sync.Mutex
	reaped bool
	doomed bool
	state  string

	handshake *io.PipeReader
	lines     *io.PipeWriter
	pipes     []*os.File
}

var _ runner.Runner = (*process)(nil)

func newProcess(cmd *exec.Cmd, said *tail) *process {
	r, w := io.Pipe()
	return &process{cmd: cmd, said: said, done: make(chan struct{}), handshake: r, lines: w}
}

// Start implements runner.Runner.
func (p *process) Start(context.Context) error {
	outR, outW, err := os.Pipe()
	if err != nil {
		return err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		_, _ = outR.Close(), outW.Close()
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = outW, errW
	p.cmd.SysProcAttr.Setpgid = true
	// A program that was just written may be "busy" while another goroutine's
	// child still holds the descriptor it was written with.
	for try := 0; ; try++ {
		if err = p.cmd.Start(); !errors.Is(err, syscall.ETXTBSY) || try == 20 {
			break
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // nothing tells when it is free; 200 ms at most
	}
	_, _ = outW.Close(), errW.Close()
	if err != nil {
		_, _ = outR.Close(), errR.Close()
		_ = p.lines.Close()
		return err
	}
	p.mu.Lock()
	p.pid, p.pipes = p.cmd.Process.Pid, []*os.File{outR, errR}
	if p.doomed {
		_ = unix.Kill(-p.pid, unix.SIGKILL)
	}
	p.mu.Unlock()
	heard := make(chan struct{})
	go p.readStdout(outR)
	go func() { p.said.read(errR); close(heard) }()
	go p.wait(heard)
	return nil
}

// lastWords is how long the death of a process waits for what it wrote last. A
// descendant that left the group may hold the pipe for ever.
const lastWords = 200 * time.Millisecond

// wait kills what is left of the process group before the leader is reaped, so
// that the group's id can't be another's yet. The process is gone once its
// standard error was read to the end (heard), so that its epitaph is whole.
func (p *process) wait(heard <-chan struct{}) {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	_ = unix.Kill(-p.pid, unix.SIGKILL)
	_ = p.cmd.Wait()
	p.reaped, p.state = true, p.cmd.ProcessState.String()
	p.mu.Unlock()
	select {
	case <-heard:
	case <-time.After(lastWords):
	}
	close(p.done)
	// A descendant that left the group may hold the pipes for ever.
	time.AfterFunc(time.Second, func() {
		for _, f := range p.pipes {
			_ = f.Close()
		}
	})
}

func (p *process) kill() {
	p.mu.Lock()
	p.doomed = true
	if !p.reaped && p.pid != 0 {
		_ = unix.Kill(-p.pid, unix.SIGKILL)
		_ = unix.Kill(p.pid, unix.SIGKILL)
	}
	p.mu.Unlock()
}

func (p *process) gone() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// epitaph says how the process ended and what it said last.
func (p *process) epitaph() string {
	p.mu.Lock()
	state := p.state
	p.mu.Unlock()
	if last := p.said.last(); last != "" {
		return fmt.Sprintf("%s; it said: %s", state, last)
	}
	return state
}

const (
	maxHandshakeLine = 16 << 10
	maxHandshakeJunk = 1 << 20
)

// readStdout passes on the first line that looks like a handshake and drops
// all else. The plugin must never block on a full pipe.
func (p *process) readStdout(r *os.File) {
	defer func() { _ = r.Close() }()
	var line []byte
	buf := make([]byte, 8<<10)
	for total := 0; total < maxHandshakeJunk; {
		n, err := r.Read(buf)
		total += n
		for _, b := range buf[:n] {
			switch {
			case b != '\n':
				if len(line) <= maxHandshakeLine {
					line = append(line, b)
				}
			case isHandshake(line):
				// Closed behind the line: go-plugin needs no more.
				_, _ = p.lines.Write(append(line, '\n'))
				_ = p.lines.Close()
				_, _ = io.Copy(io.Discard, r)
				return
			default:
				line = line[:0]
			}
		}
		if err != nil {
			break
		}
	}
	_ = p.lines.Close()
	_, _ = io.Copy(io.Discard, r)
}

func isHandshake(line []byte) bool {
	if len(line) > maxHandshakeLine {
		return false
	}
	parts := strings.Split(string(line), "|")
	if len(parts) < 4 {
		return false
	}
	for _, n := range parts[:2] {
		if n == "" || strings.Trim(n, "0123456789") != "" {
			return false
		}
	}
	return true
}

// Wait implements runner.Runner.
func (p *process) Wait(context.Context) error { <-p.done; return nil }

// Kill implements runner.Runner.
func (p *process) Kill(context.Context) error { p.kill(); return nil }

// Stdout implements runner.Runner: the handshake's line only.
func (p *process) Stdout() io.ReadCloser { return p.handshake }

// Stderr implements runner.Runner. It is empty: go-plugin parses what plugins
// write there, and a hostile line makes it panic. tail reads it instead.
func (p *process) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements runner.Runner.
func (p *process) Name() string { return p.cmd.Path }

// ID implements runner.Runner.
func (p *process) ID() string { return fmt.Sprint(p.pid) }

// Diagnose implements runner.Runner.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.AddrTranslator.
func (p *process) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin implements runner.AddrTranslator.
func (p *process) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
