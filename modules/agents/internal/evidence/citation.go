package evidence

import (
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// maxQuote is how many characters a quote of the rules has at most.
const maxQuote = 280

// Cite cites a passage by its first words that say something.
func Cite(p rag.Passage) tasks.Citation { return CiteAt(p, quoteOf(p.Text)) }

// CiteAt cites a passage by words that it holds.
func CiteAt(p rag.Passage, quote string) tasks.Citation {
	c := tasks.Citation{
		DocumentID: p.DocumentID, ChunkID: p.ChunkID, Path: p.Path, Title: cut(p.Title, 500), Heading: cut(p.Heading, 1000),
		StartLine: p.StartLine, EndLine: p.EndLine, Quote: quote,
	}
	// Where the passage is the document's own text, the quote's lines are known.
	if lines := strings.Count(strings.TrimSuffix(p.Text, "\n"), "\n"); lines == p.EndLine-p.StartLine {
		if at := strings.Index(p.Text, quote); at >= 0 {
			c.StartLine = p.StartLine + strings.Count(p.Text[:at], "\n")
			c.EndLine = c.StartLine + strings.Count(quote, "\n")
		}
	}
	return c
}

// quoteOf is the first piece of prose of a passage, or else of code, as it
// stands there.
func quoteOf(text string) string {
	best, fenced := "", false
	for _, block := range paragraphs(text) {
		opens := strings.HasPrefix(block, "```") || strings.HasPrefix(block, "~~~")
		plain := !opens && !fenced && !strings.HasPrefix(block, "#") && !strings.HasPrefix(block, "|") && !strings.HasPrefix(block, "---")
		if strings.Count(block, "```")%2 == 1 {
			fenced = !fenced
		}
		if plain && len(block) >= 20 {
			return sentence(block)
		}
		if best == "" && plain {
			best = block
		}
	}
	if best == "" {
		best = strings.TrimSpace(text)
	}
	return sentence(best)
}

// paragraphs are the pieces between blank lines, each exactly as it stands.
func paragraphs(text string) (all []string) {
	for _, block := range strings.Split(text, "\n\n") {
		if block = strings.Trim(block, "\n"); strings.TrimSpace(block) != "" {
			all = append(all, block)
		}
	}
	return all
}

// sentence cuts a text after whole sentences, or words, near the bound.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if len([]rune(text)) <= maxQuote {
		return text
	}
	short := string([]rune(text)[:maxQuote])
	if at := strings.LastIndexAny(short, ".!?"); at > maxQuote/3 {
		return short[:at+1]
	}
	if at := strings.LastIndexAny(short, " \n"); at > 0 {
		short = short[:at]
	}
	return strings.TrimSpace(short)
}

func cut(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}

// Lines names lines in a language: "line 3", "lines 3–5".
func Lines(start, end int, locale string) string {
	one, many := "line", "lines"
	if locale == "es" {
		one, many = "línea", "líneas"
	}
	if start == end {
		return fmt.Sprintf("%s %d", one, start)
	}
	return fmt.Sprintf("%s %d–%d", many, start, end)
}

// Prose reports whether a passage begins with sentences, not with a list, a
// table or code: what explains something does.
func Prose(p rag.Passage) bool {
	return !strings.ContainsAny((quoteOf(p.Text) + " ")[:1], "-*|`>0123456789")
}

// Unbacked says why a citation does not hold against passages by id; "" when it
// does.
func Unbacked(c tasks.Citation, passages map[string]rag.Passage) string {
	p, ok := passages[c.ChunkID]
	switch {
	case !ok || p.DocumentID != c.DocumentID:
		return "cites a passage that is not in the material"
	case strings.TrimSpace(c.Quote) == "" || !strings.Contains(p.Text, c.Quote):
		return fmt.Sprintf("quotes %.60q, which the passage does not say", c.Quote)
	case c.Path != p.Path || c.StartLine < p.StartLine || c.EndLine > p.EndLine:
		return "cites other lines than those of the passage"
	}
	return ""
}
