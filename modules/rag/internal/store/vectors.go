package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

// Bare is a passage without a vector.
type Bare struct {
	Num        int64
	Collection int32
	CourseID   string
	Kind       string
	Title      string
	Heading    string
	Text       string
}

var bareChunks = postgres.SQL("rag.embeddings.missing", `
	SELECT k.num, k.collection_id, c.course_id, k.kind, d.title, k.heading, k.text
	FROM rag.chunks k JOIN rag.documents d ON d.id = k.document_id JOIN rag.collections c ON c.id = k.collection_id
	WHERE k.num > @after AND NOT EXISTS (SELECT FROM rag.embeddings e WHERE e.space_id = @space AND e.chunk = k.num)
	ORDER BY k.num LIMIT @limit`)

// Without reads passages after a number that have no vector in a space.
func Without(ctx context.Context, q postgres.Queryer, space int32, after int64, limit int) ([]Bare, error) {
	rows, err := q.Query(ctx, bareChunks, postgres.Args{"space": space, "after": after, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("find passages without vectors: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Bare])
	if err != nil {
		return nil, fmt.Errorf("find passages without vectors: %w", err)
	}
	return list, nil
}

var addVectors = postgres.SQL("rag.embeddings.add", `
	INSERT INTO rag.embeddings (space_id, chunk, collection_id, embedding, created_at)
	SELECT @space, a.chunk, k.collection_id, a.embedding, @now
	FROM unnest(@chunks::bigint[], @embeddings::halfvec[]) AS a (chunk, embedding)
	JOIN rag.chunks k ON k.num = a.chunk
	ORDER BY a.chunk
	ON CONFLICT (space_id, chunk) DO UPDATE SET embedding = excluded.embedding, created_at = excluded.created_at`)

// AddVectors stores passages' vectors; nil for a passage that the model can't
// take. Passages that are gone by now are left out. Replicas that store the same
// ones at the same time lock them in one order.
func AddVectors(ctx context.Context, q postgres.Queryer, space int32, chunks []int64, vectors [][]float32, now time.Time) error {
	texts := make([]*string, len(vectors))
	for i, v := range vectors {
		if v != nil {
			text := pgvector.NewHalfVector(v).String()
			texts[i] = &text
		}
	}
	if _, err := q.Exec(ctx, addVectors, postgres.Args{"space": space, "chunks": chunks, "embeddings": texts, "now": now}); err != nil {
		return fmt.Errorf("store %d vectors: %w", len(chunks), err)
	}
	return nil
}

// Likeness is how a passage compares with a question: by words, and by meaning
// where it has a vector.
type Likeness struct {
	Chunk  int64
	BM25   float64
	Cosine *float64
	// collection is where the passage lies, where that is known.
	collection int32
}

var compare = postgres.SQL("rag.search.vectors", scopeCTE+`
	SELECT n.chunk, n.collection_id, max(n.cosine)
	FROM rag.nearest(@space, @dims, @query::halfvec, (SELECT array_agg(s.id) FROM scope s), @amount, @breadth, @few) n
	GROUP BY n.chunk, n.collection_id`)

// Nearness says how to look for vectors.
type Nearness struct {
	Space  Space
	Vector []float32
	// Amount is how many passages come near; Breadth is how widely the index
	// looks for them; up to Few passages all are
	// compared; below 0 never.
	Amount, Breadth, Few int
}

// Compare finds the passages nearest to a vector.
func Compare(ctx context.Context, q postgres.Queryer, actor auth.Actor, scope rag.Scope, courseID string, peers bool, near Nearness) ([]Likeness, error) {
	args := scopeArgs(actor, scope, courseID, peers)
	args["space"], args["dims"] = near.Space.ID, near.Space.Dimensions
	args["query"] = pgvector.NewHalfVector(near.Vector).String()
	args["amount"], args["breadth"], args["few"] = near.Amount, near.Breadth, near.Few
	rows, err := q.Query(ctx, compare, args)
	if err != nil {
		return nil, fmt.Errorf("search vectors: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Likeness, err error) {
		err = row.Scan(&l.Chunk, &l.collection, &l.Cosine)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("search vectors: %w", err)
	}
	return list, nil
}

var alike = postgres.SQL("rag.search.alike", `
	SELECT e.chunk, 1 - (e.embedding <=> @query::halfvec)
	FROM unnest(@found::bigint[]) AS f (chunk) JOIN rag.embeddings e ON e.space_id = @space AND e.chunk = f.chunk
	WHERE e.embedding IS NOT NULL`)

// Alike tells how near passages that words found are to a vector, as far as
// they have one themselves.
func Alike(ctx context.Context, q postgres.Queryer, space Space, vector []float32, found []Likeness) ([]Likeness, error) {
	nums := make([]int64, len(found))
	for i, f := range found {
		nums[i] = f.Chunk
	}
	rows, err := q.Query(ctx, alike, postgres.Args{"space": space.ID, "query": pgvector.NewHalfVector(vector).String(), "found": nums})
	if err != nil {
		return nil, fmt.Errorf("compare passages: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Likeness, err error) {
		err = row.Scan(&l.Chunk, &l.Cosine)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("compare passages: %w", err)
	}
	return list, nil
}

var rate = postgres.SQL("rag.search.rate", `
	SELECT n.chunk, `+bm25+`
	FROM (SELECT @average::float8 AS average) u CROSS JOIN unnest(@near::bigint[], @collections::int[]) AS n (chunk, collection_id)
	CROSS JOIN unnest(@terms::text[], @worth::float8[]) AS w (term, idf) CROSS JOIN LATERAL (
		SELECT p.tf, p.tokens FROM rag.postings p
		WHERE p.collection_id = n.collection_id AND p.term = w.term AND p.chunk = n.chunk OFFSET 0
	) p GROUP BY n.chunk`)

// Unrated are those of the near passages whose words may be worth something
// that Search didn't tell.
func (w *Words) Unrated(near []Likeness) []Likeness {
	if w.Whole || len(w.terms) == 0 {
		return nil
	}
	rated := make(map[int64]bool, len(w.Found))
	for _, f := range w.Found {
		rated[f.Chunk] = true
	}
	var list []Likeness
	for _, n := range near {
		if !rated[n.Chunk] {
			list = append(list, n)
		}
	}
	return list
}

// Rate tells what the words of near passages are worth, by the terms and
// measures of what was found by words. Those that hold no term are left out.
func Rate(ctx context.Context, q postgres.Queryer, words Words, near []Likeness) ([]Likeness, error) {
	nums, collections := make([]int64, len(near)), make([]int32, len(near))
	for i, n := range near {
		nums[i], collections[i] = n.Chunk, n.collection
	}
	rows, err := q.Query(ctx, rate, postgres.Args{"k1": words.by.K1, "b": words.by.B, "average": max(words.average, 1),
		"near": nums, "collections": collections, "terms": orNone(words.terms), "worth": orNone(words.worth)})
	if err != nil {
		return nil, fmt.Errorf("rate passages: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Likeness, err error) {
		err = row.Scan(&l.Chunk, &l.BM25)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("rate passages: %w", err)
	}
	return list, nil
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

var dropVectors = postgres.SQL("rag.embeddings.drop", `
	DELETE FROM rag.embeddings WHERE space_id = @space
		AND chunk IN (SELECT e.chunk FROM rag.embeddings e WHERE e.space_id = @space LIMIT @limit)`)

// DropVectors deletes at most limit vectors of a space and says how many.
func DropVectors(ctx context.Context, q postgres.Queryer, space int32, limit int) (int64, error) {
	tag, err := q.Exec(ctx, dropVectors, postgres.Args{"space": space, "limit": limit})
	if err != nil {
		return 0, fmt.Errorf("delete vectors of space %d: %w", space, err)
	}
	return tag.RowsAffected(), nil
}

var lastChunk = postgres.SQL("rag.chunks.last", `SELECT coalesce(max(k.num), 0) FROM rag.chunks k`)

// LastChunk is the highest number of a passage.
func LastChunk(ctx context.Context, q postgres.Queryer) (int64, error) {
	var num int64
	if err := q.QueryRow(ctx, lastChunk, nil).Scan(&num); err != nil {
		return 0, fmt.Errorf("find the last passage: %w", err)
	}
	return num, nil
}
