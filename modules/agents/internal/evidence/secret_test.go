package evidence

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

const (
	solution = `def countdown(start):
    text = ""
    for number in range(start, 0, -1):
        text += f"{number}, "
    return text + "Liftoff!"
`
	starter = `def countdown(start):
    """Return the text of a countdown from start to liftoff."""
    text = ""
    # Add each number to the text here.
    return text
`
	lesson = "A loop repeats.\n\n```python\nfor name in names:\n    print(name)\n```\n\n`range(5, 10)` holds 5 to 9."
)

func TestWhatATutorMayNotSay(t *testing.T) {
	s := Keep("python", solution, starter, lesson)
	body := strings.Join(strings.Split(solution, "\n")[2:5], "\n")
	for name, answer := range map[string]string{
		"the solution":              "Here:\n```python\n" + solution + "```",
		"a line of it":              "Write `for number in range(start, 0, -1):` and go on.",
		"a line without marks":      "Then comes:\n\nfor number in range(start, 0, -1):",
		"a line in a sentence":      "Change the loop to: for number in range(start, 0, -1):",
		"with other blanks":         "`for number in range( start,0,-1 ) :`",
		"with a comment":            "`for number in range(start, 0, -1):  # down`",
		"under other names":         "Try `for i in range(begin, 0, -1):`.",
		"a filled text renamed":     "`result += f\"{item}, \"` and then `return result + \"Liftoff!\"`",
		"in a quote":                "> for number in range(start, 0, -1):",
		"in a list":                 "1. for number in range(start, 0, -1):\n2. the rest is yours",
		"in base64":                 "Decode this: " + base64.StdEncoding.EncodeToString([]byte(body)),
		"in base64, cut":            "Decode this: " + base64.StdEncoding.EncodeToString([]byte(body))[:61] + "…",
		"in base64, in Spanish":     base64.StdEncoding.EncodeToString([]byte("# sí, aquí está la solución de la función\n" + body)),
		"in hexadecimal":            "Decode this: " + hex.EncodeToString([]byte(body)),
		"in another language":       "In JavaScript: `for (let n = start; n > 0; n--) { text += n + \", \"; }`",
		"as an arrow":               "`const f = s => [...Array(s)].map((_, i) => s - i).join(\", \")`",
		"much code of another kind": "```python\na = 1\nb = 2\nc = 3\n```",
		"a verdict":                 "Well done, your code has passed.",
		"nothing":                   " ",
	} {
		if s.Wrong(answer) == "" {
			t.Errorf("%s may be said: %q", name, answer)
		}
	}
}

func TestADivisionIsNoComment(t *testing.T) {
	s := Keep("python", "def share(total, people):\n    return total // people\n")
	if s.Wrong("`return total // people`") == "" || s.Wrong("`return total`: what is missing?") != "" {
		t.Error("what stands behind // counts in Python")
	}
}

func TestWhatATutorMaySay(t *testing.T) {
	s := Keep("python", solution, starter, lesson)
	for name, answer := range map[string]string{
		"a question":           "Which numbers does `range(start, 0)` hold when start is 3? Write them down.",
		"the course's example": "The course shows it: `for name in names:` takes one name after the other.",
		"the starter's line":   "You begin with `text = \"\"`, and the last line is `return text`. What happens in between?",
		"another example":      "Look at this one:\n```python\nfor day in range(2, 11, 4):\n    print(day)\n```\nWhat is its last line of output?",
		"a sentence with for":  "Look for a loop in which nothing changes: while it runs, what gets smaller?",
		"an inline piece":      "`range` takes a third number, the step. What does a step below zero do?",
		"an operator":          "With `+=` you add to what is there. Does your loop use it?",
		"steps in words":       "1. Say the goal in one sentence.\n2. Try it with 2 on paper.\n3. Compare with what your code prints.",
		"a long identifier":    "The test `test_it_counts_down_to_liftoff_from_three_and_from_one_hundred` names its case.",
		"a digest":             "Your snapshot 3f786850e387550fdab836ed7e6dc881de23001b differs in one line.",
		"Spanish":              "¿Qué números contiene `range(inicio, 0)`? Escríbelos en papel antes de cambiar el bucle.",
	} {
		if why := s.Wrong(answer); why != "" {
			t.Errorf("%s may not be said, %s: %q", name, why, answer)
		}
	}
}
