package concepts

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/goals-tracker/tracker/modules/rag"
)

// maxTried bounds the prerequisites that point backwards and are each tried for
// a cycle; the rest of them is broken untried.
const maxTried = 1_000

// breakCycles marks prerequisites as broken until no concept needs itself, and
// says which. A prerequisite that is met earlier in the course can close no
// cycle and always stays; of the others, each stays unless what stays already
// closes a cycle with it. So the course's order decides, and nothing else.
func breakCycles(g *rag.Graph) []rag.Cycle {
	rank := make(map[string]int, len(g.Concepts))
	for i, c := range g.Concepts {
		rank[c.Key] = i
	}
	needs := map[string][]string{}
	type pair struct{ concept, needs string }
	var backward []pair
	seen := map[pair]bool{}
	for _, e := range g.Edges {
		p := pair{e.Concept, e.Needs}
		if e.Kind != rag.EdgePrerequisite || seen[p] {
			continue
		}
		seen[p] = true
		if rank[e.Needs] < rank[e.Concept] {
			needs[e.Concept] = append(needs[e.Concept], e.Needs)
		} else {
			backward = append(backward, p)
		}
	}
	// The shortest way back is the likeliest to be meant.
	slices.SortFunc(backward, func(a, b pair) int {
		return cmp.Or(cmp.Compare(rank[a.needs]-rank[a.concept], rank[b.needs]-rank[b.concept]),
			cmp.Compare(rank[a.concept], rank[b.concept]))
	})
	broken := map[pair]bool{}
	for i, p := range backward {
		if i >= maxTried || path(needs, p.needs, p.concept) != nil {
			broken[p] = true
			continue
		}
		needs[p.concept] = append(needs[p.concept], p.needs)
	}
	for i, e := range g.Edges {
		if e.Kind == rag.EdgePrerequisite && broken[pair{e.Concept, e.Needs}] {
			g.Edges[i].Broken = true
		}
	}
	return Cycles(g)
}

// Cycles says again, of a graph's broken prerequisites, which cycles they would
// close: one for each pair of concepts.
func Cycles(g *rag.Graph) []rag.Cycle {
	needs, names := map[string][]string{}, map[string]string{}
	for _, c := range g.Concepts {
		names[c.Key] = c.Name
	}
	for _, e := range g.Edges {
		if e.Kind == rag.EdgePrerequisite && !e.Broken && !slices.Contains(needs[e.Concept], e.Needs) {
			needs[e.Concept] = append(needs[e.Concept], e.Needs)
		}
	}
	for _, list := range needs {
		slices.Sort(list)
	}
	var cycles []rag.Cycle
	told := map[[2]string]bool{}
	for _, e := range g.Edges {
		if !e.Broken || told[[2]string{e.Concept, e.Needs}] {
			continue
		}
		told[[2]string{e.Concept, e.Needs}] = true
		cycle := rag.Cycle{Dropped: e}
		if d, ok := g.Document(e.DocumentID); ok {
			cycle.Path = d.Path
		}
		ring := path(needs, e.Needs, e.Concept)
		if ring == nil { // broken untried
			ring = []string{e.Needs, e.Concept}
		}
		for _, key := range ring {
			cycle.Concepts = append(cycle.Concepts, names[key])
		}
		cycles = append(cycles, cycle)
	}
	slices.SortFunc(cycles, func(a, b rag.Cycle) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Dropped.Concept, b.Dropped.Concept), cmp.Compare(a.Dropped.Needs, b.Dropped.Needs))
	})
	return cycles
}

// path is a shortest way from one concept to another by what they need, both
// included, or nil.
func path(needs map[string][]string, from, to string) []string {
	cameFrom := map[string]string{from: ""}
	for open := []string{from}; len(open) > 0; open = open[1:] {
		if open[0] == to {
			var way []string
			for at := to; at != ""; at = cameFrom[at] {
				way = append(way, at)
			}
			slices.Reverse(way)
			return way
		}
		for _, next := range needs[open[0]] {
			if _, ok := cameFrom[next]; !ok {
				cameFrom[next] = open[0]
				open = append(open, next)
			}
		}
	}
	return nil
}

// order puts concepts after all that they need, otherwise as the course meets
// them, and numbers them.
func order(g *rag.Graph) {
	at := make(map[string]int, len(g.Concepts))
	for i, c := range g.Concepts {
		at[c.Key] = i
	}
	waits, serves := make([]int, len(g.Concepts)), make([][]int, len(g.Concepts))
	counted := map[[2]int]bool{}
	for _, e := range g.Edges {
		pair := [2]int{at[e.Concept], at[e.Needs]}
		if e.Kind != rag.EdgePrerequisite || e.Broken || counted[pair] {
			continue
		}
		counted[pair] = true
		waits[pair[0]]++
		serves[pair[1]] = append(serves[pair[1]], pair[0])
	}
	var free ranks
	for i, n := range waits {
		if n == 0 {
			free = append(free, i)
		}
	}
	heap.Init(&free)
	ordered := make([]rag.Concept, 0, len(g.Concepts))
	for free.Len() > 0 {
		i := heap.Pop(&free).(int) //nolint:forcetypeassert // ranks are ints
		c := g.Concepts[i]
		c.Position = len(ordered) + 1
		ordered = append(ordered, c)
		for _, j := range serves[i] {
			if waits[j]--; waits[j] == 0 {
				heap.Push(&free, j)
			}
		}
	}
	g.Concepts = ordered
}

// ranks is a heap of places, the first one on top.
//
//nolint:recvcheck // as container/heap has it
type ranks []int

func (r ranks) Len() int           { return len(r) }
func (r ranks) Less(i, j int) bool { return r[i] < r[j] }
func (r ranks) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ranks) Push(x any)        { *r = append(*r, x.(int)) } //nolint:forcetypeassert // ranks are ints
func (r *ranks) Pop() any {
	old := *r
	last := old[len(old)-1]
	*r = old[:len(old)-1]
	return last
}
