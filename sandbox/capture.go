//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"sync"
)

// capture keeps two streams up to a common limit and calls over once beyond it.
type capture struct {
	over    func()
	readers sync.WaitGroup

	mu        sync.Mutex
	left      int64
	streams   [2][]byte
	truncated bool
}

func newCapture(limit int64, over func(), stdout, stderr *os.File) *capture {
	c := &capture{over: over, left: limit}
	for i, f := range []*os.File{stdout, stderr} {
		c.readers.Go(func() { c.follow(i, f) })
	}
	return c
}

// follow reads until all writers are gone, which is when the room is: past the
// limit it reads on and forgets, so that nothing hangs in a full pipe.
func (c *capture) follow(i int, f *os.File) {
	defer func() { _ = f.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := f.Read(buf)
		if n > 0 && c.keep(i, buf[:n]) {
			c.over()
		}
		if err != nil {
			return
		}
	}
}

// keep reports whether this piece was the one to pass the limit.
func (c *capture) keep(i int, piece []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	fits := min(int64(len(piece)), c.left)
	c.streams[i] = append(c.streams[i], piece[:fits]...)
	c.left -= fits
	if fits == int64(len(piece)) || c.truncated {
		return false
	}
	c.truncated = true
	return true
}

func (c *capture) wait() { c.readers.Wait() }

func (c *capture) result() (stdout, stderr []byte, truncated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams[0], c.streams[1], c.truncated
}
