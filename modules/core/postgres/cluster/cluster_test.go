package cluster_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres/cluster"
)

func TestAFreshFolderGetsADurableServerOnASocketOnly(t *testing.T) {
	dir := folder(t)
	c := start(t, config(dir))
	if !c.Owner() {
		t.Error("the process that started the server is not its owner")
	}
	for setting, want := range map[string]string{
		"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"data_checksums": "on", "server_encoding": "UTF8", "timezone": "UTC",
		"unix_socket_permissions": "0700", "shared_buffers": "16MB",
	} {
		if got := query[string](t, c, "SHOW "+setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	if got := query[string](t, c, "SELECT current_user || ' in ' || current_database()"); got != "tracker in tracker" {
		t.Errorf("connected as %s", got)
	}
	for _, name := range []string{"data", "run", "log"} {
		info, err := os.Stat(filepath.Join(dir, "postgres", name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, others can enter", name, info.Mode())
		}
	}
}

func TestTheServerNeverRunsAsRootAndSeesNoSecrets(t *testing.T) {
	t.Setenv("SECRET_KEY", "only-for-the-tracker")
	dir := folder(t)
	start(t, config(dir))
	pid := postmaster(t, dir)
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		t.Fatal(err)
	}
	if info.Sys().(*syscall.Stat_t).Uid == 0 {
		t.Error("PostgreSQL runs as root")
	}
	if strings.Contains(environOf(t, pid), "only-for-the-tracker") {
		t.Error("the server inherited the tracker's secrets")
	}
	if sid, err := sessionOf(pid); err != nil || sid != pid {
		t.Errorf("the server is in session %d (%v), a Ctrl-C in the tracker's terminal reaches it", sid, err)
	}
}

func TestARestartKeepsTheData(t *testing.T) {
	dir := folder(t)
	c := start(t, config(dir))
	execute(t, c, "CREATE TABLE kept AS SELECT generate_series(1, 1000)")
	stop(t, c)
	if _, err := tryQuery[int](c, "SELECT 1"); err == nil {
		t.Fatal("the server still answers after its owner stopped it")
	}
	again := start(t, config(dir))
	if got := query[int](t, again, "SELECT count(*) FROM kept"); got != 1000 {
		t.Error("what was written before the restart is gone")
	}
}

func TestASecondProcessAttachesAndItsStopStopsNothing(t *testing.T) {
	dir := folder(t)
	ownerProcess(t, dir)
	attached := start(t, config(dir))
	if attached.Owner() {
		t.Error("the second one thinks it is the owner")
	}
	stop(t, attached)
	if got := query[int](t, attached, "SELECT 1"); got != 1 {
		t.Error("the server does not answer any more")
	}
}

func TestAServerWhoseOwnerWasKilledIsAdopted(t *testing.T) {
	dir := folder(t)
	owner := ownerProcess(t, dir)
	pid := postmaster(t, dir)
	kill(t, owner)
	heir := start(t, config(dir))
	if !heir.Owner() {
		t.Error("nobody owns the server")
	}
	if got := postmaster(t, dir); got != pid {
		t.Errorf("server %d was replaced by %d instead of adopted", pid, got)
	}
	stop(t, heir)
	if _, err := tryQuery[int](heir, "SELECT 1"); err == nil {
		t.Error("the heir's Stop did not stop the server")
	}
}

func TestAFolderLeftByAKilledOwnerAndServerRecovers(t *testing.T) {
	dir := folder(t)
	owner := ownerProcess(t, dir)
	pid := postmaster(t, dir)
	attached := start(t, config(dir))
	execute(t, attached, "CREATE TABLE committed AS SELECT generate_series(1, 1000)")
	// The owner first: it would start the server again.
	kill(t, owner)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c := start(t, config(dir))
	if postmaster(t, dir) == pid {
		t.Error("no new server came up")
	}
	if got := query[int](t, c, "SELECT count(*) FROM committed"); got != 1000 {
		t.Errorf("%d of 1000 committed rows are left", got)
	}
}

func TestAPidFileThatNamesAStrangerIsIgnored(t *testing.T) {
	dir := folder(t)
	c := start(t, config(dir))
	pidFile := filepath.Join(dir, "postgres", "data", "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, c)
	// The stranger is of the server's own user, which is when PostgreSQL refuses.
	stat := info.Sys().(*syscall.Stat_t)
	stranger := exec.Command("sleep", "60")
	stranger.Dir = "/"
	if os.Geteuid() == 0 {
		stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
	}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
	_, rest, _ := strings.Cut(string(text), "\n")
	if err := os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s", stranger.Process.Pid, rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(pidFile, int(stat.Uid), int(stat.Gid)); err != nil {
		t.Fatal(err)
	}
	query[int](t, start(t, config(dir)), "SELECT 1")
	if err := stranger.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the stranger was harmed: %v", err)
	}
}

func TestAServerThatDiesIsStartedAgainAtTheSameURL(t *testing.T) {
	dir := folder(t)
	c := start(t, config(dir))
	before, pid := c.URL(""), postmaster(t, dir)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		if _, err := tryQuery[int](c, "SELECT 1"); err == nil && postmaster(t, dir) != pid {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the server did not come back within 30 s")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if c.URL("") != before {
		t.Errorf("the URL changed from %s to %s", before, c.URL(""))
	}
}

func TestAFolderTooDeepForASocketGetsAShortOne(t *testing.T) {
	dir := folder(t)
	parent := filepath.Dir(dir)
	dir = filepath.Join(parent, strings.Repeat("deep", 20), strings.Repeat("deeper", 10), "data")
	c := start(t, config(dir))
	query[int](t, c, "SELECT 1")
	parsed, err := url.Parse(c.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	socketDir := parsed.Query().Get("host")
	t.Cleanup(func() { _ = os.RemoveAll(socketDir) })
	info, err := os.Stat(socketDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(socketDir) > 80 || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket is in %s with mode %v", socketDir, info.Mode())
	}
	attached := start(t, config(dir))
	if attached.Owner() || attached.URL("") != c.URL("") {
		t.Error("a second process does not find the short socket")
	}
}

func TestADetachedServerHasNoOwnerAndOutlivesItsStarter(t *testing.T) {
	dir := folder(t)
	cfg := config(dir)
	cfg.Detached = true
	c := start(t, cfg)
	if c.Owner() {
		t.Error("a detached server has an owner")
	}
	stop(t, c)
	query[int](t, c, "SELECT 1")
	if err := cluster.StopDetached(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := tryQuery[int](c, "SELECT 1"); err == nil {
		t.Error("StopDetached left it running")
	}
}
