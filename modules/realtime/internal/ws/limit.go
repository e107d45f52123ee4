package ws

import "time"

// bucket bounds how fast a client's messages are read. It is for one goroutine.
type bucket struct {
	left float64
	last time.Time
}

// take takes one of burst, which come back at rate a second, and says how long
// to wait for it.
func (b *bucket) take(now time.Time, rate float64, burst int) (wait time.Duration) {
	if b.last.IsZero() {
		b.left = float64(burst)
	} else {
		b.left = min(float64(burst), b.left+now.Sub(b.last).Seconds()*rate)
	}
	b.last = now
	b.left--
	if b.left >= 0 {
		return 0
	}
	return time.Duration(-b.left / rate * float64(time.Second))
}
