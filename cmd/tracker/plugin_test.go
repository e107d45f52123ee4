package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// playedVersion makes the test's program a plugin of that version.
const playedVersion = "TRACKER_TEST_PLUGIN"

// playPlugin judges greetings, slowly enough to be changed meanwhile. A version
// that ends in -crash does not survive it, one in -broken not even its start.
func playPlugin(version string) {
	spec := &validator.Spec{
		Name: "played", Version: version,
		Languages: []validator.Language{{Name: "greeting", Extensions: []string{".greet"}, DefaultFile: "a.greet"}},
		Judge: func(_ context.Context, req *validator.Request) (*validator.Report, error) {
			file := req.Submission.File("a.greet")
			if file == nil || !strings.HasPrefix(string(file.Content), "Hello") {
				return &validator.Report{Verdict: validator.Failed, Output: "judged by " + version}, nil
			}
			if strings.HasSuffix(version, "-crash") {
				println("I can't bear greetings")
				os.Exit(9)
			}
			time.Sleep(300 * time.Millisecond)
			test := validator.Test{ID: "greets", Status: validator.Pass}
			return &validator.Report{Verdict: validator.Passed, Score: 1, Tests: []validator.Test{test}, Output: "judged by " + version}, nil
		},
	}
	if strings.HasSuffix(version, "-broken") {
		os.Exit(3)
	}
	validator.Main(spec)
}

// playedBinary is a launcher of this program as that version, so that each has
// a sha256 of its own. It lies where the users that plugins run as can read it.
func playedBinary(t *testing.T, version string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "played-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "program")
	if os.Link(exe, copied) != nil {
		from, err := os.Open(exe)
		if err != nil {
			t.Fatal(err)
		}
		to, err := os.OpenFile(copied, os.O_CREATE|os.O_WRONLY, 0o755)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(to, from); err != nil {
			t.Fatal(err)
		}
		_, _ = from.Close(), to.Close()
	}
	launcher := filepath.Join(dir, "played")
	text := fmt.Sprintf("#!/bin/sh\n%s=%s exec %s\n", playedVersion, version, copied)
	if err := os.WriteFile(launcher, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return launcher
}

// operator runs commands on the settings of a server.
type operator struct {
	t   *testing.T
	cfg Config
}

func newOperator(t *testing.T) operator {
	t.Helper()
	cfg := testConfig(t)
	cfg.Plugins.Dir = filepath.Join(t.TempDir(), "plugins")
	cfg.Validation.RetryAfter = 10 * time.Millisecond
	return operator{t, cfg}
}

// do runs a command and returns its exit code and what it printed.
func (o operator) do(args ...string) (code int, out string) {
	o.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		o.t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		raw, _ := io.ReadAll(read)
		said <- string(raw)
	}()
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	code = run(append([]string{"--set", "data_dir=" + o.cfg.DataDir, "--set", "plugins.dir=" + o.cfg.Plugins.Dir}, args...))
	os.Stdout, os.Stderr = stdout, stderr
	_ = write.Close()
	return code, <-said
}

func (o operator) must(want string, args ...string) {
	o.t.Helper()
	if code, out := o.do(args...); code != 0 || !strings.Contains(out, want) {
		o.t.Fatalf("tracker %s: exit code %d, and %q should be in:\n%s", strings.Join(args, " "), code, want, out)
	}
}

func (o operator) refused(want string, args ...string) {
	o.t.Helper()
	if code, out := o.do(args...); code == 0 || !strings.Contains(out, want) {
		o.t.Fatalf("tracker %s: exit code %d, and %q should be in:\n%s", strings.Join(args, " "), code, want, out)
	}
}

// politeness is a goal that stays open: one of its tasks is never done.
func politeness(me caller) string {
	goal := me.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Be polite", "course_id": course}).field("id").(string)
	me.must(http.MethodPost, "/api/v1/tasks", map[string]any{"goal_id": goal, "title": "Always", "type": "code", "language": "greeting"})
	return goal
}

// greet submits a greeting for a task of its own and returns the snapshot.
func greet(me caller, goal string, n int) string {
	task := me.must(http.MethodPost, "/api/v1/tasks", map[string]any{
		"goal_id": goal, "title": fmt.Sprintf("Greet %d", n), "type": "code", "language": "greeting",
		"validation": map[string]any{"tests": []map[string]any{{"path": "t.greet", "content": "x"}}},
	}).field("id").(string)
	return me.must(http.MethodPost, "/api/v1/tasks/"+task+"/snapshots", map[string]any{
		"files": []map[string]any{{"path": "a.greet", "content": fmt.Sprintf("Hello %d", n)}},
	}).field("id").(string)
}

// judged waits for the run of a snapshot.
func judged(me caller, snapshot string) response {
	me.t.Helper()
	id := until(me.t, 2*time.Minute, func() (string, bool) {
		s := me.must(http.MethodGet, "/api/v1/snapshots/"+snapshot, nil)
		run, _ := s.field("run_id").(string)
		return run, s.field("run_status") == "done"
	})
	return me.must(http.MethodGet, "/api/v1/runs/"+id, nil)
}

func TestAPluginIsReplacedUnderLoadAndNoRunIsLost(t *testing.T) {
	o := newOperator(t)
	o.must("installed played 1.0.0 (judges greeting)", "plugin", "install", playedBinary(t, "1.0.0"))
	var host *pluginhost.Host
	w := startWorldOn(t, o.cfg, &host)
	me := w.as("ada", "student", course)
	goal := politeness(me)
	var snapshots []string
	submit := func(n int) {
		for range n {
			snapshots = append(snapshots, greet(me, goal, len(snapshots)))
		}
	}
	runs := func(version string) {
		t.Helper()
		until(t, 30*time.Second, func() (string, bool) {
			got := host.Status()[0].Description.Version
			return got, got == version
		})
	}
	submit(10)
	judged(me, snapshots[0])
	o.must("installed played 2.0.0", "plugin", "install", playedBinary(t, "2.0.0"))
	submit(10)
	runs("2.0.0")
	submit(10)
	o.must("installed played 3.0.0", "plugin", "install", playedBinary(t, "3.0.0"))
	runs("3.0.0")
	submit(1)
	seen := map[string]int{}
	for _, s := range snapshots {
		r := judged(me, s)
		version, _ := r.field("plugin_version").(string)
		seen[version]++
		if r.field("verdict") != "passed" || r.field("attempt") != 1.0 {
			t.Errorf("a run was not judged at once: %s", r.body)
		}
		if out, _ := r.field("output").(string); out != "judged by "+version {
			t.Errorf("a run of version %s says %q", version, out)
		}
	}
	t.Logf("runs by version: %v", seen)
	if last := judged(me, snapshots[len(snapshots)-1]); last.field("plugin_version") != "3.0.0" {
		t.Errorf("the last run: %s", last.body)
	}
	if seen["1.0.0"] == 0 || len(seen) < 2 {
		t.Errorf("the change did not happen under load: %v", seen)
	}
}

func TestAPluginThatCrashesCostsNoVerdictAndCanBeEnabledOnARunningServer(t *testing.T) {
	o := newOperator(t)
	var host *pluginhost.Host
	w := startWorldOn(t, o.cfg, &host)
	o.must("installed played 1.0.0-crash", "plugin", "install", playedBinary(t, "1.0.0-crash"))
	until(t, 30*time.Second, func() ([]string, bool) {
		names := host.Names("validator")
		return names, slices.Contains(names, "played")
	})
	me := w.as("ada", "student", course)
	goal := politeness(me)
	for n := range 2 {
		r := judged(me, greet(me, goal, n))
		if r.field("verdict") != "platform_error" || r.field("attempt") != 3.0 {
			t.Errorf("%s", r.body)
		}
	}
	problem := until(t, time.Minute, func() (string, bool) {
		s := host.Status()[0]
		return s.Problem, s.State == "quarantined"
	})
	for _, want := range []string{"tracker plugin enable played", "I can't bear greetings", "exit status 9"} {
		if !strings.Contains(problem, want) {
			t.Errorf("%q is missing in what the operator reads: %s", want, problem)
		}
	}
	o.must("played is enabled", "plugin", "enable", "played")
	until(t, 30*time.Second, func() (string, bool) {
		s := host.Status()[0]
		return s.State, s.State != "quarantined"
	})
	o.must("installed played 1.0.1", "plugin", "install", playedBinary(t, "1.0.1"))
	until(t, 30*time.Second, func() (string, bool) {
		got := host.Status()[0].Description.Version
		return got, got == "1.0.1"
	})
	if r := judged(me, greet(me, goal, 9)); r.field("verdict") != "passed" {
		t.Errorf("%s", r.body)
	}
	o.must("played is disabled", "plugin", "disable", "played")
	until(t, 30*time.Second, func() ([]string, bool) {
		names := host.Names("validator")
		return names, !slices.Contains(names, "played")
	})
	o.must("played is enabled", "plugin", "enable", "played")
	until(t, 30*time.Second, func() ([]string, bool) {
		names := host.Names("validator")
		return names, slices.Contains(names, "played")
	})
}

func TestAServerTakesUpProgramsOnHangupAndKeepsAPluginThatItsSuccessorCanNotReplace(t *testing.T) {
	o := newOperator(t)
	o.must("installed played 1.0.0", "plugin", "install", playedBinary(t, "1.0.0"))
	var host *pluginhost.Host
	startWorldOn(t, o.cfg, &host)
	host.Catalog(t.Context())
	replace := func(version string) {
		content, err := os.ReadFile(playedBinary(t, version))
		if err != nil {
			t.Fatal(err)
		}
		if err := writeWhole(filepath.Join(o.cfg.Plugins.Dir, "played"), content, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	// Its sum is pinned, so a program that was only put there does not run.
	replace("2.0.0")
	time.Sleep(time.Second)
	if s := host.Status()[0]; s.Description.Version != "1.0.0" || s.State != "running" {
		t.Errorf("%+v", s)
	}
	if err := os.Remove(o.cfg.pluginLockPath()); err != nil {
		t.Fatal(err)
	}
	replace("2.0.0-broken")
	until(t, 30*time.Second, func() (string, bool) {
		p := host.Status()[0].Problem
		return p, strings.Contains(p, "the old one goes on")
	})
	if s := host.Status()[0]; s.Description.Version != "1.0.0" || s.State != "running" {
		t.Errorf("%+v", s)
	}
	replace("2.0.1")
	until(t, 30*time.Second, func() (string, bool) {
		got := host.Status()[0].Description.Version
		return got, got == "2.0.1"
	})
}

func TestInstallingChecksPinsAndSaysWhichFileWins(t *testing.T) {
	o := newOperator(t)
	binary := playedBinary(t, "1.0.0")
	sum, err := pluginhost.Sum(binary)
	if err != nil {
		t.Fatal(err)
	}
	o.must("all 19 checks passed", "plugin", "check", binary)
	o.refused("✗ starts in a minimal environment", "plugin", "check", playedBinary(t, "1.0.0-broken"))
	o.refused("was not installed", "plugin", "install", playedBinary(t, "1.0.0-broken"))
	if left, err := os.ReadDir(o.cfg.Plugins.Dir); err != nil || len(left) != 0 {
		t.Errorf("a plugin that failed leaves %v, %v", left, err)
	}
	o.refused("set plugins.pins.played to "+sum, "--set", "plugins.pins.other="+strings.Repeat("0", 64), "plugin", "install", binary)
	o.must("pinned to sha256 "+sum, "plugin", "install", binary)
	o.must("played", "plugin", "list")
	if _, out := o.do("plugin", "list"); !strings.Contains(out, "plugins.lock") || !strings.Contains(out, "greeting") || !strings.Contains(out, "1.0.0") {
		t.Errorf("%s", out)
	}
	o.must("it still does not run: it is disabled by plugins.disabled", "--set", "plugins.disabled=played", "plugin", "enable", "played")
	o.refused(`there is no plugin "plaid"`, "plugin", "enable", "plaid")
	o.must("it takes no new ones", "plugin", "disable", "played")
	o.must("disabled by `tracker plugin disable`", "plugin", "list")
	_ = os.WriteFile(filepath.Join(o.cfg.Plugins.Dir, "played"), []byte("#!/bin/sh\nexit 1\n"), 0o755)
	o.must("played is enabled", "plugin", "enable", "played")
	if _, out := o.do("plugin", "list"); !strings.Contains(out, "pins "+sum) {
		t.Errorf("a program that was changed behind the lock must not run:\n%s", out)
	}
}

func TestANewPluginIsSmallAndNeverWrittenOverAnother(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "greet")
	o := newOperator(t)
	t.Setenv("TRACKER_SDK", "../..")
	o.must("is a plugin that judges c++", "plugin", "new", "greet", "--language", "c++", "--dir", dir)
	source, err := os.ReadFile(filepath.Join(dir, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(source), "\n"); lines > 30 || strings.Count(string(source), sdkModule) != 1 || !strings.Contains(string(source), "hello.cpp") {
		t.Errorf("%d lines:\n%s", lines, source)
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || modulePath(mod) != "greet" || !strings.Contains(string(mod), "\nreplace "+sdkModule+" => ") {
		t.Errorf("%s, %v", mod, err)
	}
	o.refused("is not empty", "plugin", "new", "greet", "--dir", dir)
	o.refused("can't be a plugin's name", "plugin", "new", "Greet Me", "--dir", dir+"2")
	o.refused("can't be a language's name", "plugin", "new", "greet", "--language", "C Plus", "--dir", dir+"3")
	o.refused("is no checkout of", "plugin", "new", "greet", "--dir", dir+"4", "--sdk", dir)
}

func TestTheLockIsChangedByOneCommandAtATimeAndNeverHalf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "plugins.lock")
	done := make(chan error, 20)
	for n := range cap(done) {
		go func() {
			done <- changePluginLock(path, func(l *pluginLock) error {
				l.Plugins[fmt.Sprint(n)] = lockedPlugin{SHA256: strings.Repeat("a", 64), Changed: now()}
				return nil
			})
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	lock, err := readPluginLock(path)
	if err != nil || len(lock.Plugins) != cap(done) {
		t.Errorf("%d entries, %v", len(lock.Plugins), err)
	}
	refuse := errors.New("no")
	if err := changePluginLock(path, func(*pluginLock) error { return refuse }); !errors.Is(err, refuse) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readPluginLock(path); err == nil || !strings.Contains(err.Error(), "mend it") {
		t.Error(err)
	}
}
