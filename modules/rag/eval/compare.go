package eval

import (
	"math/rand/v2"
	"slices"
)

// Comparison is how one run does against another on the same queries.
type Comparison struct {
	// Delta is the mean of the differences in nDCG@10, Relative its share of the
	// baseline's.
	Delta, Relative float64
	// P is how likely the run is no better than the baseline, by paired bootstrap.
	P float64
	// Low and High hold the difference with 95 % confidence.
	Low, High float64
	// Better, Worse and Equal count queries.
	Better, Worse, Equal int
	Resamples            int
}

// The bootstrap's size, and the seed that makes it the same each time.
const (
	resamples = 10_000
	seed      = 20_260_101
)

// Compare sets a run against a baseline on the same queries.
func Compare(run, baseline Result) Comparison {
	ids := make([]string, 0, len(run.PerQuery))
	for id := range run.PerQuery {
		if _, both := baseline.PerQuery[id]; both {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	c := Comparison{Resamples: resamples}
	if len(ids) == 0 {
		return c
	}
	differences, base := make([]float64, len(ids)), 0.0
	for i, id := range ids {
		differences[i] = run.PerQuery[id] - baseline.PerQuery[id]
		base += baseline.PerQuery[id]
		switch {
		case differences[i] > 0:
			c.Better++
		case differences[i] < 0:
			c.Worse++
		default:
			c.Equal++
		}
	}
	c.Delta = mean(differences)
	if base > 0 {
		c.Relative = c.Delta / (base / float64(len(ids)))
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(ids)))) //nolint:gosec // chance, and the same one each time
	means := make([]float64, resamples)
	noBetter := 0
	for i := range means {
		sum := 0.0
		for range differences {
			sum += differences[random.IntN(len(differences))]
		}
		if means[i] = sum / float64(len(differences)); means[i] <= 0 {
			noBetter++
		}
	}
	slices.Sort(means)
	// One more than were counted, over one more than were drawn: never quite 0.
	c.P = float64(noBetter+1) / float64(resamples+1)
	c.Low, c.High = means[resamples*25/1000], means[resamples*975/1000-1]
	return c
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return sum / float64(len(list))
}
