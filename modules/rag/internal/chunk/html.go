package chunk

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// page reads HTML: what its readers see, as Markdown, cut as such. Spans are of
// that Markdown, which is the document's text from then on.
func (d *Document) page(content string) error {
	root, err := html.Parse(strings.NewReader(content))
	if err != nil {
		return fmt.Errorf("it can't be read as HTML: %s", strings.TrimPrefix(err.Error(), "html: "))
	}
	d.head(root)
	w := writer{}
	w.children(mainPart(root))
	w.block()
	text := strings.TrimSpace(w.out.String()) + "\n"
	if err := nesting(text); err != nil {
		return err
	}
	d.Content = text
	var headings headings
	lists := gathered{}
	d.section(text, 0, &headings, false, lists)
	lists.settle(&d.Meta)
	if d.Title == "" {
		d.Title = headings.first
	}
	return nil
}

// head takes what the document says of itself.
func (d *Document) head(root *html.Node) {
	each(root, func(n *html.Node) bool {
		switch n.DataAtom {
		case atom.Html:
			if lang := attribute(n, "lang"); lang != "" {
				if base, _, _ := strings.Cut(strings.ToLower(lang), "-"); base == "en" || base == "es" {
					d.Natural = base
				}
			}
		case atom.Title:
			if d.Title == "" {
				d.Title = strings.Join(strings.Fields(textOf(n)), " ")
			}
		case atom.Meta:
			if strings.EqualFold(attribute(n, "name"), "description") {
				d.Meta.Description = limit(attribute(n, "content"), 10_000)
			}
		case atom.Body:
			return false
		default:
		}
		return true
	})
}

// mainPart is where the text is: the one <main>, else the one <article>, else
// the whole body.
func mainPart(root *html.Node) *html.Node {
	found := map[atom.Atom][]*html.Node{}
	each(root, func(n *html.Node) bool {
		switch n.DataAtom {
		case atom.Main, atom.Article, atom.Body:
			found[n.DataAtom] = append(found[n.DataAtom], n)
		default:
		}
		return true
	})
	for _, kind := range []atom.Atom{atom.Main, atom.Article, atom.Body} {
		if len(found[kind]) == 1 {
			return found[kind][0]
		}
	}
	return root
}

// each walks the elements; visit says whether to go into one. Parse bounds the
// depth of a document.
func each(n *html.Node, visit func(*html.Node) bool) {
	if n.Type == html.ElementNode && !visit(n) {
		return
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		each(child, visit)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf is all text below a node, as it is.
func textOf(n *html.Node) string {
	var out strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
		if n.DataAtom == atom.Br {
			out.WriteByte('\n')
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			if !boilerplate(child) {
				walk(child)
			}
		}
	}
	walk(n)
	return out.String()
}

var dropped = []atom.Atom{
	atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Nav, atom.Aside, atom.Footer, atom.Form, atom.Button,
	atom.Select, atom.Input, atom.Textarea, atom.Iframe, atom.Object, atom.Svg, atom.Canvas, atom.Video, atom.Audio,
	atom.Img, atom.Picture, atom.Map, atom.Head, atom.Dialog, atom.Menu,
}

var droppedRoles = []string{"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "menu", "alert"}

// boilerplate reports whether nobody reads a node for what the page is about.
func boilerplate(n *html.Node) bool {
	if n.Type == html.CommentNode || n.Type == html.DoctypeNode {
		return true
	}
	if n.Type != html.ElementNode {
		return false
	}
	if slices.Contains(dropped, n.DataAtom) || slices.Contains(droppedRoles, attribute(n, "role")) || attribute(n, "aria-hidden") == "true" {
		return true
	}
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "hidden" }) ||
		strings.Contains(strings.ReplaceAll(attribute(n, "style"), " ", ""), "display:none")
}

// writer makes Markdown of HTML.
type writer struct {
	out bytes.Buffer
	// inline is the paragraph that is being gathered.
	inline strings.Builder
	// indent stands before each line: quotes and lists. At most maxIndent deep.
	indent string
	// last is the indent of the block before.
	last string
	// mark stands before the next line alone: "- ".
	mark string
}

// maxIndent bounds how far lists and quotes are set in: deeper ones are set as
// the last.
const maxIndent = 40

// block ends the paragraph that is being gathered.
func (w *writer) block() {
	text := strings.Join(strings.Fields(w.inline.String()), " ")
	w.inline.Reset()
	if text == "" {
		return
	}
	w.lines(escape(text))
}

// lines writes a block.
func (w *writer) lines(text string) {
	if w.out.Len() > 0 {
		// The blank line belongs to what both blocks stand in.
		n := 0
		for n < min(len(w.indent), len(w.last)) && w.indent[n] == w.last[n] {
			n++
		}
		w.out.WriteString(strings.TrimRight(w.indent[:n], " ") + "\n")
	}
	w.last = w.indent
	for i, line := range strings.Split(text, "\n") {
		before := w.indent
		if i == 0 && w.mark != "" {
			before = w.indent[:len(w.indent)-len(w.mark)] + w.mark
		}
		if line == "" {
			before = strings.TrimRight(before, " ")
		}
		w.out.WriteString(before)
		w.out.WriteString(line)
		w.out.WriteByte('\n')
	}
	w.mark = ""
}

// escape keeps a paragraph from being read as anything else.
func escape(text string) string {
	switch {
	case strings.ContainsRune("#>|=`~-+*_", rune(text[0])):
		return `\` + text
	case text[0] >= '0' && text[0] <= '9':
		if rest := strings.TrimLeft(text, "0123456789"); rest != "" && (rest[0] == '.' || rest[0] == ')') {
			return text[:len(text)-len(rest)] + `\` + rest
		}
	}
	return text
}

func (w *writer) children(n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		w.node(child)
	}
}

func (w *writer) node(n *html.Node) {
	if boilerplate(n) {
		return
	}
	if n.Type == html.TextNode {
		w.inline.WriteString(n.Data)
		return
	}
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.heading(n)
	case atom.Pre:
		w.block()
		w.fence(n)
	case atom.Table:
		w.block()
		w.table(n)
	case atom.Ul, atom.Ol, atom.Dl:
		w.block()
		w.list(n)
	case atom.Blockquote:
		w.block()
		w.within("> ", "", n)
	case atom.Br:
		w.inline.WriteByte(' ')
	case atom.Code, atom.Kbd, atom.Samp, atom.Var:
		if text := strings.Join(strings.Fields(textOf(n)), " "); text != "" && !strings.Contains(text, "`") {
			w.inline.WriteString("`" + text + "`")
			return
		}
		w.children(n)
	case atom.A, atom.Abbr, atom.B, atom.Bdi, atom.Cite, atom.Del, atom.Dfn, atom.Em, atom.I, atom.Ins, atom.Label, atom.Mark,
		atom.Q, atom.S, atom.Small, atom.Span, atom.Strong, atom.Sub, atom.Sup, atom.Time, atom.U, atom.Wbr, atom.Font:
		w.children(n)
	default:
		w.block()
		w.children(n)
		w.block()
	}
}

func (w *writer) heading(n *html.Node) {
	w.block()
	text := strings.Join(strings.Fields(strings.TrimRight(strings.TrimSpace(textOf(n)), "¶#")), " ")
	if text == "" {
		return
	}
	if w.indent != "" { // no part of the tree: a title in a box
		w.lines(escape(text))
		return
	}
	w.lines(strings.Repeat("#", int(n.Data[1]-'0')) + " " + text)
}

func (w *writer) fence(n *html.Node) {
	text := strings.Trim(strings.ReplaceAll(textOf(n), "\r\n", "\n"), "\n")
	if strings.TrimSpace(text) == "" {
		return
	}
	ticks := "```"
	for strings.Contains(text, ticks) {
		ticks += "`"
	}
	language := languageOf(n)
	if language == "" && n.Parent != nil && len(n.Parent.Attr) > 0 {
		language = languageOf(&html.Node{Type: html.ElementNode, Attr: n.Parent.Attr})
	}
	w.lines(ticks + language + "\n" + text + "\n" + ticks)
}

// languageOf is what a class says of a program: "language-python" or "highlight-java".
func languageOf(n *html.Node) (language string) {
	each(n, func(at *html.Node) bool {
		for _, class := range strings.Fields(attribute(at, "class")) {
			for _, prefix := range []string{"language-", "lang-", "highlight-"} {
				if name, ok := strings.CutPrefix(class, prefix); ok && language == "" && len(name) <= 20 && !strings.ContainsAny(name, "`~") {
					language = name
				}
			}
		}
		return language == ""
	})
	return language
}

// within writes a node's children set in; mark stands before the first line.
func (w *writer) within(indent, mark string, n *html.Node) {
	outer, waiting := w.indent, w.mark
	if len(w.indent) < maxIndent {
		w.indent += indent
		if mark != "" {
			w.mark = mark
		}
	}
	w.children(n)
	w.block()
	w.indent = outer
	if w.mark != "" { // nothing was written
		w.mark = waiting
	}
}

func (w *writer) list(n *html.Node) {
	number := 0
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if boilerplate(child) || child.Type != html.ElementNode {
			continue
		}
		switch {
		case child.DataAtom == atom.Dt:
			w.within("  ", "- ", child)
		case child.DataAtom == atom.Dd:
			w.within("  ", "", child)
		case n.DataAtom == atom.Ol:
			number++
			mark := fmt.Sprintf("%d. ", number)
			w.within(strings.Repeat(" ", len(mark)), mark, child)
		default:
			w.within("  ", "- ", child)
		}
	}
}

// table writes rows as Markdown; tables within a cell are read as its text.
func (w *writer) table(n *html.Node) {
	var rows [][]string
	widest := 0
	each(n, func(at *html.Node) bool {
		if boilerplate(at) {
			return false
		}
		if at.DataAtom != atom.Tr {
			return true
		}
		var row []string
		for cell := at.FirstChild; cell != nil; cell = cell.NextSibling {
			if cell.DataAtom == atom.Td || cell.DataAtom == atom.Th {
				row = append(row, strings.ReplaceAll(strings.Join(strings.Fields(textOf(cell)), " "), "|", `\|`))
			}
		}
		if strings.Join(row, "") != "" {
			rows, widest = append(rows, row), max(widest, len(row))
		}
		return false
	})
	switch {
	case len(rows) == 0:
		return
	case widest == 1: // it only places things
		for _, row := range rows {
			w.lines(escape(row[0]))
		}
		return
	}
	var out strings.Builder
	for i, row := range rows {
		out.WriteString("|")
		for j := range row {
			out.WriteString(" " + row[j] + " |")
		}
		out.WriteString("\n")
		if i == 0 {
			out.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	w.lines(strings.TrimSuffix(out.String(), "\n"))
}
