package cache_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/config"
)

func TestACallerWhoGivesUpTakesRedisFromNobody(t *testing.T) {
	c := open(t, cachetest.URL(t))
	c.Put(t.Context(), ada, []byte("Ada"), long)
	gone, leave := context.WithCancel(t.Context())
	leave()
	late, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	for _, ctx := range []context.Context{gone, late} {
		c.Get(ctx, ada)
		c.Put(ctx, ada, []byte("Ada"), long)
		if !c.Shared() {
			t.Fatal("one who went away made all others do without Redis")
		}
	}
	if got := kept(t, c, ada); got != "Ada" {
		t.Errorf("it is %q", got)
	}
}

// door leads to a Redis, which stays as it is while the door is shut.
type door struct {
	net.Listener
	to   string
	shut atomic.Bool
	mu   sync.Mutex
	open []net.Conn
}

func newDoor(t *testing.T, to string) *door {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{Listener: listener, to: to}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil || d.shut.Load() {
				_ = in.Close()
				continue
			}
			d.mu.Lock()
			d.open = append(d.open, in, out)
			d.mu.Unlock()
			serving.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
			serving.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); d.set(true); serving.Wait() })
	return d
}

func (d *door) set(shut bool) {
	d.shut.Store(shut)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, conn := range d.open {
		if shut {
			_ = conn.Close()
		}
	}
}

func TestHoweverMuchChangedWhileRedisWasAwayItIsUsedAgain(t *testing.T) {
	inside := cachetest.URL(t)
	u, err := url.Parse(inside)
	if err != nil {
		t.Fatal(err)
	}
	way := newDoor(t, u.Host)
	u.Host = way.Addr().String()
	// So little that what is due takes longer.
	c, err := cache.New(cache.Config{URL: config.Secret(u.String()), Timeout: 5 * time.Millisecond}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	other := open(t, inside)
	person := func(i int) cache.Key { return cache.Key{Space: "people", Subject: fmt.Sprint(i)} }
	for _, people := range []int{200, 1200} {
		way.set(false)
		eventually(t, "Redis is there", func() bool { return c.Check(t.Context()) == nil })
		for i := range people {
			other.Put(t.Context(), person(i), []byte("old"), long)
		}
		way.set(true)
		eventually(t, "Redis is missed", func() bool { return c.Check(t.Context()) != nil })
		eve := cache.Key{Space: "people", Subject: fmt.Sprint("eve ", people)}
		c.Refuse(t.Context(), eve.Subject, long)
		for i := range people {
			c.DropSubject(t.Context(), fmt.Sprint(i))
		}
		way.set(false)
		eventually(t, "Redis is used again", func() bool { return c.Check(t.Context()) == nil && c.Shared() })
		for i := range people {
			if got := kept(t, other, person(i)); got != "" {
				t.Fatalf("what changed about %d while Redis was away still reads %q", i, got)
			}
		}
		other.Put(t.Context(), eve, []byte("Eve"), long)
		if kept(t, other, eve) != "" {
			t.Error("what was refused while Redis was away is kept")
		}
	}
}
