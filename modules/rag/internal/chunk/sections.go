package chunk

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/rag"
)

// sectionConcepts marks a section that lists concepts: it is no kind of passage.
const sectionConcepts = "concepts"

// gathered is what sections of a document list; front matter has the first word.
type gathered map[string][]string

// most bounds the entries of each list, as in front matter.
const most = 200

var (
	item = regexp.MustCompile(`^ {0,3}(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?(.+)$`)
	// enumerated parts a sentence that only enumerates: "loops, lists and functions."
	enumerated = regexp.MustCompile(`\s*(?:,|;|\band\b|\by\b)\s*`)
)

// gather takes the entries of a block under a telling heading: the items of a
// list, or a short line that enumerates.
func (g gathered) gather(section, text string) {
	found := false
	for line := range strings.Lines(text) {
		if m := item.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil {
			found = true
			g.add(section, m[1])
		}
	}
	line := strings.TrimSpace(text)
	if found || section == rag.PassageObjectives || strings.Contains(line, "\n") || utf8.RuneCountInString(line) > 300 {
		return
	}
	parts := enumerated.Split(strings.TrimRight(clean(line), "."), -1)
	for _, part := range parts {
		if len(strings.Fields(part)) > 4 {
			return // prose
		}
	}
	for _, part := range parts {
		g.add(section, part)
	}
}

func (g gathered) add(section, text string) {
	text = strings.TrimRight(clean(text), " .;:,")
	if text != "" && len(g[section]) < most {
		g[section] = append(g[section], limit(text, 1000))
	}
}

// clean takes the marks out of a line of Markdown.
func clean(text string) string {
	text = marks.ReplaceAllString(linked.ReplaceAllString(limit(text, 1000), "$1"), "")
	return strings.Join(strings.Fields(text), " ")
}

// settle fills what front matter leaves out.
func (g gathered) settle(m *rag.Meta) {
	for section, list := range map[string]*[]string{
		rag.PassageObjectives: &m.Objectives, rag.PassagePrerequisites: &m.Prerequisites, sectionConcepts: &m.Concepts,
	} {
		if len(*list) == 0 {
			*list = g[section]
		}
	}
}
