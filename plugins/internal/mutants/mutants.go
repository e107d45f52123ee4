// Package mutants makes small faulty variants of solutions, to try the tests of
// exercises on. It reads text only: nothing is run, and what a file would mean
// is guessed from its tokens, so some variants don't compile. The host counts
// those neither as noticed nor as overlooked.
//
// Make chooses among the changes that a language found. Language finds them in
// languages with braces; the others bring their own.
package mutants

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// Edit is a change of one place of a source.
type Edit struct {
	// Operator names the kind of change: "swap-comparison".
	Operator string
	// Start and End are bytes of what is replaced.
	Start, End int
	// With is what takes its place.
	With string
}

// Source is a file of the solution with all its changes.
type Source struct {
	Path, Text string
	Edits      []Edit
}

// Operators are the names of all kinds of changes, in the order in which they
// take turns. Those of the last two lines fill up what is small.
var Operators = []string{
	"swap-comparison", "negate-condition", "off-by-one", "return-none", "swap-arithmetic", "remove-statement", "swap-logic", "wrong-index",
	"swap-join", "swap-aggregate", "remove-clause", "remove-distinct", "swap-order", "swap-set",
	"swap-step", "swap-assignment", "remove-not", "empty-collection", "leave-loop", "swap-boolean", "swap-function", "short-range", "empty-text",
	"negate-membership", "swap-bits", "remove-minus", "other-letter", "replace-body",
	"return-constant", "fixed-condition", "off-by-one-down", "other-comparison", "other-arithmetic", "wrong-name",
	"longer-text", "one-side", "remove-call",
}

// few is how many variants a solution should have: one with less gets some with
// two changes, whose operator is "one+other".
const few = 30

// change is one or two edits of the sources.
type change struct {
	source, other int // of the edits; other counts where there are two
	edits         []Edit
}

func (c change) operator() string {
	if len(c.edits) == 2 {
		return c.edits[0].Operator + "+" + c.edits[1].Operator
	}
	return c.edits[0].Operator
}

// Make makes up to limit variants, all different from the solution and from each
// other, always the same. Operators take turns, each from the middle of the
// program outwards, so that any number of the first is a fair choice. The id of
// the descriptions is given.
func Make(id string, sources []Source, limit int) []validator.Mutant {
	m := maker{id: id, sources: sources, limit: limit, seen: map[[sha256.Size]byte]bool{}, count: map[string]int{}}
	for i, s := range sources {
		m.seen[digest(fmt.Sprint(i, "\x00", s.Text))] = true
	}
	var single []change
	for c := range turns(sources) {
		if len(m.out) >= limit {
			break
		}
		if m.add(c) {
			single = append(single, c)
		}
	}
	for distance := 1; distance < len(single) && len(m.out) < min(few, limit); distance++ {
		for i := 0; i+distance < len(single) && len(m.out) < min(few, limit); i++ {
			if c, ok := both(single[i], single[i+distance]); ok {
				m.add(c)
			}
		}
	}
	return m.out
}

func digest(s string) [sha256.Size]byte { return sha256.Sum256([]byte(s)) }

type maker struct {
	id      string
	sources []Source
	limit   int
	seen    map[[sha256.Size]byte]bool
	count   map[string]int
	out     []validator.Mutant
}

// add makes the variant of a change, unless there is one like it.
func (m *maker) add(c change) bool {
	if len(m.out) >= m.limit {
		return false
	}
	var changed []validator.File
	key := ""
	for i, text := range c.texts(m.sources) {
		if text == nil {
			continue
		}
		key += fmt.Sprint(i, "\x00", *text)
		changed = append(changed, validator.File{Path: m.sources[i].Path, Content: []byte(*text)})
	}
	if m.seen[digest(key)] {
		return false
	}
	m.seen[digest(key)] = true
	s := m.sources[c.source]
	place := fmt.Sprintf("%s:%s:%d", c.operator(), s.Path, line(s.Text, c.edits[0].Start))
	m.count[place]++
	m.out = append(m.out, validator.Mutant{
		ID: fmt.Sprintf("%s:%d", place, m.count[place]), Operator: c.operator(), Description: m.describe(c), Files: changed,
	})
	return true
}

// texts are the changed sources; nil for those that stay.
func (c change) texts(sources []Source) []*string {
	out := make([]*string, len(sources))
	apply := func(i int, e Edit) {
		text := sources[i].Text
		if out[i] != nil {
			text = *out[i]
		}
		text = text[:e.Start] + e.With + text[e.End:]
		out[i] = &text
	}
	if len(c.edits) == 2 {
		apply(c.other, c.edits[1]) // the later one first, as it moves nothing
	}
	apply(c.source, c.edits[0])
	return out
}

// both is two changes in one, where they are of different kinds and places.
func both(a, b change) (change, bool) {
	x, y := a.edits[0], b.edits[0]
	if x.Operator == y.Operator {
		return change{}, false
	}
	if a.source > b.source || a.source == b.source && x.Start > y.Start {
		a, b, x, y = b, a, y, x
	}
	if a.source == b.source && (x.End > y.Start || x.Start == y.Start) {
		return change{}, false
	}
	return change{a.source, b.source, []Edit{x, y}}, true
}

// turns goes through all edits in the order in which they are chosen.
func turns(sources []Source) iter.Seq[change] {
	return func(yield func(change) bool) { take(queuesOf(sources), yield) }
}

func queuesOf(sources []Source) map[string][]change {
	queues := map[string][]change{}
	for i, s := range sources {
		edits := slices.Clone(s.Edits)
		slices.SortStableFunc(edits, func(a, b Edit) int { return a.Start - b.Start })
		for _, e := range edits {
			queues[e.Operator] = append(queues[e.Operator], change{source: i, edits: []Edit{e}})
		}
	}
	for o := range queues {
		if !slices.Contains(Operators, o) { // a mistake of ours
			panic("no operator of that name: " + o)
		}
	}
	return queues
}

// take takes the middle of each queue in turn.
func take(queues map[string][]change, yield func(change) bool) {
	for len(queues) > 0 {
		for _, o := range Operators {
			q := queues[o]
			if len(q) == 0 {
				delete(queues, o)
				continue
			}
			at := len(q) / 2
			if !yield(q[at]) {
				return
			}
			queues[o] = slices.Delete(q, at, at+1)
		}
	}
}

func line(text string, at int) int { return 1 + strings.Count(text[:at], "\n") }

// describe says what was changed.
func (m *maker) describe(c change) validator.Message {
	var en, es strings.Builder
	params := []any{"file", m.sources[c.source].Path}
	for i, e := range c.edits {
		in := m.sources[c.source]
		n := ""
		if i == 0 {
			en.WriteString("{file}, line {line}: ")
			es.WriteString("{file}, línea {line}: ")
		} else {
			in, n = m.sources[c.other], "2"
			en.WriteString("; and {file2}, line {line2}: ")
			es.WriteString("; y {file2}, línea {line2}: ")
			params = append(params, "file2", in.Path)
		}
		before, after := short(in.Text[e.Start:e.End]), short(e.With)
		switch {
		case before == "":
			en.WriteString("{after" + n + "} was added")
			es.WriteString("se añadió {after" + n + "}")
		case after == "" || after == ";" && before != ";":
			en.WriteString("{before" + n + "} was left out")
			es.WriteString("se quitó {before" + n + "}")
		default:
			en.WriteString("{before" + n + "} became {after" + n + "}")
			es.WriteString("{before" + n + "} se convirtió en {after" + n + "}")
		}
		params = append(params, "line"+n, line(in.Text, e.Start), "before"+n, before, "after"+n, after)
	}
	return validator.Text(m.id, en.String()+".", es.String()+".", params...)
}

// short is text that fits into a sentence.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
