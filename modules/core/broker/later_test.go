package broker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
)

func TestAsLongAsADatabaseIsAwayItsMessagesWaitAndNoneDies(t *testing.T) {
	b := run(t, brokertest.URL(t))
	var away atomic.Bool
	var held, looked atomic.Int64
	var handled sync.Map
	done := func(id string) bool { _, is := handled.Load(id); return is }
	gone := errors.New("the database is away")
	work(t, b, broker.Consumer{
		Queue: numbers, Prefetch: 3, Hold: 50 * time.Millisecond,
		Ready: func(context.Context) error {
			looked.Add(1)
			if away.Load() {
				return gone
			}
			return nil
		},
		Handle: func(_ context.Context, d broker.Delivery) error {
			if away.Load() {
				held.Add(1)
				return broker.Later(gone)
			}
			handled.Store(d.ID, true)
			return nil
		},
	})
	p := b.Publisher()
	t.Cleanup(p.Close)
	eventually(t, "the queue is there", func() bool {
		unrouted, err := p.Publish(within(t), message("first", "number.zero"))
		return err == nil && len(unrouted) == 0 && done("first")
	})
	away.Store(true)
	const messages = 7
	for i := range messages {
		if _, err := p.Publish(within(t), message(fmt.Sprint("m", i), "number.one")); err != nil {
			t.Fatal(err)
		}
	}
	// Longer than the delivery limit lasts for each that is held and given back.
	looks := looked.Load()
	eventually(t, "the database is looked for again and again", func() bool { return looked.Load() > looks+10 })
	tries := held.Load()
	away.Store(false)
	for i := range messages {
		eventually(t, fmt.Sprint(i, " is handled once it is back"), func() bool { return done(fmt.Sprint("m", i)) })
	}
	if dead, err := b.DeadLetters(within(t), numbers.Name, 10); err != nil || len(dead) > 0 {
		t.Errorf("dead letters are %v (%v), after %d tries", dead, err, tries)
	}
}
