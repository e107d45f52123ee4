package reviewer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// The most comments of each kind.
const (
	maxTests    = 10
	maxFindings = 8
)

// phrase is what the rules say by themselves.
type phrase struct{ testFails, testBreaks, look, others, slow, memory, output, tests, reread, fine, fixed, still, hint, too string }

var phrases = map[string]phrase{
	"en": {
		testFails: "The test **%s** fails: %s", testBreaks: "The test **%s** could not run to its end: %s",
		look: "Read “%s” again (%s, %s):", others: "The same is said by: %s.",
		slow:   "Your program was still running when its time was up. Look at each loop: what brings its end closer in every round?",
		memory: "Your program wanted more memory than it may have. Look for something that grows in a loop.",
		output: "Your program printed more than it may. Look for a `print` in a loop that goes on too long.",
		tests:  "**%d of %d tests pass.**", reread: "Read this part of the task again and compare it with what you handed in.",
		fine:  "Say in your own words why it works; then see whether a name or a step could be clearer.",
		fixed: "**%d of %d points fixed** since snapshot %d.", still: "Since snapshot %d:",
		hint: "It has been here for a while: ask for a hint on this task.", too: "These tests fail, too: %s.",
	},
	"es": {
		testFails: "La prueba **%s** falla: %s", testBreaks: "La prueba **%s** no pudo llegar a su fin: %s",
		look: "Vuelve a leer «%s» (%s, %s):", others: "Lo mismo dicen: %s.",
		slow:   "Tu programa seguía en marcha cuando se acabó el tiempo. Mira cada bucle: ¿qué acerca su final en cada vuelta?",
		memory: "Tu programa quiso más memoria de la que puede usar. Busca algo que crezca dentro de un bucle.",
		output: "Tu programa imprimió más de lo que puede. Busca un `print` en un bucle que dura demasiado.",
		tests:  "**Pasan %d de %d pruebas.**", reread: "Vuelve a leer esta parte de la tarea y compárala con lo que has entregado.",
		fine:  "Explica con tus palabras por qué funciona; luego mira si algún nombre o paso podría quedar más claro.",
		fixed: "**Arreglados %d de %d puntos** desde la entrega %d.", still: "Desde la entrega %d:",
		hint: "Lleva aquí un tiempo: pide una pista para esta tarea.", too: "También fallan estas pruebas: %s.",
	},
}

// byRules comments on a case: failing tests first, then findings, each with the
// passage that explains it, where the course has one.
func (r *Reviewer) byRules(ctx context.Context, c *Case) ([]agents.Comment, error) {
	comments := []agents.Comment{}
	add := func(comment agents.Comment, about string) error {
		p, err := c.find(ctx, r.material, about)
		if err != nil {
			return err
		}
		if p != nil {
			cite(c, &comment, *p)
		}
		comments = append(comments, comment)
		return nil
	}
	for _, f := range c.findings(true) {
		if err := add(found(c, f), f.Rule+" "+f.Message.In(c.Locale)); err != nil {
			return nil, err
		}
	}
	lesson := c.lesson()
	for _, g := range c.failures() {
		comment := g.comment(c)
		switch {
		case g.tests[0].Status == judging.StatusError:
			if err := add(comment, g.message); err != nil {
				return nil, err
			}
			continue
		case lesson != nil: // once: it is what the task rests on
			cite(c, &comment, *lesson)
			lesson = nil
		}
		comments = append(comments, comment)
	}
	for _, f := range c.findings(false) {
		comments = append(comments, found(c, f))
	}
	said := phrases[c.Locale]
	limit := map[judging.Verdict]string{judging.VerdictTimedOut: said.slow, judging.VerdictOutOfMemory: said.memory, judging.VerdictOutputLimit: said.output}
	topic := map[string]string{"en": "loop while never ends", "es": "bucle while no acaba nunca"}
	if text := limit[c.Report.Verdict]; text != "" {
		if p, err := c.find(ctx, r.material, topic[c.Locale]); err != nil {
			return nil, err
		} else if p != nil {
			comment := agents.Comment{Text: text}
			cite(c, &comment, *p)
			comments = append([]agents.Comment{comment}, comments...)
		}
	}
	if len(comments) == 0 {
		comments = c.general()
	}
	return comments, nil
}

// complete adds the tests that did not pass and that a model left out, if it
// said anything that stands.
func (c *Case) complete(comments []agents.Comment) []agents.Comment {
	if !slices.ContainsFunc(comments, func(o agents.Comment) bool { return c.Wrong(o) == "" }) {
		return comments
	}
	for _, g := range c.failures() {
		named := slices.ContainsFunc(comments, func(o agents.Comment) bool {
			return slices.ContainsFunc(g.tests, func(t validation.Test) bool { return o.TestID == t.ID && c.Wrong(o) == "" })
		})
		switch {
		case !named:
			comments = append(comments, g.comment(c))
		case len(g.tests) > 1:
			if more := g.others(c, comments); more != nil {
				comments = append(comments, *more)
			}
		}
	}
	return comments
}

// others names the tests of a group that no comment speaks of; nil for none.
func (g failure) others(c *Case, comments []agents.Comment) *agents.Comment {
	var rest []validation.Test
	for _, t := range g.tests {
		if !slices.ContainsFunc(comments, func(o agents.Comment) bool { return o.TestID == t.ID }) {
			rest = append(rest, t)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	comment := failure{message: g.message, tests: rest, mixed: g.mixed}.comment(c)
	return &comment
}

// general rests on what the task rests on, where neither tests nor rules have
// anything to say.
func (c *Case) general() []agents.Comment {
	said := phrases[c.Locale]
	for _, cited := range c.Task.Citations {
		if _, readable := c.Passages[cited.ChunkID]; !readable || evidence.Unbacked(cited, c.Passages) != "" {
			continue
		}
		text := said.reread
		if c.Report.Verdict == judging.VerdictPassed {
			text = said.fine
		}
		return []agents.Comment{{Text: text + "\n\n" + quote(cited.Quote), Citation: &cited}}
	}
	return []agents.Comment{}
}

// lesson is the passage of a lesson that the task rests on; nil for none.
func (c *Case) lesson() *rag.Passage {
	for _, cited := range c.Task.Citations {
		if p, ok := c.Passages[cited.ChunkID]; ok && p.Kind == rag.PassageText && !strings.HasPrefix(p.Path, "exercises/") {
			return &p
		}
	}
	return nil
}

// failure is tests that fail with the same message, or mixed ones that are one
// too many to speak of each.
type failure struct {
	message string
	tests   []validation.Test
	mixed   bool
}

func (c *Case) failures() (groups []failure) {
next:
	for _, t := range c.Report.Tests {
		if t.Status != judging.StatusFail && t.Status != judging.StatusError {
			continue
		}
		message := t.Message.In(c.Locale)
		for i := range groups {
			if groups[i].message == message || groups[i].mixed {
				groups[i].tests = append(groups[i].tests, t)
				continue next
			}
		}
		groups = append(groups, failure{message, []validation.Test{t}, len(groups) == maxTests})
	}
	return groups
}

func (g failure) comment(c *Case) agents.Comment {
	said, t := phrases[c.Locale], g.tests[0]
	if g.mixed {
		return agents.Comment{Text: fmt.Sprintf(said.too, named(g.tests)), TestID: t.ID}
	}
	format := said.testFails
	if t.Status == judging.StatusError {
		format = said.testBreaks
	}
	text := fmt.Sprintf(format, inline(t.Name), plain(g.message))
	if more := g.tests[1:]; len(more) > 0 {
		text += "\n\n" + fmt.Sprintf(said.others, named(more))
	}
	return agents.Comment{Text: text, TestID: t.ID}
}

// maxNamed is how many tests are named in a row.
const maxNamed = 30

func named(tests []validation.Test) string {
	names := make([]string, 0, maxNamed)
	for _, t := range tests[:min(len(tests), maxNamed)] {
		names = append(names, inline(t.Name))
	}
	return strings.Join(names, ", ")
}

// findings are those that break the code, or the others, one a rule and file.
func (c *Case) findings(errors bool) (list []validation.Finding) {
	seen := map[string]bool{}
	for _, f := range c.Report.Findings {
		if (f.Severity == judging.SeverityError) == errors && !seen[f.Rule+f.File] && len(list) < maxFindings {
			seen[f.Rule+f.File] = true
			list = append(list, f)
		}
	}
	return list
}

func found(c *Case, f validation.Finding) agents.Comment {
	comment := agents.Comment{Text: plain(f.Message.In(c.Locale)), Rule: f.Rule}
	if f.File != "" && f.Line > 0 {
		at := agents.Comment{File: f.File, StartLine: f.Line, EndLine: max(f.Line, f.EndLine), Rule: f.Rule, Text: "-"}
		if c.Wrong(at) == "" {
			comment.File, comment.StartLine, comment.EndLine = at.File, at.StartLine, at.EndLine
		}
	}
	return comment
}

// cite adds a passage to a comment.
func cite(c *Case, comment *agents.Comment, p rag.Passage) {
	citation := evidence.Cite(p)
	heading := p.Heading
	if at := strings.LastIndex(heading, " > "); at >= 0 {
		heading = heading[at+3:]
	}
	if heading == "" {
		heading = p.Title
	}
	comment.Citation = &citation
	comment.Text += "\n\n" + fmt.Sprintf(phrases[c.Locale].look, plain(heading), inline(p.Path), evidence.Lines(citation.StartLine, citation.EndLine, c.Locale)) +
		"\n\n" + quote(citation.Quote)
}

func quote(text string) string { return "> " + strings.ReplaceAll(text, "\n", "\n> ") }

// plain is the first line of a text: it comes from a report, which shows it all.
func plain(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return clip(line, 400)
}

func inline(text string) string { return clip(strings.Join(strings.Fields(text), " "), 120) }

// headline says how it went, in the validator's words where it has any.
func headline(c *Case) string {
	passed, total := c.Report.Counts()
	if s := plain(c.Report.Summary.In(c.Locale)); s != "" || total == 0 {
		return s
	}
	return fmt.Sprintf(phrases[c.Locale].tests, passed, total)
}
