package validation_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// The environment of a test process that plays a server's worker.
const (
	workerURL    = "VALIDATION_TEST_WORKER_URL"
	workerPlugin = "VALIDATION_TEST_WORKER_PLUGIN"
)

// playWorker is the part of a server that judges, until it is killed.
func playWorker(url string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("worker:", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	db, err := postgres.Open(ctx, postgres.Config{URL: url})
	fail(err)
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	log := events.New(db, events.Config{}, logger)
	host, err := validationtest.Host(os.Getenv(workerPlugin))
	fail(err)
	t := taskstest.New(db, log, goalstest.New(db, log))
	kit, err := validationtest.Wire(db, log, t, validationtest.Options{Host: host, Logger: logger})
	fail(err)
	registry := jobs.NewRegistry()
	kit.Register(registry)
	runner, err := jobs.NewRunner(db, registry, jobs.DefaultConfig(), slog.New(slog.DiscardHandler))
	fail(err)
	fail(runner.Start(ctx))
	fmt.Println("ready")
	fail(kit.Worker.Run(ctx))
}

func startWorker(t *testing.T, url, plugin string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), workerURL+"="+url, workerPlugin+"="+plugin)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "ready" {
		t.Fatalf("the worker said %q, %v", line, err)
	}
	return cmd
}

func TestARunWhoseServerIsKilledIsJudgedExactlyOnceWithin30SecondsOfTheRestart(t *testing.T) {
	b := setup(t, validationtest.Options{})
	plugin, err := validationtest.PythonBinary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	task := b.task(ada, "test_main.py", "import time\nfrom main import double\ndef test_two():\n    time.sleep(3)\n    assert double(2) == 4\n")
	second := b.task(bob, "test_main.py", doubleTest)
	third := b.task(cleo, "test_main.py", doubleTest)
	first := startWorker(t, b.DB.URL(), plugin)
	s := b.Submit(t, ada, task.ID, "main.py", "def double(n):\n    return 2 * n\n")
	eventually(t, 20*time.Second, "the run began", func() bool { return b.Run(t, s.RunID).Status == validation.StatusRunning })
	time.Sleep(500 * time.Millisecond)
	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	// Between submit and verdict, with no server there.
	other := b.Submit(t, bob, second.ID, "main.py", "def double(n):\n    return 3\n")
	more := b.Submit(t, cleo, third.ID, "main.py", "def double(n):\n    return 2 * n\n")

	startWorker(t, b.DB.URL(), plugin)
	restarted := time.Now()
	eventually(t, 30*time.Second, "all are judged", func() bool {
		return b.Run(t, s.RunID).Status == validation.StatusDone && b.Run(t, other.RunID).Status == validation.StatusDone && b.Run(t, more.RunID).Status == validation.StatusDone
	})
	t.Logf("all judged %s after the restart", time.Since(restarted).Round(time.Millisecond))
	run := b.Run(t, s.RunID)
	if run.Verdict != judging.VerdictPassed || run.Attempt != 2 || b.status(task.ID) != tasks.StatusCompleted {
		t.Errorf("the run is %+v, the task %s", run, b.status(task.ID))
	}
	if got := b.types("run:" + run.ID); got != "validation.queued validation.started validation.started validation.completed" { //nolint:dupword // each is one
		t.Errorf("the run's events are %s", got)
	}
	if got := b.Run(t, other.RunID).Verdict; got != judging.VerdictFailed {
		t.Errorf("the other's verdict is %s", got)
	}
	if n := b.count("SELECT count(*) FROM validation.queue"); n != 0 {
		t.Errorf("%d runs are still in the queue", n)
	}
	if n := b.count("SELECT count(*) FROM events.events WHERE type = 'validation.completed'"); n != 3 {
		t.Errorf("%d verdicts were published, want 3", n)
	}
	eventstest.Verify(t, b.log)
}

func TestAPluginThatIsKilledWhileItJudgesIsStartedAgainAndTheVerdictIsRight(t *testing.T) {
	host := validationtest.Python(t)
	b := setup(t, validationtest.Options{Host: host, Config: validation.Config{RetryAfter: time.Millisecond}})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "def double(n):\n    return 5\n")
	done := make(chan error, 1)
	go func() { _, err := b.Worker.Next(context.Background()); done <- err }()
	eventually(t, 20*time.Second, "the tests run", func() bool {
		pushes := b.Pushes("ada", validation.PushStage)
		return len(pushes) > 0 && pushes[len(pushes)-1]["stage"] == "test"
	})
	// Stopped, it takes the call and does not answer; so it surely dies in it.
	pid := host.Status()[0].PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if run := b.Run(t, s.RunID); run.Status != validation.StatusRunning || run.Verdict != "" {
		t.Errorf("after the plugin died the run is %s with verdict %q", run.Status, run.Verdict)
	}
	eventually(t, 20*time.Second, "it is judged", func() bool {
		b.Drain(t)
		return b.Run(t, s.RunID).Status == validation.StatusDone
	})
	run := b.Run(t, s.RunID)
	if run.Verdict != judging.VerdictFailed || run.Attempt != 2 || b.status(task.ID) != tasks.StatusFailed {
		t.Errorf("verdict %s at attempt %d, task %s", run.Verdict, run.Attempt, b.status(task.ID))
	}
}
