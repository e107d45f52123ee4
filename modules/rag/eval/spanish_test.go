package eval_test

import (
	"os"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/rag/eval"
)

func TestTheSpanishSetIsWholeAndAsksInWordsOfItsOwn(t *testing.T) {
	set, err := eval.Load(os.DirFS("testdata/spanish"))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Queries) < 100 || len(set.Corpus) < 150 {
		t.Errorf("%d queries on %d passages", len(set.Queries), len(set.Corpus))
	}
	passages := map[string]bool{}
	var all strings.Builder
	for _, d := range set.Corpus {
		passages[d.ID] = true
		all.WriteString(strings.ToLower(d.Title + "\n" + d.Text + "\n"))
	}
	for _, q := range set.Queries {
		for id := range set.Relevant[q.ID] {
			if !passages[id] {
				t.Errorf("%s %q is labelled with %s, which is no passage", q.ID, q.Text, id)
			}
		}
		if len(strings.Fields(q.Text)) > 3 && strings.Contains(all.String(), strings.ToLower(q.Text)) {
			t.Errorf("%s %q is copied from a passage", q.ID, q.Text)
		}
	}
	if len(passages) != len(set.Corpus) {
		t.Errorf("%d ids name %d passages", len(passages), len(set.Corpus))
	}
}
