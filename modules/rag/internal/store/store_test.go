package store

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/chunk"
)

const (
	otherDocument = "01900000-0000-7000-8000-000000000001"
	ownDocument   = "01900000-0000-7000-8000-000000000002"
	otherChunk    = "01900000-0000-7000-8000-000000000003"
	ownChunk      = "01900000-0000-7000-8000-000000000004"
)

// setup stores a document with an exercise in c1 and one in c2.
func setup(t *testing.T) *postgres.DB {
	t.Helper()
	db := postgrestest.DB(t)
	err := db.InTx(t.Context(), postgres.As(auth.System("test")), func(ctx context.Context, tx *postgres.Tx) error {
		for _, course := range []string{"c1", "c2"} {
			ids := map[string][2]string{"c1": {otherDocument, otherChunk}, "c2": {ownDocument, ownChunk}}[course]
			collection, err := Lock(ctx, tx, course)
			if err != nil {
				return err
			}
			now := time.Now()
			if err := PutDocuments(ctx, tx, collection, []Row{{ID: ids[0], Path: "exercises/x/exercise.md", Kind: rag.Markdown,
				Digest: []byte{1}, Content: "penguin", Chunks: 1}}, now); err != nil {
				return err
			}
			if err := AddChunks(ctx, tx, collection, []Chunk{{ID: ids[1], DocumentID: ids[0], Digest: []byte{1}, Tokens: 1,
				Chunk: chunk.Chunk{Kind: "text", Text: "penguin", EndByte: 7}, TF: map[string]float32{"penguin": 1}}}); err != nil {
				return err
			}
			if err := PutExercise(ctx, tx, collection, rag.Exercise{ID: ids[0], CourseID: course, DocumentID: ids[0], Path: "exercises/x",
				Files: []rag.ExerciseFile{{Role: rag.Solution, Path: "s", Content: "secret"}}}, now); err != nil {
				return err
			}
			if err := PutPolicy(ctx, tx, rag.Policy{CourseID: course, DefaultScope: rag.ScopeCourse, UpdatedAt: now}); err != nil {
				return err
			}
			if err := PutGraph(ctx, tx, collection, rag.Graph{CourseID: course, Concepts: []rag.Concept{{Key: "penguin", Name: "penguin", Position: 1}},
				Edges: []rag.ConceptEdge{{Kind: rag.EdgePractises, Concept: "penguin", DocumentID: ids[0]}}}, now); err != nil {
				return err
			}
		}
		space, err := EnsureSpace(ctx, tx, llm.Space{Provider: "fake", Model: "fake", Dimensions: 2, Version: "1"}, 1, time.Now())
		if err != nil {
			return err
		}
		bare, err := Without(ctx, tx, space.ID, 0, 10)
		if err != nil || len(bare) != 2 {
			t.Fatalf("%d passages have no vector, %v", len(bare), err)
		}
		return AddVectors(ctx, tx, space.ID, []int64{bare[0].Num, bare[1].Num}, [][]float32{{1, 0}, {0, 1}}, time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// numberOf is the number of course c1's only passage.
func numberOf(t *testing.T, db *postgres.DB) int64 {
	t.Helper()
	hits, err := Search(t.Context(), db.As(auth.System("test")), auth.System("test"), rag.ScopeCourse, "c1", []string{"penguin"}, Ranking{K1: 1.2, B: 0.9, Peers: true})
	if err != nil || len(hits.Found) != 1 {
		t.Fatalf("got %v, %v", hits, err)
	}
	return hits.Found[0].Chunk
}

// readers are the statements by which people read, with arguments that name
// what belongs to course c1.
func readers(actor auth.Actor, num int64) map[*postgres.Statement]postgres.Args {
	query := searchArgs(actor, rag.ScopeCourse, "c1", []string{"penguin"}, Ranking{K1: 1.2, B: 0.9, Peers: true})
	near := scopeArgs(actor, rag.ScopeCourse, "c1", true)
	// Both ways to look: through the index, and at each passage.
	maps.Copy(near, postgres.Args{"space": 1, "dims": 2, "query": "[1,0]", "amount": 50, "breadth": 100, "few": -1})
	return map[*postgres.Statement]postgres.Args{
		search:             query,
		compare:            near,
		readHits:           rights(actor, postgres.Args{"chunks": []int64{num}}),
		listDocuments:      rights(actor, postgres.Args{"course": "c1", "after": "", "size": 50}),
		getDocument:        rights(actor, postgres.Args{"id": otherDocument}),
		listExercises:      rights(actor, postgres.Args{"course": "c1"}),
		getPolicy:          {"course": "c1", "courses": query["courses"], "everything": query["everything"]},
		listConcepts:       rights(actor, postgres.Args{"course": "c1"}),
		listEdges:          rights(actor, postgres.Args{"course": "c1"}),
		listGraphDocuments: rights(actor, postgres.Args{"course": "c1"}),
		readPassages: rights(actor, postgres.Args{"course": "c1", "limit": 50, "chunks": []string{otherChunk},
			"documents": []string{}, "kinds": []string{}}),
	}
}

func TestWithoutTheFilterNobodyReadsAnotherCourse(t *testing.T) {
	db := setup(t)
	for _, s := range postgres.Statements() {
		if _, tested := readers(auth.Actor{}, 0)[s]; strings.HasPrefix(s.Name(), "rag.") && strings.Contains(s.Text(), "/*scope*/") && !tested {
			t.Errorf("%s has a scope and is not tested here", s.Name())
		}
	}
	num := numberOf(t, db)
	count := func(who auth.Actor, s *postgres.Statement, args postgres.Args) (int, error) {
		open := s.Unscoped()
		// The arguments that only the filter took are gone with it.
		kept := postgres.Args{}
		for name, value := range args {
			if strings.Contains(open.Text(), "@"+name) {
				kept[name] = value
			}
		}
		rows, err := db.As(who).Query(t.Context(), open, kept)
		if err != nil {
			return 0, err
		}
		list, err := pgx.CollectRows(rows, pgx.RowToMap)
		n := 0
		for _, row := range list {
			if row["course_id"] == "c1" || row["chunk"] == num {
				n++
			}
		}
		return n, err
	}
	for _, who := range []auth.Actor{
		{UserID: "bob", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c2"}},
		{UserID: "zoe", Roles: []auth.Role{auth.Student}},
		{UserID: "eve", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c2", "*"}},
		{},
	} {
		for s, args := range readers(who, num) {
			n, err := count(who, s, args)
			if s == listExercises && err != nil && strings.Contains(err.Error(), "permission denied") {
				continue // learners may not even ask
			}
			if n != 0 || err != nil {
				t.Errorf("%s as %q reads %d rows of another course, %v", s.Name(), who.UserID, n, err)
			}
		}
	}
	for s, args := range readers(auth.Actor{UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}}, num) {
		n, err := count(auth.Actor{UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}}, s, args)
		if s == listExercises {
			if err == nil {
				t.Error("a learner may ask for exercises with their solutions")
			}
		} else if n != 1 || err != nil {
			t.Errorf("%s: a learner of the course reads %d rows, %v", s.Name(), n, err)
		}
	}
}

func TestNobodyWritesIntoAnotherCourse(t *testing.T) {
	db := setup(t)
	for _, who := range []auth.Actor{
		{UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}},
		{UserID: "eve", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c2"}},
	} {
		for name, write := range map[string]func(context.Context, *postgres.Tx) error{
			"lock": func(ctx context.Context, tx *postgres.Tx) error { _, err := Lock(ctx, tx, "c1"); return err },
			"document": func(ctx context.Context, tx *postgres.Tx) error {
				return PutDocuments(ctx, tx, 1, []Row{{ID: otherDocument, Path: "x", Kind: rag.Text, Digest: []byte{1}}}, time.Now())
			},
			"chunk": func(ctx context.Context, tx *postgres.Tx) error {
				return AddChunks(ctx, tx, 1, []Chunk{{ID: ownDocument, DocumentID: otherDocument, Digest: []byte{1}, Chunk: chunk.Chunk{Kind: "text"}, TF: map[string]float32{"x": 1}}})
			},
		} {
			if err := db.InTx(t.Context(), postgres.As(who), write); err == nil {
				t.Errorf("%s writes a %s", who.UserID, name) // collection 1 is that of c1
			}
		}
		_ = db.InTx(t.Context(), postgres.As(who), func(ctx context.Context, tx *postgres.Tx) error { return DropCourse(ctx, tx, "c1") })
		_ = db.InTx(t.Context(), postgres.As(who), func(ctx context.Context, tx *postgres.Tx) error {
			return DropDocuments(ctx, tx, []string{otherDocument})
		})
	}
	if d, err := GetDocument(t.Context(), db.As(auth.System("test")), auth.System("test"), otherDocument); err != nil || d.Content != "penguin" {
		t.Errorf("got %+v, %v", d, err)
	}
}
