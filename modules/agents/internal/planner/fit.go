package planner

import (
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents/internal/words"
)

// choice is what of a course serves a goal.
type choice struct {
	// fit is how much of what the goal asks for the course has, 0 to 1.
	fit float64
	// units by their index in the course, in its order.
	units []chosen
	// known is set when all that fits is known to the learner already.
	known bool
	// done are the documents of units that they have done with.
	done []string
}

// chosen is a unit of a plan.
type chosen struct {
	// Document is the unit's; Index its place in the course as it was loaded last.
	Document string `json:"document"`
	Index    int    `json:"-"`
	// Brief units come first and are only brushed up: the goal needs them, but is
	// not about them.
	Brief bool `json:"brief,omitempty"`
	// Partly known units are practised, but not read.
	Partly bool `json:"partly,omitempty"`
	// Further units come after what the goal is about, where that alone is little.
	Further bool `json:"further,omitempty"`
	// Folded units are read with their first exercise.
	Folded bool `json:"folded,omitempty"`
	// Most is how many of its exercises a unit has at most; 0 for all.
	Most int `json:"most,omitempty"`
	// Plain units leave their notebooks and programs out.
	Plain bool `json:"plain,omitempty"`
}

// enough is the fit from which a course is used.
const enough = 0.5

// choose finds what of the course the goal is about. A goal that names topics
// gets their units and what these build on; one that names the whole course
// gets it all.
func (c *course) choose(r Request) choice {
	wishes := words.ReadWishes(r.Wishes)
	topics, fit := c.topics(r, wishes)
	if fit < enough {
		return choice{fit: fit}
	}
	known := c.knownTerms(r, wishes)
	result, core := choice{fit: fit}, map[int]bool{}
	for i := range c.units {
		if len(topics) == 0 || topics[i] {
			core[i] = true
		}
	}
	for i := range c.units {
		if c.units[i].known(c.locale, known) >= 0.5 {
			result.done = append(result.done, c.units[i].ID)
		}
	}
	brief := c.needs(core, known)
	for i := range c.units {
		if !core[i] && !brief[i] {
			continue
		}
		share := c.units[i].known(c.locale, known)
		switch {
		case share >= 0.99 || share >= 0.5 && brief[i]:
		case share >= 0.5:
			result.units = append(result.units, chosen{Document: c.units[i].ID, Index: i, Partly: true})
		default:
			result.units = append(result.units, chosen{Document: c.units[i].ID, Index: i, Brief: brief[i]})
		}
	}
	if !slices.ContainsFunc(result.units, func(u chosen) bool { return !u.Brief }) {
		return choice{fit: fit, known: true}
	}
	return result
}

// topics are the units that the goal singles out, none when it names the course
// as a whole, and how much of it the course has.
func (c *course) topics(r Request, wishes words.Wishes) (topics map[int]bool, fit float64) {
	if r.Whole {
		return nil, 1
	}
	topics, fit = c.match(r.terms(c.locale))
	if fit >= enough && len(wishes.Focus) > 0 {
		if focused, found := c.match(words.Terms(strings.Join(wishes.Focus, " "), c.locale)); found >= enough && len(focused) > 0 {
			topics = focused
		}
	}
	return topics, fit
}

// knownTerms are what the learner says that they know: in their own words, or by
// units, with all that these teach.
func (c *course) knownTerms(r Request, wishes words.Wishes) map[string]bool {
	known := words.Set(strings.Join(wishes.Known, " "), c.locale)
	for i := range c.units {
		if !slices.Contains(r.Known, c.units[i].Title) {
			continue
		}
		for _, t := range words.Terms(c.units[i].Title+" "+strings.Join(c.units[i].Meta.Concepts, " "), c.locale) {
			known[t] = true
		}
	}
	return known
}

// terms are what the goal is about: what the learner answered, else its title,
// else what is written below it.
func (r *Request) terms(locale string) []string {
	if len(r.Topics) > 0 {
		return words.Terms(strings.Join(r.Topics, " "), locale)
	}
	title := words.Terms(r.Title, locale)
	if named := specific(title); len(named) > 0 {
		return named
	}
	below := first(words.Terms(r.Description+" "+strings.Join(r.Criteria, " "), locale), 8)
	if len(title) == 0 || len(specific(below)) > 0 {
		return specific(below)
	}
	return title
}

// match finds the units that terms single out, none when they name the course
// as a whole, and how many of the terms the material has.
func (c *course) match(terms []string) (topics map[int]bool, fit float64) {
	if len(terms) == 0 {
		return nil, 0
	}
	topics = map[int]bool{}
	var about strings.Builder
	for _, d := range c.about {
		about.WriteString(d.Title + " " + d.Meta.Description + " ")
	}
	whole := words.Set(about.String(), c.locale)
	has := 0.0
	for _, t := range terms {
		var named, said []int
		for i := range c.units {
			if c.units[i].terms[t] {
				named = append(named, i)
			} else if c.units[i].body[t] {
				said = append(said, i)
			}
		}
		switch most := (len(c.units) + 1) / 2; {
		case len(named) > 0 && len(named) <= most && !whole[t]:
			has++
			for _, i := range c.sharpest(named, t) {
				topics[i] = true
			}
		case len(named) > 0 || whole[t] || len(said) > most:
			has++
		case len(said) > 0:
			has += 0.5
		}
	}
	return topics, has / float64(len(terms))
}

// sharpest are those of the units whose title or concepts hold the term, if any
// do; else all.
func (c *course) sharpest(units []int, term string) (sharp []int) {
	for _, i := range units {
		u := c.units[i]
		if words.Set(u.Title+" "+strings.Join(u.Meta.Concepts, " "), c.locale)[term] {
			sharp = append(sharp, i)
		}
	}
	if len(sharp) == 0 {
		return units
	}
	return sharp
}

// needs are the units that teach what others build on, but for what is known.
func (c *course) needs(core map[int]bool, known map[string]bool) map[int]bool {
	brief := map[int]bool{}
	open := []int{}
	for i := range core {
		open = append(open, i)
	}
	for len(open) > 0 {
		u := c.units[open[0]]
		open = open[1:]
		for _, concept := range u.Meta.Prerequisites {
			if words.Share(concept, c.locale, known) >= 0.5 {
				continue
			}
			i := c.teaches(concept, u.Meta.Unit)
			if i >= 0 && !core[i] && !brief[i] {
				brief[i] = true
				open = append(open, i)
			}
		}
	}
	return brief
}

// teaches finds the unit before another that teaches a concept; -1 for none.
func (c *course) teaches(concept string, before int) int {
	best, most := -1, 0.0
	for i, u := range c.units {
		if before > 0 && u.Meta.Unit >= before {
			continue
		}
		for _, taught := range u.Meta.Concepts {
			if s := words.Share(concept, c.locale, words.Set(taught, c.locale)); s > most {
				best, most = i, s
			}
		}
	}
	if most < 0.5 {
		return -1
	}
	return best
}

// known is how much of the unit the learner says they know.
func (u *unit) known(locale string, known map[string]bool) float64 {
	if len(known) == 0 {
		return 0
	}
	share := words.Share(u.Title, locale, known)
	n := 0
	for _, concept := range u.Meta.Concepts {
		if words.Share(concept, locale, known) >= 0.5 {
			n++
		}
	}
	if len(u.Meta.Concepts) > 0 {
		share = max(share, float64(n)/float64(len(u.Meta.Concepts)))
	}
	return share
}

func first[T any](list []T, n int) []T { return list[:min(n, len(list))] }
