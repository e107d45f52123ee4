package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
)

// academyOf is an academy that knows these memberships.
type academyOf map[string][]academy.Membership

func (a academyOf) Courses(_ context.Context, userID string) ([]academy.Membership, error) {
	courses, ok := a[userID]
	if !ok {
		return nil, errors.New("the academy is down")
	}
	return courses, nil
}

type bundle struct {
	*service.Service
	t  *testing.T
	db *postgres.DB
}

func setup(t *testing.T, known academyOf) *bundle {
	t.Helper()
	db := postgrestest.DB(t)
	return &bundle{service.New(db, known, rag.DefaultConfig(), time.Now), t, db}
}

func actor(id string, role auth.Role, courses ...string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{role}, CourseIDs: courses}
}

var (
	tess  = actor("tess", auth.Teacher, "c1")
	ada   = actor("ada", auth.Student, "c1")
	bob   = actor("bob", auth.Student, "c2")
	root  = actor("root", auth.Admin)
	robot = auth.System("test")
)

func (b *bundle) ingest(who auth.Actor, course string, prune bool, pairs ...string) rag.Report {
	b.t.Helper()
	report, err := b.tryIngest(who, course, prune, pairs...)
	if err != nil {
		b.t.Fatal(err)
	}
	return report
}

func (b *bundle) tryIngest(who auth.Actor, course string, prune bool, pairs ...string) (rag.Report, error) {
	var files []rag.File
	for i := 0; i < len(pairs); i += 2 {
		files = append(files, rag.File{Path: pairs[i], Content: []byte(pairs[i+1])})
	}
	return b.Ingest(b.t.Context(), postgres.As(who), course, files, prune, nil)
}

// sample ingests a sample course whole, as the command does.
func (b *bundle) sample(id, course string) rag.Report {
	b.t.Helper()
	found, err := courses.Find(id)
	if err != nil {
		b.t.Fatal(err)
	}
	files, problems, err := rag.ReadFS(found.FS())
	if err != nil || len(problems) > 0 {
		b.t.Fatal(err, problems)
	}
	report, err := b.Ingest(b.t.Context(), postgres.As(robot), course, files, true, nil)
	if err != nil || len(report.Problems) > 0 {
		b.t.Fatal(err, report.Problems)
	}
	return report
}

func (b *bundle) search(who auth.Actor, course, text string) []rag.Passage {
	b.t.Helper()
	found, err := b.Search(b.t.Context(), who, rag.Query{Text: text, CourseID: course})
	if err != nil {
		b.t.Fatal(err)
	}
	return found.Passages
}

func TestASampleCourseIsFoundInItsLanguage(t *testing.T) {
	b := setup(t, nil)
	b.sample(courses.PythonBasicsEN, "c1")
	b.sample(courses.PythonBasicsES, "c2")
	for _, c := range []struct {
		who           auth.Actor
		course, query string
		path, heading string
	}{
		{ada, "c1", "how do I look values up by key?", "06-", "Dictionaries"},
		{ada, "c1", "list comprehension", "06-", "A new list from an old one"},
		{ada, "c1", "KeyError when a key may be missing", "06-", "Dictionaries"},
		{ada, "c1", "total_price", "exercises/receipt/", ""},
		{ada, "c1", "totalPrice", "exercises/receipt/", ""},
		{bob, "c2", "¿cómo repito algo con un bucle?", "04-", ""},
		{bob, "c2", "diccionarios", "06-", ""},
		{bob, "c2", "escribir funcion", "05-", ""},
		{bob, "c2", "ESCRIBIR FUNCIÓN", "05-", ""},
	} {
		found := b.search(c.who, c.course, c.query)
		if len(found) > 3 {
			found = found[:3]
		}
		if !slices.ContainsFunc(found, func(p rag.Passage) bool {
			return strings.HasPrefix(p.Path, c.path) && strings.Contains(p.Heading, c.heading)
		}) {
			t.Errorf("%q finds", c.query)
			for _, p := range found {
				t.Errorf("  %.2f %s %q", p.Score, p.Path, p.Heading)
			}
		}
	}
}

func TestPassagesStandWhereTheySay(t *testing.T) {
	b := setup(t, nil)
	b.sample(courses.PythonBasicsEN, "c1")
	all, err := b.Passages(t.Context(), ada, rag.PassageFilter{CourseID: "c1"})
	if err != nil || len(all) < 50 {
		t.Fatal(len(all), err)
	}
	contents := map[string]string{}
	for _, p := range all {
		if contents[p.DocumentID] == "" {
			d, err := b.Document(t.Context(), ada, p.DocumentID)
			if err != nil {
				t.Fatal(err)
			}
			contents[p.DocumentID] = d.Content
		}
		if !strings.HasSuffix(p.Path, ".ipynb") && contents[p.DocumentID][p.StartByte:p.EndByte] != p.Text {
			t.Errorf("%s %d-%d is not %q", p.Path, p.StartByte, p.EndByte, p.Text)
		}
	}
	one, err := b.Passages(t.Context(), ada, rag.PassageFilter{ChunkIDs: []string{all[7].ChunkID, "no-id"}})
	if err != nil || len(one) != 1 || one[0] != all[7] {
		t.Errorf("got %v, %v", one, err)
	}
	if one, err = b.Passages(t.Context(), bob, rag.PassageFilter{ChunkIDs: []string{all[7].ChunkID}}); err != nil || len(one) != 0 {
		t.Errorf("another course's learner reads %v, %v", one, err)
	}
	objectives, err := b.Passages(t.Context(), ada, rag.PassageFilter{CourseID: "c1", Kinds: []string{rag.PassageObjectives}})
	if err != nil || len(objectives) < 8 {
		t.Errorf("got %d objectives, %v", len(objectives), err)
	}
}

func TestOnlyTeachersOfTheCourseChangeItsMaterial(t *testing.T) {
	b := setup(t, academyOf{"tim": {{ID: "c1", Role: "teacher"}, {ID: "c2", Role: "student"}}})
	b.ingest(tess, "c1", false, "a.md", "# A\n\nText.\n")
	for _, who := range []auth.Actor{ada, bob, actor("eve", auth.Teacher, "c2"), actor("tim", auth.Student, "c1"), {}} {
		if _, err := b.tryIngest(who, "c1", false, "b.md", "x"); !rag.ErrNotATeacher.Is(err) {
			t.Errorf("%s: got %v", who.UserID, err)
		}
	}
	if _, err := b.tryIngest(actor("tim", auth.Teacher), "c2", false, "b.md", "x"); !rag.ErrNotATeacher.Is(err) {
		t.Errorf("a teacher who is a student there: got %v", err)
	}
	if _, err := b.tryIngest(tess, "", false, "b.md", "x"); !rag.ErrNotATeacher.Is(err) {
		t.Errorf("material for everyone: got %v", err)
	}
	// The academy's word counts where the token says nothing.
	b.ingest(actor("tim", auth.Teacher), "c1", false, "b.md", "# Second\n\nText.\n")
	b.ingest(root, "c1", false, "c.md", "# Third\n\nText.\n")

	list, _, err := b.Documents(t.Context(), ada, "c1", 0, "")
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	remove := func(who auth.Actor) error {
		return b.db.InTx(t.Context(), postgres.As(who), func(ctx context.Context, tx *postgres.Tx) error {
			return b.DeleteDocument(ctx, tx, list[0].ID)
		})
	}
	if err := remove(ada); !rag.ErrNotATeacher.Is(err) {
		t.Errorf("a learner deletes: %v", err)
	}
	if err := remove(bob); !rag.ErrNotFound.Is(err) {
		t.Errorf("a stranger deletes: %v", err)
	}
	if err := remove(tess); err != nil {
		t.Error(err)
	}
	if _, err := b.Document(t.Context(), ada, list[0].ID); !rag.ErrNotFound.Is(err) {
		t.Errorf("got %v", err)
	}
	if n := len(b.search(ada, "c1", "text")); n != 2 {
		t.Errorf("%d passages are left, want 2", n)
	}
}

func TestMaterialIsForThoseWhoJoinedTheCourse(t *testing.T) {
	b := setup(t, academyOf{"mia": {{ID: "c1", Role: "student"}}, "bob": {}})
	b.ingest(root, "c1", false, "a.md", "# One\n\nA secret penguin.\n")
	b.ingest(root, "c2", false, "a.md", "# One\n\nAnother penguin.\n")
	b.ingest(root, "", false, "a.md", "# One\n\nA public penguin.\n")
	for _, who := range []auth.Actor{bob, actor("zoe", auth.Student), actor("eve", auth.Teacher, "c2")} {
		if _, err := b.Search(t.Context(), who, rag.Query{Text: "penguin", CourseID: "c1"}); !rag.ErrNotYourCourse.Is(err) {
			t.Errorf("%s searches: %v", who.UserID, err)
		}
		if _, _, err := b.Documents(t.Context(), who, "c1", 0, ""); !rag.ErrNotYourCourse.Is(err) {
			t.Errorf("%s lists: %v", who.UserID, err)
		}
		if _, err := b.Outline(t.Context(), who, "c1"); !rag.ErrNotYourCourse.Is(err) {
			t.Errorf("%s outlines: %v", who.UserID, err)
		}
	}
	for _, c := range []struct {
		who   auth.Actor
		query rag.Query
		want  []string
	}{
		{ada, rag.Query{CourseID: "c1"}, []string{"c1"}},
		{actor("mia", auth.Student), rag.Query{CourseID: "c1"}, []string{"c1"}},
		{ada, rag.Query{}, []string{"", "c1"}},
		{actor("mia", auth.Student), rag.Query{}, []string{"", "c1"}},
		{actor("zoe", auth.Student), rag.Query{}, []string{""}},
		{actor("eve", auth.Teacher, "c2"), rag.Query{}, []string{"", "c2"}},
		{root, rag.Query{}, []string{"", "c1", "c2"}},
		{ada, rag.Query{Scope: rag.ScopeUser}, nil},
		{root, rag.Query{Scope: rag.ScopeUser}, nil},
	} {
		c.query.Text = "penguin"
		found, err := b.Search(t.Context(), c.who, c.query)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]string, 0, len(found.Passages))
		for _, p := range found.Passages {
			got = append(got, p.CourseID)
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s %+v: got %q, want %q", c.who.UserID, c.query, got, c.want)
		}
	}
}

func TestAQueryThatCannotBeIsRefused(t *testing.T) {
	b := setup(t, nil)
	for _, q := range []rag.Query{{Text: " "}, {Text: strings.Repeat("x", 2001)}, {Text: "\xff"}, {Text: "x", Scope: rag.ScopeCourse}, {Text: "x", Scope: "all"}} {
		if _, err := b.Search(t.Context(), ada, q); !rag.ErrBadQuery.Is(err) {
			t.Errorf("%+v: got %v", q, err)
		}
	}
	if found := b.search(ada, "c1", "¡…!"); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}

func TestThePagesOfAListJoin(t *testing.T) {
	b := setup(t, nil)
	pairs := make([]string, 0, 14)
	for i := range 7 {
		pairs = append(pairs, fmt.Sprintf("%d.md", i), fmt.Sprintf("# D%d\n\nText.\n", i))
	}
	b.ingest(tess, "c1", false, pairs...)
	var got []string
	for token := ""; ; {
		list, next, err := b.Documents(t.Context(), ada, "c1", 3, token)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			got = append(got, d.Path)
		}
		if token = next; token == "" {
			break
		}
	}
	if want := []string{"0.md", "1.md", "2.md", "3.md", "4.md", "5.md", "6.md"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestTheOutlineFollowsTheUnits(t *testing.T) {
	b := setup(t, nil)
	b.ingest(tess, "c1", false, "z.md", "---\nunit: 1\nobjectives: [Begin]\nprerequisites: none\n---\n# First\n\nText.\n",
		"a.md", "---\nunit: 2\n---\n# Second\n\nText.\n", "b.md", "# Aside\n\nText.\n",
		"exercises/x/exercise.md", "---\nunit: 1\n---\n# Practice\n\nText.\n")
	list, err := b.Outline(t.Context(), ada, "c1")
	if err != nil {
		t.Fatal(err)
	}
	titles := make([]string, 0, len(list))
	for _, d := range list {
		titles = append(titles, d.Title)
	}
	if want := []string{"First", "Practice", "Second", "Aside"}; !slices.Equal(titles, want) {
		t.Errorf("got %v", titles)
	}
	if list[0].Meta.Objectives[0] != "Begin" || list[0].Meta.Prerequisites[0] != "none" {
		t.Errorf("got %+v", list[0].Meta)
	}
}
