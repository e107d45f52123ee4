package planner

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/convert"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/words"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// maxQuestions is how often a run asks what its goal means.
const maxQuestions = 2

// The questions, by id.
const (
	askCourse = "course"
	askTopic  = "topic"
	askKnown  = "known"
)

// asked is a question with its answer, for who reads the run.
type asked struct {
	ID      string   `json:"id"`
	Choices []string `json:"choices,omitempty"`
	// Means are what the choices stand for, in their order.
	Means  []string `json:"means,omitempty"`
	Answer string   `json:"answer"`
}

// clarify asks what a vague goal means, when the answer would change the plan.
// A goal that names its topic is asked nothing, nor one whose tasks are made
// without asking.
func (p *Planner) clarify(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	r, err := engine.Get[Request](x.State, "request")
	if err != nil {
		return engine.Outcome{}, err
	}
	history, err := engine.Get[[]asked](x.State, "asked")
	if err != nil {
		return engine.Outcome{}, err
	}
	answer, err := answerOf(x.Input)
	if err != nil {
		return engine.Outcome{}, err
	}
	switch n := len(history); {
	case n > 0 && answer.Text != "":
		history[n-1].Answer = answer.Text
		r.take(history[n-1])
	case n > 0 && history[n-1].Answer == "": // forked while it waited: it asks again
		history = history[:n-1]
	}
	var next *asked
	var q *agents.Question
	if !r.AutoApprove && len(history) < maxQuestions {
		if next, q, err = p.question(ctx, x, r, history); err != nil {
			return engine.Outcome{}, err
		}
	}
	out := engine.Outcome{Word: "clear", Set: map[string]any{"request": r, "asked": history}}
	if next == nil {
		return out, nil
	}
	out.Word = "asks for the " + next.ID
	out.Set["asked"] = append(history, *next)
	out.Wait = &engine.Interrupt{For: agents.ForAnswer, Question: q, Message: q.Text}
	out.Commit = func(_ context.Context, _ *postgres.Tx, c *engine.Commit) error {
		c.Append(&agentsv1.PlanQuestionAsked{RunId: c.Run.ID, GoalId: c.Run.GoalID, Question: convert.Question(*q)})
		return nil
	}
	return out, nil
}

// question is the next thing to ask; nil when the goal is clear enough.
func (p *Planner) question(ctx context.Context, x *engine.Execution, r Request, history []asked) (*asked, *agents.Question, error) {
	was := func(id string) bool { return slices.ContainsFunc(history, func(a asked) bool { return a.ID == id }) }
	as := reader(x.Run, r)
	ids, err := p.candidates(ctx, as, x.Run.CourseID, r)
	if err != nil {
		return nil, nil, err
	}
	var fitting []*course
	best := 0.0
	for _, id := range ids {
		c, err := p.load(ctx, as, id)
		if errors.Is(err, errNoMaterial) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if r.vague(c.locale) {
			fitting = append(fitting, c)
		} else if got := c.choose(r); len(got.units) > 0 && got.fit >= best {
			if got.fit > best {
				fitting, best = nil, got.fit
			}
			fitting = append(fitting, c)
		}
	}
	if len(fitting) > 1 && !was(askCourse) {
		a, q := whichCourse(fitting)
		return a, q, nil
	}
	if len(fitting) == 0 || !r.vague(fitting[0].locale) && !was(askTopic) {
		return nil, nil, nil
	}
	c := fitting[0]
	if len(c.units) < 2 { // whatever the answer, the plan is the same
		return nil, nil, nil
	}
	if !was(askTopic) {
		a, q := c.whichTopic()
		return a, q, nil
	}
	if got := c.choose(r); !was(askKnown) && len(got.units) > 2 {
		a, q := c.whichKnown(got)
		return a, q, nil
	}
	return nil, nil, nil
}

// general are words that name no topic of a course on programming.
var general = "programming program programs programmer code coding coder software developer development computer computing informatics " +
	"skill skills exam course homework " +
	"programación programacion programar programador programa programas código codigo codificar desarrollo desarrollador informática informatica " +
	"ordenador habilidad habilidades examen curso deberes"

var generalTerms = func() map[string]bool {
	terms := words.Set(general, "en")
	for t := range words.Set(general, "es") {
		terms[t] = true
	}
	return terms
}()

// vague reports whether the goal names nothing that a course could be about, and
// the learner did not say it since.
func (r *Request) vague(locale string) bool {
	if r.Whole || len(r.Topics) > 0 {
		return false
	}
	said := r.Title + " " + r.Description + " " + strings.Join(r.Criteria, " ") + " " + r.Wishes
	return len(specific(words.Terms(said, locale))) == 0
}

// specific are the terms that may name a topic.
func specific(terms []string) []string {
	return slices.DeleteFunc(slices.Clone(terms), func(t string) bool { return generalTerms[t] })
}

// take takes an answer over: a choice by its words or its number, else what the
// learner says in their own words.
func (r *Request) take(a asked) {
	said := strings.TrimSpace(a.Answer)
	at := slices.IndexFunc(a.Choices, func(c string) bool { return strings.EqualFold(c, said) })
	if n, err := strconv.Atoi(said); at < 0 && err == nil && n >= 1 && n <= len(a.Choices) {
		at = n - 1
	}
	meant := said
	if at >= 0 && at < len(a.Means) {
		meant = a.Means[at]
	}
	switch {
	case a.ID == askCourse && at >= 0:
		r.Course = meant
	case a.ID == askTopic && meant == "":
		r.Whole = true
	case a.ID == askTopic:
		r.Topics = []string{meant}
	case a.ID == askKnown && meant != "":
		r.Known = strings.Split(meant, "\n")
	}
}

func whichCourse(list []*course) (*asked, *agents.Question) {
	a := &asked{ID: askCourse}
	for _, c := range first(list, 10) {
		a.Choices, a.Means = append(a.Choices, c.title()), append(a.Means, c.id)
	}
	return a, &agents.Question{ID: askCourse, Choices: a.Choices, Text: agents.Text{
		EN: "More than one of your courses fits this goal. Which one do you want to learn with?",
		ES: "Más de uno de tus cursos encaja con este objetivo. ¿Con cuál quieres aprender?",
	}}
}

func (c *course) whichTopic() (*asked, *agents.Question) {
	whole := "The whole course"
	if c.locale == "es" {
		whole = "El curso completo"
	}
	a := &asked{ID: askTopic, Choices: []string{whole}, Means: []string{""}}
	for _, u := range first(c.units, 30) {
		a.Choices, a.Means = append(a.Choices, u.Title), append(a.Means, u.Title)
	}
	return a, &agents.Question{ID: askTopic, Choices: a.Choices, Text: agents.Text{
		EN: "What is it that you want to learn? Choose a part of the course, or say it in your own words.",
		ES: "¿Qué es lo que quieres aprender? Elige una parte del curso o dilo con tus palabras.",
	}}
}

// whichKnown asks how much of the way the learner has gone: the first units, in
// the order of the course.
func (c *course) whichKnown(got choice) (*asked, *agents.Question) {
	none, upTo := "Nothing yet", "All up to: "
	if c.locale == "es" {
		none, upTo = "Todavía nada", "Todo hasta: "
	}
	a := &asked{ID: askKnown, Choices: []string{none}, Means: []string{""}}
	so := make([]string, 0, len(got.units))
	for _, u := range first(got.units[:len(got.units)-1], 20) {
		so = append(so, c.units[u.Index].Title)
		a.Choices, a.Means = append(a.Choices, upTo+c.units[u.Index].Title), append(a.Means, strings.Join(so, "\n"))
	}
	return a, &agents.Question{ID: askKnown, Choices: a.Choices, Text: agents.Text{
		EN: "How much of this do you know already? It will be left out.",
		ES: "¿Cuánto de esto ya sabes? Se dejará fuera.",
	}}
}

// title names the course for people.
func (c *course) title() string {
	for _, d := range c.about {
		if d.Title != "" {
			return d.Title
		}
	}
	return c.id
}
