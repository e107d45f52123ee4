package agents

import (
	"errors"
	"time"
)

// Config is the section "agents".
type Config struct {
	// Workers is how many nodes this replica runs at once. Defaults to 4.
	Workers int `koanf:"workers" least:"1"`
	// Lease is how long a node stays with a worker that gives no sign of life.
	// Defaults to 30 s.
	Lease time.Duration `koanf:"lease"`
	// SweepEvery is how often work of killed workers is looked for. Defaults to 10 s.
	SweepEvery time.Duration `koanf:"sweep_every"`
	// NodeTimeout bounds one execution of a node. Defaults to 5m.
	NodeTimeout time.Duration `koanf:"node_timeout"`
	// Attempts is how often a node is tried before its run fails. Defaults to 5.
	Attempts int `koanf:"attempts"`
	// RetryAfter is how long a failed node waits; each further time twice as
	// long. Defaults to 2 s.
	RetryAfter time.Duration `koanf:"retry_after"`
	// MaterialEvery is how soon a run that waits for material looks again; each
	// further time twice as long, up to 1 h. Defaults to 1m.
	MaterialEvery time.Duration `koanf:"material_every"`
	// EvaluateEvery is how often the evaluator looks for learners with news.
	// Defaults to 10m.
	EvaluateEvery time.Duration `koanf:"evaluate_every"`
	// CoachEvery is how often the coach looks around. Defaults to 5m.
	CoachEvery time.Duration `koanf:"coach_every"`
	// HintWait is how long a learner waits for a model's hint; then the built-in
	// one is given. Defaults to 20 s.
	HintWait time.Duration `koanf:"hint_wait"`
	// Models lets models write plans, reviews and hints, where one is configured.
	// Defaults to true.
	Models bool `koanf:"models"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{
		Workers: 4, Lease: 30 * time.Second, SweepEvery: 10 * time.Second, NodeTimeout: 5 * time.Minute,
		Attempts: 5, RetryAfter: 2 * time.Second, MaterialEvery: time.Minute, Models: true, HintWait: 20 * time.Second,
		EvaluateEvery: 10 * time.Minute, CoachEvery: 5 * time.Minute,
	}
}

// Validate says what is wrong, all of it at once.
func (c *Config) Validate() error {
	var errs []error
	if c.Workers < 1 || c.Attempts < 1 {
		errs = append(errs, errors.New("agents: workers and attempts must be 1 or more"))
	}
	if c.EvaluateEvery <= 0 || c.CoachEvery <= 0 {
		errs = append(errs, errors.New("agents: evaluate_every and coach_every must be positive"))
	}
	if c.Lease <= 0 || c.SweepEvery <= 0 || c.NodeTimeout <= 0 || c.RetryAfter <= 0 || c.MaterialEvery <= 0 || c.HintWait <= 0 {
		errs = append(errs, errors.New("agents: lease, sweep_every, node_timeout, retry_after, material_every and hint_wait must be positive"))
	}
	return errors.Join(errs...)
}
