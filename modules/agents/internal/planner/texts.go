package planner

import (
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// phrase is all that the rules say by themselves.
type phrase struct{ read, brush, further, before, objectives, sections, try, tryIt, note, noteIt string }

var phrases = map[string]phrase{
	"en": {
		read: "Read the unit", brush: "Brush up", further: "Next step", before: "First:", objectives: "After it you can:", sections: "Look closely at:",
		try: "Try out", tryIt: "Run it step by step, guess each result before you see it, then change something:",
		note: "Explain in your own words", noteIt: "Write half a page on",
	},
	"es": {
		read: "Lee la unidad", brush: "Repasar", further: "Siguiente paso", before: "Primero:", objectives: "Al terminar sabrás:", sections: "Fíjate bien en:",
		try: "Probar", tryIt: "Ejecútalo paso a paso, adivina cada resultado antes de verlo y luego cambia algo:",
		note: "Explicar con tus palabras", noteIt: "Escribe media página sobre",
	},
}

// objectives are those of the units that the plan is about.
func objectives(c *course, o outline) []string {
	list := []string{}
	for _, u := range o.Units {
		if !u.Brief && !u.Further {
			list = append(list, c.units[u.Index].Meta.Objectives...)
		}
	}
	return list
}

func summary(c *course, o outline, p agents.Plan) agents.Text {
	code, hours := 0, 0.0
	for _, t := range p.Tasks {
		hours += t.EstimatedHours
		if t.Type == tasks.TypeCode {
			code++
		}
	}
	titles := make([]string, 0, len(o.Units))
	for _, u := range o.Units {
		titles = append(titles, c.units[u.Index].Title)
	}
	list := strings.Join(titles, ", ")
	return agents.Text{
		EN: fmt.Sprintf("%d tasks (%d to code), about %.1f hours, from: %s.", len(p.Tasks), code, hours, list),
		ES: fmt.Sprintf("%d tareas (%d de programar), unas %s horas, a partir de: %s.", len(p.Tasks), code,
			strings.Replace(fmt.Sprintf("%.1f", hours), ".", ",", 1), list),
	}
}

func needsMaterial(r Request) agents.Text {
	return agents.Text{
		EN: fmt.Sprintf("Nothing in the material that you can read fits %q, and tasks are never made up. "+
			"Ask your teacher to add material on it to the course, or word the goal closer to the course's topics and plan it again.", clip(r.Title, 200)),
		ES: fmt.Sprintf("Nada del material que puedes leer encaja con «%s», y las tareas nunca se inventan. "+
			"Pide a tu docente que añada material al curso, o acerca el objetivo a los temas del curso y vuelve a planificarlo.", clip(r.Title, 200)),
	}
}

func knowsAll(r Request) agents.Text {
	return agents.Text{
		EN: fmt.Sprintf("You say that you know what the course has on %q already, so nothing is left to plan. "+
			"Plan it again with other wishes, or ask your teacher for further material.", clip(r.Title, 200)),
		ES: fmt.Sprintf("Dices que ya sabes lo que el curso ofrece sobre «%s», así que no queda nada por planificar. "+
			"Vuelve a planificarlo con otros deseos o pide más material a tu docente.", clip(r.Title, 200)),
	}
}
