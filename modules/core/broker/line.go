package broker

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// closeTime is how long a broker may take to say goodbye.
const closeTime = 2 * time.Second

// line is one connection that is made again and again.
type line struct {
	*Broker
	// use is what it is for.
	use string

	mu     sync.Mutex
	conn   *amqp.Connection
	health Health
	// changed is closed when conn or the state changes.
	changed chan struct{}
}

func newLine(b *Broker, use string) *line {
	l := &line{Broker: b, use: use, changed: make(chan struct{}), health: Health{State: Off, Since: time.Now()}}
	if b.Configured() {
		l.health.State, l.health.Reason = Away, "not connected yet"
	}
	return l
}

func (l *line) now() Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.health
}

func (l *line) run(ctx context.Context) {
	logger := l.logger.With("connection", l.use)
	for failures := 0; ctx.Err() == nil; {
		conn, err := l.dial(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			wait := l.backoff(failures)
			if failures++; failures <= 3 || failures%20 == 0 {
				logger.Warn("RabbitMQ can't be reached, it is tried again", "host", l.address(), "error", err, "retry_in", wait.Round(time.Millisecond))
			}
			l.set(nil, Health{State: Away, Reason: err.Error()})
			sleep(ctx, wait)
			continue
		}
		logger.Info("connected to RabbitMQ", "host", l.address(), "server", product(conn))
		connected := time.Now()
		l.watch(ctx, conn)
		if ctx.Err() != nil {
			return
		}
		logger.Warn("the connection to RabbitMQ broke, it is made again", "host", l.address(), "error", l.now().Reason)
		if time.Since(connected) > 2*l.cfg.Heartbeat {
			failures = 0
			continue
		}
		failures++ // one that breaks at once is no better than none
		sleep(ctx, l.backoff(failures))
	}
}

// watch is one connection's life.
func (l *line) watch(ctx context.Context, conn *amqp.Connection) {
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	blocked := conn.NotifyBlocked(make(chan amqp.Blocking, 8))
	l.set(conn, Health{State: Connected, Server: product(conn)})
	for {
		select {
		case <-ctx.Done():
			l.set(nil, Health{State: Away, Reason: "the server stops"})
			_ = conn.CloseDeadline(time.Now().Add(closeTime))
			return
		case block, open := <-blocked:
			switch {
			case !open:
				blocked = nil // the connection is closing
			case block.Active:
				l.logger.Warn("RabbitMQ takes no messages for now", "reason", block.Reason)
				l.set(conn, Health{State: Blocked, Reason: "RabbitMQ is short of " + block.Reason})
			default:
				l.set(conn, Health{State: Connected})
			}
		case err := <-closed:
			reason := "the connection was closed"
			if err != nil {
				reason = explain(err).Error()
			}
			l.set(nil, Health{State: Away, Reason: reason})
			return
		}
	}
}

func (l *line) dial(ctx context.Context) (*amqp.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.ConnectTimeout)
	defer cancel()
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName("tracker " + l.use)
	conn, err := amqp.DialConfig(l.cfg.URL.Reveal(), amqp.Config{
		Heartbeat: l.cfg.Heartbeat, Properties: properties,
		Dial: func(network, address string) (net.Conn, error) {
			raw, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			// For the handshake; the heartbeat takes over.
			deadline, _ := ctx.Deadline()
			return raw, raw.SetDeadline(deadline)
		},
	})
	if err != nil {
		return nil, explain(err)
	}
	return conn, nil
}

// ready waits for a connection that the broker reads from, until ctx ends.
func (l *line) ready(ctx context.Context) (*amqp.Connection, error) {
	if !l.Configured() {
		return nil, ErrNotConfigured
	}
	for {
		l.mu.Lock()
		conn, health, changed := l.conn, l.health, l.changed
		l.mu.Unlock()
		if health.State == Connected && !conn.IsClosed() {
			return conn, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %s", ErrAway, health.Reason)
		}
	}
}

// channel opens a channel.
func (l *line) channel(ctx context.Context) (*amqp.Channel, error) {
	for {
		conn, err := l.ready(ctx)
		if err != nil {
			return nil, err
		}
		channel, err := conn.Channel()
		if err == nil {
			return channel, nil
		}
		if !conn.IsClosed() {
			return nil, fmt.Errorf("open channel: %w", explain(err))
		}
		sleep(ctx, 10*time.Millisecond) // until watch has noticed
	}
}

func (l *line) set(conn *amqp.Connection, h Health) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.Since = l.health.Since
	if h.State != l.health.State {
		h.Since = time.Now()
	}
	if h.Server == "" {
		h.Server = l.health.Server
	}
	changed := conn != l.conn || h.State != l.health.State
	l.conn, l.health = conn, h
	if changed {
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// cutWhenStuck breaks the connection when its user has not called done a while
// after ctx ended: the library waits for a broker that no longer reads, however
// long that takes.
func (l *line) cutWhenStuck(ctx context.Context) (done func()) {
	returned := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-returned:
			return
		case <-time.After(closeTime):
		}
		l.mu.Lock()
		conn := l.conn
		l.mu.Unlock()
		if conn != nil {
			_ = conn.CloseDeadline(time.Now())
		}
	})
	return func() { stop(); close(returned) }
}

// leave closes a channel, but does not wait for a broker that no longer reads:
// what was not acknowledged goes back when the connection ends.
func leave(channel *amqp.Channel) {
	left := make(chan struct{})
	go func() { _ = channel.Close(); close(left) }()
	select {
	case <-left:
	case <-time.After(closeTime):
	}
}
