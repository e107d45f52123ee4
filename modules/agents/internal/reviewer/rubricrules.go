package reviewer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/agents/internal/words"
	"github.com/goals-tracker/tracker/modules/validation"
)

// seen is what the rules say of a criterion: they compare words, and say so.
type seen struct {
	all, some, names, fewNames, none, noWords, language, dropped string
	title, yours                                                 string
	states                                                       map[agents.State]string
	sources                                                      map[agents.Source]string
}

var spoken = map[string]seen{
	"en": {
		all: "Its words are there together (%s). Whether what is said is right, only a reader can tell.", some: "Some of its words are there: %s. Missing: %s.",
		names: "All that it names is there: %s.", fewNames: "Of what it names there is %s; there is no %s.",
		none: "None of its words is in what you handed in (%s).", noWords: "It has no words that could be looked for.",
		language: "It is in another language than what you handed in, and the built-in reviewer compares words.",
		dropped:  "What was said about it had no evidence, so it was dropped.",
		title:    "What is asked for, and what is to be seen of it", yours: "This is no verdict: whether the task is finished is your word, or your teacher's.",
		states: map[agents.State]string{
			agents.Met: "met", agents.PartlyMet: "partly", agents.NotShown: "not shown", agents.CannotTell: "cannot tell",
		},
		sources: map[agents.Source]string{agents.FromTask: "task", agents.FromGoal: "goal", agents.FromCourse: "course"},
	},
	"es": {
		all: "Sus palabras están ahí juntas (%s). Si lo que se dice es correcto, solo lo sabe quien lo lea.", some: "Están algunas de sus palabras: %s. Faltan: %s.",
		names: "Está todo lo que nombra: %s.", fewNames: "De lo que nombra está %s; no está %s.",
		none: "Ninguna de sus palabras está en lo que has entregado (%s).", noWords: "No tiene palabras que se puedan buscar.",
		language: "Está en otro idioma que lo que has entregado, y el revisor incorporado compara palabras.",
		dropped:  "Lo que se dijo de ello no tenía evidencia, así que se descartó.",
		title:    "Lo que se pide y lo que se ve de ello", yours: "Esto no es un veredicto: que la tarea esté terminada lo decides tú, o tu docente.",
		states: map[agents.State]string{
			agents.Met: "cumplido", agents.PartlyMet: "en parte", agents.NotShown: "no se ve", agents.CannotTell: "no se puede saber",
		},
		sources: map[agents.Source]string{agents.FromTask: "tarea", agents.FromGoal: "objetivo", agents.FromCourse: "curso"},
	},
}

// named finds what a criterion names word for word: `range`, "README.md".
var namedThings = regexp.MustCompile("`([^`\n]{1,80})`|\\b([\\w-]+\\.(?:md|py|txt|json|csv|html|js|ts|go|java|sql|toml|yaml|yml))\\b")

// assess says by rules what is to be seen of each criterion.
func (c *Case) assess(criteria []agents.Criterion) []agents.Criterion {
	all := slices.Clone(criteria)
	for i := range all {
		c.look(&all[i])
	}
	return all
}

func (c *Case) look(k *agents.Criterion) {
	if things := thingsOf(k.Text); len(things) > 0 {
		c.lookForNames(k, things)
		return
	}
	said := spoken[c.Locale]
	locale := words.Locale(k.Text)
	terms, as := termsOf(k.Text, locale)
	if len(terms) == 0 {
		k.State, k.Note = agents.CannotTell, said.noWords
		return
	}
	best := block{}
	for _, b := range blocksOf(c.Files) {
		set := words.Set(b.text, locale)
		for _, t := range terms {
			if set[t] {
				b.terms = append(b.terms, t)
			}
		}
		if len(b.terms) > len(best.terms) {
			best = b
		}
	}
	found := len(best.terms)
	missing := slices.DeleteFunc(slices.Clone(terms), func(t string) bool { return slices.Contains(best.terms, t) })
	switch {
	case found == 0 && c.foreign(locale):
		k.State, k.Note = agents.CannotTell, said.language
	case found == 0:
		k.State, k.Note, k.Evidence = agents.NotShown, fmt.Sprintf(said.none, list(as(missing))), c.everywhere()
	case found >= 2 && 4*found >= 3*len(terms):
		k.State, k.Note, k.Evidence = agents.Met, fmt.Sprintf(said.all, list(as(best.terms))), []agents.Evidence{best.evidence()}
	default:
		k.State, k.Note, k.Evidence = agents.PartlyMet, fmt.Sprintf(said.some, list(as(best.terms)), list(as(missing))), []agents.Evidence{best.evidence()}
	}
}

// ordersEN and ordersES are the verbs by which criteria ask: nobody says them in the answer.
var ordersEN = words.Set(`explain describe show name give list compare say include mention state tell write contain propose indicate point praise`, "en")

var ordersES = words.Set(`explica explicar describe describir muestra mostrar nombra nombrar da dar compara comparar di decir incluye incluir menciona
	mencionar escribe escribir contiene contener propone proponer indica indicar señala señalar pasa`, "es")

// termsOf are the stems of what a criterion is about; as gives their words.
func termsOf(text, locale string) (terms []string, as func([]string) []string) {
	spelt := map[string]string{}
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if t := words.Terms(w, locale); len(t) == 1 && spelt[t[0]] == "" {
			spelt[t[0]] = w
		}
	}
	for _, t := range words.Terms(text, locale) {
		if !ordersEN[t] && !ordersES[t] && spelt[t] != "" {
			terms = append(terms, t)
		}
	}
	return terms, func(stems []string) []string {
		all := make([]string, len(stems))
		for i, t := range stems {
			all[i] = spelt[t]
		}
		return all
	}
}

// lookForNames looks for what a criterion names, in file names too.
func (c *Case) lookForNames(k *agents.Criterion, things []string) {
	said := spoken[c.Locale]
	var there, absent []string
	for _, thing := range things {
		e := c.place(thing)
		if e == nil {
			absent = append(absent, thing)
			continue
		}
		there = append(there, thing)
		if !slices.Contains(k.Evidence, *e) && len(k.Evidence) < maxEvidence {
			k.Evidence = append(k.Evidence, *e)
		}
	}
	switch {
	case len(absent) == 0:
		k.State, k.Note = agents.Met, fmt.Sprintf(said.names, list(there))
	case len(there) == 0:
		k.State, k.Note, k.Evidence = agents.NotShown, fmt.Sprintf(said.none, list(absent)), c.everywhere()
	default:
		k.State, k.Note = agents.PartlyMet, fmt.Sprintf(said.fewNames, list(there), list(absent))
	}
}

// maxEvidence is how much evidence a criterion has at most.
const maxEvidence = 5

func thingsOf(text string) (all []string) {
	for _, m := range namedThings.FindAllStringSubmatch(text, -1) {
		if thing := m[1] + m[2]; !slices.Contains(all, thing) {
			all = append(all, thing)
		}
	}
	return all
}

// place is where a thing stands; nil for nowhere.
func (c *Case) place(thing string) *agents.Evidence {
	for _, f := range c.Files {
		if f.Path == thing || strings.HasSuffix(f.Path, "/"+thing) {
			return &agents.Evidence{File: f.Path, StartLine: 1, EndLine: linesOf(f)}
		}
	}
	for _, f := range c.Files {
		n := 0
		for line := range strings.SplitSeq(f.Content, "\n") {
			n++
			if evidence.Mentions(line, strings.TrimSuffix(thing, "()")) {
				return &agents.Evidence{File: f.Path, StartLine: n, EndLine: n, Quote: clip(strings.TrimSpace(line), 200)}
			}
		}
	}
	return nil
}

// everywhere is what was looked through.
func (c *Case) everywhere() (all []agents.Evidence) {
	for _, f := range c.Files[:min(len(c.Files), maxEvidence)] {
		all = append(all, agents.Evidence{File: f.Path, StartLine: 1, EndLine: linesOf(f)})
	}
	return all
}

// foreign reports whether the submission is in another language than a criterion.
func (c *Case) foreign(locale string) bool {
	var b strings.Builder
	for _, f := range c.Files {
		b.WriteString(f.Content + "\n")
	}
	return words.Locale(b.String()) != locale
}

// block is a paragraph or a piece of code between blank lines, with the heading
// above it.
type block struct {
	file       string
	start, end int
	text       string
	first      string
	terms      []string
}

func (b block) evidence() agents.Evidence {
	return agents.Evidence{File: b.file, StartLine: b.start, EndLine: b.end, Quote: clip(strings.TrimSpace(b.first), 200)}
}

func blocksOf(files []validation.File) (all []block) {
	for _, f := range files {
		now, title := block{file: f.Path}, ""
		flush := func() {
			if now.first != "" {
				now.text += " " + title
				all = append(all, now)
			}
			now = block{file: f.Path}
		}
		n := 0
		for line := range strings.SplitSeq(f.Content, "\n") {
			n++
			bare := strings.TrimSpace(line)
			if bare == "" {
				flush()
				continue
			}
			if strings.HasPrefix(bare, "#") && strings.HasSuffix(f.Path, ".md") {
				flush()
				title = bare
			}
			if now.first == "" {
				now.start, now.first = n, bare
			}
			now.end = n
			now.text += line + "\n"
		}
		flush()
	}
	return all
}

func linesOf(f validation.File) int {
	return strings.Count(strings.TrimSuffix(f.Content, "\n"), "\n") + 1
}

func list(all []string) string { return clip(strings.Join(all, ", "), 300) }
