package agents_test

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

var (
	unitLine     = regexp.MustCompile(`^## Unit: (.+)`)
	passageLine  = regexp.MustCompile(`^\[(P\d+)\] (.*)`)
	exerciseLine = regexp.MustCompile(`^\[(E\d+)\] Exercise: (.+) \(difficulty`)
)

// plansWell plays a model that plans as told, on the second try: it reads each
// unit of the prompt and does its exercises. Its first draft quotes what nobody
// wrote, as models do. It proves the checks; it is no result of a model.
func plansWell(r *script.Request) script.Turn {
	prompt := ""
	for _, m := range r.Messages {
		if strings.Contains(m.Text, "<material>") {
			prompt = m.Text
		}
	}
	type unit struct {
		title      string
		cite       []object
		exercises  [][2]string
		main, read bool
	}
	var units []unit
	lines := strings.Split(prompt, "\n")
	for i, line := range lines {
		if m := unitLine.FindStringSubmatch(line); m != nil {
			units = append(units, unit{title: m[1]})
			continue
		}
		if len(units) == 0 {
			continue
		}
		u := &units[len(units)-1]
		u.main = u.main || line == "Role: main"
		if m := exerciseLine.FindStringSubmatch(line); m != nil {
			u.exercises = append(u.exercises, [2]string{m[1], m[2]})
		} else if m := passageLine.FindStringSubmatch(line); m != nil && len(u.cite) < 10 {
			for _, said := range lines[i+1:] {
				if words := strings.Fields(said); len(words) > 1 && !strings.HasPrefix(words[0], "```") {
					u.cite = append(u.cite, object{"passage": m[1], "quote": strings.Join(words[:min(len(words), 8)], " ")})
					break
				}
			}
		}
	}
	var list []object
	task := func(key, title, kind, exercise string, citations []object, on ...string) {
		list = append(list, object{
			"key": key, "title": title, "description": "Work through it.", "type": kind, "estimated_hours": 1, "difficulty": 2,
			"depends_on": append([]string{}, on...), "concepts": []string{}, "exercise": exercise, "code": noCode, "citations": citations,
		})
	}
	code := 0
	for _, u := range units {
		code += len(u.exercises)
	}
	reads := code*10/6 - code // so that six of ten are to program
	if len(units) > 0 && code+reads < 8 {
		reads = 8 - code
	}
	for _, main := range []bool{true, false} {
		for i := range units {
			if u := &units[i]; u.main == main && reads > 0 {
				u.read = true
				reads--
			}
		}
	}
	for i, u := range units {
		if len(u.cite) == 0 {
			continue
		}
		on := []string{}
		if u.read {
			on = append(on, fmt.Sprintf("read-%d", i))
			task(on[0], "Read "+u.title, "research", "", u.cite)
		}
		for j, x := range u.exercises {
			task(fmt.Sprintf("do-%d-%d", i, j), x[1], "code", x[0], u.cite, on...)
		}
	}
	if len(r.Messages) < 3 && len(list) > 0 { // the first draft
		list[0]["citations"] = []object{{"passage": "P1", "quote": "words that the course never says"}}
	}
	return say(planOf(list...))
}
