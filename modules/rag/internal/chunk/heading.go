package chunk

import (
	"fmt"
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
	for i := len(h.stack) - 1; i >= 0; i-- {
		if kind, ok := headingKinds[analyze.Fold(strings.ToLower(strings.Trim(h.stack[i].text, " :.")))]; ok {
			return kind
		}
	}
	return rag.PassageText
}

var headingKinds = map[string]string{
	"objectives": rag.PassageObjectives, "learning objectives": rag.PassageObjectives, "goals": rag.PassageObjectives,
	"objetivos": rag.PassageObjectives, "objetivos de aprendizaje": rag.PassageObjectives,
	"prerequisites": rag.PassagePrerequisites, "requirements": rag.PassagePrerequisites,
	"requisitos":         rag.PassagePrerequisites,
	"requisitos previos": rag.PassagePrerequisites, //nolint:misspell // it is Spanish

	"prerrequisitos": rag.PassagePrerequisites,
	"exercise":       rag.PassageExercise, "exercises": rag.PassageExercise, "practice": rag.PassageExercise,
	"ejercicio": rag.PassageExercise, "ejercicios": rag.PassageExercise, "practica": rag.PassageExercise,
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
