package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/judging"
)

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

func TestAPluginThatHangsInDescribeOrBeforeIsNotStarted(t *testing.T) { //nolint:tparallel // its two modes only wait; other tests measure time
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
			// Who is not root can't look into a plugin that serves.
			if pid := h.Status()[0].PID; pid != 0 && !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
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
	deadline := time.Now().Add(time.Minute)
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

func TestTheEpitaphHoldsTheLastWords(t *testing.T) {
	for range 40 {
		cmd := exec.Command("/bin/sh", "-c", "i=0; while [ $i -lt 200 ]; do echo chatter >&2; i=$((i+1)); done; echo I am broken >&2; exit 7")
		cmd.SysProcAttr = &syscall.SysProcAttr{}
		p := newProcess(cmd, &tail{log: slog.New(slog.DiscardHandler)})
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-p.done
		if got := p.epitaph(); !strings.HasPrefix(got, "exit status 7; it said: ") || !strings.HasSuffix(got, "I am broken") {
			t.Fatalf("it ends with %q", got[max(0, len(got)-40):])
		}
	}
}
