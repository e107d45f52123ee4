package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/validation"
)

// fact is something that one must know to read a report: what judged, under
// which limits, and where the time went.
type fact struct{ name, value string }

// facts are those of a report that are known, in a fixed order.
func facts(r validation.Report) (all []fact) {
	add := func(name, value string) {
		if value != "" {
			all = append(all, fact{name, value})
		}
	}
	add("plugin", strings.TrimSpace(r.Plugin+" "+r.PluginVersion))
	for _, name := range slices.Sorted(maps.Keys(r.Toolchain)) {
		if name != r.Plugin {
			add("toolchain."+name, r.Toolchain[name])
		}
	}
	add("integrity", r.Integrity)
	add("required_integrity", r.RequiredIntegrity)
	l, t := r.Limits, r.Timings
	for _, n := range []struct {
		name  string
		value uint64
	}{
		{"limits.wall_ms", uint64(l.WallMS)}, {"limits.cpu_ms", uint64(l.CPUMS)},
		{"limits.memory_bytes", l.MemoryBytes}, {"limits.output_bytes", l.OutputBytes},
	} {
		if n.value > 0 {
			add(n.name, fmt.Sprint(n.value))
		}
	}
	if t.Path != "" {
		add("timings.queue_ms", fmt.Sprint(t.Queue.Milliseconds()))
		add("timings.prepare_ms", fmt.Sprint(t.Prepare.Milliseconds()))
		add("timings.run_ms", fmt.Sprint(t.Run.Milliseconds()))
		add("timings.judge_ms", fmt.Sprint(t.Judge.Milliseconds()))
		add("timings.path", t.Path)
	}
	return all
}
