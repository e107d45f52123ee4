//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
)

// probePath is where the attacking binary appears in its room.
const probePath = "/probe"

// layerOrder is the order of the table; attacks on other layers come after.
var layerOrder = []string{
	"ns:user", "ns:mnt", "ns:pid", "ns:net", "ns:ipc", "ns:uts", "ns:cgroup", "identity", "capabilities", "no_new_privs", "seccomp",
	"own root", "read-only", "own /proc", "init shielded", "no network", "rlimits", "disk limit",
}

// Probe builds rooms on this machine and attacks them from inside, in about a
// second, and says which layers held. It only returns Err for what keeps every
// step from running.
func Probe(ctx context.Context, cfg Config) Report {
	r, err := New(cfg)
	if err != nil {
		return Report{Err: err, Layers: []Layer{{Name: "namespaces", State: Unavailable, Why: err.Error()}}}
	}
	binary := r.initPath
	if binary == "/proc/self/exe" {
		if binary, err = os.Executable(); err != nil {
			return Report{Err: fmt.Errorf("find the probe: %w", err)}
		}
	}
	// The binary itself is the one runtime that no operator has to allow.
	attacker := *r
	attacker.cfg.RuntimeRoots = append([]string{binary}, r.cfg.RuntimeRoots...)
	report := attacker.attackAll(ctx, binary)
	report.Layers = append(report.Layers, r.memoryLayer())
	return report
}

func (r *Runner) memoryLayer() Layer {
	if r.cgroups != nil {
		return Layer{Name: "cgroup", State: Held, Why: r.Memory() + " at " + r.cgroups.Parent()}
	}
	return Layer{Name: "cgroup", State: Unavailable, Why: "memory is watched from outside instead, shared memory calls are denied: " + r.noCgroup}
}

func (r *Runner) probeStep(binary, what string, l Limits) Step {
	runtimes := append([]Mount{{Source: binary, Target: probePath}}, optional(System())...)
	all := l.or(DefaultLimits())
	return Step{Name: "probe " + what, Runtimes: runtimes, Limits: l, Processes: []Process{{
		Argv: []string{pid1.ProbeMarker, what, fmt.Sprint(all.Processes), fmt.Sprint(all.Disk), fmt.Sprint(all.Inodes)}, Program: probePath,
	}}}
}

// optional, as a static binary needs none of the host's system.
func optional(mounts []Mount) []Mount {
	for i := range mounts {
		mounts[i].Optional = true
	}
	return mounts
}

// limitProbes are payloads that must be ended, and by what.
var limitProbes = []struct {
	layer, what string
	limits      Limits
	want        Outcome
}{
	{"memory limit", pid1.ProbeEat, Limits{Wall: 5 * time.Second, Memory: 64 << 20}, OutOfMemory},
	{"CPU limit", pid1.ProbeSpin, Limits{Wall: 5 * time.Second, CPU: 100 * time.Millisecond}, TimedOut},
	{"time limit", pid1.ProbeSleep, Limits{Wall: 100 * time.Millisecond}, TimedOut},
	{"output limit", pid1.ProbeFlood, Limits{Wall: 5 * time.Second, Output: 1 << 20}, OutputLimit},
}

func (r *Runner) attackAll(ctx context.Context, binary string) Report {
	report := Report{Layers: make([]Layer, len(limitProbes))}
	var all sync.WaitGroup
	for i, p := range limitProbes {
		all.Go(func() {
			begun := time.Now()
			res, err := r.Run(ctx, r.probeStep(binary, p.what, p.limits))
			layer := Layer{Name: p.layer, State: Held, Why: fmt.Sprintf("%s after %d ms", p.want, time.Since(begun).Milliseconds())}
			switch {
			case err != nil:
				layer.State, layer.Why = Unavailable, err.Error()
			case res.Outcome != p.want:
				layer.State, layer.Why = Open, fmt.Sprintf("the program ended as %s, not %s", res.Outcome, p.want)
			}
			report.Layers[i] = layer
		})
	}
	res, err := r.Run(ctx, r.probeStep(binary, pid1.ProbeAttack, Limits{}))
	all.Wait()
	if err != nil {
		report.Err = explainProbe(err)
		return report
	}
	p := res.Processes[0]
	if res.Outcome != Exited || p.ExitCode != 0 {
		report.Err = fmt.Errorf("the probe inside the sandbox ended as %s with code %d: %s", res.Outcome, p.ExitCode, p.Stderr)
		return report
	}
	report.Layers = append(r.parseAttacks(string(p.Stdout)), report.Layers...)
	return report
}

func explainProbe(err error) error {
	var start *StartError
	if errors.As(err, &start) {
		return fmt.Errorf("%w: the server's executable must be readable by all users (chmod 755) for its sandbox to be probed", err)
	}
	return err
}

// parseAttacks folds the probe's lines into a layer each: open when any attack
// on it got through.
func (r *Runner) parseAttacks(text string) []Layer {
	found := map[string]*Layer{}
	order := append([]string(nil), layerOrder...)
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), "\t", 3)
		if len(parts) != 3 {
			continue
		}
		name, held, seen := parts[0], parts[1] == string(Held), parts[2]
		if ns, ok := strings.CutPrefix(name, "ns:"); ok {
			held, seen = r.compareNamespace(ns, seen)
		}
		layer := found[name]
		if layer == nil {
			layer = &Layer{Name: name, State: Held}
			found[name] = layer
		}
		switch {
		case !held && layer.State == Held:
			layer.State, layer.Why = Open, seen
		case held == (layer.State == Held) && layer.Why == "":
			layer.Why = seen
		case held == (layer.State == Held):
			layer.Why += "; " + seen
		}
	}
	layers := make([]Layer, 0, len(order))
	for _, name := range order {
		layer := found[name]
		if layer == nil {
			layer = &Layer{Name: name, State: Open, Why: "the probe said nothing of it"}
		}
		if name == "ns:user" && layer.State == Open && r.root && !r.user {
			layer.State, layer.Why = Unavailable, "root does without: the payload still has an own user id and no capabilities"
		}
		layers = append(layers, *layer)
	}
	return layers
}

func (*Runner) compareNamespace(ns, inside string) (held bool, seen string) {
	outside, err := os.Readlink("/proc/self/ns/" + ns)
	if err != nil || inside == "" {
		return false, "can't be compared"
	}
	return inside != outside, inside
}
