package chunk

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/analyze"
)

// headings are those that the reader is under, outermost first.
type headings struct {
	stack []heading
	// first is the first one of all: a document's title when it has no other.
	first string
}

type heading struct {
	level int
	text  string
}

func (h *headings) enter(level int, text string) {
	for len(h.stack) > 0 && h.stack[len(h.stack)-1].level >= level {
		h.stack = h.stack[:len(h.stack)-1]
	}
	if text == "" {
		return
	}
	h.stack = append(h.stack, heading{level, text})
	if h.first == "" {
		h.first = text
	}
}

func (h *headings) path() string {
	texts := make([]string, len(h.stack))
	for i, one := range h.stack {
		texts[i] = one.text
	}
	return strings.Join(texts, " > ")
}

// kind is what the innermost telling heading makes of a passage.
func (h *headings) kind() string {
	if section := h.section(); section != "" && section != sectionConcepts {
		return section
	}
	return rag.PassageText
}

// section is what the innermost telling heading says its section lists, or "".
func (h *headings) section() string {
	for i := len(h.stack) - 1; i >= 0; i-- {
		if section := sectionOf(h.stack[i].text); section != "" {
			return section
		}
	}
	return ""
}

// numbered is what stands before a heading's words: "3.", "Exercise 2:" keeps its
// word, and its number goes.
var numbered = regexp.MustCompile(`^[\d.)\s]+`)

func sectionOf(heading string) string {
	name := analyze.Fold(strings.ToLower(strings.TrimSpace(numbered.ReplaceAllString(heading, ""))))
	if section, ok := headingKinds[strings.Trim(name, " :.!?¿¡")]; ok {
		return section
	}
	// "Exercise 3: the receipt"; but not "Exercise your memory".
	if word, rest, ok := strings.Cut(name, " "); ok && headingKinds[word] == rag.PassageExercise &&
		(rest[0] >= '0' && rest[0] <= '9' || strings.HasPrefix(rest, "n")) && strings.ContainsAny(rest, "0123456789") {
		return rag.PassageExercise
	}
	if word, _, ok := strings.Cut(name, ":"); ok {
		return headingKinds[strings.TrimSpace(word)]
	}
	return ""
}

var headingKinds = map[string]string{
	"objectives": rag.PassageObjectives, "objective": rag.PassageObjectives, "learning objectives": rag.PassageObjectives,
	"goals": rag.PassageObjectives, "learning goals": rag.PassageObjectives, "learning outcomes": rag.PassageObjectives,
	"what you will learn": rag.PassageObjectives, "what you'll learn": rag.PassageObjectives,
	"objetivos": rag.PassageObjectives, "objetivo": rag.PassageObjectives, "objetivos de aprendizaje": rag.PassageObjectives,
	"resultados de aprendizaje": rag.PassageObjectives, "que aprenderas": rag.PassageObjectives,
	"lo que aprenderas": rag.PassageObjectives, "que vas a aprender": rag.PassageObjectives,
	"prerequisites": rag.PassagePrerequisites, "prerequisite": rag.PassagePrerequisites, "requirements": rag.PassagePrerequisites,
	"before you start": rag.PassagePrerequisites, "what you need to know": rag.PassagePrerequisites,
	"requisitos":              rag.PassagePrerequisites,
	"requisitos previos":      rag.PassagePrerequisites, //nolint:misspell // it is Spanish
	"conocimientos previos":   rag.PassagePrerequisites, //nolint:misspell // it is Spanish
	"antes de empezar":        rag.PassagePrerequisites,
	"prerrequisitos":          rag.PassagePrerequisites,
	"lo que necesitas saber":  rag.PassagePrerequisites,
	"que necesitas saber":     rag.PassagePrerequisites,
	"exercise":                rag.PassageExercise,
	"exercises":               rag.PassageExercise,
	"practice":                rag.PassageExercise,
	"try it":                  rag.PassageExercise,
	"your turn":               rag.PassageExercise,
	"ejercicio":               rag.PassageExercise,
	"ejercicios":              rag.PassageExercise,
	"practica":                rag.PassageExercise,
	"practicas":               rag.PassageExercise,
	"te toca":                 rag.PassageExercise,
	"concepts":                sectionConcepts,
	"key concepts":            sectionConcepts,
	"conceptos":               sectionConcepts, //nolint:misspell // it is Spanish
	"conceptos clave":         sectionConcepts, //nolint:misspell // it is Spanish
	"conceptos fundamentales": sectionConcepts, //nolint:misspell // it is Spanish
}

// nesting refuses Markdown whose quotes and lists go absurdly deep.
func nesting(content string) error {
	for line := range strings.Lines(content) {
		marks := 0
		for _, c := range line {
			if c == '>' || c == '-' || c == '*' || c == '+' {
				marks++
			} else if c != ' ' && c != '\t' {
				break
			}
		}
		if marks > maxNesting && strings.ContainsAny(strings.TrimSpace(line), "> ") {
			return fmt.Errorf("it nests quotes or lists more than %d deep", maxNesting)
		}
		if indent := len(line) - len(strings.TrimLeft(line, " \t")); indent > 1000 && strings.TrimSpace(line) != "" {
			return fmt.Errorf("it has a line that is indented by %d characters; at most 1000 are read", indent)
		}
	}
	return nil
}
