// Package screen keeps what models are shown and what they answer in bounds:
// material and learners' code are data, and what comes back holds no links, no
// images and nothing invisible.
package screen

import (
	"regexp"
	"strings"
	"unicode"
)

// Visible takes out what readers can't see but models read: control, zero-width
// and bidirectional characters. Newlines and tabs stay.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == '\uFFFD' || 0xE0000 <= r && r <= 0xE007F {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// marks are what prompts put around data, in any spelling that a model may take
// for one.
var marks = regexp.MustCompile(`(?i)<(\s*/?\s*(?:task|code|report|material|earlier|submission|criteria|learner|claims|objection)\s*/?\s*>)`)

// Data is text for a prompt that can't leave its place between marks: a mark in
// it stays readable and is none. Nothing is taken out, so that no pieces join to
// a mark.
func Data(text string) string { return marks.ReplaceAllString(Visible(text), "‹$1") }

var (
	image = regexp.MustCompile(`!\[([^\]]*)\]\([^)]*\)`)
	link  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	url   = regexp.MustCompile(`(?i)\b(?:(?:https?|ftp|data|javascript|vscode|file|command):|www\.)\S+`)
	tag   = regexp.MustCompile(`(?s)<(?:/?[a-zA-Z][^>]*|!--.*?--)>`)
	// definition is where a link by reference, "[so][1]", says where it leads to.
	definition = regexp.MustCompile(`(?m)^([ \t>*+\-\d.)]*\[(?:[^\]\\]|\\.)+\]):`)
)

// takings bounds how often something is looked for in what is left.
const takings = 10

// Answer makes a model's text fit to be shown: visible, without images, links
// and HTML, of at most limit characters.
func Answer(text string, limit int) string {
	text = Visible(text)
	// What is left may be one again: "[[so](x)](y)", "ht<i></i>tps:".
	for before, n := "", 0; before != text && n < takings; n++ {
		before = text
		text = image.ReplaceAllString(text, "$1")
		text = link.ReplaceAllString(text, "$1")
		text = tag.ReplaceAllString(text, "")
		text = url.ReplaceAllString(text, "")
	}
	// What is a link nevertheless, by escapes and the like, is taken apart; code
	// means the same with a blank there.
	text = definition.ReplaceAllString(strings.ReplaceAll(text, "](", "] ("), "$1 :")
	return Cut(strings.TrimSpace(text), limit)
}

// Cut shortens a text to so many characters, at a word where it can.
func Cut(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	short := string(runes[:max(limit-1, 0)])
	if at := strings.LastIndexAny(short, " \n"); at > len(short)*3/4 {
		short = short[:at]
	}
	return strings.TrimSpace(short) + "…"
}

var fence = regexp.MustCompile("(?ms)^[ \t]*(```+|~~~+)[^\n]*\n(.*?)^[ \t]*(```+|~~~+)[ \t]*$")

// Fences are the contents of the code blocks of a Markdown text.
func Fences(text string) (blocks []string) {
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[2])
	}
	return blocks
}

// Copies counts the lines of code that a text shares with code, comments, blank
// and trivial lines apart.
func Copies(text, code string) (n int) {
	lines := map[string]bool{}
	for _, l := range strings.Split(code, "\n") {
		if l = squeeze(l); len(l) >= 8 && !strings.HasPrefix(l, "#") {
			lines[l] = true
		}
	}
	for _, l := range strings.Split(text, "\n") {
		if lines[squeeze(l)] {
			n++
		}
	}
	return n
}

func squeeze(line string) string { return strings.Join(strings.Fields(line), " ") }
