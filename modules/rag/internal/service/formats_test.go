package service_test

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/pdf/pdftest"
)

func TestHTMLAndPDFAreFoundAndCitedByTheTextThatWasReadOut(t *testing.T) {
	b := setup(t, nil)
	pages := pdftest.File("Heaps", []pdftest.Line{{Text: "Heaps", Size: 20}, {Text: "A heap keeps its smallest item on top.", Size: 11}})
	material := []string{
		"sets.html", "<html lang=en><title>Sets</title><nav>menu zebra</nav><main><h1>Sets</h1><p>A set holds no item twice.</p><pre>s = {1, 2}</pre></main>",
		"heaps.pdf", string(pages),
		"scan.pdf", "%PDF-1.4 nothing",
	}
	report := b.ingest(tess, "c1", true, material...)
	if report.Added != 2 || len(report.Problems) != 1 || report.Problems[0].Path != "scan.pdf" {
		t.Fatalf("%+v", report)
	}
	for query, want := range map[string]struct {
		path string
		kind rag.Kind
	}{"no item twice": {"sets.html", rag.HTML}, "smallest item on top": {"heaps.pdf", rag.PDF}} {
		found := b.search(ada, "c1", query)
		if len(found) == 0 || found[0].Path != want.path {
			t.Errorf("%q finds %+v", query, found)
			continue
		}
		d, err := b.Document(t.Context(), ada, found[0].DocumentID)
		if err != nil || d.Kind != want.kind || d.Content[found[0].StartByte:found[0].EndByte] != found[0].Text {
			t.Errorf("%s: %+v, %v", want.path, d, err)
		}
		if lines := strings.Split(d.Content, "\n"); !strings.HasPrefix(found[0].Text, lines[found[0].StartLine-1]) {
			t.Errorf("%s: line %d is %q", want.path, found[0].StartLine, lines[found[0].StartLine-1])
		}
	}
	if found := b.search(ada, "c1", "zebra"); len(found) > 0 {
		t.Errorf("a menu was indexed: %+v", found)
	}
	again := b.ingest(tess, "c1", true, material...)
	if again.Unchanged != 2 || again.Changed+again.Added+again.Removed > 0 {
		t.Errorf("the same files again: %+v", again)
	}
}
