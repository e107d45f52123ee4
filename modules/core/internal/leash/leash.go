// Package leash runs servers for tests that must not outlive the test process,
// however that ends: they are killed, and their folder removed, when the pipe
// that the process holds is closed. It is for packages like brokertest.
package leash

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// keepFile in a folder leaves it there when its programs end.
const keepFile = "keep"

// holder starts what it is told to, waits for the pipe to close, and ends it.
// Programs add their process ids to $pids; fd 3 is what Say writes to.
const holder = `set -f; pids=
eval "$1"
echo $pids >"$2/pids"
cat >/dev/null
kill -KILL $pids 2>/dev/null
wait
[ -e "$2/` + keepFile + `" ] || rm -rf "$2"
`

// Leash holds running programs.
type Leash struct {
	dir   string
	cmd   *exec.Cmd
	rope  *os.File
	input *os.File
}

// Start runs a shell script that starts programs in the background and adds
// their ids to $pids: `server --port 1 & pids="$pids $!"`. What they print goes
// to the file "output" in dir, which is theirs. They get no environment but env.
func Start(dir, script string, env []string) (*Leash, error) {
	for _, old := range []string{keepFile, "pids"} {
		if err := os.Remove(filepath.Join(dir, old)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	output, err := os.OpenFile(filepath.Join(dir, "output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }()
	hold, rope, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = hold.Close() }()
	read, input, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, rope.Close())
	}
	defer func() { _ = read.Close() }()
	cmd := exec.Command("/bin/sh", "-c", holder, "leash", script, dir) //nolint:noctx // the script is the test package's; it outlives any context
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, env, hold, output, output
	cmd.ExtraFiles = []*os.File{read}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is the test's, the pipe says the rest
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, rope.Close(), input.Close())
	}
	return &Leash{dir: dir, cmd: cmd, rope: rope, input: input}, nil
}

// Say writes to fd 3 of the programs.
func (l *Leash) Say(text string) error {
	_, err := io.WriteString(l.input, text)
	return err
}

// Kill ends the programs at once and waits until they are gone. With keep, the
// folder stays for another Start.
func (l *Leash) Kill(keep bool) error {
	var err error
	if keep {
		err = os.WriteFile(filepath.Join(l.dir, keepFile), nil, 0o600)
	}
	err = errors.Join(err, l.rope.Close(), l.input.Close())
	return errors.Join(err, l.cmd.Wait())
}

// Alive says whether all programs still run.
func (l *Leash) Alive() bool {
	pids, err := os.ReadFile(filepath.Join(l.dir, "pids"))
	if err != nil {
		return true // about to start
	}
	for _, pid := range strings.Fields(string(pids)) {
		stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		_, state, _ := strings.Cut(string(stat), ") ")
		if err != nil || strings.HasPrefix(state, "Z") {
			return false
		}
	}
	return true
}

// Output is the end of what the programs printed, for errors.
func (l *Leash) Output() string {
	text, err := os.ReadFile(filepath.Join(l.dir, "output"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// Await asks again and again until ready says yes, or a program has ended.
func (l *Leash) Await(limit time.Duration, ready func() bool) bool {
	late := time.After(limit)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for l.Alive() {
		if ready() {
			return true
		}
		select {
		case <-late:
			return false
		case <-look.C:
		}
	}
	return false
}

// FreePorts are ports of 127.0.0.1 that nobody listens on now.
func FreePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }() // all at the end, so that they differ
		address, _ := l.Addr().(*net.TCPAddr)
		ports[i] = address.Port
	}
	return ports, nil
}
