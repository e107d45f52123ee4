package realtime

import "time"

// Config is the section "realtime".
type Config struct {
	// Queue is how many pushes may wait for one client; a slower one is closed
	// with 1013 and resumes. Defaults to 256.
	Queue int `koanf:"queue"`
	// MaxResume is how many missed events are sent again; a client that missed
	// more gets a reset. Defaults to 5,000.
	MaxResume int `koanf:"max_resume"`
	// MaxMessage is the longest message a client may send, in bytes. Defaults to
	// 8 MiB.
	MaxMessage int64 `koanf:"max_message"`
	// MaxConnections bounds one person's open connections on a replica. Defaults
	// to 20.
	MaxConnections int `koanf:"max_connections"`
	// WriteTimeout is how long a client may take to accept a message. Defaults to
	// 10 s.
	WriteTimeout time.Duration `koanf:"write_timeout"`
	// Heartbeat is how often an idle connection is tried. Defaults to 15 s.
	Heartbeat time.Duration `koanf:"heartbeat"`
	// Origins are the web origins that may open a WebSocket, as host patterns:
	// "learn.example.org". Editors send none, which is always allowed.
	Origins []string `koanf:"origins"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{
		Queue: 256, MaxResume: 5000, MaxMessage: 8 << 20, MaxConnections: 20,
		WriteTimeout: 10 * time.Second, Heartbeat: 15 * time.Second,
	}
}
