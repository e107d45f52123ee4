package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// The test binary is also the plugin and, for one test, the host that is
// killed; see plugin_test.go.
func TestMain(m *testing.M) {
	if mode := os.Getenv("TEST_PLUGIN"); mode != "" {
		playPlugin(mode)
	}
	if os.Getenv("TEST_HOST") != "" {
		playHost()
	}
	goleak.VerifyTestMain(m)
}

func entry(t testing.TB, mode string) Plugin {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := Sum(exe)
	if err != nil {
		t.Fatal(err)
	}
	return Plugin{Name: "played", Path: exe, SHA256: sum, Enabled: true, Env: map[string]string{"TEST_PLUGIN": mode}}
}

func setup(t *testing.T, mode string, change ...func(*Config)) *Host {
	t.Helper()
	cfg := Config{
		Plugins: []Plugin{entry(t, mode)}, HostVersion: "test", StartTimeout: 5 * time.Second,
		BackOff: 20 * time.Millisecond, HealthEvery: 200 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if _, err := os.Stat(h.dir.path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the host's folder is left behind")
		}
	})
	return h
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

func played(t *testing.T, h *Host) judging.Judge {
	t.Helper()
	v, err := h.Validator("played")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func verdict(ctx context.Context, v judging.Judge, content string) (judging.Verdict, error) {
	d, err := v.Judge(ctx, &judging.JudgeRequest{PlanRequest: judging.PlanRequest{
		Submission: judging.Submission{Language: "text", Files: []judging.File{{Path: "a.txt", Content: []byte(content)}}},
	}, Round: 1})
	if err != nil {
		return "", err
	}
	return d.Report.Verdict, nil
}

func TestAPluginDescribesItselfAndJudges(t *testing.T) {
	h := setup(t, "honest")
	if s := h.Status()[0]; s.State != "idle" || s.PID != 0 {
		t.Fatalf("a plugin must not start before it is called: %+v", s)
	}
	info := h.Catalog(t.Context())
	if len(info) != 1 || info[0].State != "running" || info[0].Description.Version != "1.2.3" || info[0].Protocol != 1 {
		t.Fatalf("catalog: %+v", info)
	}
	if d := info[0].Description.Detail.(*judging.Description); d.Languages[0].Name != "text" {
		t.Fatalf("description: %+v", d)
	}
	if got, err := verdict(t.Context(), played(t, h), "good"); err != nil || got != judging.VerdictPassed {
		t.Fatalf("verdict %q, %v", got, err)
	}
	if _, err := played(t, h).Mutate(t.Context(), &judging.MutateRequest{}); !errors.Is(err, judging.ErrNoMutants) {
		t.Fatalf("mutate: %v", err)
	}
}

func TestJunkOnStdoutAndStderrDoesNoHarm(t *testing.T) {
	for _, mode := range []string{"stdout-junk", "stderr-json", "stderr-flood", "stderr-binary", "printing"} {
		t.Run(mode, func(t *testing.T) {
			h := setup(t, mode)
			for range 3 {
				if got, err := verdict(t.Context(), played(t, h), "good"); err != nil || got != judging.VerdictPassed {
					t.Fatalf("verdict %q, %v", got, err)
				}
			}
			if s := h.Status()[0]; s.Crashes != 0 {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestAPluginThatDiesDuringACallIsStartedAgain(t *testing.T) {
	h := setup(t, "killable")
	v := played(t, h)
	if _, err := verdict(t.Context(), v, "good"); err != nil {
		t.Fatal(err)
	}
	first := h.Status()[0].PID
	time.AfterFunc(200*time.Millisecond, func() { _ = syscall.Kill(first, syscall.SIGKILL) })
	got, err := verdict(t.Context(), v, "slow")
	var ce *CallError
	if got != "" || !errors.As(err, &ce) || !errors.Is(err, ErrUnavailable) || !ce.Retryable() || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("verdict %q, %v", got, err)
	}
	if got, err := verdict(t.Context(), v, "good"); err != nil || got != judging.VerdictPassed {
		t.Fatalf("after the restart: %q, %v", got, err)
	}
	if s := h.Status()[0]; s.PID == first || s.Crashes != 1 {
		t.Fatalf("%+v", s)
	}
}

func TestAPanicIsAnErrorAndThePluginLives(t *testing.T) {
	h := setup(t, "honest")
	_, err := verdict(t.Context(), played(t, h), "panic")
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "panicked") {
		t.Fatal(err)
	}
	if s := h.Status()[0]; s.State != "running" || s.Crashes != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestAPluginThatCrashesTooOftenIsQuarantinedWithAMessage(t *testing.T) {
	h := setup(t, "crashing", func(c *Config) { c.MaxCrashes = 3; c.Quarantine = time.Hour })
	v := played(t, h)
	var err error
	for range 4 {
		_, err = verdict(t.Context(), v, "good")
		if err == nil {
			t.Fatal("a crash must never be a verdict")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !errors.Is(err, ErrQuarantined) || !strings.Contains(err.Error(), "tracker plugin enable played") || !strings.Contains(err.Error(), "I am broken") {
		t.Fatal(err)
	}
	if s := h.Status()[0]; s.State != "quarantined" || s.Problem == "" {
		t.Fatalf("%+v", s)
	}
	if err := h.Restart("played"); err != nil {
		t.Fatal(err)
	}
	if s := h.Status()[0]; s.State != "idle" {
		t.Fatalf("an operator can try at once: %+v", s)
	}
}

func TestHangingCallsEndAtTheirDeadlineAndThePluginIsReplaced(t *testing.T) {
	h := setup(t, "honest")
	handle, err := Get(h, Validator, "played")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := handle.Description(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := h.Status()[0].PID
	began := time.Now()
	err = handle.Do(t.Context(), "Plan", 300*time.Millisecond, func(ctx context.Context, c judging.Judge) error {
		_, err := verdict(ctx, c, "hang")
		return err
	})
	if !errors.Is(err, ErrDeadline) || time.Since(began) > 2*time.Second {
		t.Fatalf("after %s: %v", time.Since(began), err)
	}
	if got, err := verdict(t.Context(), played(t, h), "good"); err != nil || got != judging.VerdictPassed {
		t.Fatalf("verdict %q, %v", got, err)
	}
	if s := h.Status()[0]; s.PID == first {
		t.Fatal("a process that hangs must be replaced")
	}
	gone(t, first)
}

func TestAPluginThatHangsInDescribeOrBeforeIsNotStarted(t *testing.T) {
	for mode, want := range map[string]string{
		"hang-describe": "did not describe itself within 5s",
		"hang-start":    "did not say that it is there within 1s",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := setup(t, mode, func(c *Config) { c.StartTimeout = time.Second })
			_, err := verdict(t.Context(), played(t, h), "good")
			if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), want) {
				t.Fatal(err)
			}
		})
	}
}

func TestAPluginThatStopsAnsweringIsKilledByTheHealthCheck(t *testing.T) {
	h := setup(t, "honest")
	h.Catalog(t.Context())
	first := h.Status()[0].PID
	if err := syscall.Kill(first, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	gone(t, first)
}

func TestAnAnswerThatIsTooLargeIsRefused(t *testing.T) {
	h := setup(t, "huge")
	_, err := verdict(t.Context(), played(t, h), "good")
	if !errors.Is(err, ErrTooLarge) {
		t.Fatal(err)
	}
	if s := h.Status()[0]; s.State != "running" {
		t.Fatalf("%+v", s)
	}
}

func TestStartsThatCanNotWorkSayWhatToDo(t *testing.T) {
	cases := map[string]struct {
		mode   string
		change func(*Plugin)
		want   []string
	}{
		"wrong sha256":       {"honest", func(p *Plugin) { p.SHA256 = strings.Repeat("ab", 32) }, []string{"pins abab", "if not, don't run it"}},
		"missing file":       {"honest", func(p *Plugin) { p.Path = "/nonexistent/plugin" }, []string{"does not exist", "disable it"}},
		"not a program":      {"honest", func(p *Plugin) { script(t, p, "just text") }, []string{"not a program for this machine"}},
		"ends at once":       {"honest", func(p *Plugin) { script(t, p, "#!/bin/sh\necho no luck >&2\nexit 3\n") }, []string{"exit status 3", "no luck"}},
		"newer protocol":     {"version-99", nil, []string{"speaks version 99", "speaks [1]", "update the tracker"}},
		"older protocol":     {"version-0", nil, []string{"speaks version 0", "build the plugin with a current SDK"}},
		"another name":       {"other-name", nil, []string{`its name is "someone-else"`}},
		"another kind":       {"other-kind", nil, []string{"is a llm plugin"}},
		"tcp instead":        {"tcp", nil, []string{"unix socket"}},
		"bad description":    {"bad-description", nil, []string{"no language is named"}},
		"socket of another":  {"foreign-socket", nil, []string{"unix socket in"}},
		"link for a socket":  {"link-socket", nil, []string{"is not a socket"}},
		"endless first line": {"endless-line", nil, []string{"before it said that it is there"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := setup(t, c.mode, func(cfg *Config) {
				cfg.StartTimeout = 3 * time.Second
				if c.change != nil {
					c.change(&cfg.Plugins[0])
				}
			})
			_, err := verdict(t.Context(), played(t, h), "good")
			if !errors.Is(err, ErrUnavailable) {
				t.Fatal(err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is missing in: %v", w, err)
				}
			}
		})
	}
}

func script(t *testing.T, p *Plugin, content string) {
	t.Helper()
	p.Path = filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(p.Path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	p.SHA256, _ = Sum(p.Path)
}

func TestConfigurationsThatCanNotWorkAreRefusedTogether(t *testing.T) {
	_, err := New(Config{Plugins: []Plugin{{Name: "Bad Name", Enabled: true, Path: "/x"}, {Name: "b", Enabled: true, SHA256: strings.Repeat("0", 64)}}})
	for _, want := range []string{`"Bad Name"`, "sha256", "plugin b needs a path"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestAPluginGetsAMinimalEnvironmentAndAUserOfItsOwn(t *testing.T) {
	t.Setenv("SECRET_KEY", "must not reach a plugin")
	h := setup(t, "environment")
	_, err := verdict(t.Context(), played(t, h), "good")
	if err == nil || strings.Contains(err.Error(), "SECRET_KEY") || !strings.Contains(err.Error(), "TEST_PLUGIN=environment") {
		t.Fatal(err)
	}
	want := fmt.Sprintf("uid=%d", os.Geteuid())
	if isRoot() {
		want = "uid=61100 groups=[]"
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%q is missing in: %v", want, err)
	}
}

func TestDisabledAndUnknownPluginsAreNotThere(t *testing.T) {
	h := setup(t, "honest", func(c *Config) { c.Plugins[0].Enabled = false })
	if _, err := h.Validator("played"); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
}

func TestRestartReplacesAPluginWithoutDroppingACall(t *testing.T) {
	h := setup(t, "killable")
	h.Catalog(t.Context())
	first := h.Status()[0].PID
	slow := make(chan error, 1)
	go func() {
		_, err := verdict(t.Context(), played(t, h), "slow")
		slow <- err
	}()
	time.Sleep(200 * time.Millisecond)
	if err := h.Restart("played"); err != nil {
		t.Fatal(err)
	}
	if got, err := verdict(t.Context(), played(t, h), "good"); err != nil || got != judging.VerdictPassed {
		t.Fatalf("verdict %q, %v", got, err)
	}
	if h.Status()[0].PID == first {
		t.Fatal("the new call went to the old process")
	}
	if err := <-slow; err != nil {
		t.Fatalf("the old call: %v", err)
	}
	gone(t, first)
}

func TestCloseLeavesNoProcess(t *testing.T) {
	for _, mode := range []string{"honest", "daemon", "hang-start"} {
		t.Run(mode, func(t *testing.T) {
			h := setup(t, mode, func(c *Config) { c.StartTimeout = 30 * time.Second })
			started := make(chan struct{})
			go func() { h.Catalog(t.Context()); close(started) }()
			if mode != "hang-start" {
				<-started
			}
			time.Sleep(300 * time.Millisecond)
			pids := processesOf(h.dir.path)
			if want := map[bool]int{true: 4, false: 1}[mode == "daemon"]; len(pids) != want {
				t.Fatalf("%d processes to look for, want %d", len(pids), want)
			}
			began := time.Now()
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			if time.Since(began) > 2*time.Second {
				t.Errorf("close took %s", time.Since(began))
			}
			for _, pid := range pids {
				gone(t, pid)
			}
			<-started
			if _, err := verdict(t.Context(), played(t, h), "good"); !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
			// setup's own Close finds nothing left to do.
			h.dir, _ = newRunDir("")
		})
	}
}

func TestAPluginEndsSoonAfterItsHostWasKilled(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host := exec.Command(exe)
	host.Env = append(os.Environ(), "TEST_HOST=1")
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Fscan(out, &pid, &dir); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("plugin %d: %v", pid, err)
	}
	_ = host.Process.Kill()
	_ = host.Wait()
	gone(t, pid)
	setup(t, "honest") // sweeps what the killed host left
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the killed host's folder is left behind: %v", err)
	}
}

func gone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

// processesOf returns the processes whose program lies in dir.
func processesOf(dir string) []int {
	var out []int
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, l := range links {
		exe, err := os.Readlink(l)
		if err != nil || !strings.HasPrefix(exe, dir) {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(l, "/")[2])
		out = append(out, pid)
	}
	return out
}
