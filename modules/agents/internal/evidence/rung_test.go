package evidence

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/validation"
)

const (
	tests = `class CountdownTest(unittest.TestCase):
    def test_three(self):
        self.assertEqual(countdown(3), "3, 2, 1, Blast off now!")
`
	example = "Here is something like it.\n\n```python\nfor day in range(2, 11, 4):\n    print(day)\n```\n\nWhat corresponds to what?"
)

func rung(level int) Rung {
	r := OnRung(level, "python", solution, tests, starter, lesson, "def countdown(start):\n    pass\n")
	r.Functions, r.Material = []string{"countdown"}, true
	r.Files = []validation.File{{Path: "countdown.py", Content: "def countdown(start):\n    pass\n"}}
	return r
}

func TestEachRungRevealsNoMoreThanItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		level             int
		text              string
		citations, points int
		holds             bool
	}{
		"a question":                       {1, "Which numbers does `range(start, 0)` hold when start is 3?", 0, 0, true},
		"no question":                      {1, "Think about it.", 0, 0, false},
		"a question that points":           {1, "What does line 2 do?", 0, 0, false},
		"a question that points at a file": {1, "What about countdown.py:2?", 0, 0, false},
		"a question with code":             {1, "What does this print?\n```python\nfor name in names:\n    print(name)\n```", 0, 0, false},
		"a question of many words":         {1, strings.Repeat("why ", 100) + "?", 0, 0, false},
		"a concept":                        {2, "A loop repeats, once a round.", 1, 0, true},
		"a concept of nowhere":             {2, "A loop repeats, once a round.", 0, 0, false},
		"a concept with the course's code": {2, "A loop repeats:\n```python\nfor name in names:\n    print(name)\n```", 1, 0, true},
		"a concept with code of its own":   {2, "A loop repeats:\n```python\nfor day in days:\n    print(day, end=x)\n```", 1, 0, false},
		"a concept that points":            {2, "A loop repeats: see line 1.", 1, 0, false},
		"a pointer":                        {3, "Look at line 2: what is missing there?", 0, 1, true},
		"a pointer at nothing":             {3, "Look at your loop.", 0, 0, false},
		"a pointer beyond the file":        {3, "Look at line 300.", 0, 1, false},
		"a pointer in Spanish, beyond it":  {3, "Mira la línea 300.", 0, 1, false},
		"a pointer that works it out":      {3, "Write this:\n```python\nfor d in days:\n    x += d\n```", 0, 1, false},
		"an example":                       {4, example, 0, 0, true},
		"an example without code":          {4, "Think of days.", 0, 0, false},
		"an example that is no Python":     {4, strings.Replace(example, "4):", "4)", 1), 0, 0, false},
		"an example that is the task":      {4, "```python\ndef countdown(start):\n    return 1\n```", 0, 0, false},
		"an example that calls the task":   {4, "```python\nx = 1\nprint(countdown(3))\n```", 0, 0, false},
		"another's name":                   {4, "```python\nx = 1\nprint(old_countdown(3))\n```", 0, 0, true},
		"an example with the solution":     {4, "```python\n" + solution + "```", 0, 0, false},
		"an example with a line renamed":   {4, "```python\nfor day in range(begin, 0, -1):\n    print(day)\n```", 0, 0, false},
		"an example that says a test":      {4, "```python\nx = 1\nprint(\"3, 2, 1, Blast off now!\")\n```", 0, 0, false},
		"a question with a test's value":   {1, "Why should it be \"3, 2, 1, Blast off now!\"?", 0, 0, false},
		"a long example":                   {4, "```python\n" + strings.Repeat("print(1)\n", 30) + "```", 0, 0, false},
		"a verdict":                        {1, "Your code has failed. Why?", 0, 0, false},
	} {
		why := rung(c.level).Holds(c.text, c.citations, c.points)
		if (why == "") != c.holds {
			t.Errorf("%s: %q, of %q", name, why, c.text)
		}
	}
}

func TestWhatATestExpectsIsNoSecretWhereTheTaskSaysIt(t *testing.T) {
	r := OnRung(agents.HintQuestion, "python", "", tests, "It ends with 3, 2, 1, Blast off now!")
	if why := r.Holds("Why \"3, 2, 1, Blast off now!\"?", 0, 0); why != "" {
		t.Error(why)
	}
}
