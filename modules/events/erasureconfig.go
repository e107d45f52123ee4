package events

import "time"

// ErasureConfig is the section "events.erasure".
type ErasureConfig struct {
	// Dir holds what must outlive a restore of the database: the keys of erasure
	// and of people's pseudonyms, the ledger and the receipts. The same for all
	// replicas, and kept apart from the database's dumps. Defaults to "erasure" in
	// the data folder.
	Dir string `koanf:"dir"`
	// Settle is how long an erasure waits for work that was under way. Defaults to
	// 2 s.
	Settle time.Duration `koanf:"settle"`
}

// DefaultErasureConfig are the defaults above.
func DefaultErasureConfig() ErasureConfig { return ErasureConfig{Settle: 2 * time.Second} }
