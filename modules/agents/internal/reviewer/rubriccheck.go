package reviewer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/validation"
)

// decides finds what is no reviewer's to say: that the work is finished, and how
// good it is.
var decides = regexp.MustCompile(`(?i)\b(?:task|exercise|goal|work|submission) (?:is|counts as|can be marked as) (?:now )?(?:complete|completed|done|finished|approved|accepted)|` +
	`\b(?:tarea|ejercicio|objetivo|trabajo|entrega) (?:está|queda|es|puede darse por) (?:ya )?(?:complet|terminad|hech|aprobad|aceptad)|` +
	`\b(?:grade|calificación): ?\S|\b(?:score|mark|nota): ?\d`)

// HoldRubric keeps what is said of criteria as far as it is backed: a claim
// whose evidence does not hold, or that decides or gives away what it may not, is
// dropped, and nothing can be told of its criterion. kept is how many claims are
// left.
func (c *Case) HoldRubric(criteria []agents.Criterion) (held []agents.Criterion, kept int) {
	held = slices.Clone(criteria)
	for i := range held {
		k := &held[i]
		why := c.WrongOf(*k)
		switch {
		case why == "" && k.State != agents.CannotTell:
			kept++
		case why != "":
			k.State, k.Note, k.Evidence = agents.CannotTell, spoken[c.Locale].dropped, []agents.Evidence{}
		}
	}
	return held, kept
}

// WrongOf says why what is said of a criterion can't stand; "" when it can.
func (c *Case) WrongOf(k agents.Criterion) string {
	if !slices.Contains([]agents.State{agents.Met, agents.PartlyMet, agents.NotShown, agents.CannotTell}, k.State) {
		return fmt.Sprintf("there is no state %q", k.State)
	}
	if why := c.Told(k.Note); why != "" {
		return why
	}
	if decides.MatchString(k.Note) {
		return "it decides whether the work is finished"
	}
	if k.State == agents.CannotTell {
		return ""
	}
	if len(k.Evidence) == 0 {
		return "it names no evidence"
	}
	own := false // the submission's
	for _, e := range k.Evidence {
		if why := c.wrongEvidence(e); why != "" {
			return why
		}
		own = own || e.File != "" && (e.Quote != "" || e.StartLine == 1)
	}
	if !own && k.State != agents.NotShown {
		return "it names no line of the submission"
	}
	return ""
}

func (c *Case) wrongEvidence(e agents.Evidence) string {
	if e.Citation != nil {
		if why := evidence.Unbacked(*e.Citation, c.Passages); why != "" {
			return "it " + why
		}
	}
	if e.File == "" {
		if e.Citation == nil {
			return "it names no evidence"
		}
		return ""
	}
	at := slices.IndexFunc(c.Files, func(f validation.File) bool { return f.Path == e.File })
	if at < 0 {
		return fmt.Sprintf("the submission has no file %q", e.File)
	}
	lines := strings.Split(c.Files[at].Content, "\n")
	if e.StartLine < 1 || e.EndLine < e.StartLine || e.EndLine > len(lines) {
		return "the submission has no such lines"
	}
	if e.Quote != "" && !strings.Contains(flat(strings.Join(lines[e.StartLine-1:e.EndLine], "\n")), flat(e.Quote)) {
		return "the lines don't say what it quotes"
	}
	return ""
}

func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// rubricText is the rubric as it is shown with the task.
func (c *Case) rubricText(r *agents.Rubric) string {
	if r == nil {
		return ""
	}
	said := spoken[c.Locale]
	var b strings.Builder
	fmt.Fprintf(&b, "\n**%s** (_%s_)\n\n", said.title, r.Label)
	for _, k := range r.Criteria {
		source := said.sources[k.Source]
		if k.Asked != "" {
			source += ", `" + inline(k.Asked) + "`"
		}
		fmt.Fprintf(&b, "- **%s** · %s (%s)", said.states[k.State], inlineLong(k.Text), source)
		for _, e := range k.Evidence {
			if e.File != "" {
				fmt.Fprintf(&b, " `%s`, %s", e.File, evidence.Lines(e.StartLine, e.EndLine, c.Locale))
			} else {
				fmt.Fprintf(&b, " `%s`, %s", e.Citation.Path, evidence.Lines(e.Citation.StartLine, e.Citation.EndLine, c.Locale))
			}
		}
		fmt.Fprintf(&b, ". %s\n", strings.ReplaceAll(k.Note, "\n", " "))
	}
	fmt.Fprintf(&b, "\n%s\n", said.yours)
	return b.String()
}

func inlineLong(text string) string { return clip(flat(text), maxCriterion) }
