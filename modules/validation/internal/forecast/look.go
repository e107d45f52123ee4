package forecast

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
)

// Most is how many waiting runs are played through one by one; further back the
// average is near enough.
const Most = 2000

// Waiting is a waiting run with what is expected of it.
type Waiting struct {
	store.Place
	// Estimate is nil where nobody judges.
	Estimate *validation.Estimate
}

// View is the queue with what is expected of it.
type View struct {
	// Waiting are the first runs, at most Most, in order.
	Waiting []Waiting
	scene   store.Scene
}

// Look looks at the first size runs of the queue. Servers that were not heard of
// for alive judge nothing.
func Look(ctx context.Context, q postgres.Queryer, size int, alive time.Duration) (View, error) {
	places, err := store.Places(ctx, q, min(size, Most))
	if err != nil {
		return View{}, err
	}
	scene, err := store.LoadScene(ctx, q, alive)
	if err != nil {
		return View{}, err
	}
	v := View{Waiting: make([]Waiting, len(places)), scene: scene}
	s := State{Slots: scene.Slots, Limits: scene.Limits}
	for _, r := range scene.Running {
		s.Running = append(s.Running, Run{Course: r.CourseID, Lasts: v.lasts(r.Kind), Since: seconds(r.Since)})
	}
	for _, p := range places {
		s.Waiting = append(s.Waiting, Run{Course: p.CourseID, Lasts: v.lasts(p.Kind)})
	}
	estimates := Tell(s)
	for i, p := range places {
		v.Waiting[i].Place = p
		if estimates != nil {
			v.Waiting[i].Estimate = &estimates[i]
		}
	}
	return v, nil
}

// Of is what is expected of a run: its place in the queue, 0 when it does not
// wait there, and the estimate, nil when nothing is known.
func (v View) Of(runID string) (position int, e *validation.Estimate) {
	for _, w := range v.Waiting {
		if w.RunID == runID {
			return w.Position, w.Estimate
		}
	}
	for _, r := range v.scene.Running {
		if r.RunID == runID {
			return 0, &validation.Estimate{End: Run{Lasts: v.lasts(r.Kind), Since: seconds(r.Since)}.left()}
		}
	}
	return 0, nil
}

// Beyond is what is expected of a run so far back that it was not looked at.
func (v View) Beyond(position int) *validation.Estimate {
	n := len(v.Waiting)
	if n == 0 || v.Waiting[n-1].Estimate == nil {
		return nil
	}
	last := *v.Waiting[n-1].Estimate
	more := time.Duration(float64(last.Start) * float64(position-n) / float64(n))
	return &validation.Estimate{Start: last.Start + more, End: last.End + more}
}

// lasts is how long runs of a kind lasted of late, else runs of any kind.
func (v View) lasts(kind string) time.Duration {
	for _, k := range []string{kind, ""} {
		if s, ok := v.scene.Seconds[k]; ok {
			return seconds(s)
		}
	}
	return Unknown
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
