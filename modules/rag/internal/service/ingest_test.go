package service_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

const lesson = "# Loops\n\nA loop repeats.\n\n## While\n\nAs long as it holds.\n\n## For\n\nOnce for each item.\n"

// versions reads which transaction wrote each row: what was touched.
func (b *bundle) versions() map[string]string {
	b.t.Helper()
	rows, err := b.db.Pool().Query(b.t.Context(), `
		SELECT 'chunk ' || d.path || ' ' || k.heading, k.id || ' ' || k.num || ' ' || k.xmin FROM rag.chunks k JOIN rag.documents d ON d.id = k.document_id
		UNION ALL SELECT 'document ' || path, id || ' ' || xmin FROM rag.documents
		UNION ALL SELECT 'posting ' || p.term || p.chunk, p.xmin::text FROM rag.postings p`)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var key, version string
		if err := rows.Scan(&key, &version); err != nil {
			b.t.Fatal(err)
		}
		all[key] = version
	}
	return all
}

func TestIngestingAgainTouchesOnlyWhatChanged(t *testing.T) {
	b := setup(t, nil)
	first := b.ingest(tess, "c1", false, "loops.md", lesson, "other.md", "# Other\n\nStays.\n")
	if first.Added != 2 || first.Chunks != 4 {
		t.Errorf("got %+v", first)
	}
	before := b.versions()
	again := b.ingest(tess, "c1", true, "loops.md", lesson, "other.md", "# Other\n\nStays.\n")
	if again.Unchanged != 2 || again.Added+again.Changed+again.Removed+again.Chunks != 0 {
		t.Errorf("got %+v", again)
	}
	if after := b.versions(); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("an ingest of the same wrote:\n%v\n%v", before, after)
	}

	changed := b.ingest(tess, "c1", false, "loops.md", strings.Replace(lesson, "As long as it holds.", "While a zebra waits.", 1))
	if changed.Changed != 1 || changed.Chunks != 3 {
		t.Errorf("got %+v", changed)
	}
	after := b.versions()
	id := func(v string) string { return strings.Join(strings.Fields(v)[:2], " ") }
	for key, version := range before {
		now := after[key]
		switch {
		case strings.HasPrefix(key, "document other"), strings.HasPrefix(key, "chunk other"):
			if now != version {
				t.Errorf("%s was touched", key)
			}
		case key == "chunk loops.md Loops", key == "chunk loops.md Loops > For":
			if id(now) != id(version) {
				t.Errorf("%s got another id", key)
			}
		case key == "chunk loops.md Loops > While":
			if id(now) == id(version) {
				t.Errorf("%s kept its id", key)
			}
		}
	}
	if found := b.search(ada, "c1", "zebra"); len(found) != 1 || found[0].StartLine != 7 {
		t.Errorf("got %+v", found)
	}
	if found := b.search(ada, "c1", "holds"); len(found) != 0 {
		t.Errorf("the old text is still found: %+v", found)
	}
	if found := b.search(ada, "c1", "for each item"); len(found) == 0 || found[0].StartByte != strings.Index(lesson, "Once for")+len("While a zebra waits.")-len("As long as it holds.") {
		t.Errorf("a passage that moved says %+v", found)
	}
}

func TestPruneTakesOutWhatIsNotSent(t *testing.T) {
	b := setup(t, nil)
	exercise := []string{"exercises/x/exercise.md", "# X\n\nDo it.\n", "exercises/x/tests/test_x.py", "assert x\n", "exercises/x/solution/x.py", "x = 1\n"}
	b.ingest(tess, "c1", false, append(slices.Clone(exercise), "a.md", "# A\n\nPelican.\n", "b.md", "# B\n\nPelican.\n")...)
	report := b.ingest(tess, "c1", true, append(slices.Clone(exercise[:4]), "a.md", "# A\n\nPelican.\n")...)
	if report.Removed != 2 || report.Unchanged != 3 {
		t.Errorf("got %+v", report)
	}
	if found := b.search(ada, "c1", "pelican"); len(found) != 1 || found[0].Path != "a.md" {
		t.Errorf("got %+v", found)
	}
	list, err := b.Exercises(t.Context(), robot, "c1")
	if err != nil || len(list) != 1 || len(list[0].Files) != 1 {
		t.Errorf("got %+v, %v", list, err)
	}
	b.ingest(tess, "c1", true, "a.md", "# A\n\nPelican.\n")
	if list, err = b.Exercises(t.Context(), robot, "c1"); err != nil || len(list) != 0 {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestTestsOfAnExerciseCanBeSentAlone(t *testing.T) {
	b := setup(t, nil)
	b.ingest(tess, "c1", false, "exercises/x/exercise.md", "# X\n\nDo it.\n", "exercises/x/tests/test_x.py", "one\n")
	report := b.ingest(tess, "c1", false, "exercises/x/tests/test_x.py", "two\n", "exercises/x/tests/test_y.py", "three\n",
		"exercises/lost/tests/test_z.py", "four\n")
	if report.Changed != 1 || report.Added != 1 || len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Reason, "exercises/lost/exercise.md") {
		t.Errorf("got %+v", report)
	}
	list, err := b.Exercises(t.Context(), robot, "c1")
	if err != nil || len(list) != 1 || list[0].ByRole(rag.Tests)["test_x.py"] != "two\n" || list[0].ByRole(rag.Tests)["test_y.py"] != "three\n" {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestAFileThatCannotBeTakenIsAProblemAndTheRestGoesIn(t *testing.T) {
	b := setup(t, nil)
	report := b.ingest(tess, "c1", false,
		"good.md", "# Good\n\nText.\n",
		"../up.md", "x", "/abs.md", "x", "a/../../b.md", "x", `win\dows.md`, "x", "new\nline.md", "x", "folder/", "x", "", "x",
		"latin.md", "caf\xe9", "nul.txt", "a\x00b", "page.docx", "<p>", "broken.ipynb", "{", "big.txt", strings.Repeat("x", 4<<20+1),
		"good.md", "twice", "solutions/one.py", "x = 1", "exercises/x/tests/bin.py", "\xff")
	if report.Added != 1 || len(report.Problems) != 15 {
		t.Errorf("got %d added and %d problems", report.Added, len(report.Problems))
		for _, p := range report.Problems {
			t.Logf("%q: %s", p.Path, p.Reason)
		}
	}
	for _, p := range report.Problems {
		if p.Reason == "" {
			t.Errorf("%q has no reason", p.Path)
		}
	}
}

func TestACourseThatIsRemovedLeavesNothing(t *testing.T) {
	b := setup(t, nil)
	b.ingest(tess, "c1", false, "exercises/x/exercise.md", "# X\n\nDo it.\n", "a.md", lesson)
	b.ingest(root, "c2", false, "a.md", lesson)
	remove := func(who auth.Actor) error {
		return b.db.InTx(t.Context(), postgres.As(who), func(ctx context.Context, tx *postgres.Tx) error {
			return b.RemoveCourse(ctx, tx, "c1")
		})
	}
	if err := remove(tess); !rag.ErrNotATeacher.Is(err) {
		t.Errorf("got %v", err)
	}
	if err := remove(robot); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"collections", "documents", "chunks", "terms", "postings", "exercises"} {
		var left, foreign int
		err := b.db.Pool().QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE c.course_id = 'c1' OR c.id IS NULL), count(*)
			FROM rag.`+table+` t LEFT JOIN rag.collections c ON c.id = (to_jsonb(t)->>coalesce((SELECT 'collection_id' WHERE to_jsonb(t) ? 'collection_id'), 'id'))::int`).Scan(&left, &foreign)
		if err != nil || left != 0 || foreign == 0 && table != "exercises" {
			t.Errorf("%s: %d left, %d in all, %v", table, left, foreign, err)
		}
	}
}

// TestCountsStayTrue changes a course at random and compares what BM25 counts
// by with the chunks themselves.
func TestCountsStayTrue(t *testing.T) {
	b := setup(t, nil)
	names := []string{"a.md", "b.py", "exercises/x/exercise.md", "exercises/x/starter/x.py", "c.txt"}
	words := []string{"loop", "list", "slice", "key", "value", "loop, loop"}
	rapid.Check(t, func(r *rapid.T) {
		var pairs []string
		for _, name := range names {
			if rapid.Bool().Draw(r, name) {
				body := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 6).Draw(r, "words"), "\n\n# ")
				pairs = append(pairs, name, "# "+body+"\n\ntext "+body+"\n")
			}
		}
		b.ingest(tess, "c1", rapid.Bool().Draw(r, "prune"), pairs...)
		var wrong int
		err := b.db.Pool().QueryRow(context.Background(), `
			WITH truth AS (
				SELECT k.collection_id, k.num, w.term, k.tokens FROM rag.chunks k, unnest(k.terms) AS w (term)
			), df AS (SELECT collection_id, term, count(*) AS n FROM truth GROUP BY 1, 2)
			SELECT (SELECT count(*) FROM truth t FULL JOIN rag.postings p ON p.collection_id = t.collection_id AND p.term = t.term AND p.chunk = t.num
					WHERE p.chunk IS NULL OR t.num IS NULL OR p.tokens <> t.tokens)
				+ (SELECT count(*) FROM df FULL JOIN rag.terms t ON t.collection_id = df.collection_id AND t.term = df.term WHERE t.chunks IS DISTINCT FROM df.n)
				+ (SELECT count(*) FROM rag.collections c WHERE c.chunks <> (SELECT count(*) FROM rag.chunks k WHERE k.collection_id = c.id)
					OR c.tokens <> (SELECT coalesce(sum(k.tokens), 0) FROM rag.chunks k WHERE k.collection_id = c.id))
				+ (SELECT count(*) FROM rag.documents d WHERE d.chunks <> (SELECT count(*) FROM rag.chunks k WHERE k.document_id = d.id))`).Scan(&wrong)
		if err != nil || wrong != 0 {
			r.Fatalf("%d counts are wrong after %q, %v", wrong, pairs, err)
		}
	})
}

func TestALongIngestTellsHowFarItIs(t *testing.T) {
	b := setup(t, nil)
	files := make([]rag.File, 0, 450)
	for i := range 450 {
		files = append(files, rag.File{Path: fmt.Sprintf("%03d.txt", i), Content: fmt.Appendf(nil, "Number %d.", i)})
	}
	var seen []int
	report, err := b.Ingest(t.Context(), postgres.Call{Actor: tess, Key: "k"}, "c1", files, true, func(p rag.Progress) {
		if p.Total != 450 {
			t.Errorf("got %+v", p)
		}
		seen = append(seen, p.Done)
	})
	if err != nil || report.Added != 450 || !slices.Equal(seen, []int{200, 400, 450}) {
		t.Errorf("got %+v, %v, %v", report, seen, err)
	}
}
