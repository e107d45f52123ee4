package chunk_test

import (
	"os"
	"path/filepath"
	"testing"

	"encoding/json"

	"github.com/goals-tracker/tracker/modules/rag/internal/chunk"
)

func seed(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob("testdata/cut/" + pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds for %s: %v", pattern, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
}

// cutAny proves that whatever comes in is refused or cut with true spans, and
// that its front matter can be stored.
func cutAny(t *testing.T, name, content string) {
	t.Helper()
	doc, err := chunk.Cut(t.Context(), name, content, false)
	if err != nil {
		return
	}
	checkSpans(t, doc)
	if _, err := json.Marshal(doc.Meta); err != nil {
		t.Fatalf("front matter can't be stored: %v", err)
	}
}

func FuzzMarkdown(f *testing.F) {
	seed(f, "*.md")
	f.Add("---\ntitle: &a [x]\nobjectives: *a\n---\n```\n```\n- ```\n  x\n")
	f.Add("a\n===\n\n| a |\n|---|\n| b |\n\n[x]: y\n***\n    code\n")
	f.Fuzz(func(t *testing.T, content string) { cutAny(t, "a.md", content) })
}

func FuzzFrontMatter(f *testing.F) {
	f.Add("title: x\nobjectives: [a, b]\nunit: 3")
	f.Add("{title: x, objectives: [a]}")
	f.Add("a: !!binary aGVsbG8=\nb: .nan\n? [x]\n: y")
	f.Fuzz(func(t *testing.T, front string) { cutAny(t, "a.md", "---\n"+front+"\n---\nBody.\n") })
}

func FuzzNotebook(f *testing.F) {
	seed(f, "*.ipynb")
	f.Fuzz(func(t *testing.T, content string) { cutAny(t, "a.ipynb", content) })
}

func FuzzCode(f *testing.F) {
	seed(f, "*.py")
	seed(f, "*.go")
	seed(f, "*.js")
	f.Fuzz(func(t *testing.T, content string) {
		for _, name := range []string{"a.py", "a.go", "a.ts", "a.java", "a.rb", "a.rs", "a.sql", "a.cpp", "a.txt"} {
			cutAny(t, name, content)
		}
	})
}

func FuzzHTML(f *testing.F) {
	seed(f, "*.html")
	f.Add("<main><h1>a</h1><ul><li>b<pre>c\n</pre><table><tr><td>d<td>e</table></ul>")
	f.Fuzz(func(t *testing.T, content string) { cutAny(t, "a.html", content) })
}
