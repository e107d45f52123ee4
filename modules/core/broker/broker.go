// Package broker is the way to RabbitMQ: connections that come back by
// themselves, publishers that know what the broker has taken, consumers that
// acknowledge when the work is done, and the queues of what nobody could handle.
//
// Without RABBITMQ_URL there is none: Run waits, and what would use it says so.
// A broker that is away never keeps the server from starting or working. It
// takes RabbitMQ 3.10 or newer.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/goals-tracker/tracker/modules/core/config"
)

// Config is the section "rabbitmq".
type Config struct {
	// URL of a RabbitMQ 3.10+: amqp://user:password@host:5672/virtual-host, or
	// amqps:// for TLS. Empty: events are published to none.
	URL config.Secret `koanf:"url" env:"RABBITMQ_URL"`
	// ConnectTimeout bounds one attempt to connect. Defaults to 10 s.
	ConnectTimeout time.Duration `koanf:"connect_timeout"`
	// Heartbeat is how often both sides show that they are there; a broker that
	// is silent for two of them is given up. Defaults to 10 s.
	Heartbeat time.Duration `koanf:"heartbeat"`
	// RetryAtMost is the longest wait between attempts to connect. Defaults to
	// 15 s.
	RetryAtMost time.Duration `koanf:"retry_at_most"`
}

// DefaultConfig is what holds when nothing is set.
func DefaultConfig() Config {
	return Config{ConnectTimeout: 10 * time.Second, Heartbeat: 10 * time.Second, RetryAtMost: 15 * time.Second}
}

// What can go wrong beside what the broker itself answers.
var (
	// ErrNotConfigured is for who needs a broker where RABBITMQ_URL is not set.
	ErrNotConfigured = errors.New("no RabbitMQ is configured: set RABBITMQ_URL")
	// ErrAway is for who needs the broker now while it can't be reached.
	ErrAway = errors.New("RabbitMQ can't be reached right now")
)

// State is how the connection is.
type State string

// The states of a connection.
const (
	// Off: none is configured.
	Off State = "off"
	// Connected: it works.
	Connected State = "connected"
	// Blocked: connected, but the broker takes no messages; it is short of memory
	// or disk.
	Blocked State = "blocked"
	// Away: it is tried again and again.
	Away State = "away"
)

// Health is how the connection is, for operators.
type Health struct {
	State State
	// Since is when it got so.
	Since time.Time
	// Server is the broker's product and version, when it was ever reached.
	Server string
	// Reason is why it is away or blocked; no secrets are in it.
	Reason string
	// Unroutable counts messages that were published and that no queue wanted.
	Unroutable int64
}

// Broker is the way there. It is safe for use by many.
type Broker struct {
	cfg    Config
	uri    amqp.URI
	logger *slog.Logger
	// Two connections: a broker that is short of memory stops reading from those
	// that publish, and work on what came must go on.
	out, in    *line
	unroutable atomic.Int64
}

// New reads the settings; Run connects. The error of an unreadable URL does not
// repeat it. Logger defaults to slog.Default().
func New(cfg Config, logger *slog.Logger) (*Broker, error) {
	if logger == nil {
		logger = slog.Default()
	}
	d := DefaultConfig()
	cfg.ConnectTimeout, cfg.Heartbeat = positive(cfg.ConnectTimeout, d.ConnectTimeout), positive(cfg.Heartbeat, d.Heartbeat)
	cfg.RetryAtMost = positive(cfg.RetryAtMost, d.RetryAtMost)
	b := &Broker{cfg: cfg, logger: logger.With("part", "rabbitmq")}
	b.out, b.in = newLine(b, "publish"), newLine(b, "consume")
	if !b.Configured() {
		return b, nil
	}
	var err error
	if b.uri, err = amqp.ParseURI(cfg.URL.Reveal()); err != nil {
		return nil, errors.New("RABBITMQ_URL can't be read: write amqp://user:password@host:5672/virtual-host, with %xx for special characters of user and password")
	}
	return b, nil
}

// Configured says whether there is a broker at all.
func (b *Broker) Configured() bool { return b.cfg.URL != "" }

// Health says how the connection that publishes is.
func (b *Broker) Health() Health {
	h := b.out.now()
	h.Unroutable = b.unroutable.Load()
	return h
}

// Ready waits until messages can be published, or ctx ends; then it says why
// they can't.
func (b *Broker) Ready(ctx context.Context) error {
	_, err := b.out.ready(ctx)
	return err
}

// Run connects, and connects again whenever a connection breaks, until ctx
// ends; then it closes them and returns nil.
func (b *Broker) Run(ctx context.Context) error {
	if !b.Configured() {
		<-ctx.Done()
		return nil
	}
	var both sync.WaitGroup
	both.Go(func() { b.out.run(ctx) })
	both.Go(func() { b.in.run(ctx) })
	both.Wait()
	return nil
}

// Check connects once, beside Run, and says what stands in the way; for doctor.
func (b *Broker) Check(ctx context.Context) (server string, err error) {
	if !b.Configured() {
		return "", ErrNotConfigured
	}
	conn, err := b.in.dial(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.CloseDeadline(time.Now().Add(closeTime)) }()
	return product(conn) + " at " + b.address(), nil
}

// address is where the broker is, for people; user and password are left out.
func (b *Broker) address() string {
	return fmt.Sprintf("%s://%s:%d/%s", b.uri.Scheme, b.uri.Host, b.uri.Port, strings.TrimPrefix(b.uri.Vhost, "/"))
}

// backoff is longer each time, and different for each replica.
func (b *Broker) backoff(failures int) time.Duration {
	most := min(100*time.Millisecond<<min(failures, 20), b.cfg.RetryAtMost)
	return most/2 + rand.N(most/2+1) //nolint:gosec // it only spreads the attempts
}

func product(conn *amqp.Connection) string {
	name, _ := conn.Properties["product"].(string)
	version, _ := conn.Properties["version"].(string)
	return strings.TrimSpace(name + " " + version)
}

// explain says in words what operators can act upon. What the library prints
// never holds the password; an address as a whole is never repeated.
func explain(err error) error {
	var refused *amqp.Error
	if !errors.As(err, &refused) {
		return err
	}
	switch {
	case refused == amqp.ErrClosed:
		return ErrAway
	case refused.Code == amqp.AccessRefused || errors.Is(err, amqp.ErrCredentials):
		return fmt.Errorf("RabbitMQ refuses: check user, password and permissions of RABBITMQ_URL (%s)", refused.Reason)
	case refused == amqp.ErrVhost || refused.Code == amqp.NotAllowed:
		return fmt.Errorf("RabbitMQ refuses the virtual host of RABBITMQ_URL (%s)", refused.Reason)
	}
	return err
}

func positive(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
