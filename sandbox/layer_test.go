//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
)

// omittedLayer tells pid 1 of a test's room which layer to leave out.
const omittedLayer = "SANDBOX_TEST_OMITTED"

// probing is a runner whose rooms may show the probe.
func probing(t *testing.T) (*Runner, string) {
	t.Helper()
	r := newRunner(t, Config{InitPath: "/proc/self/exe"})
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r.cfg.RuntimeRoots = append([]string{binary, "/home", "/var"}, r.cfg.RuntimeRoots...)
	return r, binary
}

// attackedLayers are what the probe finds from inside.
func attackedLayers(r *Runner, s Step) (map[string]Layer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	res, err := r.Run(ctx, s)
	if err != nil {
		return nil, err
	}
	p := res.Processes[0]
	if res.Outcome != Exited || p.ExitCode != 0 {
		return nil, fmt.Errorf("the probe ended as %s with code %d: %s", res.Outcome, p.ExitCode, p.Stderr)
	}
	found := map[string]Layer{}
	for _, l := range r.parseAttacks(string(p.Stdout)) {
		found[l.Name] = l
	}
	return found, nil
}

// shareNamespace leaves rooms in one of the host's namespaces. Only those whose
// sharing changes nothing there are left out so.
func shareNamespace(kind string, flag uintptr) func(*Runner, *Step) {
	return func(r *Runner, _ *Step) {
		r.namespaces &^= flag
		r.outside = slices.DeleteFunc(slices.Clone(r.outside), func(name string) bool { return strings.HasPrefix(name, kind+":") })
	}
}

func omit(layer string) func(*Runner, *Step) {
	return func(r *Runner, _ *Step) { r.initEnv = []string{omittedLayer + "=" + layer} }
}

// inherited says that this process has no_new_privs, which then nothing below it
// can be without.
func inherited() bool {
	set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	return err == nil && set == 1
}

// allowAll is a filter that denies nothing.
func allowAll(r *Runner, _ *Step) {
	r.filter = binary.NativeEndian.AppendUint16(nil, unix.BPF_RET|unix.BPF_K)
	r.filter = append(r.filter, 0, 0)
	r.filter = binary.NativeEndian.AppendUint32(r.filter, unix.SECCOMP_RET_ALLOW)
}

func TestTheProbeSeesEveryLayerThatIsLeftOut(t *testing.T) {
	r, probe := probing(t)
	whole, err := attackedLayers(r, r.probeStep(probe, pid1.ProbeAttack, Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range layerOrder {
		if whole[name].State != Held {
			t.Errorf("with all layers, %s is %s: %s", name, whole[name].State, whole[name].Why)
		}
	}
	for _, c := range []struct {
		layer string
		out   func(*Runner, *Step)
		// rootOnly layers are of root's set-up.
		rootOnly bool
	}{
		{"ns:net", shareNamespace("net", unix.CLONE_NEWNET), false},
		{"no network", shareNamespace("net", unix.CLONE_NEWNET), false},
		{"ns:ipc", shareNamespace("ipc", unix.CLONE_NEWIPC), false},
		{"ns:cgroup", shareNamespace("cgroup", unix.CLONE_NEWCGROUP), false},
		{"identity", omit(pid1.OmitIdentity), true},
		{"capabilities", omit(pid1.OmitCapabilities), false},
		{"no_new_privs", omit(pid1.OmitPrivileges), false},
		{"seccomp", allowAll, false},
		{"own root", func(_ *Runner, s *Step) {
			s.Runtimes = append(s.Runtimes, Mount{Source: "/home"}, Mount{Source: "/var"})
		}, false},
		{"read-only", omit(pid1.OmitReadOnly), false},
		{"own /proc", omit(pid1.OmitHidepid), false},
		{"rlimits", func(_ *Runner, s *Step) { s.Limits.Processes = 1000 }, false},
		{"disk limit", omit(pid1.OmitDiskLimit), false},
	} {
		if c.rootOnly && os.Geteuid() != 0 || c.layer == "no_new_privs" && inherited() {
			continue
		}
		t.Run(c.layer, func(t *testing.T) {
			weak := *r
			s := weak.probeStep(probe, pid1.ProbeAttack, Limits{})
			c.out(&weak, &s)
			found, err := attackedLayers(&weak, s)
			if err != nil {
				t.Fatal(err)
			}
			if found[c.layer].State != Open {
				t.Errorf("it is %s: %s", found[c.layer].State, found[c.layer].Why)
			}
			t.Log(found[c.layer].Why)
		})
	}
}

// As root pid 1 is another user, and signals don't reach it anyway.
func TestAPid1ThatIsNotShieldedIsSeen(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("only a normal user's pid 1 has the payload's user id")
	}
	r, probe := probing(t)
	omit(pid1.OmitShield)(r, nil)
	found, err := attackedLayers(r, r.probeStep(probe, pid1.ProbeAttack, Limits{}))
	if err == nil && found["init shielded"].State != Open {
		t.Errorf("it is %+v", found["init shielded"])
	}
}

// Rooms that share the host's mounts, processes or names could change them, so
// their layers are not taken out but compared: pid 1 refuses to build such a
// room (TestPid1RefusesToBuildInANamespaceOfTheHost), and the probe sees it.
func TestAPayloadInANamespaceOfTheHostIsSeen(t *testing.T) {
	r := newRunner(t, Config{})
	for _, kind := range []string{"mnt", "pid", "uts", "net", "ipc", "cgroup"} {
		link, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, seen := range []struct {
			link string
			want State
		}{{link, Open}, {kind + ":[1]", Held}, {"", Open}} {
			for _, l := range r.parseAttacks("ns:" + kind + "\theld\t" + seen.link + "\n") {
				if l.Name == "ns:"+kind && l.State != seen.want {
					t.Errorf("%s is %s where it sees %q", l.Name, l.State, seen.link)
				}
			}
		}
	}
}

func TestPid1RefusesToBuildInEachNamespaceOfTheHost(t *testing.T) {
	for kind, flag := range map[string]uintptr{"net": unix.CLONE_NEWNET, "ipc": unix.CLONE_NEWIPC, "cgroup": unix.CLONE_NEWCGROUP} {
		r := newRunner(t, Config{})
		r.namespaces &^= flag
		if err := r.tryRoom(); err == nil || !strings.Contains(err.Error(), "the "+kind+" namespace is the host's") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestEachLimitIsWhatStopsItsAttack runs programs that come to their end, but
// for the one limit that they pass.
func TestEachLimitIsWhatStopsItsAttack(t *testing.T) {
	const megabytes = "b = bytearray(b'x' * 100_000_000)\nimport time\ntime.sleep(0.3)\nprint('through')"
	for name, c := range map[string]struct {
		program string
		limited func(*Limits)
		want    Outcome
	}{
		"wall time":  {"import time\ntime.sleep(1)\nprint('through')", func(l *Limits) { l.Wall = 300 * time.Millisecond }, TimedOut},
		"CPU time":   {"import time\nwhile time.process_time() < 0.3: pass\nprint('through')", func(l *Limits) { l.CPU = 100 * time.Millisecond }, TimedOut},
		"memory":     {megabytes, func(l *Limits) { l.Memory = 48 << 20 }, OutOfMemory},
		"output":     {"import os, time\nfor _ in range(100):\n  os.write(1, b'x' * 10000); time.sleep(0.01)\nopen('/room/done', 'w').write('through')", func(l *Limits) { l.Output = 5000 }, OutputLimit},
		"processes":  {"import os, time\nfor _ in range(30):\n  if os.fork() == 0: time.sleep(60)\nprint('through')", func(l *Limits) { l.Processes = 10 }, Exited},
		"file size":  {"open('/room/x', 'wb').write(b'x' * 2_000_000); print('through')", func(l *Limits) { l.FileSize = 1 << 20 }, Exited},
		"open files": {"fs = [open('/dev/null') for _ in range(50)]; print('through')", func(l *Limits) { l.OpenFiles = 20 }, Exited},
		"disk":       {"open('/room/x', 'wb').write(b'x' * 2_000_000); print('through')", func(l *Limits) { l.Disk = 1 << 20 }, Exited},
		"inodes":     {"for i in range(100): open(f'/tmp/{i}', 'w').close()\nprint('through')", func(l *Limits) { l.Inodes = 50 }, Exited},
	} {
		t.Run(name, func(t *testing.T) {
			for _, cfg := range []Config{{}, {NoCgroup: true}} {
				r := newRunner(t, cfg)
				s := python(c.program)
				s.Processes[0].Collect = []string{"done"}
				s.Limits = Limits{Wall: 30 * time.Second, Memory: 512 << 20, Output: 2 << 20}
				through := func() bool {
					res := mustRun(t, r, s)
					p := res.Processes[0]
					done := strings.HasSuffix(string(p.Stdout), "through\n") || len(p.Files) == 1
					if want := c.want; !done && res.Outcome != want {
						t.Errorf("%s: ended as %s, want %s: %s", r.Memory(), res.Outcome, want, p.Stderr)
					}
					return done
				}
				if !through() {
					t.Errorf("%s: it does not come through without the limit", r.Memory())
				}
				c.limited(&s.Limits)
				if through() {
					t.Errorf("%s: it comes through in spite of the limit", r.Memory())
				}
			}
		})
	}
}
