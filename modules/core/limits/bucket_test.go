package limits

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// drawn is a question of one of some replicas, some time after the last.
func drawn(t *rapid.T, clock *int64) ask {
	*clock += rapid.SampledFrom([]int64{0, 1, 999, 250_000, 3_000_000, 40_000_000}).Draw(t, "later")
	a := ask{
		limit: "requests", replica: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "replica"),
		price: rapid.SampledFrom([]int64{1, 20_000, 333_333, 2_000_000}).Draw(t, "price"), want: rapid.Int64Range(1, 3).Draw(t, "want"),
		life: rapid.SampledFrom([]int64{0, 5_000_000, 60_000_000}).Draw(t, "life"), clock: *clock,
	}
	a.capacity = a.price * rapid.SampledFrom([]int64{1, 7, 50, 1000}).Draw(t, "burst")
	return a
}

func TestAllStoresGiveTheSameAnswers(t *testing.T) {
	reference, stores := newMemory(), map[string]store{
		"postgres": newDatabase(postgrestest.DB(t), 20*time.Second), "redis": redis{redisCache(t, cachetest.URL(t))},
	}
	rapid.Check(t, func(r *rapid.T) {
		person, clock := uuid.NewString(), int64(1_800_000_000_000_000)
		for range rapid.IntRange(1, 25).Draw(r, "questions") {
			a := drawn(r, &clock)
			a.person = person
			want, _ := reference.take(t.Context(), a)
			for name, s := range stores {
				if got, err := s.take(t.Context(), a); err != nil || got != want {
					r.Fatalf("%s answers %+v (%v) to %+v, want %+v", name, got, err, a, want)
				}
			}
		}
	})
}

// Replicas spend what they took ahead whenever they like until it expires; in no
// stretch of time is more spent than the bound says.
func TestInNoStretchOfTimeMoreIsSpentThanBurstAndWhatTheTimeBrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price, burst := rapid.Int64Range(1_000, 3_000_000).Draw(t, "price"), rapid.Int64Range(1, 400).Draw(t, "burst")
		life := rapid.SampledFrom([]int64{1_000_000, 30_000_000, 600_000_000}).Draw(t, "life")
		var b bucket
		b.credit = price * burst
		type purse struct{ left, until int64 }
		purses := map[string]*purse{"a": {}, "b": {}, "c": {}}
		var spent []int64
		now := int64(1_800_000_000_000_000)
		for range rapid.IntRange(1, 60).Draw(t, "visits") {
			now += rapid.SampledFrom([]int64{0, price / 3, price, 10 * price, life / 2, life}).Draw(t, "later")
			name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "replica")
			for range rapid.SampledFrom([]int{1, 3, 50, 500}).Draw(t, "requests") {
				p := purses[name]
				if p.left == 0 || now >= p.until {
					g := b.take(ask{replica: name, price: price, capacity: price * burst, want: 1, life: life, clock: now})
					if g.tokens == 0 {
						if g.wait <= 0 {
							t.Fatalf("refused without a wait")
						}
						break
					}
					p.left, p.until = g.tokens, now+life
				}
				p.left--
				spent = append(spent, now)
			}
		}
		for i, from := range spent {
			for j := i; j < len(spent); j += 1 + len(spent)/40 {
				if n, most := int64(j-i+1), burst+(spent[j]-from)/price; n > most {
					t.Fatalf("%d were spent in %s, at most %d may be (burst %d, one in %d µs)", n, time.Duration(spent[j]-from)*time.Microsecond, most, burst, price)
				}
			}
		}
	})
}

// However many replicas hold on to tokens that they never spend, a person who
// comes by another goes on at the rate.
func TestReplicasThatDiedWithTokensDoNotHoldAPersonUp(t *testing.T) {
	b := bucket{credit: 100 * 10_000}
	a := ask{price: 10_000, capacity: 100 * 10_000, want: 1, life: time.Hour.Microseconds(), clock: 1}
	for i := range 200 {
		a.replica = string(rune('A' + i))
		b.take(a)
	}
	let := int64(0)
	a.replica = "the last"
	for range 1000 { // ten seconds
		a.clock += 10_000
		let += b.take(a).tokens
	}
	if let < 990 {
		t.Errorf("in ten seconds %d were let through, about 1000 should be", let)
	}
	a.clock += 10_000_000
	if let = drain(&b, a); let < 49 {
		t.Errorf("at once %d were let through, half of the burst should be", let)
	}
}

// drain takes all that can be had now.
func drain(b *bucket, a ask) (let int64) {
	for g := b.take(a); g.tokens > 0; g = b.take(a) {
		let += g.tokens
	}
	return let
}

// What a replica spends at the last moment is not there a second time when its
// lease ends.
func TestWhatWasTakenAheadComesBackOnlyFromTheEndOfItsLeaseOn(t *testing.T) {
	b := bucket{credit: 100 * 10_000}
	a := ask{replica: "a", price: 10_000, capacity: 100 * 10_000, want: 1, life: time.Minute.Microseconds(), clock: 1_800_000_000_000_000}
	ahead := b.take(a).tokens - 1
	if ahead < 5 {
		t.Fatalf("only %d were taken ahead", ahead)
	}
	a.clock += a.life // the replica has just spent them
	a.replica = "b"
	if let := drain(&b, a); let != 100-ahead {
		t.Errorf("%d were let through beside %d that were taken ahead, want 100 together", let, ahead)
	}
}

func (c *counted) take(ctx context.Context, a ask) (grant, error) {
	c.asks++
	return c.store.take(ctx, a)
}
