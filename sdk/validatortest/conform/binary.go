package conform

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
)

// mayWrite bounds what a plugin writes on its outputs during all checks.
const mayWrite = 1 << 20

// Options say what Binary checks.
type Options struct {
	// Quick leaves out what takes more than a few seconds.
	Quick bool
	// Cases is a folder of cases; "" is none.
	Cases string
	// Described hears what the plugin says of itself; may be nil.
	Described func(d *judging.Description, protocol int)
}

// Binary runs the checks of a plugin's program, written in any language. run
// runs one, and says whether it passed.
func Binary(path string, o Options, run func(Check) bool) {
	b := &binary{path: path}
	run(Check{"explains itself when started by hand", "Without the cookie in $" + pluginproto.CookieKey + " print a line that says that this is a plugin of Goals Tracker, and exit with a code other than 0.", b.byHand})
	if !run(Check{"starts in a minimal environment and describes itself", "Answer the handshake on the first line of standard output, then serve gRPC on the socket that it names. See \"In any language\" in sdk/README.md.", b.open}) {
		return
	}
	if b.program == nil {
		return // `go test -run` left it out, and the others need it
	}
	defer b.program.end()
	if o.Described != nil {
		o.Described(b.subject.desc, b.program.version)
	}
	run(Check{"answers with a protocol version that it was offered", "Take the highest version in $PLUGIN_PROTOCOL_VERSIONS that the plugin speaks.", b.negotiates})
	run(Check{"lets nobody in without its host's certificate", "Demand the certificate of $" + pluginproto.EnvClientCert + " from clients, and name your own in the handshake's line.", b.locks})
	for _, c := range Behaviour(b.subject) {
		if !o.Quick || !slow[c.Name] {
			run(c)
		}
	}
	b.cases(o.Cases, run)
	run(Check{"answers health checks", "Serve grpc.health.v1.Health; \"plugin\" is SERVING.", b.health})
	run(Check{"leaves no process behind its calls", "End what a call began when the call ends.", b.tidies})
	run(Check{"keeps its standard output for the handshake and says little", fmt.Sprintf("Print nothing before the handshake's line, and less than %d KiB on both outputs in a run of these checks: operators read it.", mayWrite>>10), b.quiet})
	run(Check{"ends with its host, however that ends", "End soon after getppid() is no longer the process in $" + pluginproto.EnvHostPID + "; sdk/validator does it.", b.orphans})
	run(Check{"is gone with all its processes when its host ends it", "Start no process in a group or session of its own.", b.dies})
}

// slow are checks that installing a plugin does without.
var slow = map[string]bool{"answers several calls at a time": true, "gives the same report for the same work": true}

type binary struct {
	path    string
	program *program
	subject *Subject
	first   []int // its processes when it had started
}

func (b *binary) cases(dir string, run func(Check) bool) {
	if dir == "" {
		return
	}
	cases, err := ReadCases(dir, b.subject.desc.Languages[0].Name)
	if err != nil {
		run(Check{"has cases", "Name a folder of *.txtar files; see \"Cases\" in sdk/README.md.", func(t T) { t.Fatalf("%v", err) }})
		return
	}
	for _, c := range cases {
		run(c.Check(b.subject, "Mend the plugin, or the report in "+c.path+" when that is wrong."))
	}
	if b.subject.warms() {
		run(Check{"gives the same reports when its warm-up program serves it", "The program must behave as if argv had been executed; see \"Warm starts\" in sdk/README.md.", b.subject.sameWarm(cases)})
	}
}

func (b *binary) byHand(t T) {
	fi, err := os.Stat(b.path)
	if err != nil {
		t.Fatalf("build the plugin first: %v", err)
	}
	if !fi.Mode().IsRegular() || fi.Mode().Perm()&0o111 == 0 {
		t.Fatalf("%s is not a program: chmod +x it", b.path)
	}
	cmd := exec.Command(b.path) //nolint:noctx // exited ends its group
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("start it: %v", err)
	}
	err = exited(cmd, patience)
	var code *exec.ExitError
	if !errors.As(err, &code) || code.ExitCode() <= 0 {
		t.Errorf("it must end at once with an exit code other than 0, but: %v", endOf(err))
	}
	if !errors.Is(err, errStillRuns) && !bytes.Contains(bytes.ToLower(out.Bytes()), []byte("plugin")) {
		t.Errorf("it must say that it is a plugin; it said %q", out.String())
	}
}

func endOf(err error) string {
	if err == nil {
		return "it exited with 0"
	}
	return err.Error()
}

func (b *binary) open(t T) {
	p, err := start(b.path, pluginproto.Spoken(pluginproto.ValidatorVersion)...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	s, err := Open(t.Context(), p.judge())
	if err != nil {
		said := p.quoted()
		p.end()
		t.Fatalf("%v%s", err, said)
	}
	b.program, b.subject, b.first = p, s, below(p.cmd.Process.Pid, "")
	if name := filepath.Base(b.path); name != s.desc.Name {
		t.Logf("it says that its name is %s, the file's is %s: `tracker plugin install` takes the former", s.desc.Name, name)
	}
}

// negotiates offers versions that do not exist beside the one that it speaks.
func (b *binary) negotiates(t T) {
	speaks := b.program.version
	p, err := start(b.path, speaks+96, speaks, speaks+97)
	if err != nil {
		t.Errorf("offered the versions %d, %d and %d: %v", speaks+96, speaks, speaks+97, err)
	} else {
		if p.version != speaks {
			t.Errorf("offered the versions %d, %d and %d it took %d", speaks+96, speaks, speaks+97, p.version)
		}
		p.end()
	}
	if p, err := start(b.path, speaks+97); err == nil {
		p.end()
		t.Errorf("offered version %d alone, which does not exist, it took it", speaks+97)
	}
}

// locks knocks at the socket as another process of the machine would.
func (b *binary) locks(t T) {
	if !b.program.cert {
		t.Logf("it does not use the certificate in $%s, so only the folder of its socket protects it", pluginproto.EnvClientCert)
		return
	}
	stranger := b.program.tls.Clone()
	stranger.Certificates = nil
	for name, cfg := range map[string]*tls.Config{"without any certificate": stranger, "without TLS": nil} {
		if b.knock(t.Context(), cfg) == nil {
			t.Errorf("%s it let another process in", name)
		}
	}
}

func (b *binary) knock(ctx context.Context, cfg *tls.Config) error {
	conn, err := pluginproto.Dial(b.program.socket, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err = validatorrpc.NewClient(conn, "stranger").Describe(ctx)
	return err
}

func (b *binary) health(t T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err := grpc_health_v1.NewHealthClient(b.program.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	if err != nil {
		t.Fatalf("%v", err)
	}
	if r.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("it says that it is %s", r.GetStatus())
	}
}

func (b *binary) tidies(t T) {
	var left []int
	if settle(patience, func() bool {
		left = slices.DeleteFunc(alive(below(b.program.cmd.Process.Pid, "TMPDIR="+b.program.dir)), func(pid int) bool { return slices.Contains(b.first, pid) })
		return len(left) == 0
	}) {
		return
	}
	t.Errorf("%s after the last call it still has %d processes that it did not start with: %v", patience, len(left), left)
}

func (b *binary) quiet(t T) {
	if b.program.before != "" {
		t.Errorf("it printed %.200q before the handshake's line", b.program.before)
	}
	if n := b.program.written.Load(); n > mayWrite {
		t.Errorf("it wrote %d KiB on its outputs", n>>10)
	}
}

// orphans starts it as a host whose process id is another's, and below a host
// that is then killed.
func (b *binary) orphans(t T) {
	hello := handshake(pluginproto.Spoken(pluginproto.ValidatorVersion)...)
	var out bytes.Buffer
	cmd := command(b.path, t.TempDir(), 1, hello...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v", err)
	}
	if err := exited(cmd, patience); errors.Is(err, errStillRuns) {
		t.Errorf("it still runs %s after it was started by another process than the one in $%s; it said %q", patience, pluginproto.EnvHostPID, out.String())
	}

	dir := t.TempDir()
	host := exec.Command("/bin/sh", "-c", pluginproto.EnvHostPID+`=$$ "$0" >out 2>&1 & echo $! >pid; wait`, b.path) //nolint:noctx // it is killed below
	host.Dir, host.Env = dir, append(environment(dir, 0), hello...)
	host.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := host.Start(); err != nil {
		t.Fatalf("%v", err)
	}
	serving := settle(patience, func() bool {
		said, _ := os.ReadFile(filepath.Join(dir, "out"))
		return bytes.Contains(said, []byte("|grpc"))
	})
	raw, _ := os.ReadFile(filepath.Join(dir, "pid"))
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	family := below(pid, "")
	_ = host.Process.Kill()
	_ = host.Wait()
	defer func() { _ = syscall.Kill(-host.Process.Pid, syscall.SIGKILL) }()
	switch {
	case err != nil || !serving:
		t.Errorf("below a shell it did not serve")
	case !settle(patience, func() bool { return len(alive(family)) == 0 }):
		t.Errorf("it still runs %s after its host was killed", patience)
	}
}

func (b *binary) dies(t T) {
	family := below(b.program.cmd.Process.Pid, "TMPDIR="+b.program.dir)
	b.program.end()
	if !settle(5*time.Second, func() bool { return len(alive(family)) == 0 }) {
		t.Errorf("after its host killed it, of its processes %v are still there", alive(family))
		for _, pid := range alive(family) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
