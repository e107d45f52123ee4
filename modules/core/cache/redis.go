package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/rueidis"
	"golang.org/x/sync/singleflight"
)

// redis is a store that the replicas share. An entry is "tracker:e:<space>:
// <digest of the subject>:<name>", kept with the digest's set of keys
// "tracker:s:<digest>" and its mark "tracker:m:<digest>".
type redis struct {
	option  rueidis.ClientOption
	timeout time.Duration
	logger  *slog.Logger
	// back is called when Redis answers again: memory has stood in for it.
	back func()

	mu     sync.Mutex
	client rueidis.Client
	// connecting is closed when the first connection is made, or has failed.
	connecting chan struct{}
	failed     error
	closed     bool
	// away is when to try again; zero while it answers.
	away time.Time
	// due is what could not be invalidated yet; see due.go.
	due      []Notice
	settling singleflight.Group
}

// retryRedis is how long a Redis that failed is left alone.
const retryRedis = 500 * time.Millisecond

// markLife is longer than any load.
const markLife = time.Hour

func newRedis(cfg Config, logger *slog.Logger, back func()) (*redis, error) {
	option, err := rueidis.ParseURL(cfg.URL.Reveal())
	if err != nil || len(option.InitAddress) == 0 {
		return nil, errors.New("REDIS_URL can't be read: write redis://user:password@host:6379/0, with %xx for special characters of user and password")
	}
	option.DisableCache, option.DisableRetry, option.ForceSingleClient = true, true, option.Sentinel.MasterSet == ""
	option.ClientName = "tracker"
	option.Dialer.Timeout, option.ConnWriteTimeout = max(cfg.Timeout, time.Second), max(cfg.Timeout, time.Second)
	option.PipelineMultiplex = -1
	return &redis{option: option, timeout: cfg.Timeout, logger: logger, back: back}, nil
}

// up says whether it is to be asked now. It is nil-safe.
func (r *redis) up() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.away.IsZero() || time.Now().After(r.away)
}

// with runs fn on the connection, after what is due.
func (r *redis) with(asker context.Context, fn func(context.Context, rueidis.Client) error) error {
	ctx, cancel := context.WithTimeout(asker, r.timeout)
	defer cancel()
	client, err := r.connect(ctx)
	if err == nil {
		err = r.settle(ctx, client)
	}
	if err == nil {
		err = fn(ctx, client)
	}
	if err != nil && asker.Err() != nil && !rueidis.IsRedisNil(err) {
		return err // who asked has gone away, which says nothing of Redis
	}
	return r.heard(err)
}

// connect gives the client, which is made once and connects again by itself. It
// waits for the first connection no longer than ctx.
func (r *redis) connect(ctx context.Context) (rueidis.Client, error) {
	r.mu.Lock()
	if r.client == nil && r.connecting == nil {
		done := make(chan struct{})
		r.connecting = done
		go func() {
			client, err := rueidis.NewClient(r.option)
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.closed && err == nil {
				client.Close()
			} else if err == nil {
				r.client = client
			}
			r.connecting, r.failed = nil, err
			close(done)
		}()
	}
	connecting := r.connecting
	r.mu.Unlock()
	if connecting != nil {
		select {
		case <-connecting:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client == nil {
		return nil, r.failed
	}
	return r.client, nil
}

// heard notes whether Redis answers.
func (r *redis) heard(err error) error {
	if rueidis.IsRedisNil(err) {
		err = nil
	}
	r.mu.Lock()
	was := r.away
	if err != nil {
		r.away = time.Now().Add(retryRedis)
	} else {
		r.away = time.Time{}
	}
	r.mu.Unlock()
	switch {
	case err != nil && was.IsZero():
		r.logger.Warn("Redis does not answer, this process remembers by itself for now", "error", hide(err, r.option.Password))
	case err == nil && !was.IsZero():
		r.back()
		r.logger.Info("Redis answers again")
	}
	return err
}

// hide keeps the password out, should a library ever repeat it.
func hide(err error, password string) string {
	if password == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), password, "[redacted]")
}

func (r *redis) invalidate(ctx context.Context, n Notice) {
	// The caller may go away; what is invalid stays so.
	err := r.with(context.WithoutCancel(ctx), func(ctx context.Context, client rueidis.Client) error {
		return apply(ctx, connected{client}, n)
	})
	if err != nil {
		r.owe(n)
	}
}

func (r *redis) get(ctx context.Context, k Key) (value []byte, mark string, err error) {
	err = r.with(ctx, func(ctx context.Context, client rueidis.Client) error {
		answers, err := client.Do(ctx, client.B().Mget().Key(entryKey(k), markKey(k.Subject)).Build()).ToArray()
		if err != nil {
			return err
		}
		if value, err = answers[0].AsBytes(); err != nil && !rueidis.IsRedisNil(err) {
			return err
		}
		if mark, err = answers[1].ToString(); err != nil && !rueidis.IsRedisNil(err) {
			return err
		}
		return nil
	})
	return value, "r" + mark, err
}

func (r *redis) put(ctx context.Context, k Key, value []byte, life time.Duration, mark string) error {
	return r.with(ctx, func(ctx context.Context, client rueidis.Client) error {
		return putScript.Exec(ctx, client, []string{entryKey(k), markKey(k.Subject), setKey(k.Subject)},
			[]string{rueidis.BinaryString(value), milliseconds(life), mark[1:]}).Error()
	})
}

func (r *redis) ping(ctx context.Context) error {
	return r.with(ctx, func(ctx context.Context, client rueidis.Client) error {
		return client.Do(ctx, client.B().Ping().Build()).Error()
	})
}

func (r *redis) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.client != nil {
		r.client.Close()
	}
}

// A set outlives its longest entry; a mark that differs says that the subject
// was dropped while its answer was loaded.
var putScript = rueidis.NewLuaScript(`
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[3] or string.sub(ARGV[3], 1, 7) == 'refused' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SADD', KEYS[3], KEYS[1])
if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[3], ARGV[2]) end
return 1`)

// The mark of a refused subject stays what it is when the subject is dropped
// again.
var dropScript = rueidis.NewLuaScript(`
local keys = redis.call('SMEMBERS', KEYS[2])
for i = 1, #keys, 1000 do redis.call('UNLINK', unpack(keys, i, math.min(i + 999, #keys))) end
redis.call('UNLINK', KEYS[2])
if ARGV[3] == 'refuse' then redis.call('SET', KEYS[1], 'refused', 'PX', ARGV[2])
elseif redis.call('GET', KEYS[1]) ~= 'refused' then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return #keys`)

// connected does to Redis what a notice says.
type connected struct{ client rueidis.Client }

func (c connected) drop(ctx context.Context, keys ...Key) error {
	for _, k := range keys {
		if err := c.client.Do(ctx, c.client.B().Unlink().Key(entryKey(k)).Build()).Error(); err != nil {
			return err
		}
		// Only its mark changes; other answers about the subject stay.
		if err := markScript.Exec(ctx, c.client, []string{markKey(k.Subject)}, []string{newMark(), milliseconds(markLife)}).Error(); err != nil {
			return err
		}
	}
	return nil
}

var markScript = rueidis.NewLuaScript(`
if redis.call('GET', KEYS[1]) ~= 'refused' then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1`)

func (c connected) dropSubject(ctx context.Context, subject string) error {
	return dropScript.Exec(ctx, c.client, []string{markKey(subject), setKey(subject)}, []string{newMark(), milliseconds(markLife), ""}).Error()
}

func (c connected) refuse(ctx context.Context, subject string, d time.Duration) error {
	return dropScript.Exec(ctx, c.client, []string{markKey(subject), setKey(subject)}, []string{newMark(), milliseconds(d), "refuse"}).Error()
}

func (c connected) dropSpace(ctx context.Context, space string) error {
	var cursor uint64
	for {
		page, err := c.client.Do(ctx, c.client.B().Scan().Cursor(cursor).Match("tracker:e:"+space+":*").Count(1000).Build()).AsScanEntry()
		if err != nil {
			return err
		}
		if len(page.Elements) > 0 {
			if err := c.client.Do(ctx, c.client.B().Unlink().Key(page.Elements...).Build()).Error(); err != nil {
				return err
			}
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}

func entryKey(k Key) string {
	return "tracker:e:" + k.Space + ":" + digest(k.Subject) + ":" + k.Name
}
func markKey(subject string) string { return "tracker:m:" + digest(subject) }
func setKey(subject string) string  { return "tracker:s:" + digest(subject) }

func digest(subject string) string {
	sum := sha256.Sum256([]byte("tracker.cache\x00" + subject))
	return hex.EncodeToString(sum[:16])
}

// newMark is one that no subject has had.
func newMark() string { return uuid.NewString() }

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10)
}
