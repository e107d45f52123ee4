package limits

import (
	"errors"
	"fmt"
	"time"
)

// Config is the section "limits": what one person may ask of the API, on all
// replicas together. A rate is so many a second in the long run, a burst so many
// at once; with a rate of 0 there is no bound.
type Config struct {
	// Rate is how many requests a second one person may make in the long run, and
	// Burst how many at once, on all replicas together and by whatever face. A rate of
	// 0 bounds nothing, here and below. Default to 50 and 500.
	Rate  float64 `koanf:"rate"`
	Burst int     `koanf:"burst"`
	// SubmissionRate and SubmissionBurst bound submissions of code and re-judgings
	// besides. Default to 2 and 60.
	SubmissionRate  float64 `koanf:"submission_rate"`
	SubmissionBurst int     `koanf:"submission_burst"`
	// SearchRate and SearchBurst bound searches besides. Default to 5 and 60.
	SearchRate  float64 `koanf:"search_rate"`
	SearchBurst int     `koanf:"search_burst"`
	// AgentRate and AgentBurst bound besides what sets agents to work: plans, hints,
	// questions, disputes. Default to 1 and 30.
	AgentRate  float64 `koanf:"agent_rate"`
	AgentBurst int     `koanf:"agent_burst"`
	// Timeout is how long the database may take to say what is left, where there is
	// no Redis; then this replica counts by itself for a moment. Defaults to 1 s.
	Timeout time.Duration `koanf:"timeout"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{
		Rate: 50, Burst: 500, SubmissionRate: 2, SubmissionBurst: 60, SearchRate: 5, SearchBurst: 60, AgentRate: 1, AgentBurst: 30,
		Timeout: askFor,
	}
}

// mostRate is where a token costs a microsecond.
const mostRate = 1e6

// Check refuses what bounds nothing though it looks as if it did.
func (c Config) Check() error {
	var wrong []error
	for name, b := range map[string]Bound{
		"": {c.Rate, c.Burst}, "submission_": {c.SubmissionRate, c.SubmissionBurst},
		"search_": {c.SearchRate, c.SearchBurst}, "agent_": {c.AgentRate, c.AgentBurst},
	} {
		if b.Rate < 0 || b.Rate > mostRate {
			wrong = append(wrong, fmt.Errorf("limits.%srate is %g: use 0 for no bound, or up to 1000000 a second", name, b.Rate))
		}
		if b.Rate > 0 && (b.Burst < 1 || float64(b.Burst)/b.Rate > 86_400) {
			wrong = append(wrong, fmt.Errorf("limits.%sburst is %d: use at least 1, and no more than the rate brings in a day", name, b.Burst))
		}
	}
	return errors.Join(wrong...)
}
