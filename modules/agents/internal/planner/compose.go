package planner

import "slices"

// What a plan by rules comes to, where the material gives as much.
const (
	// fewest is how many tasks it has at least.
	fewest = 8
	// codeShare of them are to program.
	codeShare = 0.6
)

// reads, tries and exercises are the tasks that a unit of a plan has.
func (u chosen) reads() bool { return !u.Partly && !u.Folded }

func (u chosen) tries() bool { return !u.Partly && !u.Brief && !u.Further && !u.Plain }

func (u chosen) exercises(of unit) int {
	if u.Most > 0 {
		return min(u.Most, len(of.exercises))
	}
	return len(of.exercises)
}

// compose settles how much of each unit a plan has: enough to do, most of it to
// program. Where that needs fewer readings, units are read with their first
// exercise; where the topic alone is little, more practice of what it builds on
// joins it, then what follows it in the course.
// Documents in known are of units that the learner has done with.
func (c *course) compose(units []chosen, known []string) []chosen {
	units = slices.Clone(units)
	for i := range units {
		if units[i].Brief {
			units[i].Most = 1
		}
	}
	for {
		balanced := c.balance(units)
		if total, _ := c.count(balanced); total >= fewest || !c.extend(&units, known) {
			return balanced
		}
	}
}

// extend adds a little to a plan; false when the course has no more for it.
func (c *course) extend(units *[]chosen, known []string) bool {
	for i := range *units {
		u := &(*units)[i]
		if u.Brief && u.Most > 0 && u.Most < len(c.units[u.Index].exercises) {
			u.Most++
			return true
		}
	}
	if len(*units) == 0 {
		return false
	}
	last := 0
	for _, u := range *units {
		last = max(last, u.Index)
	}
	for i := range c.units {
		next := (last + 1 + i) % len(c.units) // what follows, then what was left out before
		u := c.units[next]
		planned := slices.ContainsFunc(*units, func(u chosen) bool { return u.Index == next })
		if !planned && !slices.Contains(known, u.ID) && len(u.exercises) > 0 && c.follows(next, *units) {
			*units = append(*units, chosen{Document: u.ID, Index: next, Further: true})
			return true
		}
	}
	return false
}

// follows reports whether a unit builds on nothing but what the plan has, or what
// came before the plan.
func (c *course) follows(next int, units []chosen) bool {
	first := len(c.units)
	for _, u := range units {
		first = min(first, u.Index)
	}
	for _, concept := range c.units[next].Meta.Prerequisites {
		at := c.teaches(concept, c.units[next].Meta.Unit)
		if at >= first && !slices.ContainsFunc(units, func(u chosen) bool { return u.Index == at }) {
			return false
		}
	}
	return true
}

// balance folds readings into exercises until enough of a plan is to program.
func (c *course) balance(units []chosen) []chosen {
	units = slices.Clone(units)
	short := func() bool {
		total, code := c.count(units)
		return code > 0 && float64(code) < codeShare*float64(total)
	}
	fold := func(which func(chosen) bool) {
		for i := len(units) - 1; i >= 0 && short(); i-- {
			if u := &units[i]; which(*u) && u.reads() && u.exercises(c.units[u.Index]) > 0 {
				u.Folded = true
			}
		}
	}
	fold(func(u chosen) bool { return u.Brief })
	for i := len(units) - 1; i >= 0 && short(); i-- {
		units[i].Plain = true
	}
	fold(func(u chosen) bool { return u.Further })
	fold(func(chosen) bool { return true })
	return units
}

// count is how many tasks a plan of these units has, and how many to program.
func (c *course) count(units []chosen) (total, code int) {
	for _, u := range units {
		n := u.exercises(c.units[u.Index])
		code += n
		total += n
		if u.reads() {
			total++
		}
		if u.tries() {
			total += len(c.units[u.Index].practice)
		}
	}
	return total, code
}
