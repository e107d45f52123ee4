package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

func blocked(reason string) *goalsv1.GoalBlocked { return &goalsv1.GoalBlocked{Reason: reason} }

func reasonOf(e events.Event) string {
	p, _ := e.Data.(*goalsv1.GoalBlocked)
	return p.GetReason()
}

// renamed renames a field of a JSON object.
func renamed(data []byte, from, to string) ([]byte, error) {
	if !bytes.Contains(data, []byte(`"`+from+`"`)) {
		return nil, fmt.Errorf("no field %s", from)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	object[to] = object[from]
	delete(object, from)
	return json.Marshal(object)
}

// Whatever units of work append to whatever streams, at right and wrong
// versions, kept or undone: the log is what a list in memory says.
func TestTheLogIsWhatAModelOfItSays(t *testing.T) {
	b := setup(t)
	undone := errors.New("undone")
	rapid.Check(t, func(rt *rapid.T) {
		streams := []events.Stream{goal("ada"), goal("ada"), goal("bob")}
		model := map[string][]string{}
		for unit := range rapid.IntRange(1, 6).Draw(rt, "units") {
			next := map[string][]string{}
			for name, reasons := range model {
				next[name] = slices.Clone(reasons)
			}
			stale := false
			keep := rapid.IntRange(0, 4).Draw(rt, "keep") > 0
			var returned []events.Event
			err := b.inTx(func(tx *postgres.Tx) error {
				for range rapid.IntRange(0, 4).Draw(rt, "appends") {
					s := rapid.SampledFrom(streams).Draw(rt, "stream")
					expected := int64(len(next[s.Name()])) + rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 1, -1}).Draw(rt, "off")
					expected = max(expected, 0)
					payloads := make([]proto.Message, rapid.IntRange(0, 3).Draw(rt, "events"))
					for i := range payloads {
						payloads[i] = blocked(fmt.Sprint(unit, i))
					}
					if len(payloads) > 0 && expected != int64(len(next[s.Name()])) {
						stale = true
					}
					for _, e := range b.log.Append(tx, s, expected, payloads...) {
						next[s.Name()] = append(next[s.Name()], reasonOf(e))
						returned = append(returned, e)
					}
					if stale {
						return nil
					}
				}
				if !keep {
					return undone
				}
				return nil
			})
			switch {
			case stale:
				if !errs.StaleVersion.Is(err) {
					rt.Fatalf("a stale version gave %v", err)
				}
			case !keep:
				if !errors.Is(err, undone) {
					rt.Fatal(err)
				}
			case err != nil:
				rt.Fatal(err)
			default:
				model = next
				for _, e := range returned {
					if !e.OccurredAt.Equal(returned[0].OccurredAt) || e.OccurredAt.Location() != time.UTC {
						rt.Fatalf("a unit of work has two instants: %v and %v", returned[0].OccurredAt, e.OccurredAt)
					}
				}
			}
		}
		for _, s := range streams {
			history, err := b.log.Show(t.Context(), s.Name())
			if err != nil {
				rt.Fatal(err)
			}
			var reasons []string
			for i, e := range history {
				reasons = append(reasons, reasonOf(e))
				if e.Version != int64(i)+1 || e.Stream != s || (i > 0 && e.Position <= history[i-1].Position) {
					rt.Fatalf("event %d: %+v", i, e)
				}
			}
			if !slices.Equal(reasons, model[s.Name()]) {
				rt.Fatalf("stream %s holds %v, want %v", s.Name(), reasons, model[s.Name()])
			}
		}
	})
	report, err := b.log.Verify(t.Context(), events.VerifyOptions{})
	if err != nil || !report.OK() {
		t.Errorf("%v %v", report.Differences, err)
	}
}
