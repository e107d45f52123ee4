package cache

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// memory is a store in this process, of the entries used last.
type memory struct {
	maxBytes int

	mu      sync.Mutex
	entries *simplelru.LRU[Key, remembered]
	bytes   int
	// subjects has the keys of each, marks what changes when one is dropped,
	// refusals until when nothing is kept. epoch is the mark of all others.
	subjects map[string]map[Key]struct{}
	marks    map[string]uint64
	refusals map[string]time.Time
	epoch    uint64
}

type remembered struct {
	value []byte
	until time.Time
}

// maxMarks bounds marks; then all subjects get a new one.
const maxMarks = 10_000

func newMemory(entries, maxBytes int) *memory {
	m := &memory{maxBytes: maxBytes, subjects: map[string]map[Key]struct{}{}, marks: map[string]uint64{}, refusals: map[string]time.Time{}}
	// The error is of a size below 1.
	m.entries, _ = simplelru.NewLRU(entries, m.gone)
	return m
}

// gone keeps the books when an entry leaves.
func (m *memory) gone(k Key, r remembered) {
	m.bytes -= cost(k, r)
	delete(m.subjects[k.Subject], k)
	if len(m.subjects[k.Subject]) == 0 {
		delete(m.subjects, k.Subject)
	}
}

func cost(k Key, r remembered) int {
	return len(r.value) + len(k.Space) + len(k.Subject) + len(k.Name) + 200
}

func (m *memory) get(_ context.Context, k Key) ([]byte, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.entries.Get(k)
	if ok && time.Now().After(r.until) {
		m.entries.Remove(k)
		ok = false
	}
	if !ok {
		return nil, m.mark(k.Subject), nil
	}
	return r.value, m.mark(k.Subject), nil
}

func (m *memory) mark(subject string) string {
	return strconv.FormatUint(m.epoch, 10) + "." + strconv.FormatUint(m.marks[subject], 10)
}

func (m *memory) put(_ context.Context, k Key, value []byte, life time.Duration, mark string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if until, refused := m.refusals[k.Subject]; refused && time.Now().Before(until) || mark != m.mark(k.Subject) {
		return nil
	}
	m.entries.Remove(k)
	r := remembered{value: value, until: time.Now().Add(life)}
	if cost(k, r) > m.maxBytes/4 {
		return nil // it would drive out all else
	}
	m.entries.Add(k, r)
	m.bytes += cost(k, r)
	if m.subjects[k.Subject] == nil {
		m.subjects[k.Subject] = map[Key]struct{}{}
	}
	m.subjects[k.Subject][k] = struct{}{}
	for m.bytes > m.maxBytes {
		m.entries.RemoveOldest()
	}
	return nil
}

func (m *memory) drop(_ context.Context, keys ...Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		m.entries.Remove(k)
		m.change(k.Subject)
	}
	return nil
}

func (m *memory) dropSubject(_ context.Context, subject string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.subjects[subject] {
		m.entries.Remove(k)
	}
	m.change(subject)
	return nil
}

// change makes what is being loaded about a subject outdated.
func (m *memory) change(subject string) {
	if len(m.marks) >= maxMarks {
		m.epoch++
		clear(m.marks)
	}
	m.marks[subject]++
}

func (m *memory) dropSpace(_ context.Context, space string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.entries.Keys() {
		if k.Space == space {
			m.entries.Remove(k)
		}
	}
	m.epoch++
	return nil
}

func (m *memory) refuse(ctx context.Context, subject string, d time.Duration) error {
	m.mu.Lock()
	now := time.Now()
	for s, until := range m.refusals {
		if now.After(until) {
			delete(m.refusals, s)
		}
	}
	m.refusals[subject] = now.Add(d)
	m.mu.Unlock()
	return m.dropSubject(ctx, subject)
}

// clear forgets all entries, not what is refused.
func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries.Purge()
	m.epoch++
}
