package conform

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
)

// patience is how long a plugin may take to start, and to end. Tests lower it.
var patience = 10 * time.Second

// program is a plugin's process that runs as the tracker runs it: with a
// minimal environment, in a folder of its own.
type program struct {
	path string
	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it is gone

	version int
	socket  string
	tls     *tls.Config
	cert    bool
	conn    *grpc.ClientConn

	before  string // what it printed before the handshake's line
	written atomic.Int64
	mu      sync.Mutex
	said    []byte // the end of its standard error
}

// command is a plugin's process before it starts. extra is added to its environment.
func command(path, dir string, hostPID int, extra ...string) *exec.Cmd {
	cmd := exec.Command(path) //nolint:noctx // the callers end its whole group
	cmd.Dir = dir
	cmd.Env = append(environment(dir, hostPID), extra...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func environment(dir string, hostPID int) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + dir, "TMPDIR=" + dir, "PLUGIN_UNIX_SOCKET_DIR=" + dir,
		pluginproto.EnvKind + "=" + pluginproto.KindValidator, pluginproto.EnvHostPID + "=" + strconv.Itoa(hostPID),
	}
}

// handshake is the environment of a host that speaks those versions.
func handshake(versions ...int) []string {
	texts := make([]string, len(versions))
	for i, v := range versions {
		texts[i] = strconv.Itoa(v)
	}
	return []string{pluginproto.CookieKey + "=" + pluginproto.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=" + strings.Join(texts, ",")}
}

// start starts a plugin and waits for its handshake. The caller ends it.
func start(path string, versions ...int) (p *program, err error) {
	dir, err := os.MkdirTemp("", "plugin-")
	if err != nil {
		return nil, err
	}
	cfg, identity, err := pluginproto.HostConfig(pluginproto.KindValidator, versions, patience)
	if err != nil {
		return nil, err
	}
	p = &program{path: path, dir: dir, tls: cfg.TLSConfig, done: make(chan struct{})}
	p.cmd = command(path, dir, os.Getpid(), append(handshake(versions...), identity...)...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	var read sync.WaitGroup
	line := make(chan string, 1)
	read.Go(func() { p.readOut(out, line) })
	read.Go(func() { p.readErr(stderr) })
	go func() {
		read.Wait()
		_ = p.cmd.Wait()
		close(p.done)
	}()
	select {
	case text, ok := <-line:
		if !ok {
			err = fmt.Errorf("it closed its standard output before it said that it is there%s", p.quoted())
			break
		}
		if err = p.understand(text, versions); err == nil {
			return p, nil
		}
	case <-time.After(patience):
		err = fmt.Errorf("it did not say that it is there within %s%s", patience, p.quoted())
	}
	p.end()
	return nil, err
}

// understand reads the line "1|version|unix|socket|grpc|certificate".
func (p *program) understand(line string, versions []int) error {
	parts := strings.Split(line, "|")
	if len(parts) < 5 {
		return fmt.Errorf("its first line is %.200q; it must be 1|protocol version|unix|path of the socket|grpc|certificate", line)
	}
	if parts[0] != "1" {
		return fmt.Errorf("its first line begins with %q; it must begin with 1, go-plugin's own version", parts[0])
	}
	var err error
	if p.version, err = strconv.Atoi(parts[1]); err != nil {
		return fmt.Errorf("its first line has the protocol version %q, which is no number", parts[1])
	}
	known := false
	for _, v := range versions {
		known = known || v == p.version
	}
	if !known {
		return pluginproto.Incompatible(pluginproto.KindValidator, p.version, versions)
	}
	if parts[2] != "unix" || parts[4] != "grpc" || filepath.Dir(parts[3]) != p.dir {
		return fmt.Errorf("it listens on %s %s and speaks %s; it must speak grpc on a unix socket in $PLUGIN_UNIX_SOCKET_DIR", parts[2], parts[3], parts[4])
	}
	p.socket = parts[3]
	if len(parts) > 5 && len(parts[5]) > 50 {
		der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(parts[5], "="))
		if err != nil {
			return fmt.Errorf("its certificate in the first line is not base64: %w", err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("its certificate in the first line can't be read (it must be DER, not PEM): %w", err)
		}
		p.cert, p.tls.RootCAs = true, x509.NewCertPool()
		p.tls.RootCAs.AddCert(cert)
	}
	if p.conn, err = pluginproto.Dial(p.socket, p.tls); err != nil {
		return err
	}
	go pluginproto.ReadStdio(context.Background(), p.conn, func(stderr bool, data []byte) { //nolint:forbidigo // it ends with the connection
		p.written.Add(int64(len(data)))
		if stderr {
			p.hear(data)
		}
	})
	return nil
}

func (p *program) judge() judging.Judge { return validatorrpc.NewClient(p.conn, "plugin check") }

// end kills it with all its processes.
func (p *program) end() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second): // a child that left the group holds its output
	}
	_ = os.RemoveAll(p.dir)
}

// readOut finds the handshake's line, and goes on reading, so that the plugin
// never waits for a reader.
func (p *program) readOut(r io.Reader, line chan<- string) {
	defer close(line)
	in := bufio.NewReaderSize(r, 64<<10)
	for total := 0; total < 1<<20; {
		text, err := in.ReadString('\n')
		total += len(text)
		if parts := strings.Split(text, "|"); len(parts) >= 4 && parts[0] != "" && strings.Trim(parts[0], "0123456789") == "" {
			line <- strings.TrimRight(text, "\r\n")
			break
		}
		p.mu.Lock()
		p.before += text
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
	n, _ := io.Copy(io.Discard, in)
	p.written.Add(n)
}

func (p *program) readErr(r io.Reader) {
	buf := make([]byte, 16<<10)
	for {
		n, err := r.Read(buf)
		p.written.Add(int64(n))
		p.hear(buf[:n])
		if err != nil {
			return
		}
	}
}

func (p *program) hear(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, data...)
	if over := len(p.said) - 2000; over > 0 {
		p.said = p.said[over:]
	}
}

func (p *program) quoted() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := strings.TrimSpace(p.before + string(p.said)); text != "" {
		return fmt.Sprintf("; it said %.1000q", text)
	}
	return ""
}

// exited waits for the end of a process that nobody else waits for.
func exited(cmd *exec.Cmd, within time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(within):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		select {
		case <-ended:
		case <-time.After(within):
		}
		return errStillRuns
	}
}

var errStillRuns = errors.New("it still runs")
