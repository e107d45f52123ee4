package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/cluster"
	"github.com/goals-tracker/tracker/modules/core/roles"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/core/telemetry"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/validation"
)

// Config is every setting; configs/tracker.yaml shows them with their defaults.
type Config struct {
	// DataDir holds the embedded PostgreSQL, keys and models. Defaults to
	// /var/lib/tracker as root, else $XDG_DATA_HOME/tracker.
	DataDir    string            `koanf:"data_dir"`
	Server     ServerConfig      `koanf:"server"`
	Database   DatabaseConfig    `koanf:"database"`
	Auth       auth.Config       `koanf:"auth"`
	Academy    academy.Config    `koanf:"academy"`
	Redis      cache.Config      `koanf:"redis"`
	RabbitMQ   broker.Config     `koanf:"rabbitmq"`
	OpenAI     OpenAIConfig      `koanf:"openai"`
	Anthropic  AnthropicConfig   `koanf:"anthropic"`
	Ollama     OllamaConfig      `koanf:"ollama"`
	Plugins    PluginsConfig     `koanf:"plugins"`
	Models     ModelsConfig      `koanf:"models"`
	Events     events.Config     `koanf:"events"`
	Jobs       jobs.Config       `koanf:"jobs"`
	Validation validation.Config `koanf:"validation"`
	Rag        rag.Config        `koanf:"rag"`
	LLM        llm.Config        `koanf:"llm"`
	Agents     agents.Config     `koanf:"agents"`
	Realtime   realtime.Config   `koanf:"realtime"`
	Limits     limits.Config     `koanf:"limits"`
	Telemetry  telemetry.Config  `koanf:"telemetry"`
}

// ServerConfig is the section "server".
type ServerConfig struct {
	// Address is where the server listens. Defaults to 127.0.0.1:8000.
	Address string `koanf:"address"`
	// Dev allows sample secrets and the academy's stand-in, on a loopback address
	// only. Defaults to false.
	Dev bool `koanf:"dev"`
	// Origins may call from a browser; each may hold one *. Defaults to VS Code's
	// web views and pages of this machine.
	Origins []string `koanf:"origins"`
	// MaxBody is how many bytes a request may have. Defaults to 8 MiB.
	MaxBody int64 `koanf:"max_body"`
	// Timeout bounds a unary call. Defaults to 60 s.
	Timeout time.Duration `koanf:"timeout"`
	// Grace is how long open requests may go on when the server stops. Defaults to
	// 10 s.
	Grace time.Duration `koanf:"grace"`
	// Roles are what this replica is for: api answers people, worker judges and runs
	// agents and jobs, publisher sends events to RabbitMQ. Each serves /healthz, /readyz
	// and /metrics. Defaults to all.
	Roles []string `koanf:"roles"`
	// DrainDelay is how long a replica that is told to stop goes on answering while
	// /readyz says that it stops, so that balancers notice first. Defaults to 0 s.
	DrainDelay time.Duration `koanf:"drain_delay"`
}

// DatabaseConfig is the section "database".
type DatabaseConfig struct {
	// URL of a PostgreSQL 15+ with pgvector 0.8+. Empty runs an own server in the
	// data folder.
	URL config.Secret `koanf:"url" env:"DATABASE_URL"`
	// Pooler is what stands between the tracker and the database: none, or
	// transaction for a pooler in transaction mode, such as PgBouncer. The same on
	// all replicas. Defaults to none.
	Pooler postgres.Pooler `koanf:"pooler"`
	// MigrateURL is a connection past the pooler, for migrations alone. Empty: they
	// take url, which must not be a pooler in transaction mode.
	MigrateURL config.Secret `koanf:"migrate_url"`
	// MaxConns bounds the connections for requests. Defaults to 20.
	MaxConns int32 `koanf:"max_conns"`
	// SystemConns bounds the connections for jobs. Defaults to 10.
	SystemConns int32 `koanf:"system_conns"`
	// StatementTimeout ends a statement that runs longer. Defaults to 30 s.
	StatementTimeout time.Duration `koanf:"statement_timeout"`
	// Binaries is the folder of initdb and postgres for the own server. Defaults
	// to the newest installed.
	Binaries string `koanf:"binaries"`
	// Migrate brings the schema up to date at the start. Defaults to true.
	Migrate bool `koanf:"migrate"`
}

// PluginsConfig is the section "plugins".
type PluginsConfig struct {
	// Dir is the folder of plugin programs. Defaults to "plugins" beside this
	// program.
	Dir string `koanf:"dir"`
	// Pins are sha256 sums by plugin name. When there are any, only these plugins
	// run, and only as pinned here, whatever `tracker plugin install` has pinned in
	// plugins.lock. Default: what was installed runs as it was installed, every
	// other program of the folder as it is when the server starts.
	Pins map[string]string `koanf:"pins"`
	// Disabled are names of plugins that don't run, also when `tracker plugin
	// enable` says so. Defaults to none.
	Disabled []string `koanf:"disabled"`
	// MemoryBytes bounds each plugin's private memory. Defaults to 2 GiB.
	MemoryBytes uint64 `koanf:"memory_bytes"`
	// Settings are handed to the plugin of that name, which says what they mean:
	// validator-command learns languages by them. Defaults to none.
	Settings map[string]map[string]any `koanf:"settings"`
}

// ModelsConfig is the section "models": the models that run on this machine.
type ModelsConfig struct {
	// Dir is where `tracker model pull` puts them. Defaults to "models" in the
	// data folder. Models of root's data folder are found by everybody.
	Dir string `koanf:"dir"`
	// Mirror is a folder, or its http(s) address, that holds the archives of
	// `tracker model list --archives` under their names. Empty: they come from
	// their registries, by mvn and pip with this machine's settings for them.
	Mirror string `koanf:"mirror"`
}

// DefaultConfig is what holds when nothing is set.
func DefaultConfig() Config {
	return Config{
		Server: ServerConfig{
			Address: "127.0.0.1:8000", Origins: rpc.DefaultOrigins(), MaxBody: 8 << 20,
			Timeout: time.Minute, Grace: 10 * time.Second,
		},
		Database:   DatabaseConfig{Pooler: postgres.NoPooler, MaxConns: 20, SystemConns: 10, StatementTimeout: 30 * time.Second, Migrate: true},
		Auth:       auth.DefaultConfig(),
		Academy:    academy.DefaultConfig(),
		Redis:      cache.DefaultConfig(),
		RabbitMQ:   broker.DefaultConfig(),
		Ollama:     OllamaConfig{NumCtx: 8192},
		Plugins:    PluginsConfig{MemoryBytes: 2 << 30},
		Events:     events.DefaultConfig(),
		Jobs:       jobs.DefaultConfig(),
		Validation: validation.DefaultConfig(),
		Rag:        rag.DefaultConfig(),
		LLM:        llm.DefaultConfig(),
		Agents:     agents.DefaultConfig(),
		Realtime:   realtime.DefaultConfig(),
		Limits:     limits.DefaultConfig(),
		Telemetry:  telemetry.DefaultConfig(),
	}
}

// ConfigFlags say where settings come from; every command has them.
type ConfigFlags struct {
	File string            `name:"config" env:"TRACKER_CONFIG" help:"Settings file. Defaults to configs/tracker.yaml here or in /etc/tracker, when there is one." type:"path"`
	Env  string            `name:"env-file" default:".env" help:"File of environment variables; the default one is read when it exists."`
	Set  map[string]string `name:"set" help:"A setting by its dotted name: --set server.address=127.0.0.1:9000" mapsep:"none"`
}

// Load reads the settings. Those that hold for a server are checked by
// CheckServer.
func (f *ConfigFlags) Load() (Config, error) {
	cfg := DefaultConfig()
	src := config.Source{File: f.File, EnvFile: f.Env, Environ: os.Environ(), Flags: f.Set}
	if src.File == "" {
		for _, candidate := range []string{"configs/tracker.yaml", "/etc/tracker/tracker.yaml"} {
			if _, err := os.Stat(candidate); err == nil {
				src.File = candidate
				break
			}
		}
	}
	if err := config.Load(&cfg, src); err != nil {
		return cfg, err
	}
	if cfg.DataDir == "" {
		dir, err := cluster.DefaultDataDir()
		if err != nil {
			return cfg, err
		}
		cfg.DataDir = dir
	}
	cfg.Academy.AllowStandIn = cfg.Server.Dev
	if cfg.Events.Publish.Source == "" {
		cfg.Events.Publish.Source = "http://" + cfg.Server.Address
	}
	if cfg.Rag.KeyFile == "" {
		cfg.Rag.KeyFile = cfg.dataPath("rag.key")
	}
	if cfg.Events.Erasure.Dir == "" {
		cfg.Events.Erasure.Dir = cfg.dataPath("erasure")
	}
	if cfg.Events.Webhooks.KeyFile == "" {
		cfg.Events.Webhooks.KeyFile = filepath.Join(cfg.Events.Erasure.Dir, "webhooks.key")
	}
	if cfg.Validation.KeyFile == "" {
		cfg.Validation.KeyFile = cfg.dataPath("validation.key")
	}
	return cfg, nil
}

// CheckServer refuses settings that a server must not run with.
func (c *Config) CheckServer() error {
	if err := c.Auth.Check(); err != nil {
		return err
	}
	if _, err := roles.Parse(c.Server.Roles); err != nil {
		return fmt.Errorf("server.roles: %w", err)
	}
	if err := c.Database.Pooler.Check(); err != nil {
		return err
	}
	if err := c.Limits.Check(); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(c.Server.Address)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
		return fmt.Errorf("server.address is %q: use host:port, such as 127.0.0.1:8000", c.Server.Address)
	}
	if err := c.checkPlaces(); err != nil {
		return err
	}
	if !c.Server.Dev {
		return cmp.Or(config.RefuseSamples(c), c.Auth.CheckStrength())
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("server.dev allows sample secrets, so the server then listens on a loopback address only, not on %s", c.Server.Address)
	}
	return nil
}

func (c *Config) logger(out io.Writer) (*slog.Logger, error) {
	return telemetry.NewLogger(out, c.Telemetry)
}

func (c *Config) dataPath(elements ...string) string {
	return filepath.Join(slices.Concat([]string{c.DataDir}, elements)...)
}

type configCmd struct{}

// Run prints the settings that hold.
func (configCmd) Run(flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	for _, line := range config.Redacted(&cfg) {
		fmt.Println(line)
	}
	return nil
}
