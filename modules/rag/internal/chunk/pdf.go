package chunk

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/pdf"
)

// pages reads a PDF: its text page by page is the document's from then on.
// Lines in larger letters are headings; a passage stays on its page, which ends
// its path of headings: "Lists > Slicing > p. 12".
func (d *Document) pages(ctx context.Context, content string) error {
	text, err := pdf.Read(ctx, []byte(content))
	if err != nil {
		return err
	}
	d.Title = text.Title
	pages := withoutRunning(text.Pages)
	levels := headingLevels(pages)
	r := pdfReader{doc: d, lists: gathered{}}
	for i, lines := range pages {
		r.page(i+1, lines, levels)
	}
	d.Content = r.out.String()
	l := indexLines(d.Content)
	for _, p := range r.parts {
		blocks := make([]block, len(p.blocks))
		for i, at := range p.blocks {
			blocks[i] = block{start: at[0], end: at[1], prose: true}
		}
		d.Chunks = append(d.Chunks, pack(d.Content, l, blocks, p.heading, p.kind)...)
	}
	r.lists.settle(&d.Meta)
	if d.Title == "" {
		d.Title = r.headings.first
	}
	return nil
}

// part is what stands under one heading on one page.
type pdfPart struct {
	heading, kind string
	blocks        [][2]int
}

type pdfReader struct {
	doc      *Document
	headings headings
	lists    gathered
	out      strings.Builder
	parts    []pdfPart
}

func (r *pdfReader) page(number int, lines []pdf.Line, levels map[float64]int) {
	var open pdfPart
	from := -1
	endBlock := func() {
		if from >= 0 {
			open.blocks = append(open.blocks, [2]int{from, r.out.Len()})
			if section := r.headings.section(); section != "" && section != rag.PassageExercise {
				r.lists.gather(section, bullets.ReplaceAllString(r.out.String()[from:], "- "))
			}
		}
		from = -1
	}
	begin := func() {
		if endBlock(); len(open.blocks) > 0 {
			r.parts = append(r.parts, open)
		}
		open = pdfPart{heading: strings.TrimPrefix(fmt.Sprintf("%s > p. %d", r.headings.path(), number), " > "), kind: r.headings.kind()}
	}
	begin()
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if level := levels[line.Size]; level > 0 && headingLike(line.Text) {
			begin()
			title := line.Text
			r.write(line.Text)
			// A heading of several lines is one.
			for i+1 < len(lines) && levels[lines[i+1].Size] == level && !lines[i+1].Apart && utf8.RuneCountInString(title) < 150 {
				i++
				r.write(lines[i].Text)
				title += " " + lines[i].Text
			}
			r.headings.enter(level, strings.Join(strings.Fields(title), " "))
			begin()
			continue
		}
		if line.Apart {
			endBlock()
			r.out.WriteByte('\n')
		}
		if from < 0 {
			from = r.out.Len()
		}
		r.write(line.Text)
	}
	begin()
	r.out.WriteByte('\n')
}

func (r *pdfReader) write(line string) {
	r.out.WriteString(line)
	r.out.WriteByte('\n')
}

var bullets = regexp.MustCompile(`(?m)^\s*[•◦▪‣·–○●]\s*`)

func headingLike(text string) bool {
	return utf8.RuneCountInString(text) <= 150 && strings.ContainsFunc(text, unicode.IsLetter)
}

// headingLevels are the sizes of letters that are clearly larger than most of
// the text, the largest being level 1.
func headingLevels(pages [][]pdf.Line) map[float64]int {
	letters := map[float64]int{}
	for _, lines := range pages {
		for _, l := range lines {
			letters[l.Size] += len(l.Text)
		}
	}
	body, most := 0.0, 0
	for size, n := range letters {
		if n > most || n == most && size < body {
			body, most = size, n
		}
	}
	var larger []float64
	for size := range letters {
		if size >= 1.15*body && size > 0 {
			larger = append(larger, size)
		}
	}
	slices.Sort(larger)
	slices.Reverse(larger)
	levels := map[float64]int{}
	for i, size := range larger {
		levels[size] = min(i+1, 6)
	}
	return levels
}

var digits = regexp.MustCompile(`\d+`)

// withoutRunning takes out what stands first or last on most pages: the book's
// title, the page's number.
func withoutRunning(pages [][]pdf.Line) [][]pdf.Line {
	if len(pages) < 4 {
		return pages
	}
	key := func(l pdf.Line) string { return digits.ReplaceAllString(l.Text, "0") }
	seen := map[string]int{}
	for _, lines := range pages {
		if n := len(lines); n > 0 {
			seen["^"+key(lines[0])]++
			seen["$"+key(lines[n-1])]++
		}
	}
	running := func(mark string, l pdf.Line) bool { return seen[mark+key(l)]*5 >= len(pages)*3 }
	out := make([][]pdf.Line, len(pages))
	for i, lines := range pages {
		if len(lines) > 1 && running("^", lines[0]) {
			lines = lines[1:]
		}
		if n := len(lines); n > 1 && running("$", lines[n-1]) {
			lines = lines[:n-1]
		}
		out[i] = lines
	}
	return out
}
