package evidence

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/screen"
	"github.com/goals-tracker/tracker/modules/agents/internal/syntax"
	"github.com/goals-tracker/tracker/modules/validation"
)

// Rung bounds what a hint may say by how far up the ladder it is.
type Rung struct {
	Secret
	Level int
	// Functions are those that the learner is to write.
	Functions []string
	// Values are texts that hidden tests expect and nobody told the learner.
	Values []string
	// Files are the learner's newest; Material says whether the course has
	// something to cite.
	Files    []validation.File
	Material bool
	// open are lines that the learner wrote, was given or can read.
	open map[string]bool
}

// OnRung bounds a hint of a level. Known are texts that are no secret.
func OnRung(level int, language, solution, tests string, known ...string) Rung {
	r := Rung{Secret: Keep(language, solution, known...), Level: level, Values: values(tests, known), open: map[string]bool{}}
	for _, text := range known {
		for _, line := range codeOf(text) {
			r.open[r.bare(line)] = true
		}
	}
	// A test's own lines say what is expected of which input.
	for line := range strings.SplitSeq(tests, "\n") {
		if expects.MatchString(line) && len(r.bare(line)) >= telling && !r.open[r.bare(line)] {
			r.lines[r.bare(line)] = true
		}
	}
	return r
}

var (
	expects  = regexp.MustCompile(`(?i)assert|expect|==|equal|\bwant\b`)
	quoted   = regexp.MustCompile(`"([^"\n]{5,})"|'([^'\n]{5,})'`)
	pointing = regexp.MustCompile(`(?i)\b(?:lines?|líneas?|lineas?)\s+\d+|\b[\w/-]+\.\w{1,5}:\d+`)
	numbered = regexp.MustCompile(`(?i)\b(?:lines?|líneas?|lineas?)\s+(\d+)`)
	blocks   = regexp.MustCompile("(?ms)^[ \t]*(?:```+|~~~+)[^\n]*\n.*?^[ \t]*(?:```+|~~~+)[ \t]*$")
)

// values are the texts that tests expect, as far as nobody can read them.
func values(tests string, known []string) (all []string) {
	for line := range strings.SplitSeq(tests, "\n") {
		if !expects.MatchString(line) {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(line, -1) {
			value := m[1] + m[2]
			if !slices.ContainsFunc(known, func(text string) bool { return strings.Contains(text, value) }) {
				all = append(all, value)
			}
		}
	}
	return all
}

// The bounds of the rungs, by level from 1.
var (
	mostWords = [...]int{0, 90, 150, 150, 180}
	mostCode  = [...]int{0, 0, 2, 2, 25}
)

// May says why a text, perhaps an unfinished one, is more than its rung may
// reveal; "" when it is not.
func (r Rung) May(answer string) string {
	if why := leaks(answer, mostCode[r.Level]); why != "" {
		return why
	}
	if why := r.tells(answer); why != "" {
		return why
	}
	for _, value := range r.Values {
		if strings.Contains(answer, value) {
			return "it holds a value that a test expects"
		}
	}
	prose := blocks.ReplaceAllString(answer, "")
	if n := len(strings.Fields(prose)); n > mostWords[r.Level] {
		return fmt.Sprintf("it has %d words, this rung has room for %d", n, mostWords[r.Level])
	}
	if r.Level < agents.HintPointer && pointing.MatchString(prose) {
		return "it points at a line, which is for a later rung"
	}
	if r.Level == agents.HintExample {
		return r.ownTask(answer)
	}
	return r.foreign(answer)
}

// foreign says whether a text shows code that is neither the learner's nor the
// course's: below the last rung nothing is worked out.
func (r Rung) foreign(answer string) string {
	for _, block := range screen.Fences(answer) {
		for line := range strings.SplitSeq(block, "\n") {
			if bare := r.bare(line); len(bare) > 2 && !r.open[bare] {
				return "it shows code that is neither the learner's nor the course's, which is for the last rung"
			}
		}
	}
	return ""
}

// ownTask says whether an example is the task itself.
func (r Rung) ownTask(answer string) string {
	for _, code := range append(screen.Fences(answer), inlineCode(answer)...) {
		for _, name := range r.Functions {
			if mentions(code, name+"(") {
				return fmt.Sprintf("its example is the task itself: it holds %s", name)
			}
		}
	}
	return ""
}

func inlineCode(answer string) (all []string) {
	for _, m := range inlined.FindAllStringSubmatch(answer, -1) {
		if strings.Contains(m[1], "def ") || strings.Contains(m[1], "=") {
			all = append(all, m[1])
		}
	}
	return all
}

// mentions reports whether a name stands in code, not as the end of another.
func mentions(code, name string) bool {
	for at := strings.Index(code, name); at >= 0; {
		if at == 0 || !isName(code[at-1]) {
			return true
		}
		next := strings.Index(code[at+1:], name)
		if next < 0 {
			return false
		}
		at += 1 + next
	}
	return false
}

func isName(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// Holds says why a whole hint can't be given; "" when it can. Citations and
// points are how many of those it names hold.
func (r Rung) Holds(answer string, citations, points int) string {
	if why := r.May(answer); why != "" {
		return why
	}
	if why := r.farLines(answer); why != "" {
		return why
	}
	switch r.Level {
	case agents.HintQuestion:
		if !strings.Contains(answer, "?") {
			return "it asks nothing"
		}
	case agents.HintConcept:
		if citations == 0 && r.Material {
			return "it names no passage of the course"
		}
	case agents.HintPointer:
		if citations+points == 0 {
			return "it points at nothing: name a line, a test or a passage"
		}
	default:
		return r.worked(answer)
	}
	return ""
}

// worked wants an example with code that can be right.
func (r Rung) worked(answer string) string {
	all := screen.Fences(answer)
	if len(all) == 0 {
		return "it has no example in a code block"
	}
	for _, code := range all {
		if why := syntax.Wrong(r.language, code); why != "" {
			return "the code of its example can't be right: " + why
		}
	}
	return ""
}

// farLines says whether a text speaks of lines that the submission doesn't have.
func (r Rung) farLines(answer string) string {
	most := 0
	for _, f := range r.Files {
		most = max(most, strings.Count(f.Content, "\n")+1)
	}
	for _, m := range numbered.FindAllStringSubmatch(blocks.ReplaceAllString(answer, ""), -1) {
		var n int
		if _, err := fmt.Sscan(m[1], &n); err != nil || n < 1 || n > most {
			return "the submission has no line " + m[1]
		}
	}
	return ""
}
