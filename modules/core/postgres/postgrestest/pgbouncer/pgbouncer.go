// Package pgbouncer puts a real PgBouncer in transaction mode in front of a
// test's database, on a port of its own.
package pgbouncer

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// nobody is whom the pooler runs as where the test is root, as which it refuses to.
const nobody = 65534

// program is where Debian's package has it; root's PATH and others' differ.
const program = "/usr/sbin/pgbouncer"

// Start runs a pooler in front of the database of a direct URL until the test
// ends and gives the URL through it. Few connections to the server make sure that
// transactions of one client meet different sessions. Where the package pgbouncer
// is not installed, the test is skipped. more are further lines of its settings.
func Start(t testing.TB, direct string, serverConnections int, more ...string) string {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		t.Skip("Debian's package pgbouncer is not installed")
	}
	cfg, err := pgx.ParseConfig(direct)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pgbouncer-") //nolint:usetesting // t.TempDir's parent lets nobody else in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port := freePort(t)
	server := fmt.Sprintf("host=%s port=%d dbname=%s user=%s", cfg.Host, cfg.Port, cfg.Database, cfg.User)
	if cfg.Password != "" {
		server += " password=" + cfg.Password
	}
	ini := filepath.Join(dir, "pgbouncer.ini")
	write(t, filepath.Join(dir, "users.txt"), fmt.Sprintf("%q \"\"\n", cfg.User))
	write(t, ini, fmt.Sprintf(`[databases]
%s = %s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 200
%s
`, cfg.Database, server, port, filepath.Join(dir, "users.txt"), serverConnections, strings.Join(more, "\n")))
	run(t, dir, ini, account(cfg.Host))
	through := &url.URL{Scheme: "postgresql", User: url.User(cfg.User), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/" + cfg.Database}
	await(t, through.String())
	return through.String()
}

// account is whom the pooler runs as where the test is root: whoever may enter
// the folder of the server's socket.
func account(host string) uint32 {
	if info, err := os.Stat(host); err == nil && filepath.IsAbs(host) {
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
			return stat.Uid
		}
	}
	return nobody
}

func run(t testing.TB, dir, ini string, uid uint32) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "-q", ini)
	cmd.Stdout, cmd.Stderr = &out, &out
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, int(uid), -1); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		cmd.Dir = "/"
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { defer close(exited); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		if t.Failed() {
			t.Logf("pgbouncer said:\n%s", out.String())
		}
	})
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := strings.Cut(listener.Addr().String(), ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func await(t testing.TB, through string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(through)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err == nil {
			err = conn.Ping(ctx)
			_ = conn.Close(ctx)
		}
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("pgbouncer does not answer: %v", err)
		}
	}
}
