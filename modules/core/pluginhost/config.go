package pluginhost

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
)

// Config says which plugins may run, and how.
type Config struct {
	// Dir is where copies of the binaries and the sockets live while the host
	// runs; it must allow programs. Defaults to a new folder of os.TempDir().
	Dir string `koanf:"dir"`
	// Plugins is the allow-list.
	Plugins []Plugin `koanf:"plugins"`
	// HostVersion is told to plugins.
	HostVersion string `koanf:"-"`
	// StartTimeout is how long a plugin may take to say that it is there.
	// Defaults to 10s.
	StartTimeout time.Duration `koanf:"start_timeout"`
	// HealthEvery is the time between two health checks. Defaults to 15s.
	HealthEvery time.Duration `koanf:"health_every"`
	// MaxCrashes within CrashWindow put a plugin into quarantine. Defaults to 5
	// within 10m.
	MaxCrashes  int           `koanf:"max_crashes"`
	CrashWindow time.Duration `koanf:"crash_window"`
	// Quarantine is how long it stays there before one more start is tried.
	// Defaults to 5m.
	Quarantine time.Duration `koanf:"quarantine"`
	// BackOff is the wait before the second start after a crash; it doubles
	// with each further one, up to 10s. The first comes at once. Defaults to 200ms.
	BackOff time.Duration `koanf:"back_off"`
	// KeepPrivileges leaves plugins the server's own user when that is root.
	// Defaults to false: each runs as an unprivileged user of its own.
	KeepPrivileges bool `koanf:"keep_privileges"`
	// FirstUID is the user id of the first plugin when the server is root; the
	// next ones count up. Defaults to 61100, behind the sandbox's.
	FirstUID int `koanf:"first_uid"`
	// MemoryBytes bounds the private memory of each plugin. Defaults to 2 GiB.
	MemoryBytes uint64 `koanf:"memory_bytes"`
	// Logger hears of starts, crashes and of what plugins say on stderr.
	// Defaults to slog.Default().
	Logger *slog.Logger `koanf:"-"`
}

// Plugin is one entry of the allow-list.
type Plugin struct {
	// Name as the plugin itself says in Describe.
	Name string `koanf:"name"`
	// Kind is "validator" or "llm". Defaults to "llm" when Name begins with
	// "llm-", else to "validator".
	Kind string `koanf:"kind"`
	// Path of the binary.
	Path string `koanf:"path"`
	// SHA256 of the binary, in hex. Required.
	SHA256 string `koanf:"sha256"`
	// Enabled lets it run.
	Enabled bool `koanf:"enabled"`
	// Env is added to the minimal environment that plugins get.
	Env map[string]string `koanf:"env"`
	// Args are given to the binary.
	Args []string `koanf:"args"`
}

var pluginName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (c *Config) withDefaults() Config {
	out := *c
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&out.StartTimeout, 10*time.Second)
	def(&out.HealthEvery, 15*time.Second)
	def(&out.CrashWindow, 10*time.Minute)
	def(&out.Quarantine, 5*time.Minute)
	def(&out.BackOff, 200*time.Millisecond)
	if out.MaxCrashes <= 0 {
		out.MaxCrashes = 5
	}
	if out.FirstUID <= 0 {
		out.FirstUID = 61100
	}
	if out.MemoryBytes == 0 {
		out.MemoryBytes = 2 << 30
	}
	if out.Logger == nil {
		out.Logger = slog.Default()
	}
	return out
}

// Validate says what is wrong with the allow-list, all of it at once.
func (c *Config) Validate() error {
	var errs []error
	seen := map[string]bool{}
	for _, p := range c.Plugins {
		if !pluginName.MatchString(p.Name) {
			errs = append(errs, fmt.Errorf("plugin name %q must be lower-case letters, digits and dashes, at most 63", p.Name))
		}
		if seen[p.Name] {
			errs = append(errs, fmt.Errorf("plugin %s is listed twice", p.Name))
		}
		seen[p.Name] = true
		if !p.Enabled {
			continue
		}
		if p.Path == "" {
			errs = append(errs, fmt.Errorf("plugin %s needs a path", p.Name))
		}
		if len(p.SHA256) != 64 {
			errs = append(errs, fmt.Errorf("plugin %s needs the sha256 of its binary (64 hex digits), has %q: run `tracker plugin install %s`", p.Name, p.SHA256, p.Path))
		}
		for k := range p.Env {
			if k == "" || strings.ContainsAny(k, "=\x00") || strings.HasPrefix(k, "PLUGIN_") || strings.HasPrefix(k, "TRACKER_PLUGIN") {
				errs = append(errs, fmt.Errorf("plugin %s: the environment variable %q is not one to set", p.Name, k))
			}
		}
	}
	return errors.Join(errs...)
}

func (p *Plugin) kind() string {
	switch {
	case p.Kind != "":
		return p.Kind
	case strings.HasPrefix(p.Name, "llm-"):
		return "llm"
	}
	return "validator"
}
