package sandbox

import (
	"log/slog"
	"time"
)

// PoolConfig is how many rooms wait. The zero value is right for a small server.
type PoolConfig struct {
	// Size is for how many steps of each kind rooms are kept. Defaults to 2.
	Size int
	// MaxRooms bounds the waiting rooms of all kinds together; a step of two
	// processes needs two. At most half of the runner's slots. Defaults to 16.
	MaxRooms int
	// Idle is how long rooms are kept for a kind of step that doesn't come.
	// Defaults to 10 minutes.
	Idle time.Duration
	// Logger hears of warm-up programs that don't work. Defaults to none.
	Logger *slog.Logger
}

func (c PoolConfig) withDefaults(slots int) PoolConfig {
	if c.Size <= 0 {
		c.Size = 2
	}
	if c.MaxRooms <= 0 {
		c.MaxRooms = 16
	}
	c.MaxRooms = min(c.MaxRooms, slots/2)
	if c.Idle <= 0 {
		c.Idle = 10 * time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
