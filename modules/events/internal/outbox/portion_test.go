package outbox

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/events"
)

func TestFewerEventsAreSentAtOnceWhenTheyAreLarge(t *testing.T) {
	sized := func(sizes ...int) (batch []events.Event) {
		for _, n := range sizes {
			batch = append(batch, events.Event{Raw: make([]byte, n)})
		}
		return batch
	}
	const half = portionBytes / 2
	for name, c := range map[string]struct {
		batch []events.Event
		most  int
		want  int
	}{
		"small ones":            {sized(1, 1, 1), 200, 3},
		"more than at most":     {sized(1, 1, 1), 2, 2},
		"large ones":            {sized(half, half, 1), 200, 2},
		"a huge one goes alone": {sized(3*portionBytes, 1), 200, 1},
		"a huge one waits":      {sized(1, 3*portionBytes), 200, 1},
	} {
		if got := portion(c.batch, c.most); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
