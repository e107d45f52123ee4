package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// process is a tracker of its own, which can be killed.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	address string
	env     []string
	exited  chan struct{}
}

func startProcess(t *testing.T, env ...string) *process {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, address: listener.Addr().String()}
	_ = listener.Close()
	data := t.TempDir()
	p.env = append(append(os.Environ(),
		"TRACKER_SERVER_ADDRESS="+p.address, "TRACKER_SERVER_DEV=true", "SECRET_KEY="+testSecret, "TRACKER_DATA_DIR="+data,
		"TRACKER_PLUGINS_DIR="+filepath.Join(programs, "plugins"), "TRACKER_TELEMETRY_LOG_LEVEL=warn"), env...)
	p.start()
	t.Cleanup(p.stop)
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(filepath.Join(programs, "tracker"), "serve", "--env-file=/dev/null")
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, os.Stderr, os.Stderr
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) { _ = cmd.Wait(); close(exited) }(p.cmd, p.exited)
	deadline := time.Now().Add(60 * time.Second)
	for {
		answer, err := http.Get("http://" + p.address + "/readyz")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-p.exited:
			p.t.Fatal("the server ended at once")
		default:
		}
		if time.Now().After(deadline) {
			p.t.Fatal("the server is not ready after a minute")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.exited
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(60 * time.Second):
		p.kill()
		p.t.Error("the server did not stop within a minute")
	}
}

func (p *process) as(user string) caller {
	return caller{t: p.t, url: "http://" + p.address, token: signed(p.t, jwt.MapClaims{"user_id": user, "roles": []string{"student"}})}
}

func codeTask(me caller, title string) string {
	me.t.Helper()
	goal := me.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": title}).field("id")
	return me.must(http.MethodPost, "/api/v1/tasks", map[string]any{
		"goal_id": goal, "title": title, "type": "code", "language": "python",
		"validation": map[string]any{"tests": []map[string]any{{"path": "test_double.py", "content": doubleTest}}},
	}).field("id").(string)
}

func submit(me caller, task, code string) string {
	me.t.Helper()
	return me.must(http.MethodPost, "/api/v1/tasks/"+task+"/snapshots", map[string]any{
		"files": []map[string]any{{"path": "double.py", "content": code}}}).field("id").(string)
}

const (
	right = "def double(n):\n    return 2 * n\n"
	wrong = "def double(n):\n    return n + 2\n"
	slow  = "import time\ntime.sleep(2)\ndef double(n):\n    return 2 * n\n"
)

func TestASubmissionSurvivesAKilledServerAndIsJudgedOnce(t *testing.T) {
	p := startProcess(t, "DATABASE_URL="+postgrestest.URL(t))
	me := p.as("ada")
	var tasks, snapshots []string
	for i := range 3 {
		tasks = append(tasks, codeTask(me, fmt.Sprintf("task %d", i)))
	}
	// One is being judged when the server dies, the others wait.
	for _, task := range tasks {
		snapshots = append(snapshots, submit(me, task, slow))
	}
	time.Sleep(time.Second)
	p.kill()
	p.start()
	restarted := time.Now()
	for i, snapshot := range snapshots {
		until(t, 30*time.Second, func() (any, bool) {
			verdict := me.must(http.MethodGet, "/api/v1/snapshots/"+snapshot, nil).field("verdict")
			return verdict, verdict == "passed"
		})
		if status := me.must(http.MethodGet, "/api/v1/tasks/"+tasks[i], nil).field("status"); status != "completed" {
			t.Errorf("task %d is %v", i, status)
		}
		events := list(me.must(http.MethodGet, "/api/v1/events?type=validation.completed&task_id="+tasks[i], nil), "events")
		if len(events) != 1 {
			t.Errorf("task %d was judged %d times", i, len(events))
		}
	}
	t.Logf("all judged %s after the restart", time.Since(restarted).Round(time.Millisecond))
}

func TestWhatWasAcknowledgedSurvivesRestartsOfTheDatabaseUnderLoad(t *testing.T) {
	// The own server's account must be able to enter the folder.
	data, err := os.MkdirTemp("", "tracker-data-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, "TRACKER_DATA_DIR="+data, "DATABASE_URL=")
	var acknowledged sync.Map
	var failures atomic.Int64
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 4 {
		me := p.as(fmt.Sprintf("writer-%d", i))
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				key := uuid.NewString()
				id, err := createSurely(me, key, &failures)
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged.Store(id, me)
			}
		})
	}
	for range 2 {
		time.Sleep(2 * time.Second)
		killPostmaster(t, data)
	}
	time.Sleep(3 * time.Second)
	close(stop)
	writers.Wait()
	n := 0
	acknowledged.Range(func(id, writer any) bool {
		n++
		if n%10 == 0 { // each answer was checked; of what is stored a tenth
			me, _ := writer.(caller)
			created := list(me.must(http.MethodGet, fmt.Sprintf("/api/v1/events?type=goal.created&goal_id=%v", id), nil), "events")
			if goal := me.send(http.MethodGet, fmt.Sprintf("/api/v1/goals/%v", id), nil); goal.status != http.StatusOK || len(created) != 1 {
				t.Errorf("goal %v: %d, created %d times", id, goal.status, len(created))
			}
		}
		return true
	})
	if n < 20 || failures.Load() == 0 {
		t.Errorf("%d goals were acknowledged and %d tries failed: the restarts were not felt", n, failures.Load())
	}
	verify := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), "events", "verify", "--env-file=/dev/null")
	verify.Env = p.env
	if out, err := verify.CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	t.Logf("%d acknowledged, %d tries failed meanwhile", n, failures.Load())
}

// createSurely repeats a create under its key until it is answered.
func createSurely(me caller, key string, failures *atomic.Int64) (string, error) {
	for deadline := time.Now().Add(time.Minute); ; {
		r, err := me.try(http.MethodPost, "/api/v1/goals", map[string]any{"title": key}, "Idempotency-Key", key)
		switch {
		case err == nil && r.status == http.StatusCreated:
			id, _ := r.field("id").(string)
			return id, nil
		case err == nil && r.status < http.StatusInternalServerError:
			return "", fmt.Errorf("refused with %d: %s", r.status, r.body)
		case time.Now().After(deadline):
			return "", fmt.Errorf("no answer for a minute: %w, %s", err, r.body)
		}
		failures.Add(1)
		time.Sleep(20 * time.Millisecond)
	}
}

// killPostmaster lets the tracker's own PostgreSQL crash.
func killPostmaster(t *testing.T, data string) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(data, "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(file), &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestAPluginKilledMidRunCostsTheLearnerNothing(t *testing.T) {
	p := startProcess(t, "DATABASE_URL="+postgrestest.URL(t))
	me := p.as("ada")
	task := codeTask(me, "killed")
	snapshot := submit(me, task, slow)
	// Fewer processes than put a plugin into quarantine, and for less time than
	// lies before the run's last attempt, however fast they come back.
	killed := map[int]bool{}
	for deadline := time.Now().Add(3 * time.Second); len(killed) < 3 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		for _, pid := range killChildren(p.cmd.Process.Pid, "validator-python") {
			killed[pid] = true
		}
	}
	if len(killed) == 0 {
		t.Fatal("no plugin was found to kill")
	}
	until(t, time.Minute, func() (any, bool) {
		verdict := me.must(http.MethodGet, "/api/v1/snapshots/"+snapshot, nil).field("verdict")
		return verdict, verdict == "passed"
	})
	if status := me.must(http.MethodGet, "/api/v1/tasks/"+task, nil).field("status"); status != "completed" {
		t.Errorf("the task is %v", status)
	}
}

// killChildren kills a process's children whose command line has the name, and
// returns their ids.
func killChildren(parent int, name string) []int {
	var killed []int
	entries, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range entries {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 2 || fields[1] != fmt.Sprint(parent) {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if strings.Contains(string(cmdline), name) {
			var pid int
			if _, err := fmt.Sscan(string(stat), &pid); err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed = append(killed, pid)
			}
		}
	}
	return killed
}
