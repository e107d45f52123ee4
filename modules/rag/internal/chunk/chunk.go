// Package chunk cuts documents into passages that stand by themselves and know
// their place: Markdown and HTML by their heading trees, programs by their
// functions and types, notebooks by their cells, PDF by pages and headings. What comes in is foreign; whatever it is, it
// is cut or refused with a reason that its author can act on.
package chunk

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/rag"
)

// Version changes when the same document is cut in another way.
const Version = 3

// Sizes of passages in bytes. A passage grows up to target; only what must stay
// together (a fence, a table, a list, a short function) may make it longer.
const (
	target  = 1500
	longest = 3000
	// maxChunks bounds the passages of one document.
	maxChunks = 10_000
)

// Chunk is a passage of a document, as in rag.Passage.
type Chunk struct {
	Kind               string
	Heading            string
	Text               string
	StartByte, EndByte int
	StartLine, EndLine int
}

// Document is a document that was cut.
type Document struct {
	Kind  rag.Kind
	Title string
	// Natural is en or es when the document says so itself, else "".
	Natural string
	// Program is the programming language: of code and notebooks, and the one
	// that an exercise's front matter names.
	Program string
	Meta    rag.Meta
	Chunks  []Chunk
	// Content is the text that spans are of: the file itself, or what was read out
	// of HTML and PDF.
	Content string
}

// ErrKind means that files of this kind are not read.
var ErrKind = errors.New("files of this kind are not indexed; export it as Markdown or plain text")

// KindOf tells a file's kind and programming language by its name; ok is false
// for files that can't be read.
func KindOf(name string) (kind rag.Kind, program string, ok bool) {
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case ".md", ".markdown", ".mdx":
		return rag.Markdown, "", true
	case ".ipynb":
		return rag.Notebook, "", true
	case ".html", ".htm", ".xhtml":
		return rag.HTML, "", true
	case ".pdf":
		return rag.PDF, "", true
	case ".docx", ".pptx", ".xlsx", ".odt", ".doc", ".ppt", ".epub":
		return "", "", false
	}
	if program, ok := programs[ext]; ok {
		return rag.Code, program, true
	}
	return rag.Text, "", true
}

var programs = map[string]string{
	".py": "python", ".go": "go", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
	".ts": "typescript", ".tsx": "typescript", ".java": "java", ".kt": "kotlin", ".c": "c", ".h": "c", ".cc": "cpp",
	".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".cs": "csharp", ".rs": "rust", ".rb": "ruby", ".php": "php",
	".swift": "swift", ".scala": "scala", ".sh": "shell", ".bash": "shell", ".sql": "sql", ".r": "r", ".lua": "lua",
	".ex": "elixir", ".exs": "elixir", ".hs": "haskell", ".dart": "dart", ".pl": "perl", ".css": "css",
}

// Cut cuts a document. An exercise's statement becomes passages of that kind.
// The error is a reason for the document's author.
func Cut(ctx context.Context, name, content string, exercise bool) (Document, error) {
	kind, program, ok := KindOf(name)
	if !ok {
		return Document{}, ErrKind
	}
	if kind != rag.PDF {
		if err := readable(content); err != nil {
			return Document{}, err
		}
	}
	doc := Document{Kind: kind, Program: program, Content: content}
	var err error
	switch kind {
	case rag.HTML:
		err = doc.page(content)
	case rag.PDF:
		err = doc.pages(ctx, content)
	case rag.Markdown:
		err = doc.markdown(content, exercise)
	case rag.Notebook:
		err = doc.notebook(content)
	case rag.Code:
		doc.Chunks = code(content, program)
	default:
		doc.Chunks = text(content)
	}
	if err != nil {
		return Document{}, err
	}
	if len(doc.Chunks) > maxChunks {
		return Document{}, fmt.Errorf("it makes %d passages and a document may have %d; split it", len(doc.Chunks), maxChunks)
	}
	if doc.Title == "" {
		doc.Title = path.Base(name)
	}
	doc.Title = limit(doc.Title, 500)
	for i := range doc.Chunks {
		doc.Chunks[i].Heading = limit(doc.Chunks[i].Heading, 1000)
	}
	return doc, nil
}

func readable(content string) error {
	if at := strings.IndexByte(content, 0); at >= 0 {
		return fmt.Errorf("it holds a NUL byte at offset %d, so it is no text; save it as UTF-8", at)
	}
	if !utf8.ValidString(content) {
		return fmt.Errorf("it is not UTF-8 (first at byte %d); save it as UTF-8", invalidAt(content))
	}
	return nil
}

func invalidAt(s string) int {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(s)
}

// limit shortens to at most n characters, and takes out what no column holds.
func limit(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	if utf8.RuneCountInString(s) > n {
		s = string([]rune(s)[:n])
	}
	return s
}

// lines knows where the lines of a document begin.
type lines []int

func indexLines(content string) lines {
	starts := lines{0}
	for i := range len(content) {
		if content[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// of is the line that a byte is on, from 1.
func (l lines) of(at int) int { return sort.SearchInts(l, at+1) }

// start is where the line of a byte begins.
func (l lines) start(at int) int { return l[l.of(at)-1] }

// span makes the chunk of content[start:end] without the blanks around it; ok
// is false when nothing is left.
func span(content string, l lines, start, end int) (c Chunk, ok bool) {
	for end > start && strings.IndexByte(" \t\r\n", content[end-1]) >= 0 {
		end--
	}
	// Leading blank lines go, the indentation of the first line stays.
	for start < end {
		newline := strings.IndexByte(content[start:end], '\n')
		if newline < 0 || strings.TrimSpace(content[start:start+newline]) != "" {
			break
		}
		start += newline + 1
	}
	if start >= end || strings.TrimSpace(content[start:end]) == "" {
		return Chunk{}, false
	}
	return Chunk{
		Text: content[start:end], StartByte: start, EndByte: end,
		StartLine: l.of(start), EndLine: l.of(end - 1),
	}, true
}

// text cuts plain text at its paragraphs.
func text(content string) []Chunk {
	l := indexLines(content)
	parts := paragraphs(content, 0, len(content))
	blocks := make([]block, 0, len(parts))
	for _, at := range parts {
		blocks = append(blocks, block{start: at[0], end: at[1], prose: true})
	}
	return pack(content, l, blocks, "", rag.PassageText)
}

// paragraphs are the parts of content[start:end] between blank lines.
func paragraphs(content string, start, end int) [][2]int {
	var parts [][2]int
	from := -1
	for at := start; at < end; {
		next := end
		if newline := strings.IndexByte(content[at:end], '\n'); newline >= 0 {
			next = at + newline + 1
		}
		blank := strings.TrimSpace(content[at:next]) == ""
		switch {
		case blank && from >= 0:
			parts = append(parts, [2]int{from, at})
			from = -1
		case !blank && from < 0:
			from = at
		}
		at = next
	}
	if from >= 0 {
		parts = append(parts, [2]int{from, end})
	}
	return parts
}
