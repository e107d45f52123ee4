package cache_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/config"
)

const long = time.Hour

var ada = cache.Key{Space: "people", Subject: "ada", Name: "profile"}

func open(t *testing.T, url string) *cache.Cache {
	t.Helper()
	// A busy machine may take longer than a server should wait.
	c, err := cache.New(cache.Config{URL: config.Secret(url), Timeout: 20 * time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// onBoth runs a test of the contract with each implementation.
func onBoth(t *testing.T, test func(t *testing.T, c *cache.Cache)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { test(t, open(t, "")) })
	t.Run("redis", func(t *testing.T) {
		c := open(t, cachetest.URL(t))
		test(t, c)
		if !c.Shared() {
			t.Error("the test did not run on Redis")
		}
	})
}

func kept(t *testing.T, c *cache.Cache, k cache.Key) string {
	t.Helper()
	value, _ := c.Get(t.Context(), k)
	return string(value)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it never came true: %s", what)
}

func TestWhatIsPutIsKeptForItsLife(t *testing.T) {
	onBoth(t, func(t *testing.T, c *cache.Cache) {
		if kept(t, c, ada) != "" {
			t.Error("something is kept before anything was put")
		}
		c.Put(t.Context(), ada, []byte("one\x00\xff"), long)
		if got := kept(t, c, ada); got != "one\x00\xff" {
			t.Errorf("kept is %q", got)
		}
		c.Put(t.Context(), ada, []byte("two"), long)
		if got := kept(t, c, ada); got != "two" {
			t.Errorf("kept is %q", got)
		}
		c.Put(t.Context(), ada, []byte("three"), 20*time.Millisecond)
		eventually(t, "it is forgotten after its life", func() bool { return kept(t, c, ada) == "" })
		c.Put(t.Context(), ada, []byte("four"), 0)
		if got := kept(t, c, ada); got != "" {
			t.Errorf("kept without a life is %q", got)
		}
	})
}

func TestOneKeyASubjectOrASpaceIsDropped(t *testing.T) {
	courses := cache.Key{Space: "people", Subject: "ada", Name: "courses"}
	other := cache.Key{Space: "rights", Subject: "ada"}
	eve := cache.Key{Space: "people", Subject: "eve", Name: "profile"}
	all := []cache.Key{ada, courses, other, eve}
	for name, c := range map[string]struct {
		drop func(context.Context, *cache.Cache)
		left string
	}{
		"one key":   {func(ctx context.Context, c *cache.Cache) { c.Drop(ctx, ada) }, " courses rights eve"},
		"a subject": {func(ctx context.Context, c *cache.Cache) { c.DropSubject(ctx, "ada") }, " eve"},
		"a space":   {func(ctx context.Context, c *cache.Cache) { c.DropSpace(ctx, "people") }, " rights"},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, cached *cache.Cache) {
				for i, k := range all {
					cached.Put(t.Context(), k, []byte([]string{" ada", " courses", " rights", " eve"}[i]), long)
				}
				c.drop(t.Context(), cached)
				left := ""
				for _, k := range all {
					left += kept(t, cached, k)
				}
				if left != c.left {
					t.Errorf("left are%s, want%s", left, c.left)
				}
			})
		})
	}
}

func TestEqualQuestionsAtTheSameTimeAreLoadedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, c *cache.Cache) {
		var loads atomic.Int64
		release := make(chan struct{})
		var all sync.WaitGroup
		var started atomic.Int64
		for range 20 {
			all.Go(func() {
				started.Add(1)
				got, err := cache.Load(t.Context(), c, ada, cache.Life{Fresh: long}, func(context.Context) (string, error) {
					loads.Add(1)
					<-release
					return "Ada", nil
				})
				if err != nil || got != "Ada" {
					t.Errorf("got %q: %v", got, err)
				}
			})
		}
		eventually(t, "all ask", func() bool { return started.Load() == 20 && loads.Load() > 0 })
		close(release)
		all.Wait()
		if _, err := cache.Load(t.Context(), c, ada, cache.Life{Fresh: long}, func(context.Context) (string, error) { return "", errors.New("asked again") }); err != nil {
			t.Error(err)
		}
		if n := loads.Load(); n != 1 {
			t.Errorf("it was loaded %d times", n)
		}
	})
}

func TestAnOldAnswerIsGivenAtOnceAndRenewedBeside(t *testing.T) {
	onBoth(t, func(t *testing.T, c *cache.Cache) {
		life := cache.Life{Fresh: time.Nanosecond, Usable: long}
		cache.Keep(t.Context(), c, ada, life, "old")
		asked := make(chan struct{})
		release := make(chan struct{})
		got, err := cache.Load(t.Context(), c, ada, life, func(context.Context) (string, error) {
			close(asked)
			<-release
			return "new", nil
		})
		if got != "old" || err != nil {
			t.Errorf("got %q (%v) while a new one is loaded", got, err)
		}
		<-asked
		close(release)
		dead := func(context.Context) (string, error) { return "", errors.New("the academy is down") }
		eventually(t, "the new one is given", func() bool {
			got, err := cache.Load(t.Context(), c, ada, life, dead)
			return got == "new" && err == nil
		})
		if got, err := cache.Load(t.Context(), c, ada, life, dead); got != "new" || err != nil {
			t.Errorf("with nobody to ask the usable one is %q: %v", got, err)
		}
	})
}

func TestThatThereIsNoneIsRememberedToo(t *testing.T) {
	onBoth(t, func(t *testing.T, c *cache.Cache) {
		loads := 0
		for range 3 {
			_, err := cache.Load(t.Context(), c, ada, cache.Life{Fresh: long, Missing: long}, func(context.Context) (string, error) {
				loads++
				return "", fmt.Errorf("ada: %w", cache.ErrNone)
			})
			if !errors.Is(err, cache.ErrNone) {
				t.Errorf("got %v", err)
			}
		}
		if loads != 1 {
			t.Errorf("it was asked %d times", loads)
		}
		boom := errors.New("boom")
		eve := cache.Key{Space: "people", Subject: "eve"}
		for range 2 {
			if _, err := cache.Load(t.Context(), c, eve, cache.Life{Fresh: long, Missing: long}, func(context.Context) (string, error) { loads++; return "", boom }); !errors.Is(err, boom) {
				t.Errorf("got %v", err)
			}
		}
		if loads != 3 {
			t.Errorf("errors are remembered: %d loads", loads)
		}
	})
}

func TestWhatWasDroppedWhileItWasLoadedIsNotKept(t *testing.T) {
	for name, drop := range map[string]func(context.Context, *cache.Cache){
		"the key":     func(ctx context.Context, c *cache.Cache) { c.Drop(ctx, ada) },
		"the subject": func(ctx context.Context, c *cache.Cache) { c.DropSubject(ctx, "ada") },
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, c *cache.Cache) {
				got, err := cache.Load(t.Context(), c, ada, cache.Life{Fresh: long}, func(ctx context.Context) (string, error) {
					drop(ctx, c)
					return "outdated", nil
				})
				if got != "outdated" || err != nil {
					t.Fatalf("got %q: %v", got, err)
				}
				if kept(t, c, ada) != "" {
					t.Error("the outdated answer is kept")
				}
			})
		})
	}
}

func TestNothingIsKeptOfWhomIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, c *cache.Cache) {
		c.Put(t.Context(), ada, []byte("Ada"), long)
		_, _ = cache.Load(t.Context(), c, cache.Key{Space: "rights", Subject: "ada"}, cache.Life{Fresh: long}, func(ctx context.Context) (string, error) {
			c.Refuse(ctx, "ada", long)
			return "fills late", nil
		})
		c.DropSubject(t.Context(), "ada")
		c.Put(t.Context(), ada, []byte("Ada again"), long)
		if kept(t, c, ada) != "" || kept(t, c, cache.Key{Space: "rights", Subject: "ada"}) != "" {
			t.Error("something is kept of whom is refused")
		}
		eve := cache.Key{Space: "people", Subject: "eve"}
		c.Put(t.Context(), eve, []byte("Eve"), long)
		if kept(t, c, eve) != "Eve" {
			t.Error("others are refused, too")
		}
		c.RefuseWhen(func(subject string) bool { return subject == "bob" })
		bob := cache.Key{Space: "people", Subject: "bob"}
		c.Put(t.Context(), bob, []byte("Bob"), long)
		if kept(t, c, bob) != "" {
			t.Error("whom the hook refuses is kept")
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	c, err := cache.New(cache.Config{MemoryEntries: 100, MemoryBytes: 100_000}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	count := func(size int) (n int) {
		for i := range 300 {
			c.Put(t.Context(), cache.Key{Space: "s", Subject: fmt.Sprint(i)}, make([]byte, size), long)
		}
		for i := range 300 {
			if _, ok := c.Get(t.Context(), cache.Key{Space: "s", Subject: fmt.Sprint(i)}); ok {
				n++
			}
		}
		return n
	}
	if n := count(1); n != 100 {
		t.Errorf("%d entries are kept, want 100", n)
	}
	if n := count(10_000); n > 9 || n < 5 {
		t.Errorf("%d entries of 10 kB are kept in 100 kB", n)
	}
	c.Put(t.Context(), ada, make([]byte, 60_000), long)
	if _, ok := c.Get(t.Context(), ada); ok {
		t.Error("an entry that would drive out the others is kept")
	}
}

func TestReplicasShareRedisAndSeeEachOthersInvalidations(t *testing.T) {
	url := cachetest.URL(t)
	one, two := open(t, url), open(t, url)
	one.Put(t.Context(), ada, []byte("Ada"), long)
	if got := kept(t, two, ada); got != "Ada" {
		t.Errorf("the other replica sees %q", got)
	}
	two.DropSubject(t.Context(), "ada")
	if got := kept(t, one, ada); got != "" {
		t.Errorf("it still sees %q", got)
	}
	two.Refuse(t.Context(), "ada", long)
	one.Put(t.Context(), ada, []byte("Ada"), long)
	if kept(t, one, ada) != "" {
		t.Error("the other replica keeps whom this one refuses")
	}
}

func TestReplicasWithoutRedisHearOfEachOthersInvalidations(t *testing.T) {
	one, two := open(t, ""), open(t, "")
	one.Tell(two.Heard)
	two.Put(t.Context(), ada, []byte("Ada"), long)
	one.DropSubject(t.Context(), "ada")
	if kept(t, two, ada) != "" {
		t.Error("the other replica has not heard")
	}
	two.Put(t.Context(), ada, []byte("Ada"), long)
	two.Missed()
	if kept(t, two, ada) != "" {
		t.Error("what may be outdated is kept")
	}
}

func TestWorkGoesOnWhenRedisDiesAndWhatWasDroppedMeanwhileStaysDropped(t *testing.T) {
	server := cachetest.Own(t)
	c := open(t, server.URL())
	c.Put(t.Context(), ada, []byte("Ada"), long)
	if kept(t, c, ada) != "Ada" || c.Check(t.Context()) != nil {
		t.Fatal("Redis does not work")
	}
	server.Kill()
	got, err := cache.Load(t.Context(), c, ada, cache.Life{Fresh: long}, func(context.Context) (string, error) { return "loaded", nil })
	if got != "loaded" || err != nil {
		t.Errorf("without Redis it is %q: %v", got, err)
	}
	if c.Check(t.Context()) == nil || c.Shared() {
		t.Error("nobody says that Redis is away")
	}
	c.Refuse(t.Context(), "eve", long)
	eventually(t, "this process remembers by itself", func() bool {
		loads := 0
		_, err := cache.Load(t.Context(), c, ada, cache.Life{Fresh: long}, func(context.Context) (string, error) { loads++; return "again", nil })
		return err == nil && loads == 0
	})
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Redis is used again", func() bool { return c.Check(t.Context()) == nil && c.Shared() })
	if got := kept(t, c, ada); got != "" {
		t.Errorf("what this process remembered outlived its use: %q", got)
	}
	other := open(t, server.URL())
	eve := cache.Key{Space: "people", Subject: "eve"}
	other.Put(t.Context(), eve, []byte("Eve"), long)
	if kept(t, other, eve) != "" {
		t.Error("what was refused while Redis was away is kept by others")
	}
	c.Put(t.Context(), ada, []byte("Ada"), long)
	if got := kept(t, other, ada); got != "Ada" {
		t.Errorf("the other replica sees %q", got)
	}
}

func TestNoPersonsIdIsInTheKeysOfRedisAndNoPasswordInErrors(t *testing.T) {
	url := cachetest.URL(t)
	c := open(t, url)
	c.Put(t.Context(), cache.Key{Space: "people", Subject: "lovelace@example.org", Name: "profile"}, []byte("x"), long)
	keys := cachetest.Keys(t, url)
	if len(keys) == 0 || strings.Contains(strings.Join(keys, " "), "lovelace") {
		t.Errorf("the keys are %v", keys)
	}
	for _, bad := range []string{"redis://user:hunter2hunter2@[bad", "http://user:hunter2hunter2@host"} {
		if _, err := cache.New(cache.Config{URL: config.Secret(bad)}, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error is %v", err)
		}
	}
}
