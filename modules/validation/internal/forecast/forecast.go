// Package forecast tells when waiting runs will be judged: it plays the queue
// through, as it is now, on as many slots as there are. It reads nothing itself.
package forecast

import (
	"container/heap"
	"time"

	"github.com/goals-tracker/tracker/modules/validation"
)

// Unknown is how long a run is taken to last while nothing was ever judged.
const Unknown = 2 * time.Second

// Run is a run that waits or is being judged.
type Run struct {
	Course string
	// Lasts is how long runs like it last.
	Lasts time.Duration
	// Since is how long it has been judged; 0 for one that waits.
	Since time.Duration
}

// State is the queue as it is now.
type State struct {
	// Slots is how many runs are judged at a time.
	Slots int
	// Limits are how many runs of a course may be judged at a time, where there
	// is a limit.
	Limits  map[string]int
	Running []Run
	// Waiting are in the order of the queue.
	Waiting []Run
}

// left is how long a run goes on. One that lasts longer than its like may well
// last a while longer: a quarter of what it took already.
func (r Run) left() time.Duration { return max(r.Lasts-r.Since, r.Since/4, 0) }

// Tell says for each waiting run, in their order, what is expected of it; nil
// where nobody judges.
func Tell(s State) []validation.Estimate {
	if s.Slots <= 0 {
		return nil
	}
	var ends ends
	busy := map[string]int{}
	for _, r := range s.Running {
		heap.Push(&ends, end{r.left(), r.Course})
		busy[r.Course]++
	}
	all := make([]validation.Estimate, len(s.Waiting))
	now := time.Duration(0)
	free := func() {
		e := heap.Pop(&ends).(end) //nolint:forcetypeassert // it holds nothing else
		now = max(now, e.at)
		busy[e.course]--
	}
	for len(ends) > s.Slots {
		free() // a server left: what it judged counts no more once it is over
	}
	mayRun := func(course string) bool { limit := s.Limits[course]; return limit == 0 || busy[course] < limit }
	begin := func(i int) {
		r := s.Waiting[i]
		all[i] = validation.Estimate{Start: now, End: now + r.Lasts}
		heap.Push(&ends, end{now + r.Lasts, r.Course})
		busy[r.Course]++
	}
	var held []int // by a limit, in order
	for next := 0; next < len(s.Waiting) || len(held) > 0; {
		if len(ends) >= s.Slots {
			free()
			continue
		}
		began := false
		for k, i := range held {
			if mayRun(s.Waiting[i].Course) {
				begin(i)
				held, began = append(held[:k], held[k+1:]...), true
				break
			}
		}
		switch {
		case began:
		case next == len(s.Waiting):
			free() // all that wait are held by runs that go on
		case mayRun(s.Waiting[next].Course):
			begin(next)
			next++
		default:
			held = append(held, next)
			next++
		}
	}
	return all
}

type end struct {
	at     time.Duration
	course string
}

// ends is a heap of what ends next.
type ends []end

// Len implements heap.Interface.
func (e *ends) Len() int { return len(*e) }

// Less implements heap.Interface.
func (e *ends) Less(i, j int) bool { return (*e)[i].at < (*e)[j].at }

// Swap implements heap.Interface.
func (e *ends) Swap(i, j int) { (*e)[i], (*e)[j] = (*e)[j], (*e)[i] }

// Push implements heap.Interface.
func (e *ends) Push(x any) { *e = append(*e, x.(end)) } //nolint:forcetypeassert // only Tell pushes

// Pop implements heap.Interface.
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
