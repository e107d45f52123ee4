package chunk

import (
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/rag"
)

// block is what is not cut: a paragraph, a list, a fence, a table.
type block struct {
	start, end int
	// prose may be cut at a sentence when it is too long for one passage.
	prose bool
	code  bool
}

// pack joins the blocks of a section into passages of about the target size.
func pack(content string, l lines, blocks []block, heading, kind string) []Chunk {
	var chunks []Chunk
	var run []block
	flush := func() {
		if len(run) == 0 {
			return
		}
		c, ok := span(content, l, run[0].start, run[len(run)-1].end)
		if ok {
			c.Heading, c.Kind = heading, kind
			if kind == rag.PassageText && allCode(run) {
				c.Kind = rag.PassageCode
			}
			chunks = append(chunks, c)
		}
		run = run[:0]
	}
	for _, b := range blocks {
		if len(run) > 0 && b.end-run[0].start > target && !introduces(content, run[len(run)-1]) {
			flush()
		}
		if b.prose && b.end-b.start > longest {
			flush()
			for _, part := range sentences(content, b.start, b.end) {
				run = append(run, block{start: part[0], end: part[1], prose: true})
				flush()
			}
			continue
		}
		run = append(run, b)
	}
	flush()
	return chunks
}

func allCode(run []block) bool {
	for _, b := range run {
		if !b.code {
			return false
		}
	}
	return true
}

// introduces reports whether the block ends in a colon: what follows belongs to it.
func introduces(content string, b block) bool {
	return b.prose && strings.HasSuffix(strings.TrimSpace(content[b.start:b.end]), ":")
}

// sentences cuts a long run of prose at ends of sentences, else of lines, else
// of words, else anywhere between characters.
func sentences(content string, start, end int) [][2]int {
	var parts [][2]int
	for end-start > longest {
		window := content[start : start+target]
		cut := -1
		for _, mark := range []string{". ", ".\n", "\n", " "} {
			if at := strings.LastIndex(window, mark); at > target/3 {
				cut = start + at + len(mark)
				break
			}
		}
		if cut < 0 {
			cut = start + target
			for !utf8.RuneStart(content[cut]) {
				cut--
			}
		}
		parts = append(parts, [2]int{start, cut})
		start = cut
	}
	return append(parts, [2]int{start, end})
}
