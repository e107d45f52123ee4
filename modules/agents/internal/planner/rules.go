package planner

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/agents/internal/words"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// draft writes a plan by rules: what it says of the subject are spans of the
// material; of its own it has only a few fixed phrases.
type draft struct {
	p      *Planner
	as     auth.Actor
	course *course
	locale string
	// rank is how well passages fit the goal, by id.
	rank map[string]float64
	plan agents.Plan
	// reading is the key of each unit's reading; lastOf of what ends a unit.
	reading map[int]string
	before  string
}

func (p *Planner) byRules(ctx context.Context, as auth.Actor, c *course, o outline) (agents.Plan, error) {
	d := &draft{p: p, as: as, course: c, locale: o.Locale, rank: o.Rank, reading: map[int]string{}}
	d.plan.Label = agents.BuiltInPlanner
	d.plan.Tasks = []agents.PlannedTask{}
	for _, u := range o.Units {
		if err := d.unit(ctx, u); err != nil {
			return agents.Plan{}, err
		}
	}
	for _, u := range o.Units {
		if len(d.plan.Tasks) < fewest && !u.Brief {
			d.notes(u)
		}
	}
	d.plan.Tasks = first(d.plan.Tasks, agents.MaxPlanTasks)
	d.plan.Objectives, d.plan.Summary = objectives(c, o), summary(c, o, d.plan)
	return d.plan, nil
}

// maxSections are those that the reading of a unit names at most.
const maxSections = 8

// unit adds a unit's tasks: read it, try its examples, do its exercises.
func (d *draft) unit(ctx context.Context, at chosen) error {
	u := d.course.units[at.Index]
	if at.reads() {
		if err := d.read(at, u); err != nil {
			return err
		}
	}
	if at.tries() {
		d.practise(ctx, at.Index, u)
	}
	for i, x := range first(u.exercises, at.exercises(u)) {
		if err := d.exercise(ctx, at, i, u, x); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) read(at chosen, u unit) error {
	most := maxSections
	if at.Brief {
		most = 4
	}
	passages := d.sections(u, most)
	if len(passages) == 0 {
		return nil
	}
	t := agents.PlannedTask{
		Key: fmt.Sprintf("read-%d", at.Index+1), Type: tasks.TypeResearch, Concepts: clean(u.Meta.Concepts), DependsOn: []string{},
		EstimatedHours: d.readingHours(u, at.Brief), Difficulty: d.difficulty(at.Index),
	}
	verb, spoken := "Read", phrases[d.locale]
	if d.locale == "es" {
		verb = "Leer"
	}
	switch {
	case at.Brief:
		verb = spoken.brush
	case at.Further:
		verb = spoken.further
	}
	t.Title = clip(verb+": "+u.Title, 500)
	t.Description = clip(d.toRead(u, passages), 20000)
	for _, p := range passages {
		t.Citations = append(t.Citations, evidence.Cite(p))
	}
	if d.before != "" {
		t.DependsOn = append(t.DependsOn, d.before)
	}
	d.before = t.Key
	d.reading[at.Index] = t.Key
	d.plan.Tasks = append(d.plan.Tasks, t)
	return nil
}

// toRead says what to read of a unit.
func (d *draft) toRead(u unit, passages []rag.Passage) string {
	spoken := phrases[d.locale]
	var b strings.Builder
	fmt.Fprintf(&b, "%s **%s** (`%s`).\n", spoken.read, u.Title, u.Path)
	if len(u.Meta.Objectives) > 0 {
		fmt.Fprintf(&b, "\n%s\n\n", spoken.objectives)
		for _, o := range u.Meta.Objectives {
			fmt.Fprintf(&b, "- %s\n", o)
		}
	}
	fmt.Fprintf(&b, "\n%s\n\n", spoken.sections)
	for _, p := range passages {
		fmt.Fprintf(&b, "- %s (%s)\n", lastHeading(p), evidence.Lines(p.StartLine, p.EndLine, d.locale))
	}
	return b.String()
}

// practise adds a unit's notebooks and programs.
func (d *draft) practise(ctx context.Context, index int, u unit) {
	spoken := phrases[d.locale]
	for i, doc := range u.practice {
		passages, err := d.p.material.Passages(ctx, d.as, rag.PassageFilter{CourseID: d.course.id, DocumentIDs: []string{doc.ID}, Limit: 50})
		if err != nil || len(passages) == 0 {
			continue // a plan is whole without it
		}
		t := agents.PlannedTask{
			Key: fmt.Sprintf("try-%d-%d", index+1, i+1), Title: clip(spoken.try+": "+doc.Title, 500), Type: tasks.TypeResearch,
			Description: fmt.Sprintf("%s `%s`.\n", spoken.tryIt, doc.Path), EstimatedHours: 0.5, Difficulty: d.difficulty(index),
			Concepts: clean(u.Meta.Concepts), DependsOn: d.afterReading(index), Citations: []tasks.Citation{evidence.Cite(d.best(passages))},
		}
		d.plan.Tasks = append(d.plan.Tasks, t)
	}
}

func (d *draft) exercise(ctx context.Context, at chosen, i int, u unit, x rag.Exercise) error {
	index := at.Index
	statement, err := d.p.material.Document(ctx, d.as, x.DocumentID)
	if err != nil {
		return fmt.Errorf("read the statement of %s: %w", x.Path, err)
	}
	passages, err := d.p.material.Passages(ctx, d.as, rag.PassageFilter{CourseID: d.course.id, DocumentIDs: []string{x.DocumentID}})
	if err != nil || len(passages) == 0 {
		return err
	}
	t := fromExercise(x, statement.Content)
	t.Key, t.DependsOn = fmt.Sprintf("do-%d-%d", index+1, i+1), d.afterReading(index)
	t.Citations = []tasks.Citation{evidence.Cite(d.best(passages))}
	if p, ok := d.about(u, x); ok {
		t.Citations = append(t.Citations, evidence.Cite(p))
	}
	if at.Folded && i == 0 {
		most := maxSections
		if at.Brief {
			most = 4
		}
		d.fold(&t, index, u, most)
	}
	d.plan.Tasks = append(d.plan.Tasks, t)
	return nil
}

// fold makes a task the one that its unit is read with.
func (d *draft) fold(t *agents.PlannedTask, index int, u unit, most int) {
	passages := d.sections(u, most)
	t.Description = clip("**"+phrases[d.locale].before+"** "+d.toRead(u, passages)+"\n---\n\n"+t.Description, 20000)
	for _, p := range passages {
		c := evidence.Cite(p)
		if !slices.ContainsFunc(t.Citations, func(o tasks.Citation) bool { return o.ChunkID == c.ChunkID }) {
			t.Citations = append(t.Citations, c)
		}
	}
	t.EstimatedHours = math.Min(t.EstimatedHours+d.readingHours(u, true), agents.MaxHours)
	if d.before != "" {
		t.DependsOn = append(t.DependsOn, d.before)
	}
	d.before, d.reading[index] = t.Key, t.Key
}

// notes adds a summary in the learner's own words.
func (d *draft) notes(at chosen) {
	u := d.course.units[at.Index]
	passages := d.sections(u, 2)
	if len(passages) == 0 {
		return
	}
	spoken := phrases[d.locale]
	t := agents.PlannedTask{
		Key: fmt.Sprintf("note-%d", at.Index+1), Title: clip(spoken.note+": "+u.Title, 500), Type: tasks.TypeDocumentation,
		Description: fmt.Sprintf("%s **%s**: %s.\n", spoken.noteIt, u.Title, strings.Join(u.Meta.Concepts, ", ")),
		Concepts:    clean(u.Meta.Concepts), EstimatedHours: 0.5, Difficulty: d.difficulty(at.Index), DependsOn: d.afterReading(at.Index),
	}
	for _, p := range passages {
		t.Citations = append(t.Citations, evidence.Cite(p))
	}
	d.plan.Tasks = append(d.plan.Tasks, t)
}

// sections are the passages of prose of a unit that fit the goal best, one a
// heading, in the order of the text.
func (d *draft) sections(u unit, n int) []rag.Passage { return u.telling(d.rank, n) }

// telling are a unit's passages as sections gives them.
func (u *unit) telling(rank map[string]float64, n int) []rag.Passage {
	seen := map[string]bool{}
	var list []rag.Passage
	for _, p := range u.passages {
		if p.Kind == rag.PassageText && !seen[p.Heading] && len(strings.TrimSpace(p.Text)) >= 40 {
			seen[p.Heading] = true
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		list = slices.Clone(first(u.passages, n))
	}
	slices.SortStableFunc(list, func(a, b rag.Passage) int { return compare(rank[b.ChunkID], rank[a.ChunkID]) })
	list = first(list, n)
	slices.SortStableFunc(list, func(a, b rag.Passage) int { return a.StartLine - b.StartLine })
	return list
}

// about finds the section of a unit that an exercise practises.
func (d *draft) about(u unit, x rag.Exercise) (best rag.Passage, ok bool) {
	concepts := words.Set(strings.Join(x.Concepts, " "), d.course.locale)
	most := 0.0
	for _, p := range u.passages {
		if p.Kind != rag.PassageText && p.Kind != rag.PassageCode {
			continue
		}
		n := 3*words.Overlap(p.Heading, d.course.locale, concepts) + words.Overlap(p.Text, d.course.locale, concepts)
		if !evidence.Prose(p) {
			n -= 3
		}
		if s := float64(n) + d.rank[p.ChunkID]/100; n > 0 && s > most {
			best, most, ok = p, s, true
		}
	}
	return best, ok
}

func (d *draft) best(passages []rag.Passage) rag.Passage {
	best := passages[0]
	for _, p := range passages {
		if d.rank[p.ChunkID] > d.rank[best.ChunkID] {
			best = p
		}
	}
	return best
}

func (d *draft) afterReading(index int) []string {
	if key := d.reading[index]; key != "" {
		return []string{key}
	}
	return []string{}
}

// readingHours is what a unit takes besides its exercises.
func (d *draft) readingHours(u unit, brief bool) float64 {
	hours := u.Meta.EstimatedHours
	for _, x := range u.exercises {
		hours -= x.EstimatedHours
	}
	if hours < 0.5 {
		hours = 0.5
	}
	if brief {
		hours /= 2
	}
	return math.Min(math.Round(hours*4)/4, agents.MaxHours)
}

// difficulty rises from 1 to 5 along the course.
func (d *draft) difficulty(index int) int {
	return 1 + min(4, index*5/max(len(d.course.units), 1))
}

// fromExercise is an exercise as a task: the statement word for word, with its
// starter to see and its tests by name.
func fromExercise(x rag.Exercise, statement string) agents.PlannedTask {
	t := agents.PlannedTask{
		Title: clip(x.Title, 500), Description: clip(withoutFrontMatter(statement), 20000), Type: tasks.TypeCode,
		EstimatedHours: math.Min(math.Max(x.EstimatedHours, 0.25), agents.MaxHours), Difficulty: min(max(x.Difficulty, 1), 5),
		Concepts: clean(x.Concepts), Language: x.Language, Exercise: x.ID, DependsOn: []string{},
	}
	for _, f := range x.Files {
		switch f.Role {
		case rag.Starter:
			t.Starter = append(t.Starter, agents.PlannedFile{Path: f.Name, Content: f.Content})
		case rag.Tests:
			t.Tests = append(t.Tests, agents.PlannedFile{Path: f.Name, Hidden: true})
		case rag.Solution: // never leaves the server
		}
	}
	return t
}

func withoutFrontMatter(text string) string {
	if rest, ok := strings.CutPrefix(text, "---\n"); ok {
		if _, body, ok := strings.Cut(rest, "\n---\n"); ok {
			return strings.TrimSpace(body)
		}
	}
	return strings.TrimSpace(text)
}

func lastHeading(p rag.Passage) string {
	if p.Heading == "" {
		return p.Title
	}
	parts := strings.Split(p.Heading, " > ")
	return parts[len(parts)-1]
}

// clean makes concepts as tasks take them.
func clean(list []string) []string {
	out := []string{}
	for _, c := range list {
		if c = clip(strings.TrimSpace(c), 200); c != "" && !slices.Contains(out, c) && len(out) < 50 {
			out = append(out, c)
		}
	}
	return out
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}
