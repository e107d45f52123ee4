package chunk

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/goals-tracker/tracker/modules/rag"
)

// maxNesting bounds quotes and lists within each other: the parser's time grows
// with the square of their depth, and nobody reads so deep.
const maxNesting = 60

// commonMark reads blocks alone: what is in them is not needed, and links cost
// the square of their number.
var commonMark = parser.NewParser(
	parser.WithBlockParsers(parser.DefaultBlockParsers()...),
	parser.WithParagraphTransformers(util.Prioritized(extension.NewTableParagraphTransformer(), 200)),
)

// markdown cuts at headings; lists, tables, fences and quotes are never cut.
func (d *Document) markdown(content string, exercise bool) error {
	body, err := d.frontMatter(content)
	if err != nil {
		return err
	}
	if err := nesting(content[body:]); err != nil {
		return err
	}
	var headings headings
	lists := gathered{}
	d.section(content, body, &headings, exercise, lists)
	lists.settle(&d.Meta)
	if d.Title == "" {
		d.Title = headings.first
	}
	return nil
}

// section cuts Markdown from body on, gathers what its sections list, and leaves
// the headings it ends under.
func (d *Document) section(content string, body int, headings *headings, exercise bool, lists gathered) {
	l := indexLines(content)
	var blocks []block
	flush := func() {
		kind := headings.kind()
		if exercise {
			kind = rag.PassageExercise
		}
		d.Chunks = append(d.Chunks, pack(content, l, blocks, headings.path(), kind)...)
		blocks = nil
	}
	for _, p := range topLevel(content, body, l) {
		if heading, ok := p.node.(*ast.Heading); ok {
			flush()
			headings.enter(heading.Level, headingText(heading, content[body:]))
			continue
		}
		b := block{start: p.start, end: p.end}
		switch p.node.(type) {
		case *ast.Paragraph:
			b.prose = true
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			b.code = true
		case *ast.HTMLBlock:
			if html := strings.TrimSpace(content[p.start:p.end]); strings.HasPrefix(html, "<!--") && strings.HasSuffix(html, "-->") {
				continue
			}
		}
		if section := headings.section(); section != "" && section != rag.PassageExercise && !b.code {
			lists.gather(section, content[p.start:p.end])
		}
		blocks = append(blocks, b)
	}
	flush()
}

type placed struct {
	node       ast.Node
	start, end int
}

// topLevel finds the blocks right under the document with their extents. The
// parser tells where the text in a block is, not where the block begins and
// ends: each begins on its first line, and ends where the next begins.
func topLevel(content string, body int, l lines) []placed {
	source := []byte(content[body:])
	root := commonMark.Parse(gmtext.NewReader(source))
	var all []placed
	for node := root.FirstChild(); node != nil; node = node.NextSibling() {
		at, ok := begin(node)
		if !ok {
			continue // nothing in it; its line, if any, belongs to the block before
		}
		start := max(l.start(body+at), body)
		if fence, ok := firstLeaf(node).(*ast.FencedCodeBlock); ok && fence.Info == nil && start > body {
			start = max(l.start(start-1), body) // the line of the fence itself
		}
		if len(all) > 0 {
			if start <= all[len(all)-1].start {
				continue
			}
			all[len(all)-1].end = start
		}
		all = append(all, placed{node: node, start: start, end: len(content)})
	}
	return all
}

// begin is the offset of the first text in a block.
func begin(node ast.Node) (int, bool) {
	if fence, ok := node.(*ast.FencedCodeBlock); ok && fence.Info != nil {
		return fence.Info.Segment.Start, true
	}
	if node.Type() == ast.TypeInline {
		return 0, false
	}
	if segments := node.Lines(); segments != nil && segments.Len() > 0 {
		return segments.At(0).Start, true
	}
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		if at, ok := begin(child); ok {
			return at, true
		}
	}
	return 0, false
}

// firstLeaf is the block whose text begins a block.
func firstLeaf(node ast.Node) ast.Node {
	for {
		if segments := node.Lines(); node.Type() == ast.TypeInline || segments != nil && segments.Len() > 0 {
			return node
		}
		var next ast.Node
		for child := node.FirstChild(); child != nil && next == nil; child = child.NextSibling() {
			if _, ok := begin(child); ok {
				next = child
			}
		}
		if next == nil {
			return node
		}
		node = next
	}
}

var (
	linked = regexp.MustCompile(`!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])`)
	marks  = regexp.MustCompile("`|\\*+|~~|<[^>]*>")
)

// headingText is the text of a heading without its marks.
func headingText(node *ast.Heading, content string) string {
	segments := node.Lines()
	if segments == nil || segments.Len() == 0 {
		return ""
	}
	return clean(content[segments.At(0).Start:segments.At(segments.Len()-1).Stop])
}
