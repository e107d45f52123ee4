package dispute

import (
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
)

// texts are what the rules say by themselves.
var texts = map[string]agents.Text{
	agents.WhyHolds: {
		EN: "What it rests on was looked at again, and all of it still holds.",
		ES: "Se ha revisado todo en lo que se apoya, y sigue siendo cierto.",
	},
	agents.WhyGone: {
		EN: "What it was about is gone, so it can't be checked any more.",
		ES: "Aquello de lo que trataba ya no existe, así que no se puede comprobar.",
	},
	agents.WhyNothing: {
		EN: "It names no test, line or passage that could be checked. Somebody who teaches the course can settle it.",
		ES: "No nombra ninguna prueba, línea ni pasaje que se pueda comprobar. Puede resolverlo quien da el curso.",
	},
	agents.WhyCitation: {
		EN: "It cites a passage, and the course no longer says so there.",
		ES: "Cita un pasaje y el curso ya no lo dice ahí.",
	},
	agents.WhyTest: {
		EN: "It names a test that did not fail in that run.",
		ES: "Nombra una prueba que no falló en esa ejecución.",
	},
	agents.WhyFinding: {
		EN: "It names a finding that the report does not have.",
		ES: "Nombra un hallazgo que el informe no tiene.",
	},
	agents.WhyLines: {
		EN: "It names lines that the submission does not have.",
		ES: "Nombra líneas que la entrega no tiene.",
	},
	agents.WhyLeak: {
		EN: "It gives away what you are to find out yourself.",
		ES: "Revela lo que tienes que descubrir por tu cuenta.",
	},
	agents.WhyUnbacked: {
		EN: "It names no evidence for what it says.",
		ES: "No nombra nada que respalde lo que dice.",
	},
	asksOnly: {
		EN: "It only asks, and claims nothing that could be wrong.",
		ES: "Solo pregunta y no afirma nada que pueda ser falso.",
	},
	twoMinds: {
		EN: "A second look disagrees with what the report says. Somebody who teaches the course can settle it.",
		ES: "Una segunda revisión no coincide con lo que dice el informe. Puede resolverlo quien da el curso.",
	},
	readersWord: {
		EN: "What it names as evidence is there. Whether that shows what is asked for, only a reader can tell: somebody who teaches the course can settle it.",
		ES: "Lo que nombra como prueba está ahí. Si eso muestra lo que se pide, solo lo sabe quien lo lea: puede resolverlo quien da el curso.",
	},
	emptyDoubt: {
		EN: "A second look doubts it, but names nothing that holds.",
		ES: "Una segunda revisión lo pone en duda, pero no nombra nada que se sostenga.",
	},
}

// Reasons of the rules' own, told under another code.
const (
	asksOnly    = "asks_only"
	twoMinds    = "two_minds"
	emptyDoubt  = "empty_doubt"
	readersWord = "readers_word"
)

// reason is a text of the rules.
func reason(code string) agents.DisputeReason {
	return agents.DisputeReason{Code: code, Text: texts[code]}
}

// reasonAs is a text of the rules under another code.
func reasonAs(code, text string) agents.DisputeReason {
	return agents.DisputeReason{Code: code, Text: texts[text]}
}

// because says in both languages why a claim can't stand.
func because(part, why string) agents.DisputeReason {
	code := agents.WhyLeak
	switch {
	case strings.Contains(why, "no evidence"), why == "it says nothing":
		code = agents.WhyUnbacked
	case strings.Contains(why, "such lines"), strings.Contains(why, "has no file"), strings.Contains(why, "lines don't say"), strings.Contains(why, "no line of the submission"):
		code = agents.WhyLines
	case strings.Contains(why, "such finding"):
		code = agents.WhyFinding
	case strings.Contains(why, "such test"):
		code = agents.WhyTest
	case strings.HasPrefix(why, "it cites"), strings.HasPrefix(why, "it quotes"):
		code = agents.WhyCitation
	}
	r := reason(code)
	if r.Part = part; part != "" {
		en, es := "Comment", "Comentario"
		if number(part) == 0 {
			en, es = "Criterion", "Criterio"
		}
		r.Text = agents.Text{EN: fmt.Sprintf("%s %s: %s", en, part, r.Text.EN), ES: fmt.Sprintf("%s %s: %s", es, part, r.Text.ES)}
	}
	return r
}
