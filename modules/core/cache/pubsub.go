package cache

import (
	"context"
	"errors"
	"time"

	"github.com/redis/rueidis"
)

// errNoRedis: there is no Redis, or it was just found to be away.
var errNoRedis = errors.New("no Redis answers")

// Publish sends something to all who are subscribed to the channel now, on any
// replica; nobody keeps it. Channels are the whole Redis server's, whatever the
// database of the URL.
func (c *Cache) Publish(ctx context.Context, channel string, payload []byte) error {
	if !c.Shared() {
		return errNoRedis
	}
	return c.redis.with(ctx, func(ctx context.Context, client rueidis.Client) error {
		return client.Do(ctx, client.B().Publish().Channel(channel).Message(rueidis.BinaryString(payload)).Build()).Error()
	})
}

// Subscribe calls fn for what is published to the channel, until ctx ends; while
// Redis is away, nothing comes. Without one it returns at once. fn must return
// fast.
func (c *Cache) Subscribe(ctx context.Context, channel string, fn func(payload string)) {
	if c.redis == nil {
		return
	}
	for ctx.Err() == nil {
		// Not in with: a subscription takes as long as it is wanted.
		client, err := c.redis.connected(ctx)
		if err == nil {
			err = client.Receive(ctx, client.B().Subscribe().Channel(channel).Build(), func(m rueidis.PubSubMessage) { fn(m.Message) })
		}
		if ctx.Err() == nil {
			c.logger.Debug("a subscription is interrupted", "channel", channel, "error", err)
		}
		select {
		case <-time.After(retryRedis):
		case <-ctx.Done():
		}
	}
}

// connected gives the client once there is one.
func (r *redis) connected(ctx context.Context) (rueidis.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, max(r.timeout, time.Second))
	defer cancel()
	client, err := r.connect(ctx)
	if err == nil && client == nil {
		err = errNoRedis
	}
	return client, err
}
