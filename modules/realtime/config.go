package realtime

import "time"

// Config is the section "realtime".
type Config struct {
	// Queue is how many pushes may wait for one client; a slower one is closed
	// with 1013 and resumes. Defaults to 256.
	Queue int `koanf:"queue"`
	// Ring is how many of the newest events are kept in memory for clients that
	// come back; what others missed is read from the log. Defaults to 4,096.
	Ring int `koanf:"ring"`
	// MaxResume is how many missed events are sent again; a client that missed
	// more gets a reset. Defaults to 5,000.
	MaxResume int `koanf:"max_resume"`
	// MaxMessage is the longest message a client may send, in bytes. Defaults to
	// 8 MiB.
	MaxMessage int64 `koanf:"max_message"`
	// Rate is how many messages a second one person may send in the long run, and
	// Burst how many at once, on all connections and replicas together; faster ones
	// are read later. Default to 50 and 200.
	Rate  float64 `koanf:"rate"`
	Burst int     `koanf:"burst"`
	// MaxConnections bounds one person's open connections on all replicas together.
	// Defaults to 20.
	MaxConnections int `koanf:"max_connections"`
	// WriteTimeout is how long a client may take to accept a message. Defaults to
	// 10 s.
	WriteTimeout time.Duration `koanf:"write_timeout"`
	// Heartbeat is how often a silent connection is tried; one that stays silent
	// for two of them is ended. Defaults to 15 s.
	Heartbeat time.Duration `koanf:"heartbeat"`
	// RenewBefore is how long before its token ends a client is asked for a new
	// one. Defaults to 60 s.
	RenewBefore time.Duration `koanf:"renew_before"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{
		Queue: 256, Ring: 4096, MaxResume: 5000, MaxMessage: 8 << 20, Rate: 50, Burst: 200, MaxConnections: 20,
		WriteTimeout: 10 * time.Second, Heartbeat: 15 * time.Second, RenewBefore: time.Minute,
	}
}
