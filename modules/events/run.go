package events

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// channel is where replicas tell each other that there are events.
const channel = "tracker_events"

// Run follows the log and runs the subscriptions until ctx ends, then returns
// nil. What the database refuses meanwhile is logged and tried again.
func (l *Log) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.RunTailer(ctx) })
	for _, s := range l.subscriptions {
		group.Go(func() error { l.subscriber(s).run(ctx); return nil })
	}
	return group.Wait()
}

// RunTailer is Run without subscriptions, for tools that only follow.
func (l *Log) RunTailer(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { l.follow(ctx); return nil })
	group.Go(func() error { l.tellOthers(ctx); return nil })
	group.Go(func() error { l.listen(ctx); return nil })
	return group.Wait()
}

// gather is how long the tailer lets commits come together before it looks.
const gather = 2 * time.Millisecond

// follow is the tailer: the one reader of this replica that asks what is settled.
func (l *Log) follow(ctx context.Context) {
	var failing backoff
	for {
		more, err := l.pull(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			l.logger.Warn("follow the log", "error", err)
			failing.wait(ctx)
			continue
		case more:
			continue
		}
		failing.reset()
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.cfg.PollEvery):
		case <-l.wake:
			sleep(ctx, gather)
		}
	}
}

// pull looks once; more says that there is more already.
func (l *Log) pull(ctx context.Context) (more bool, err error) {
	defer func() {
		if err != nil {
			l.doubt.Store(true) // it may be another server that answers next
		}
	}()
	if err := l.compare(ctx); err != nil {
		return false, err
	}
	horizon, err := l.Horizon(ctx)
	if err != nil {
		return false, err
	}
	head, _, _ := l.feed.now()
	if head < 0 {
		l.feed.add(nil, horizon)
		return false, nil
	}
	if horizon < head {
		return l.shorter(ctx, head) // or a writer is late
	}
	if horizon == head {
		return false, nil
	}
	events, err := l.readSettled(ctx, head, horizon, tailBatch)
	if err != nil {
		return false, err
	}
	if more = len(events) == tailBatch; more {
		horizon = events[tailBatch-1].Position
	}
	l.feed.add(events, horizon)
	return more, nil
}

// compareEvery is how often the log is compared with what it was, beside after
// every connection that broke.
const compareEvery = 30 * time.Second

// compare has everybody begin anew when the log is another than before.
func (l *Log) compare(ctx context.Context) error {
	if !l.doubt.Swap(false) && time.Since(l.compared) < compareEvery {
		return nil
	}
	epoch, err := l.Epoch(ctx)
	if err != nil {
		return err
	}
	if l.epoch != "" && l.epoch != epoch {
		l.restart()
	}
	l.epoch, l.compared = epoch, time.Now()
	return nil
}

// shorter has everybody begin anew when the log does not reach any more to where
// it was seen: a disk's older state was put back, which is no other epoch.
func (l *Log) shorter(ctx context.Context, head int64) (more bool, err error) {
	last, err := store.Last(ctx, l.db.As(reader))
	if err != nil || last >= head {
		return false, err
	}
	l.restart()
	return true, nil
}

func (l *Log) restart() {
	l.logger.Warn("the log is another than before: the database was restored or failed over; what follows it begins anew")
	l.feed.restart()
}

// tellOthers wakes the other replicas' tailers, at most every WakeEvery. Not in
// the transaction: there NOTIFY takes a lock of the whole cluster. One that is
// lost costs a PollEvery.
func (l *Log) tellOthers(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.appended:
		}
		sleep(ctx, l.cfg.WakeEvery)
		if err := l.db.Notify(ctx, channel, l.replica); err != nil && ctx.Err() == nil {
			l.logger.Debug("tell other replicas of events", "error", err)
		}
	}
}

// ListenOn lets the log hear other replicas on the server's one LISTEN
// connection, which somebody else runs. Wiring time only; a log without one
// opens its own when it runs.
func (l *Log) ListenOn(listener *postgres.Listener) {
	l.shared = true
	listener.On(channel, l.heard)
}

// listen hears other replicas where no shared connection does.
func (l *Log) listen(ctx context.Context) {
	if l.shared {
		return
	}
	listener := postgres.NewListener(l.db, l.logger)
	listener.On(channel, l.heard)
	listener.Run(ctx)
}

// heard wakes the tailer at others' notifications, and after a connection was
// made: what came before it went unheard.
func (l *Log) heard(replica string) {
	if replica == "" {
		l.doubt.Store(true)
	}
	if replica != l.replica {
		signal(l.wake)
	}
}

// signal fills a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// backoff waits longer each time, from 100 ms to 10 s.
type backoff struct{ last time.Duration }

func (b *backoff) reset() { b.last = 0 }

func (b *backoff) wait(ctx context.Context) {
	b.last = min(max(2*b.last, 100*time.Millisecond), 10*time.Second)
	sleep(ctx, b.last)
}
