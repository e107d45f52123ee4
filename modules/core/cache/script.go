package cache

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"
)

// Script is Lua that Redis runs at once, for what replicas share beyond answers.
type Script struct{ lua *rueidis.Lua }

// NewScript makes a script; its answer is a list of whole numbers.
func NewScript(text string) *Script { return &Script{rueidis.NewLuaScript(text)} }

// Call is what a script runs with.
type Call struct{ Keys, Args []string }

func (s *Script) exec(ctx context.Context, client rueidis.Client, calls []Call) []rueidis.RedisResult {
	if len(calls) == 1 { // ExecMulti sends the script along
		return []rueidis.RedisResult{s.lua.Exec(ctx, client, calls[0].Keys, calls[0].Args)}
	}
	all := make([]rueidis.LuaExec, len(calls))
	for i, call := range calls {
		all[i] = rueidis.LuaExec{Keys: call.Keys, Args: call.Args}
	}
	return s.lua.ExecMulti(ctx, client, all...)
}

// Configured says whether there is a Redis to share with, answering or not.
func (c *Cache) Configured() bool { return c != nil && c.redis != nil }

// Run runs a script for each call, in one round trip. It fails while Redis does
// not answer, at once when it was just found to be away.
func (c *Cache) Run(ctx context.Context, script *Script, calls ...Call) ([][]int64, error) {
	if !c.Configured() || !c.redis.up() {
		return nil, errNoRedis
	}
	answers := make([][]int64, len(calls))
	// A caller who goes away says nothing about Redis.
	err := c.redis.with(context.WithoutCancel(ctx), func(ctx context.Context, client rueidis.Client) error {
		for i, result := range script.exec(ctx, client, calls) {
			var err error
			if answers[i], err = result.AsIntSlice(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("run a script in Redis: %w", err)
	}
	return answers, nil
}
