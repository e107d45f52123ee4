package validation

import (
	"runtime"
	"time"

	"github.com/goals-tracker/tracker/sandbox"
)

// Config is the section "validation".
type Config struct {
	// Concurrency is how many runs this server judges at a time. Defaults to the
	// number of cores.
	Concurrency int `koanf:"concurrency" least:"1"`
	// MaxFiles, MaxFileBytes and MaxTotalBytes bound a snapshot. Default to 200
	// files, 1 MiB each and 4 MiB together.
	MaxFiles      int   `koanf:"max_files"`
	MaxFileBytes  int64 `koanf:"max_file_bytes"`
	MaxTotalBytes int64 `koanf:"max_total_bytes"`
	// MaxPending bounds how many runs one learner may have waiting in a course;
	// a course's policy may say less. Defaults to 200.
	MaxPending int `koanf:"max_pending"`
	// MaxStoredBytes bounds what all of a person's submissions and their reports take;
	// deleting tasks makes room. Defaults to 1 GiB.
	MaxStoredBytes int64 `koanf:"max_stored_bytes"`
	// MaxReportBytes bounds what is kept of a run's report; longer outputs are
	// cut. Defaults to 1 MiB.
	MaxReportBytes int `koanf:"max_report_bytes"`
	// Lease is how long a run belongs to a worker that is not heard of. Defaults
	// to 10 s; it is renewed every quarter of that.
	Lease time.Duration `koanf:"lease"`
	// SweepEvery is how often runs of dead workers are looked for. Defaults to 5 s.
	SweepEvery time.Duration `koanf:"sweep_every"`
	// MaxAttempts is how often a run is tried that fails by the platform's fault.
	// Defaults to 3.
	MaxAttempts int `koanf:"max_attempts"`
	// RetryAfter is the wait before the second attempt; it is four times as long
	// before each further one. Defaults to 1 s.
	RetryAfter time.Duration `koanf:"retry_after"`
	// MaxRun bounds a whole attempt, all steps and calls together. Defaults to 5 m.
	MaxRun time.Duration `koanf:"max_run"`
	// MaxStepTime and MaxStepMemory cap what a task or a plugin may ask for a
	// step. Default to 60 s and 1 GiB.
	MaxStepTime   time.Duration `koanf:"max_step_time"`
	MaxStepMemory int64         `koanf:"max_step_memory"`
	// KeyFile holds the key under which equal submissions are recognized; it is
	// made when it is not there. Defaults to validation.key in the data folder;
	// with "" equal submissions are recognized until the next restart only.
	KeyFile string `koanf:"key_file"`
	// Slots bounds the sandbox's rooms at a time. Defaults to 64.
	Slots int `koanf:"sandbox_slots"`
	// Nice lowers the priority of learners' code, 0 to 19. Defaults to 0.
	Nice int `koanf:"sandbox_nice"`
	// Backend is "native", namespaces of this kernel, or "runsc", a second kernel
	// for each process. Defaults to native.
	Backend string `koanf:"sandbox_backend"`
	// UnsafeWithoutIsolation judges on a machine without namespaces, too, where
	// learners' code is kept off the machine by little, one step at a time, in the
	// folder /room. Reports say so. It changes nothing where there are namespaces.
	// Defaults to false: nothing is judged there.
	UnsafeWithoutIsolation bool `koanf:"unsafe_without_isolation"`
	// Pool keeps sandboxes waiting, so that verdicts come faster.
	Pool PoolConfig `koanf:"pool"`
}

// PoolConfig is the section "validation.pool". A waiting sandbox takes about
// 1 MB, and what its warm-up program has loaded: 10 to 40 MB for Python's.
type PoolConfig struct {
	// Size is for how many steps of each kind of a runtime sandboxes wait, from
	// the first such step on; 0 lets none wait. Defaults to 2.
	Size int `koanf:"size"`
	// MaxRooms bounds all that wait; a step of two processes needs two. Defaults
	// to 16.
	MaxRooms int `koanf:"max_rooms"`
	// Idle is how long they wait for a kind of step that does not come. Defaults
	// to 10 m.
	Idle time.Duration `koanf:"idle"`
}

// DefaultConfig is what holds when nothing is set.
func DefaultConfig() Config {
	return Config{
		Concurrency: runtime.NumCPU(), MaxFiles: 200, MaxFileBytes: 1 << 20, MaxTotalBytes: 4 << 20, MaxReportBytes: 1 << 20, MaxPending: 200, MaxStoredBytes: 1 << 30,
		Lease: 10 * time.Second, SweepEvery: 5 * time.Second, MaxAttempts: 3, RetryAfter: time.Second, MaxRun: 5 * time.Minute,
		MaxStepTime: time.Minute, MaxStepMemory: 1 << 30, Slots: 64, Backend: sandbox.BackendNative,
		Pool: PoolConfig{Size: 2, MaxRooms: 16, Idle: 10 * time.Minute},
	}
}

// WithDefaults fills in what is not set, but for the pool's size.
func (c Config) WithDefaults() Config {
	d := DefaultConfig()
	fill(&c.Concurrency, d.Concurrency)
	fill(&c.MaxFiles, d.MaxFiles)
	fill(&c.MaxFileBytes, d.MaxFileBytes)
	fill(&c.MaxTotalBytes, d.MaxTotalBytes)
	fill(&c.MaxPending, d.MaxPending)
	fill(&c.MaxStoredBytes, d.MaxStoredBytes)
	fill(&c.MaxReportBytes, d.MaxReportBytes)
	fill(&c.Lease, d.Lease)
	fill(&c.SweepEvery, d.SweepEvery)
	fill(&c.MaxAttempts, d.MaxAttempts)
	fill(&c.RetryAfter, d.RetryAfter)
	fill(&c.MaxRun, d.MaxRun)
	fill(&c.MaxStepTime, d.MaxStepTime)
	fill(&c.MaxStepMemory, d.MaxStepMemory)
	fill(&c.Slots, d.Slots)
	if c.Backend == "" {
		c.Backend = d.Backend
	}
	fill(&c.Pool.MaxRooms, d.Pool.MaxRooms)
	fill(&c.Pool.Idle, d.Pool.Idle)
	return c
}

// Sandbox is what the settings make of the sandbox's.
func (c Config) Sandbox() sandbox.Config {
	c = c.WithDefaults()
	// What waits must leave enough for what runs.
	slots := max(c.Slots, 2*c.Concurrency+2*c.Pool.MaxRooms)
	return sandbox.Config{Slots: slots, Nice: c.Nice, Backend: c.Backend, UnsafeWithoutIsolation: c.UnsafeWithoutIsolation}
}

// Alive is how long a server counts as one that judges after it was last heard of.
func (c Config) Alive() time.Duration { return 4 * c.WithDefaults().SweepEvery }

func fill[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
