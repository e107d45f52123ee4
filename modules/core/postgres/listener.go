package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Listener is the replica's one LISTEN connection, fanned out; behind a pooler in
// transaction mode it polls instead. Notifications are hints that may be lost:
// whoever waits for one polls as well.
type Listener struct {
	db     *DB
	logger *slog.Logger

	mu       sync.Mutex
	channels map[string][]func(payload string)
	changed  chan struct{}
}

// NewListener makes a listener; Run connects.
func NewListener(db *DB, logger *slog.Logger) *Listener {
	return &Listener{db: db, logger: logger, channels: map[string][]func(string){}, changed: make(chan struct{}, 1)}
}

// On calls fn for each notification on the channel, and once with "" after
// every (re)connection, when some may have been missed. fn must return fast.
func (l *Listener) On(channel string, fn func(payload string)) {
	l.mu.Lock()
	l.channels[channel] = append(l.channels[channel], fn)
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Run listens until ctx ends, and connects again whenever the connection breaks.
func (l *Listener) Run(ctx context.Context) {
	const longest = 5 * time.Second
	for wait := 100 * time.Millisecond; ctx.Err() == nil; wait = min(wait*2, longest) {
		started := time.Now()
		err := l.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > longest {
			wait = 100 * time.Millisecond
		}
		l.logger.Warn("notifications are interrupted, polling goes on", "error", redact(err), "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

func (l *Listener) follow(ctx context.Context) error {
	if l.db.Pooled() {
		return l.poll(ctx)
	}
	return l.listen(ctx)
}

func (l *Listener) listen(ctx context.Context) error {
	cfg, err := pgx.ParseConfig(l.db.URL())
	if err != nil {
		return fmt.Errorf("read DATABASE_URL: %w", redact(err))
	}
	cfg.RuntimeParams["application_name"] = "tracker-listener"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	heard := map[string]bool{}
	for {
		if err := l.listenToNew(ctx, conn, heard); err != nil {
			return err
		}
		if err := l.wait(ctx, conn); err != nil {
			return err
		}
	}
}

func (l *Listener) listenToNew(ctx context.Context, conn *pgx.Conn, heard map[string]bool) error {
	for _, channel := range l.fresh(heard) {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return fmt.Errorf("listen to %s: %w", channel, err)
		}
		heard[channel] = true
		l.deliver(channel, "")
	}
	return nil
}

// fresh are the channels that were asked for and not heard yet.
func (l *Listener) fresh(heard map[string]bool) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var fresh []string
	for channel := range l.channels {
		if !heard[channel] {
			fresh = append(fresh, channel)
		}
	}
	return fresh
}

// wait delivers notifications until a new channel is asked for.
func (l *Listener) wait(ctx context.Context, conn *pgx.Conn) error {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	finished := make(chan struct{})
	defer func() { stop(); <-finished }()
	var asked bool
	go func() {
		defer close(finished)
		select {
		case <-l.changed:
			asked = true
			stop()
		case <-waiting.Done():
		}
	}()
	for {
		notification, err := conn.WaitForNotification(waiting)
		if err != nil {
			stop()
			<-finished
			if asked && ctx.Err() == nil && !conn.IsClosed() {
				return nil
			}
			return err
		}
		l.deliver(notification.Channel, notification.Payload)
	}
}

func (l *Listener) deliver(channel, payload string) {
	l.mu.Lock()
	fns := l.channels[channel]
	l.mu.Unlock()
	for _, fn := range fns {
		fn(payload)
	}
}
