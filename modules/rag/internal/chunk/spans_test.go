package chunk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/chunk"
	"github.com/goals-tracker/tracker/modules/rag/internal/pdf/pdftest"
)

// pieces are parts of documents of a format, true ones and broken ones: any
// sequence of them must be cut into passages that stand where they say.
var pieces = map[string][]string{
	"a.md": {"# A\n", "## B ##\n", "Setext\n===\n", "para graph\nline\n\n", "- a\n- b\n  - c\n\n", "```go\nx\n", "```\n", "~~~\ny\n~~~\n", "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
		"> q\n> r\n\n", "    code\n\n", "***\n", "<div>\n\n", "<!-- c -->\n\n", "1. x\n\n   y\n", "\r\n", "ñandú. Más texto.\n", "[a]: b\n", "\t- z\n", "## Ejercicio 2: x\n"},
	"a.html": {"<h1>A</h1>", "<h2>B", "</h2>", "<p>para ñ", "<ul><li>a<li>b", "</ul>", "<ol><li>", "<pre>x\n  y</pre>", "<table><tr><td>1<td>2", "</table>", "<blockquote>q", "</blockquote>",
		"<script>s</script>", "<nav>n</nav>", "text\n", "&lt;", "<dl><dt>t<dd>d", "</dl>", "<main>", "<br>", "<code>c</code>", "# no", "1. no", "```", "<h3></h3>", "- ", "<hr>"},
	"a.py":   {"def f(x):\n", "    return 1\n", "class A:\n", "    def m(self):\n        pass\n", "x = \"\"\"\n", "\"\"\"\n", "@deco\n", "# c\n", "\n\n", "if x:\n", "else:\n", "y = [\n", "]\n", "\tz\n"},
	"a.go":   {"package a\n", "func f() {\n", "}\n", "type T struct {\n", "// doc\n", "var x = `\n", "`\n", "func (t *T[K]) m() {}\n", "\n", "/* c\n", "*/\n", "const (\n", ")\n", "\"\n"},
	"a.rs":   {"fn f<'a>(x: &'a str) {\n", "}\n", "impl<T> A<T> {\n", "    fn m(&self) {}\n", "struct S;\n", "let c = '{';\n", "/// d\n", "#[x]\n", "'", "\"", "\n"},
	"a.sql":  {"CREATE TABLE t (\n", ");\n", "SELECT 1;\n", "-- c\n", "$$\n", "$x$ BEGIN\n", "END $x$;\n", "/*", "*/", "'", "\n"},
	"a.java": {"class A {\n", "}\n", "  void m() {\n", "  }\n", "@X\n", "/** d */\n", "\"\"\"\n", "// c\n", "interface I { int x(); }\n", "'\"'", "\n"},
	"a.ts":   {"export class A {\n", "}\n", "const f = (x) => {\n", "};\n", "`a ${\n", "`", "// c\n", "/* */", "function g() {}\n", "'", "\n"},
	"a.cpp":  {"template <class T>\nT f(T x) {\n", "}\n", "#include <x>\n", "namespace a {\n", "struct B {\n};\n", "int main()\n{\n", "\"", "'{'", "//\n", "/*", "*/"},
	"a.txt":  {"line\n", "\n", "  indented\n", "\r\n", "ñ", strings.Repeat("word ", 700), strings.Repeat("x", 3500), "\t"},
	"a.ipynb": {"{\"cells\": [", "]}", `{"cell_type": "code", "source": "x = 1"}`, `{"cell_type": "markdown", "source": ["# A\n", "text"]}`, ",", "\n",
		`{"cell_type": "raw", "source": "r"}`, " "},
}

func TestEveryPassageStandsWhereItSaysInEveryFormat(t *testing.T) {
	for name, parts := range pieces {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				content := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 25).Draw(r, "pieces"), "")
				doc, err := chunk.Cut(t.Context(), name, content, false)
				if err != nil {
					return
				}
				checkSpans(t, doc)
			})
		})
	}
}

// Programs and plain text lose nothing: what is in no passage is blank.
func TestNoLineOfAProgramIsLost(t *testing.T) {
	for name, parts := range pieces {
		if kind, _, _ := chunk.KindOf(name); kind != rag.Code && kind != rag.Text {
			continue
		}
		rapid.Check(t, func(r *rapid.T) {
			content := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 25).Draw(r, "pieces"), "")
			doc, err := chunk.Cut(t.Context(), name, content, false)
			if err != nil {
				r.Fatal(err)
			}
			at := 0
			for _, c := range doc.Chunks {
				if c.StartByte < at {
					r.Fatalf("passages overlap at byte %d", c.StartByte)
				}
				if between := content[at:c.StartByte]; strings.TrimSpace(between) != "" {
					r.Fatalf("%q is in no passage", between)
				}
				at = c.EndByte
			}
			if rest := content[at:]; strings.TrimSpace(rest) != "" {
				r.Fatalf("%q is in no passage", rest)
			}
		})
	}
}

func TestAPDFIsCutByItsHeadingsAndPages(t *testing.T) {
	head, foot := pdftest.Line{Text: "Curso de Python", Size: 9}, func(n string) pdftest.Line { return pdftest.Line{Text: "Página " + n, Size: 9} }
	space := pdftest.Line{Size: 11}
	body := func(s string) pdftest.Line { return pdftest.Line{Text: s, Size: 11} }
	content := pdftest.File("Bucles",
		[]pdftest.Line{head, {Text: "Bucles", Size: 24}, body("Un bucle repite lo que está dentro"), body("de él, una y otra vez."), space, body("Otro párrafo."), foot("1")},
		[]pdftest.Line{head, {Text: "Requisitos previos", Size: 16}, body("\u00b7 Variables"), body("\u00b7 Condiciones"), space, {Text: "Ejercicio 1", Size: 16}, body("Cuenta hasta diez."), foot("2")}, //nolint:misspell // it is Spanish
		[]pdftest.Line{head, body("Y otra vez hasta veinte."), foot("3")},
		[]pdftest.Line{head, body("Fin."), foot("4")})
	doc, err := chunk.Cut(t.Context(), "bucles.PDF", string(content), false)
	if err != nil {
		t.Fatal(err)
	}
	checkSpans(t, doc)
	golden := filepath.Join("testdata", "bucles.pdf.golden")
	got := render(doc)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
