//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkColdStart alternates a raw fork and exec of /bin/true with a
// sandboxed one and reports the medians, so that a busy machine slows both.
func BenchmarkColdStart(b *testing.B) {
	small := filepath.Join(b.TempDir(), "sandbox-init")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", small, "./cmd/sandbox-init")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(filepath.Dir(small), 0o755); err != nil {
		b.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"small init, watchdog": {InitPath: small, NoCgroup: true},
		"small init, cgroup":   {InitPath: small},
		"own binary, watchdog": {NoCgroup: true},
		"no user ns, watchdog": {InitPath: small, NoCgroup: true, NoUserNamespace: true},
	} {
		b.Run(name, func(b *testing.B) {
			r := newRunner(b, cfg)
			step := Step{Runtimes: System(), Processes: []Process{{Argv: []string{"/bin/true"}}}}
			var raw, boxed, prepare []time.Duration
			for b.Loop() {
				begun := time.Now()
				if err := exec.Command("/bin/true").Run(); err != nil {
					b.Fatal(err)
				}
				raw = append(raw, time.Since(begun))
				begun = time.Now()
				res, err := r.Run(context.Background(), step)
				if err != nil {
					b.Fatal(err)
				}
				boxed = append(boxed, time.Since(begun))
				prepare = append(prepare, res.Prepare)
			}
			median := func(d []time.Duration) float64 {
				slices.Sort(d)
				return float64(d[len(d)/2].Microseconds()) / 1000
			}
			b.ReportMetric(median(raw), "raw-ms")
			b.ReportMetric(median(boxed), "sandboxed-ms")
			b.ReportMetric(median(prepare), "prepare-ms")
			b.ReportMetric(median(boxed)-median(raw), "added-ms")
		})
	}
}
