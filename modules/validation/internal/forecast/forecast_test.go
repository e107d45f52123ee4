package forecast_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/validation/internal/forecast"
)

const s = time.Second

func waiting(pairs ...any) (runs []forecast.Run) {
	for i := 0; i < len(pairs); i += 2 {
		runs = append(runs, forecast.Run{Course: pairs[i].(string), Lasts: pairs[i+1].(time.Duration)})
	}
	return runs
}

func TestRunsBeginWhereASlotIsFreeFirst(t *testing.T) {
	for _, c := range []struct {
		name  string
		state forecast.State
		want  string
	}{
		{"an idle server", forecast.State{Slots: 2, Waiting: waiting("a", 3*s, "a", 1*s, "a", 1*s, "a", 1*s)}, "[{0s 3s} {0s 1s} {1s 2s} {2s 3s}]"},
		{"what runs goes on", forecast.State{Slots: 1, Running: []forecast.Run{{Course: "a", Lasts: 5 * s, Since: 2 * s}}, Waiting: waiting("a", 1*s)}, "[{3s 4s}]"},
		{"what runs late goes on a while", forecast.State{Slots: 1, Running: []forecast.Run{{Lasts: 5 * s, Since: 8 * s}}, Waiting: waiting("a", 1*s)}, "[{2s 3s}]"},
		{"a course at its limit lets others go", forecast.State{Slots: 3, Limits: map[string]int{"a": 1}, Waiting: waiting("a", 2*s, "a", 2*s, "b", 1*s, "a", 2*s)},
			"[{0s 2s} {2s 4s} {0s 1s} {4s 6s}]"},
		{"a server left", forecast.State{Slots: 1, Running: []forecast.Run{{Lasts: 4 * s}, {Lasts: 2 * s}}, Waiting: waiting("a", 1*s)}, "[{4s 5s}]"},
		{"nobody judges", forecast.State{Waiting: waiting("a", 1*s)}, "[]"},
		{"nothing waits", forecast.State{Slots: 1}, "[]"},
	} {
		if got := fmt.Sprint(forecast.Tell(c.state)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// However many wait and whatever the limits are: no more run at a time than may,
// and no slot is idle while a run waits that may begin.
func TestAForecastKeepsToSlotsAndLimitsAndIdlesForNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		courses := []string{"a", "b", "c"}
		state := forecast.State{Slots: rapid.IntRange(1, 4).Draw(t, "slots"), Limits: map[string]int{"a": rapid.IntRange(0, 2).Draw(t, "limit")}}
		for range rapid.IntRange(0, 25).Draw(t, "runs") {
			state.Waiting = append(state.Waiting, forecast.Run{
				Course: rapid.SampledFrom(courses).Draw(t, "course"), Lasts: time.Duration(rapid.IntRange(1, 5).Draw(t, "lasts")) * s,
			})
		}
		told := forecast.Tell(state)
		at := func(moment time.Duration) (all int, of map[string]int) {
			of = map[string]int{}
			for i, e := range told {
				if e.Start <= moment && moment < e.End {
					all, of[state.Waiting[i].Course] = all+1, of[state.Waiting[i].Course]+1
				}
			}
			return all, of
		}
		for i, e := range told {
			if e.End-e.Start != state.Waiting[i].Lasts {
				t.Fatalf("run %d lasts %s, told %v", i, state.Waiting[i].Lasts, e)
			}
			all, of := at(e.Start)
			if limit := state.Limits["a"]; all > state.Slots || limit > 0 && of["a"] > limit {
				t.Fatalf("%d run at %s, %d of a", all, e.Start, of["a"])
			}
			for moment := time.Duration(0); moment < e.Start; moment += s {
				all, of := at(moment)
				limit := state.Limits[state.Waiting[i].Course]
				if all < state.Slots && (limit == 0 || of[state.Waiting[i].Course] < limit) {
					t.Fatalf("run %d waits until %s, though it could begin at %s", i, e.Start, moment)
				}
			}
		}
	})
}
