package planner

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents/internal/words"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
)

// course is a course's material, as far as plans need it.
type course struct {
	id string
	// locale is the language of most of its prose, "en" or "es".
	locale string
	// about are documents of no unit: the course's own page.
	about []rag.Document
	units []unit
}

// unit is one lesson with what belongs to it.
type unit struct {
	rag.Document
	// exercises by difficulty.
	exercises []rag.Exercise
	// practice are notebooks and programs that it refers to.
	practice []rag.Document
	passages []rag.Passage
	// terms are what it says it is about; body is all it says.
	terms, body map[string]bool
}

// errNoMaterial: the learner reads nothing of the course.
var errNoMaterial = errors.New("no material")

// load reads a course as the learner; errNoMaterial when there is nothing for
// them.
func (p *Planner) load(ctx context.Context, as auth.Actor, courseID string) (*course, error) {
	docs, err := p.material.Outline(ctx, as, courseID)
	if rag.ErrNotYourCourse.Is(err) || err == nil && len(docs) == 0 {
		return nil, errNoMaterial
	}
	if err != nil {
		return nil, err
	}
	exercises, err := p.material.Exercises(ctx, system, courseID)
	if err != nil {
		return nil, err
	}
	c := &course{id: courseID, locale: mainLocale(docs)}
	practice := c.sort(docs, exercises)
	if len(c.units) == 0 {
		return nil, errNoMaterial
	}
	if err := p.readUnits(ctx, as, c); err != nil {
		return nil, err
	}
	c.assign(exercises, practice)
	for i := range c.units {
		c.units[i].profile(c.locale)
	}
	return c, nil
}

// sort tells units, what is about the course, and practice apart.
func (c *course) sort(docs []rag.Document, exercises []rag.Exercise) (practice []rag.Document) {
	statements := map[string]bool{}
	folders := make([]string, 0, len(exercises))
	for _, x := range exercises {
		statements[x.DocumentID] = true
		folders = append(folders, x.Path+"/")
	}
	inExercise := func(path string) bool {
		return slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(path, f) })
	}
	for _, d := range docs {
		switch {
		case statements[d.ID] || inExercise(d.Path):
		case d.Kind == rag.Notebook || d.Kind == rag.Code:
			practice = append(practice, d)
		case d.Meta.Unit > 0 || len(d.Meta.Concepts) > 0:
			c.units = append(c.units, unit{Document: d})
		default:
			c.about = append(c.about, d)
		}
	}
	if len(c.units) == 0 { // material that names no units: each document of prose is one
		for _, d := range c.about {
			c.units = append(c.units, unit{Document: d})
		}
		c.about = nil
	}
	return practice
}

func (p *Planner) readUnits(ctx context.Context, as auth.Actor, c *course) error {
	for i := range c.units {
		u := &c.units[i]
		var err error
		if u.passages, err = p.material.Passages(ctx, as, rag.PassageFilter{CourseID: c.id, DocumentIDs: []string{u.ID}}); err != nil {
			return err
		}
	}
	return nil
}

// assign gives exercises and practice to the unit that names them: by number,
// else by a link, else by concepts.
func (c *course) assign(exercises []rag.Exercise, practice []rag.Document) {
	at := func(number int, path string, concepts []string) *unit {
		for i := range c.units {
			if number > 0 && c.units[i].Meta.Unit == number {
				return &c.units[i]
			}
		}
		for i := range c.units {
			if slices.ContainsFunc(c.units[i].passages, func(p rag.Passage) bool { return strings.Contains(p.Text, path) }) {
				return &c.units[i]
			}
		}
		var best *unit
		most := 0
		for i := range c.units {
			taught := words.Set(strings.Join(c.units[i].Meta.Concepts, " ")+" "+c.units[i].Title, c.locale)
			if n := words.Overlap(strings.Join(concepts, " "), c.locale, taught); n > most {
				best, most = &c.units[i], n
			}
		}
		return best
	}
	for _, x := range exercises {
		if u := at(x.Meta.Unit, x.Path, x.Concepts); u != nil {
			u.exercises = append(u.exercises, x)
		}
	}
	for _, d := range practice {
		if u := at(d.Meta.Unit, d.Path, d.Meta.Concepts); u != nil {
			u.practice = append(u.practice, d)
		}
	}
	for i := range c.units {
		slices.SortStableFunc(c.units[i].exercises, func(a, b rag.Exercise) int { return a.Difficulty - b.Difficulty })
	}
}

func (u *unit) profile(locale string) {
	said := make([]string, 0, 3+2*len(u.exercises)+len(u.passages))
	said = append(said, u.Title, strings.Join(u.Meta.Concepts, " "), strings.Join(u.Meta.Objectives, " "))
	for _, x := range u.exercises {
		said = append(said, x.Title, strings.Join(x.Concepts, " "))
	}
	var all strings.Builder
	for _, p := range u.passages {
		said = append(said, p.Heading)
		all.WriteString(p.Text + "\n")
	}
	u.terms = words.Set(strings.Join(said, " "), locale)
	u.body = words.Set(all.String(), locale)
}

// mainLocale is the language that most documents of prose are in.
func mainLocale(docs []rag.Document) string {
	n := 0
	for _, d := range docs {
		switch {
		case d.Kind == rag.Code || d.Kind == rag.Notebook:
		case d.Language == "es":
			n++
		default:
			n--
		}
	}
	if n > 0 {
		return "es"
	}
	return "en"
}
