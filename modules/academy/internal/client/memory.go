package client

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Memory keeps answers in this process, the ones used last.
type Memory struct {
	entries *lru.Cache[string, remembered]
}

type remembered struct {
	value []byte
	until time.Time
}

// NewMemory makes a keeper of at most size answers.
func NewMemory(size int) (*Memory, error) {
	entries, err := lru.New[string, remembered](size)
	if err != nil {
		return nil, err
	}
	return &Memory{entries: entries}, nil
}

// Get implements Keeper.
func (m *Memory) Get(_ context.Context, key string) ([]byte, bool) {
	e, ok := m.entries.Get(key)
	if ok && time.Now().After(e.until) {
		m.entries.Remove(key)
		return nil, false
	}
	return e.value, ok
}

// Put implements Keeper.
func (m *Memory) Put(_ context.Context, key string, value []byte, life time.Duration) {
	m.entries.Add(key, remembered{value: value, until: time.Now().Add(life)})
}

// Drop implements Keeper.
func (m *Memory) Drop(_ context.Context, keys ...string) {
	for _, key := range keys {
		m.entries.Remove(key)
	}
}

// Shared implements Keeper.
func (*Memory) Shared() bool { return false }

// Purge drops everything.
func (m *Memory) Purge() { m.entries.Purge() }
