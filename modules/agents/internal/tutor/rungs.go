package tutor

import (
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/agents/internal/screen"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// phrase is what the rules say by themselves.
type phrase struct {
	ask, askAbout, askTest, idea, line, test, tip, section, start, example, none string
}

var phrases = map[string]phrase{
	"en": {
		ask:      "Before you write more code: what goes in, what has to come out, and what must happen in between? Say it aloud, in one sentence each.",
		askAbout: " Which of these ideas does each step need: %s?",
		askTest:  " The test **%s** does not pass yet: which case does its name describe, and what does your code do with exactly that case, line by line?",
		idea:     "The idea that helps here is explained in “%s”, under “%s”:",
		line:     "Look at `%s`, line %d: %s", test: "Start from the test **%s** alone. Read its name, choose an input of that kind yourself, and follow your code by hand with it.",
		tip: "The task itself says:", section: "Then read “%s” (`%s`, %s) again with your code beside it.",
		start:   "Write the smallest version first: the case in which there is nothing to do. Then the case with one item.",
		example: "Something like it, worked out in the course under “%s”. It is not your task, but it goes the same way: find out what corresponds to what.",
		none:    "The course has nothing closer to this task. Ask your teacher, and show what you tried.",
	},
	"es": {
		ask:      "Antes de escribir más código: ¿qué entra, qué tiene que salir y qué debe pasar por el camino? Dilo en voz alta, con una frase para cada cosa.",
		askAbout: " ¿Cuál de estas ideas necesita cada paso: %s?",
		askTest:  " La prueba **%s** aún no pasa: ¿qué caso describe su nombre y qué hace tu código con ese caso, línea a línea?",
		idea:     "La idea que ayuda aquí se explica en «%s», en el apartado «%s»:",
		line:     "Mira `%s`, línea %d: %s", test: "Empieza solo por la prueba **%s**. Lee su nombre, elige tú una entrada de ese tipo y sigue tu código a mano con ella.",
		tip: "El propio enunciado dice:", section: "Después vuelve a leer «%s» (`%s`, %s) con tu código al lado.",
		start:   "Escribe primero la versión más pequeña: el caso en el que no hay nada que hacer. Luego, el caso con un solo elemento.",
		example: "Algo parecido, resuelto en el curso en el apartado «%s». No es tu tarea, pero sigue el mismo camino: averigua qué corresponde a qué.",
		none:    "El curso no tiene nada más cercano a esta tarea. Pregunta a tu docente y enséñale lo que has probado.",
	},
}

// question asks back, and names what the task is about.
func (v *view) question() string {
	said := phrases[v.locale]
	text := said.ask
	if len(v.task.Concepts) > 0 {
		text += fmt.Sprintf(said.askAbout, strings.Join(v.task.Concepts, ", "))
	}
	if t := v.failing(); t != nil {
		text += fmt.Sprintf(said.askTest, inline(t.Name))
	}
	return text
}

// concept quotes the lesson.
func (v *view) concept() (string, []tasks.Citation) {
	for _, p := range v.lessons {
		if p.Kind == rag.PassageText && evidence.Prose(p) && !v.tells(p.Text) {
			c := cite(p)
			return fmt.Sprintf(phrases[v.locale].idea, p.Title, heading(p)) + "\n\n" + quote(c.Quote), []tasks.Citation{c}
		}
	}
	return phrases[v.locale].none, []tasks.Citation{}
}

// pointer says where to look: a finding's line, a test by name, the task's own
// tip, the section to read again.
func (v *view) pointer() (string, []tasks.Citation) {
	said := phrases[v.locale]
	var parts []string
	citations := []tasks.Citation{}
	if v.report != nil {
		for _, f := range v.report.Findings {
			if f.File != "" && f.Line > 0 {
				parts = append(parts, fmt.Sprintf(said.line, f.File, f.Line, inline(f.Message.In(v.locale))))
				break
			}
		}
	}
	if t := v.failing(); t != nil {
		parts = append(parts, fmt.Sprintf(said.test, inline(t.Name)))
	}
	for _, p := range v.statement {
		if h := strings.ToLower(heading(p)); h == "hint" || h == "pista" || h == "tip" || h == "consejo" {
			c := cite(p)
			parts, citations = append(parts, said.tip+"\n\n"+quote(c.Quote)), append(citations, c)
			break
		}
	}
	for _, p := range v.lessons {
		if p.Kind == rag.PassageText {
			c := cite(p)
			parts = append(parts, fmt.Sprintf(said.section, heading(p), p.Path, evidence.Lines(p.StartLine, p.EndLine, v.locale)))
			citations = append(citations, c)
			break
		}
	}
	if len(parts) == 0 {
		parts = append(parts, said.start)
	}
	return strings.Join(parts, "\n\n"), citations
}

// example shows a program of the course that is like the task, and not it.
func (v *view) example() (string, []tasks.Citation) {
	for _, p := range v.lessons {
		for _, code := range screen.Fences(p.Text) {
			code = strings.Trim(code, "\n")
			lines := strings.Count(code, "\n") + 1
			if lines < 2 || lines > 25 || v.tells(code) {
				continue
			}
			c := evidence.CiteAt(p, code)
			return fmt.Sprintf(phrases[v.locale].example, heading(p)) + "\n\n```" + v.task.Language + "\n" + code + "\n```", []tasks.Citation{c}
		}
	}
	return phrases[v.locale].none, []tasks.Citation{}
}

// tells reports whether a text gives away what the learner is to write.
func (v *view) tells(text string) bool {
	if screen.Copies(text, v.secret) >= 2 {
		return true
	}
	for _, name := range v.functions {
		if strings.Contains(text, "def "+name+"(") || strings.Contains(text, name+"(") {
			return true
		}
	}
	return false
}

func heading(p rag.Passage) string {
	if p.Heading == "" {
		return p.Title
	}
	parts := strings.Split(p.Heading, " > ")
	return parts[len(parts)-1]
}

func quote(text string) string { return "> " + strings.ReplaceAll(text, "\n", "\n> ") }

func inline(text string) string { return screen.Cut(strings.Join(strings.Fields(text), " "), 160) }
