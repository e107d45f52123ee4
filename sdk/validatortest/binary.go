package validatortest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
)

// Binary checks what Spec checks, on a plugin's binary written in any
// language, and what is the process's part: the handshake, a friendly text for
// people who start it by hand, and an end when its host is gone.
func Binary(t *testing.T, path string) {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("build the plugin first: %v", err)
	}
	t.Run("explains itself when started by hand", func(t *testing.T) { byHand(t, path) })
	t.Run("ends when its host is gone", func(t *testing.T) { orphan(t, path) })
	suite(t, launch(t, path))
}

func byHand(t *testing.T, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Errorf("it must end with an exit code other than 0, and at once: %v", err)
	}
	if !bytes.Contains(bytes.ToLower(out), []byte("plugin")) {
		t.Errorf("it must say that it is a plugin; it said %q", out)
	}
}

// orphan starts it as a host whose process id is another's.
func orphan(t *testing.T, path string) {
	t.Helper()
	cmd := hostCommand(t, path, 1)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(cmd.Env, pluginproto.CookieKey+"="+pluginproto.CookieValue, "PLUGIN_PROTOCOL_VERSIONS="+strconv.Itoa(pluginproto.ValidatorVersion))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
		t.Errorf("it still runs 5s after the process in $%s was no longer its parent; it said %q", pluginproto.EnvHostPID, out.String())
	}
}

func hostCommand(t testing.TB, path string, hostPID int) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(path) //nolint:noctx // the callers end its whole group
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + dir, "TMPDIR=" + dir,
		pluginproto.EnvKind + "=" + pluginproto.KindValidator, pluginproto.EnvHostPID + "=" + strconv.Itoa(hostPID),
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// launch starts the plugin as the tracker does, with a minimal environment.
func launch(t testing.TB, path string) judging.Judge {
	t.Helper()
	cmd := hostCommand(t, path, os.Getpid())
	cfg := &plugin.ClientConfig{
		HandshakeConfig:  pluginproto.Handshake(),
		VersionedPlugins: pluginproto.Versions(pluginproto.KindValidator, pluginproto.ValidatorVersion),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true, SkipHostEnv: true, StartTimeout: 10 * time.Second,
		Cmd:    cmd,
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Off}),
	}
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	addr, err := plugin.NewClient(cfg).Start()
	if err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	if addr.Network() != "unix" || !strings.HasPrefix(addr.String(), "/") {
		t.Fatalf("it listens on %s %s; it must listen on a unix socket in $PLUGIN_UNIX_SOCKET_DIR, or else in $TMPDIR", addr.Network(), addr)
	}
	conn, err := pluginproto.Dial(addr.String(), cfg.TLSConfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return validatorrpc.NewClient(conn, "validatortest")
}
