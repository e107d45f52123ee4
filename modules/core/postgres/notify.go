package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

var notices = auth.System("notices")

// Not waiting for the disk: a hint that is lost costs its reader a poll.
var notify = SQL("core.notify", `
	SELECT pg_notify(@channel, @payload), set_config('synchronous_commit', 'off', true)`)

var (
	writeNotice = SQL("core.notices.write", `INSERT INTO core.notices (channel, payload) VALUES (@channel, @payload)`)
	lastNotice  = SQL("core.notices.last", `SELECT coalesce(max(id), 0) FROM core.notices`)
	readNotices = SQL("core.notices.read", `SELECT id, channel, payload FROM core.notices WHERE id > @after ORDER BY id`)
	tidyNotices = SQL("core.notices.tidy", `DELETE FROM core.notices WHERE told_at < now() - @life::interval`)
)

// Notify tells every replica's Listener something, at once and by itself: in the
// transaction of a mutation it would take a lock of the whole server. It is a
// hint that may be lost. A payload has less than 8,000 bytes.
func (db *DB) Notify(ctx context.Context, channel, payload string) error {
	statement := notify
	if db.Pooled() {
		statement = writeNotice
	}
	if _, err := db.As(notices).Exec(ctx, statement, Args{"channel": channel, "payload": payload}); err != nil {
		return fmt.Errorf("notify %s: %w", channel, err)
	}
	return nil
}

const (
	// pollNotices is how often a replica without LISTEN looks.
	pollNotices = 100 * time.Millisecond
	// lateNotice is by how much a commit may come after that of a later id.
	lateNotice = 2 * time.Second
	// noticeLife is how long a notice can be read, and tidyEvery how often the
	// older ones go.
	noticeLife = 30 * time.Second
	tidyEvery  = 10 * time.Second
)

// poll delivers what the table has until ctx or the database ends it.
func (l *Listener) poll(ctx context.Context) error {
	system := l.db.As(notices)
	seen := newSeen()
	if err := system.QueryRow(ctx, lastNotice, nil).Scan(&seen.floor); err != nil {
		return fmt.Errorf("look at the last notice: %w", err)
	}
	look, tidy := time.NewTicker(pollNotices), time.NewTicker(tidyEvery)
	defer look.Stop()
	defer tidy.Stop()
	heard := map[string]bool{}
	for {
		for _, channel := range l.fresh(heard) {
			heard[channel] = true
			l.deliver(channel, "")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tidy.C:
			if _, err := system.Exec(ctx, tidyNotices, Args{"life": noticeLife}); err != nil {
				return fmt.Errorf("tidy notices: %w", err)
			}
		case <-look.C:
			rows, err := system.Query(ctx, readNotices, Args{"after": seen.floor})
			if err != nil {
				return fmt.Errorf("read notices: %w", err)
			}
			var id int64
			var channel, payload string
			if _, err := pgx.ForEachRow(rows, []any{&id, &channel, &payload}, func() error {
				if seen.first(id, time.Now()) {
					l.deliver(channel, payload)
				}
				return nil
			}); err != nil {
				return fmt.Errorf("read notices: %w", err)
			}
			seen.forget(time.Now())
		}
	}
}

// seen remembers which notices were delivered: ids are given before commits, so
// a smaller one may show after a larger one.
type seen struct {
	// floor: up to here no more will come.
	floor int64
	at    map[int64]time.Time
}

func newSeen() *seen { return &seen{at: map[int64]time.Time{}} }

func (s *seen) first(id int64, now time.Time) bool {
	if _, known := s.at[id]; known || id <= s.floor {
		return false
	}
	s.at[id] = now
	return true
}

// forget raises the floor to the largest id that was seen long enough ago.
func (s *seen) forget(now time.Time) {
	for id, at := range s.at {
		if now.Sub(at) > lateNotice {
			s.floor = max(s.floor, id)
		}
	}
	for id := range s.at {
		if id <= s.floor {
			delete(s.at, id)
		}
	}
}
