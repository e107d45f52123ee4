package chunk_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/chunk"
)

var update = flag.Bool("update", false, "write the golden files")

// TestCutsAsInTheFiles cuts each file of testdata/cut and compares with the
// .golden beside it: -update writes them.
func TestCutsAsInTheFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/cut/*")
	if err != nil {
		t.Fatal(err)
	}
	cut := 0
	for _, file := range files {
		if strings.HasSuffix(file, ".golden") {
			continue
		}
		cut++
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := chunk.Cut(t.Context(), filepath.Base(file), string(content), strings.HasPrefix(filepath.Base(file), "exercise"))
			if err != nil {
				t.Fatal(err)
			}
			checkSpans(t, doc)
			got := render(doc)
			if *update {
				if err := os.WriteFile(file+".golden", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	if cut < 8 {
		t.Errorf("only %d files were cut", cut)
	}
}

func render(doc chunk.Document) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %q natural=%q program=%q meta=%+v\n", doc.Kind, doc.Title, doc.Natural, doc.Program, doc.Meta)
	for _, c := range doc.Chunks {
		fmt.Fprintf(&out, "\n=== %s | %s | lines %d-%d | bytes %d-%d\n%s\n", c.Kind, c.Heading, c.StartLine, c.EndLine, c.StartByte, c.EndByte, c.Text)
	}
	return out.String()
}

// checkSpans proves that each passage is where it says it is.
func checkSpans(t testing.TB, doc chunk.Document) {
	t.Helper()
	content := doc.Content
	for _, c := range doc.Chunks {
		if c.StartByte < 0 || c.EndByte > len(content) || c.StartByte >= c.EndByte {
			t.Fatalf("span %d-%d of a document of %d bytes", c.StartByte, c.EndByte, len(content))
		}
		if doc.Kind != rag.Notebook && content[c.StartByte:c.EndByte] != c.Text {
			t.Fatalf("the document has %q at %d-%d, the passage is %q", content[c.StartByte:c.EndByte], c.StartByte, c.EndByte, c.Text)
		}
		if got := 1 + strings.Count(content[:c.StartByte], "\n"); got != c.StartLine {
			t.Fatalf("byte %d is on line %d, the passage says %d", c.StartByte, got, c.StartLine)
		}
		if got := 1 + strings.Count(content[:c.EndByte-1], "\n"); got != c.EndLine {
			t.Fatalf("byte %d is on line %d, the passage says %d", c.EndByte-1, got, c.EndLine)
		}
		if strings.TrimSpace(c.Text) == "" {
			t.Fatal("a passage is blank")
		}
	}
}

func TestTheSampleCoursesAreCutWithoutLosingAWord(t *testing.T) {
	all, err := courses.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, course := range all {
		material, err := course.Material()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range material {
			raw, err := fs.ReadFile(course.FS(), name)
			if err != nil {
				t.Fatal(err)
			}
			content := string(raw)
			doc, err := chunk.Cut(t.Context(), name, content, path.Base(name) == "exercise.md")
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			checkSpans(t, doc)
			if len(doc.Chunks) == 0 || doc.Title == "" {
				t.Errorf("%s: %d passages, title %q", name, len(doc.Chunks), doc.Title)
			}
			checkCovered(t, name, content, doc)
		}
	}
}

// checkCovered allows only headings, front matter and blanks outside passages.
func checkCovered(t *testing.T, name, content string, doc chunk.Document) {
	t.Helper()
	if doc.Kind == rag.Notebook {
		return
	}
	body := content
	if doc.Kind == rag.Markdown && strings.HasPrefix(content, "---\n") {
		_, body, _ = strings.Cut(content[4:], "\n---\n")
	}
	offset := len(content) - len(body)
	covered := make([]bool, len(content))
	for _, c := range doc.Chunks {
		for i := c.StartByte; i < c.EndByte; i++ {
			covered[i] = true
		}
	}
	at := offset
	for line := range strings.Lines(body) {
		if text := strings.TrimSpace(line); text != "" && !covered[at] && (doc.Kind != rag.Markdown || !strings.HasPrefix(text, "#")) {
			t.Errorf("%s: %q is in no passage", name, text)
		}
		at += len(line)
	}
}

func TestWhatCannotBeReadIsRefusedWithAReason(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"a.md", "caf\xe9", "not UTF-8 (first at byte 3)"},
		{"a.md", "a\x00b", "NUL byte at offset 1"},
		{"a.docx", "PK", "not indexed"},
		{"a.html", "caf\xe9", "not UTF-8"},
		{"a.html", strings.Repeat("<div>", 600), "exceeds 512"},
		{"a.md", "---\ntitle: [\n---\nx", "not valid YAML"},
		{"a.md", "---\n- a\n---\nx", "keys with values"},
		{"a.md", "---\nunit: many\n---\nx", "unit: many, which must be a number"},
		{"a.md", strings.Repeat("> ", 100) + "x", "nests"},
		{"a.ipynb", "", "ends early"},
		{"a.ipynb", "[]", "not a notebook"},
		{"a.ipynb", `{"cells": [{"cell_type": "code", "source": "x`, "ends early"},
		{"a.ipynb", `{"cells": 5}`, "not a notebook"},
		{"a.ipynb", `{"worksheets": []}`, "no list of cells"},
		{"a.ipynb", `{"cells": [{"cell_type": "code", "source": "x\u0000"}]}`, "NUL"},
	} {
		_, err := chunk.Cut(t.Context(), c.name, c.content, false)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: got %v, want %q", c.name, c.content, err, c.want)
		}
	}
}

func TestLongThingsAreCutAndShortOnesKept(t *testing.T) {
	long := strings.Repeat("A sentence that says something. ", 400)
	fence := "```python\n" + strings.Repeat("x = 1\n", 2000) + "```\n"
	doc, err := chunk.Cut(t.Context(), "a.md", "# T\n\n"+long+"\n\n"+fence, false)
	if err != nil {
		t.Fatal(err)
	}
	checkSpans(t, doc)
	last := doc.Chunks[len(doc.Chunks)-1]
	if last.Text+"\n" != fence || last.Kind != rag.PassageCode {
		t.Errorf("the fence was cut: %d of %d bytes", len(last.Text), len(fence))
	}
	for _, c := range doc.Chunks[:len(doc.Chunks)-1] {
		if len(c.Text) > 3000 {
			t.Errorf("a passage of prose has %d bytes", len(c.Text))
		}
	}
	minified := strings.Repeat("ab;", 20_000)
	if doc, err = chunk.Cut(t.Context(), "a.js", minified, false); err != nil || len(doc.Chunks) < 10 {
		t.Errorf("got %d passages of one endless line, %v", len(doc.Chunks), err)
	}
	checkSpans(t, doc)
}

func TestHostileInputIsCutInTimeOfItsLength(t *testing.T) {
	const size = 1 << 17
	for _, part := range []string{"[", "[a](", "![", "`", "*a ", "# a\n", "[a]: b\n", "- a\n", "> \n", "| a ", "\t- a\n", "<!-- ", "](",
		"(", "\"", "\n", "def f():\n", "  x\n", "func a() {", "\"\"\"",
		"<b>", "<ul><li>", "<table><tr><td>", "</p>", "<pre>", "&", "<h1>", "<a href=", "'''", "/*", "fn f<'a>(", "class A {", "$a$", "`${"} {
		for _, name := range []string{"a.md", "a.go", "a.py", "a.js", "a.rs", "a.sql", "a.txt", "a.ipynb", "a.html"} {
			start := time.Now()
			_, _ = chunk.Cut(t.Context(), name, strings.Repeat(part, size/len(part)), false)
			// Quadratic ones took many times that.
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s of %q took %s", name, part, took)
			}
		}
	}
}

func TestANotebookIsReadWithoutWhatNbgraderKeepsFromLearners(t *testing.T) {
	cell := func(metadata, source string) string {
		raw, err := json.Marshal(source)
		if err != nil {
			t.Fatal(err)
		}
		return `{"cell_type": "code", "metadata": ` + metadata + `, "source": ` + string(raw) + `}`
	}
	content := `{"cells": [` + strings.Join([]string{
		cell(`{}`, "def stripes(zebra):\n    ### BEGIN SOLUTION\n    return xylophone\n    ### END SOLUTION\n\nkept = 1\n"),
		cell(`{}`, "assert visible\n### BEGIN HIDDEN TESTS\nassert xylophone\n"),
		cell(`{"nbgrader": {"solution": true, "grade": false}}`, "xylophone = 2\n"),
		cell(`{"nbgrader": {"solution": false, "grade": true}}`, "assert xylophone == 2\n"),
		cell(`{"nbgrader": {"solution": false, "grade": false, "locked": true}}`, "import given\n"),
		cell(`[]`, "other = 1\n"), cell(`{"nbgrader": 5}`, "another = 1\n"),
	}, ",") + `]}`
	doc, err := chunk.Cut(t.Context(), "a.ipynb", content, false)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, c := range doc.Chunks {
		text.WriteString(c.Text)
	}
	if strings.Contains(text.String(), "xylophone") {
		t.Errorf("the solution can be read: %s", text.String())
	}
	for _, want := range []string{"def stripes", "kept = 1", "assert visible", "import given", "other = 1", "another = 1"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is gone", want)
		}
	}
}
