package events

import "time"

// Config is the section "events".
type Config struct {
	// PollEvery is how often an idle server looks for events of other replicas
	// whose wake-up was lost. Defaults to 250 ms.
	PollEvery time.Duration `koanf:"poll_every"`
	// WakeEvery is how often a busy server tells the others that there are
	// events; those in between travel together. Defaults to 10 ms.
	WakeEvery time.Duration `koanf:"wake_every"`
	// HistoryEvents and HistoryBytes bound what is kept in memory for followers
	// that lag; slower ones read from the database. Default to 4096 events and
	// 16 MiB.
	HistoryEvents int `koanf:"history_events"`
	HistoryBytes  int `koanf:"history_bytes"`
	// Batch is how many events a subscription handles in one transaction.
	// Defaults to 100.
	Batch int `koanf:"batch"`
	// RetryAfter is how long a parked stream waits for its first retry; each
	// further one waits twice as long, up to RetryAtMost. Default to 5 s and
	// 1 h.
	RetryAfter  time.Duration `koanf:"retry_after"`
	RetryAtMost time.Duration `koanf:"retry_at_most"`
	// Publish is what leaves the server.
	Publish PublishConfig `koanf:"publish"`
	// Webhooks sends it to addresses of course teams.
	Webhooks WebhooksConfig `koanf:"webhooks"`
	// Erasure is how people are erased.
	Erasure ErasureConfig `koanf:"erasure"`
}

// DefaultConfig is what holds when nothing is set.
func DefaultConfig() Config {
	return Config{
		PollEvery:     250 * time.Millisecond,
		WakeEvery:     10 * time.Millisecond,
		HistoryEvents: 4096,
		HistoryBytes:  16 << 20,
		Batch:         100,
		RetryAfter:    5 * time.Second,
		RetryAtMost:   time.Hour,
		Publish:       DefaultPublishConfig(),
		Webhooks:      DefaultWebhooksConfig(),
		Erasure:       DefaultErasureConfig(),
	}
}

func (c Config) withDefaults() Config {
	d := DefaultConfig()
	c.PollEvery = positive(c.PollEvery, d.PollEvery)
	c.WakeEvery = positive(c.WakeEvery, d.WakeEvery)
	c.HistoryEvents = positive(c.HistoryEvents, d.HistoryEvents)
	c.HistoryBytes = positive(c.HistoryBytes, d.HistoryBytes)
	c.Batch = positive(c.Batch, d.Batch)
	c.RetryAfter = positive(c.RetryAfter, d.RetryAfter)
	c.RetryAtMost = positive(c.RetryAtMost, d.RetryAtMost)
	c.Webhooks = c.Webhooks.withDefaults()
	p := DefaultPublishConfig()
	if c.Publish.Start == "" {
		c.Publish.Start = p.Start
	}
	c.Publish.Batch, c.Publish.Lease = positive(c.Publish.Batch, p.Batch), positive(c.Publish.Lease, p.Lease)
	return c
}

func positive[N ~int | ~int64](n, fallback N) N {
	if n <= 0 {
		return fallback
	}
	return n
}
