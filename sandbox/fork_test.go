//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
)

// carelessness is what a fork-server's child may forget or do; each would take
// a layer away, so none may get a job.
var carelessness = []struct {
	name, from, to string
	// who is "root" or "user" where only one of them would be affected.
	who, says string
}{
	{"keeps its user", "        os.setresuid(*[request[\"id\"]] * 3)\n", "", "root", "Uid is"},
	{"keeps its group", "        os.setresgid(*[request[\"id\"]] * 3)\n", "", "root", "Gid is"},
	{"is in a group more", "os.setgroups([])", "os.setgroups([0])", "root", "Groups is"},
	{"keeps its capabilities", "    _set_capabilities((_Capabilities * 2)())\n    _check", "    _check", "user", "one forked process was expected and 0"},
	{"could get capabilities back", "range(64)", "range(0)", "", "CapBnd is"},
	{"has no filter of its own", "_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER", "_PR_SET_DUMPABLE, 1", "", "Seccomp_filters is"},
	{"works elsewhere", "    os.chdir(\"/warm\")\n", "", "", "working folder"},
	{"holds a folder", "    os.write(link, b\"c\")", "    os.open(\"/\", os.O_RDONLY)\n    os.write(link, b\"c\")", "", "descriptor"},
	{"has a thread", "    os.write(link, b\"c\")", "    import threading, time\n    threading.Thread(target=time.sleep, args=(60,)).start()\n    os.write(link, b\"c\")", "", "Threads is"},
	{"has a child", "    os.write(link, b\"c\")", "    os.fork() or (os.close(link), __import__(\"time\").sleep(60))\n    os.write(link, b\"c\")", "", "one forked process was expected"},
	{"leaves its link to a child", "    os.write(link, b\"c\")", "    os.fork() or __import__(\"time\").sleep(60)\n    os.write(link, b\"c\")", "", "link stays open"},
	{"gives up", "    os.write(link, b\"c\")", "    raise ValueError(\"no\")", "", "ValueError: no"},
}

func TestAForkedProcessThatDidNotConfineItselfGetsNoJob(t *testing.T) {
	who := "user"
	if os.Geteuid() == 0 {
		who = "root"
	}
	for _, c := range carelessness {
		if c.who != "" && c.who != who {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			log := &logged{}
			r := newRunner(t, Config{})
			pool := r.NewPool(PoolConfig{Size: 1, Logger: slog.New(slog.NewTextHandler(log, nil))})
			defer func() {
				if err := pool.Close(); err != nil {
					t.Error(err)
				}
			}()
			s := shell("echo ran")
			s.Recurring, s.Processes[0].Warm, s.WarmUp = true, true, warmUp(t, true)
			client := string(s.WarmUp.Files[1].Content)
			if strings.Count(client, c.from) != 1 {
				t.Fatalf("the client has no single %q", c.from)
			}
			s.WarmUp.Files[1].Content = []byte(strings.Replace(client, c.from, c.to, 1))
			ready(t, pool, s)
			if res := mustRun(t, pool, s); res.Way != Warm || string(res.Processes[0].Stdout) != "ran\n" {
				t.Errorf("it ran %s: %s", res.Way, res.Processes[0].Stdout)
			}
			if text := log.text(); strings.Count(text, "fork-server does not work") != 1 || !strings.Contains(text, c.says) {
				t.Errorf("logged %q", text)
			}
		})
	}
}

// statusOf reads a process's status from the host.
func statusOf(t *testing.T, pid int) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(line, ":")
		out[name] = strings.Join(strings.Fields(value), " ")
	}
	return out
}

func TestAForkServerHasNoPowersAndItsChildrenShareNothingWithIt(t *testing.T) {
	r := newRunner(t, Config{})
	pool := newPool(t, r, PoolConfig{Size: 2})
	s := shell("echo ran")
	s.Recurring, s.Processes[0].Warm, s.WarmUp = true, true, warmUp(t, true)
	ready(t, pool, s)
	pool.mu.Lock()
	defer pool.mu.Unlock()
	var server *zygote
	for _, found := range pool.servers {
		server = found.zygote
	}
	pids := []int{payloadOf(t, server.room)}
	for _, k := range pool.kinds {
		for _, set := range k.sets {
			pids = append(pids, payloadOf(t, set.rooms[0]))
		}
	}
	if len(pids) != 3 {
		t.Fatalf("%d processes", len(pids))
	}
	const none = "0000000000000000"
	spaces := map[string]int{}
	users := map[string]int{}
	for _, pid := range pids {
		status := statusOf(t, pid)
		for _, name := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			if status[name] != none {
				t.Errorf("%s of %d is %s", name, pid, status[name])
			}
		}
		if status["NoNewPrivs"] != "1" || status["Seccomp"] != "2" || strings.HasPrefix(status["Uid"], "0 ") {
			t.Errorf("%d: %v", pid, status)
		}
		users[status["Uid"]]++
		for _, kind := range []string{"mnt", "pid", "net", "ipc", "uts", "cgroup", "user"} {
			name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
			if err != nil && os.Geteuid() == 0 {
				t.Error(err)
			}
			if name != "" {
				spaces[name]++
			}
		}
	}
	for name, n := range spaces {
		if n > 1 {
			t.Errorf("%s is shared", name)
		}
	}
	if os.Geteuid() == 0 && len(users) != 3 {
		t.Errorf("users %v", users)
	}
}

// payloadOf finds the only child of a room's pid 1, which has several threads.
func payloadOf(t *testing.T, m *room) int {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", m.body.pid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", m.body.pid(), task.Name()))
		var child int
		if err != nil {
			continue
		}
		if _, err := fmt.Sscan(string(raw), &child); err == nil {
			return child
		}
	}
	t.Fatalf("the room of %d holds nothing", m.body.pid())
	return 0
}

func TestForksAtTheSameTimeDoNotMeet(t *testing.T) {
	pool := newPool(t, newRunner(t, Config{}), PoolConfig{Size: 4})
	s := python("import os, time\nopen('/tmp/mine', 'x').close()\ntime.sleep(0.3)\nprint(os.listdir('/tmp'), len([n for n in os.listdir('/proc') if n.isdigit() and n != '1']))")
	s.Recurring, s.Processes[0].Warm, s.WarmUp = true, true, warmUp(t, true)
	ready(t, pool, s)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			res, err := pool.Run(context.Background(), s)
			if err != nil || res.Way != Forked || string(res.Processes[0].Stdout) != "['mine'] 1\n" {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
	all.Wait()
}
