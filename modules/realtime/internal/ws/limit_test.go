package ws

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNoClientIsReadFasterThanItsRateBeyondTheBurst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate, burst := rapid.Float64Range(1, 1000).Draw(t, "rate"), rapid.IntRange(1, 100).Draw(t, "burst")
		var b bucket
		begin := time.Unix(1000, 0)
		now, taken := begin, 0
		for range rapid.IntRange(1, 300).Draw(t, "messages") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "pause")) * time.Millisecond)
			wait := b.take(now, rate, burst)
			if wait < 0 {
				t.Fatalf("waits %s", wait)
			}
			now = now.Add(wait)
			taken++
			if most := float64(burst) + now.Sub(begin).Seconds()*rate + 1; float64(taken) > most {
				t.Fatalf("%d were read in %s, at most %.1f may be", taken, now.Sub(begin), most)
			}
		}
	})
}
