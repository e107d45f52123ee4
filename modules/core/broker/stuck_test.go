package broker_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
)

// A broker that is short of memory stops reading in the middle of a batch; the
// socket fills, and what writes to it would wait for as long as that lasts.
func TestAPublisherGivesUpInTimeOnABrokerThatStopsReadingInTheMiddleOfABatch(t *testing.T) {
	server := brokertest.Shared(t)
	b := run(t, server.Host(t))
	p := b.Publisher()
	t.Cleanup(p.Close)
	if _, err := p.Publish(within(t), message("a", "number.a")); err != nil {
		t.Fatal(err)
	}
	if err := server.Alarm(true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Alarm(false); err != nil {
			t.Error(err)
		}
	})
	var big []broker.Message
	for i := range 200 {
		m := message(fmt.Sprint("big", i), "number.big")
		m.Body = bytes.Repeat([]byte("x"), 256<<10)
		big = append(big, m)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() { _, err := p.Publish(ctx, big...); ended <- err }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a blocked broker confirmed")
		}
	case <-time.After(patience / 2):
		t.Fatal("it is still writing, long after its time was over")
	}
	if err := server.Alarm(false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it publishes again", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err := p.Publish(ctx, message("b", "number.b"))
		return err == nil
	})
}
