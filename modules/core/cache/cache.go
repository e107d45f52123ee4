// Package cache remembers answers that are dear to ask for again: in Redis, where
// all replicas share them, when REDIS_URL is set, else in this process. Both
// behave the same; one contract test runs against both.
//
// A cache never fails. What can't be reached holds nothing, so callers load; a
// Redis that dies is stood in for by this process's memory until it is back, and
// one that was flushed fills again. What was invalidated meanwhile is invalidated
// there before it is read again.
package cache

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/goals-tracker/tracker/modules/core/config"
)

// Config is the section "redis".
type Config struct {
	// URL of a Redis 6.2+ that replicas share: redis://user:password@host:6379/0,
	// rediss:// for TLS. Empty: each replica caches by itself.
	URL config.Secret `koanf:"url" env:"REDIS_URL"`
	// Timeout bounds what is asked of Redis; after it the answer is loaded.
	// Defaults to 250 ms.
	Timeout time.Duration `koanf:"timeout"`
	// MemoryEntries and MemoryBytes bound what this process remembers, where there
	// is no Redis or while it is away. Default to 20000 and 32 MiB.
	MemoryEntries int `koanf:"memory_entries"`
	MemoryBytes   int `koanf:"memory_bytes"`
}

// DefaultConfig is what holds when nothing is set.
func DefaultConfig() Config {
	return Config{Timeout: 250 * time.Millisecond, MemoryEntries: 20000, MemoryBytes: 32 << 20}
}

// Key names an answer.
type Key struct {
	// Space is what kind of answer it is: "academy.user". Letters, digits, dots and
	// dashes.
	Space string `json:"space"`
	// Subject is whom or what it is about: a user's or a course's id. Only a digest
	// of it is written to Redis. All of a subject is dropped at once.
	Subject string `json:"subject"`
	// Name tells answers about the same subject apart; it is written as it is, so
	// let it hold nothing personal. It may be "".
	Name string `json:"name,omitempty"`
}

// dropper forgets. Its errors say that the store can't be reached.
type dropper interface {
	drop(ctx context.Context, keys ...Key) error
	// dropSubject also makes what is being loaded about it outdated.
	dropSubject(ctx context.Context, subject string) error
	dropSpace(ctx context.Context, space string) error
	refuse(ctx context.Context, subject string, d time.Duration) error
}

// Cache is safe for use by many.
type Cache struct {
	cfg    Config
	logger *slog.Logger
	memory *memory
	redis  *redis // nil where there is none
	flight singleflight.Group
	tell   func(Notice)
	// refused is asked before an entry is put.
	refused atomic.Pointer[func(subject string) bool]

	// background is what refreshes entries; stop ends it.
	background sync.WaitGroup
	ctx        context.Context //nolint:containedctx // of what runs in the background
	stop       context.CancelFunc
	// failing are keys whose refresh failed, and until when they are left alone.
	failing *lru.Cache[Key, time.Time]
}

// New makes a cache. A Redis that is away does not keep it from starting; the
// error is of a URL that can't be read, and does not repeat it. Close it. Logger
// defaults to slog.Default().
func New(cfg Config, logger *slog.Logger) (*Cache, error) {
	if logger == nil {
		logger = slog.Default()
	}
	d := DefaultConfig()
	cfg.Timeout = orDefault(cfg.Timeout, d.Timeout)
	cfg.MemoryEntries, cfg.MemoryBytes = orDefault(cfg.MemoryEntries, d.MemoryEntries), orDefault(cfg.MemoryBytes, d.MemoryBytes)
	c := &Cache{cfg: cfg, logger: logger.With("part", "cache"), memory: newMemory(cfg.MemoryEntries, cfg.MemoryBytes)}
	var err error
	if c.failing, err = lru.New[Key, time.Time](maxFailing); err != nil {
		return nil, err
	}
	if cfg.URL != "" {
		if c.redis, err = newRedis(cfg, c.logger, c.memory.clear); err != nil {
			return nil, err
		}
	}
	c.ctx, c.stop = context.WithCancel(context.Background()) //nolint:forbidigo // ends with Close
	return c, nil
}

// Close ends what runs in the background and the connections.
func (c *Cache) Close() {
	c.stop()
	c.background.Wait()
	if c.redis != nil {
		c.redis.close()
	}
}

// Shared says whether the replicas share it, and Redis answers.
func (c *Cache) Shared() bool { return c.redis != nil && c.redis.up() }

// Check asks Redis whether it is there; for doctor and readiness. It is nil
// where none is configured.
func (c *Cache) Check(ctx context.Context) error {
	if c.redis == nil {
		return nil
	}
	if err := c.redis.ping(ctx); err != nil {
		return fmt.Errorf("redis can't be reached, so each replica caches by itself: %w", err)
	}
	return nil
}

// RefuseWhen has a function asked before anything is kept about a subject: what
// the erasure remembers outlives a Redis that was flushed. It must be fast.
func (c *Cache) RefuseWhen(refused func(subject string) bool) { c.refused.Store(&refused) }

// Get gives what is kept under a key.
func (c *Cache) Get(ctx context.Context, k Key) ([]byte, bool) {
	value, _ := c.get(ctx, k)
	return value, value != nil
}

// Put keeps a value for a while, unless its subject is refused.
func (c *Cache) Put(ctx context.Context, k Key, value []byte, life time.Duration) {
	_, mark := c.get(ctx, k)
	c.put(ctx, k, value, life, mark)
}

// Drop forgets what is kept under keys, for all replicas.
func (c *Cache) Drop(ctx context.Context, keys ...Key) {
	c.invalidate(ctx, Notice{Keys: keys})
}

// DropSubject forgets everything about a subject, for all replicas. What is
// being loaded meanwhile is not kept.
func (c *Cache) DropSubject(ctx context.Context, subject string) {
	c.invalidate(ctx, Notice{Subject: subject})
}

// DropSpace forgets everything of a space, for all replicas.
func (c *Cache) DropSpace(ctx context.Context, space string) {
	c.invalidate(ctx, Notice{Space: space})
}

// Refuse forgets everything about a subject and keeps nothing about it from now
// on, on any replica, for a while: for who is being erased.
func (c *Cache) Refuse(ctx context.Context, subject string, d time.Duration) {
	c.invalidate(ctx, Notice{Subject: subject, Refuse: d})
}

func (c *Cache) get(ctx context.Context, k Key) (value []byte, mark string) {
	if c.redis.up() {
		if value, mark, err := c.redis.get(ctx, k); err == nil {
			return value, mark
		}
	}
	value, mark, _ = c.memory.get(ctx, k)
	return value, "m" + mark
}

// put keeps a value where the mark is from.
func (c *Cache) put(ctx context.Context, k Key, value []byte, life time.Duration, mark string) {
	if refused := c.refused.Load(); life <= 0 || refused != nil && (*refused)(k.Subject) {
		return
	}
	if mark != "" && mark[0] == 'm' {
		if !c.redis.up() {
			_ = c.memory.put(ctx, k, value, life, mark[1:])
		}
		return
	}
	_ = c.redis.put(ctx, k, value, life, mark)
}

func orDefault[N ~int | ~int64](n, fallback N) N {
	if n <= 0 {
		return fallback
	}
	return n
}
