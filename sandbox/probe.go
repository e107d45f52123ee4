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

// Without namespaces of this kernel the table is shorter.
var (
	guestOrder = []string{"identity", "capabilities", "no_new_privs", "seccomp", "own root", "read-only", "no network", "rlimits", "disk limit"}
	bareOrder  = []string{"identity", "capabilities", "no_new_privs", "seccomp", "no network", "rlimits"}
)

func (r *Runner) layerOrder() []string {
	switch r.Isolation() {
	case SecondKernel:
		return guestOrder
	case NoIsolation:
		return bareOrder
	case Namespaces:
	}
	return layerOrder
}

// groundLayers are what everything else stands on, where it isn't namespaces.
func (r *Runner) groundLayers() []Layer {
	switch r.Isolation() {
	case SecondKernel:
		return []Layer{{Name: "second kernel", State: Held, Why: "runsc " + r.guest.version}}
	case NoIsolation:
		landlock := Layer{Name: "landlock", State: Unavailable, Why: "programs may read and write whatever their user may: this kernel has none"}
		if r.bare.landlock {
			landlock.State, landlock.Why = Held, fmt.Sprintf("version %d: programs read their runtimes and write %s and /tmp", pid1.LandlockVersion(), WorkDir)
		}
		return []Layer{{Name: "namespaces", State: Unavailable, Why: r.bare.why.Error()}, landlock}
	case Namespaces:
	}
	return nil
}

// layerOrder is the order of the table; attacks on other layers come after.
var layerOrder = []string{
	"ns:user", "ns:mnt", "ns:pid", "ns:net", "ns:ipc", "ns:uts", "ns:cgroup", "identity", "capabilities", "no_new_privs", "seccomp",
	"own root", "read-only", "own /proc", "init shielded", "no network", "rlimits", "disk limit",
}

// Probe builds rooms on this machine and attacks them from inside, in about a
// second, and says which layers held. It only returns Err for what keeps every
// step from running.
func Probe(ctx context.Context, cfg Config) Report {
	r, err := New(cfg) //nolint:contextcheck // it bounds itself
	if err != nil {
		return Report{Err: err, Layers: []Layer{{Name: "namespaces", State: Unavailable, Why: err.Error()}}}
	}
	binary := r.initPath
	if binary == "/proc/self/exe" && r.bare == nil {
		if binary, err = os.Executable(); err != nil {
			return Report{Err: fmt.Errorf("find the probe: %w", err)}
		}
	}
	// The binary itself is the one runtime that no operator has to allow.
	attacker := *r
	attacker.cfg.RuntimeRoots = append([]string{binary}, r.cfg.RuntimeRoots...)
	report := attacker.attackAll(ctx, binary)
	report.Isolation, report.Unsafe = r.Isolation(), r.Unsafe()
	report.Layers = append(append(r.groundLayers(), report.Layers...), r.memoryLayer())
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
	if r.bare != nil {
		return r.bareProbe(binary, what, l)
	}
	return Step{Name: "probe " + what, Runtimes: runtimes, Limits: l, Processes: []Process{{
		Argv: []string{pid1.ProbeMarker, what, fmt.Sprint(all.Processes), fmt.Sprint(all.Disk), fmt.Sprint(all.Inodes)}, Program: probePath,
	}}}
}

// bareProbe brings the binary along, as nothing can be made to appear elsewhere
// than it is.
func (r *Runner) bareProbe(binary, what string, l Limits) Step {
	content, err := os.ReadFile(binary)
	if err != nil {
		content = nil // its start then says so
	}
	l.Disk = int64(len(content)) + 8<<20
	return Step{Name: "probe " + what, Runtimes: optional(System()), Limits: l, Processes: []Process{{
		Argv: []string{pid1.ProbeMarker, what}, Program: WorkDir + probePath, Files: []File{{Path: probePath[1:], Content: content, Executable: true}},
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
	attack := map[Isolation]string{Namespaces: pid1.ProbeAttack, SecondKernel: pid1.ProbeGuest, NoIsolation: pid1.ProbeBare}[r.Isolation()]
	res, err := r.Run(ctx, r.probeStep(binary, attack, Limits{}))
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
	layers := make([]Layer, 0, len(layerOrder))
	for _, name := range r.layerOrder() {
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
