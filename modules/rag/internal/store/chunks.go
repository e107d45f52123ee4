package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag/internal/chunk"
)

// Chunk is a chunk to write.
type Chunk struct {
	ID, DocumentID string
	Position       int
	chunk.Chunk
	Language string
	// Digest is over all that search sees of it.
	Digest []byte
	// Tokens is its length, TF how often each term is in it.
	Tokens int
	TF     map[string]float32
}

// Known is a chunk that is there.
type Known struct {
	ID, DocumentID string
	Digest         []byte
}

var chunksOf = postgres.SQL("rag.chunks.of", `
	SELECT k.id::text, k.document_id::text, k.digest FROM rag.chunks k
	WHERE k.document_id = ANY (@documents::uuid[]) ORDER BY k.document_id, k.position`)

// ChunksOf reads the chunks of documents, in their order.
func ChunksOf(ctx context.Context, tx *postgres.Tx, documents []string) ([]Known, error) {
	rows, err := tx.Query(ctx, chunksOf, postgres.Args{"documents": documents})
	if err != nil {
		return nil, fmt.Errorf("read chunks: %w", err)
	}
	known, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Known])
	if err != nil {
		return nil, fmt.Errorf("read chunks: %w", err)
	}
	return known, nil
}

var dropChunks = postgres.SQL("rag.chunks.drop", `
	WITH gone AS (
		DELETE FROM rag.chunks WHERE id = ANY (@ids::uuid[]) RETURNING num, collection_id, tokens, terms
	), words AS (
		SELECT g.collection_id, g.num, w.term FROM gone g CROSS JOIN LATERAL unnest(g.terms) AS w (term)
	), unposted AS (
		DELETE FROM rag.postings p USING words w
		WHERE p.collection_id = w.collection_id AND p.term = w.term AND p.chunk = w.num
	), fewer AS (
		UPDATE rag.terms t SET chunks = t.chunks - w.n
		FROM (SELECT collection_id, term, count(*)::int AS n FROM words GROUP BY collection_id, term) w
		WHERE t.collection_id = w.collection_id AND t.term = w.term
	)
	UPDATE rag.collections c SET chunks = c.chunks - g.n, tokens = c.tokens - g.tokens
	FROM (SELECT collection_id, count(*)::int AS n, sum(tokens) AS tokens FROM gone GROUP BY collection_id) g
	WHERE c.id = g.collection_id`)

// DropChunks deletes chunks with their postings, and keeps the counts true.
func DropChunks(ctx context.Context, tx *postgres.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, dropChunks, postgres.Args{"ids": ids}); err != nil {
		return fmt.Errorf("delete %d chunks: %w", len(ids), err)
	}
	return nil
}

var moveChunks = postgres.SQL("rag.chunks.move", `
	UPDATE rag.chunks k SET position = m.position, start_line = m.start_line, end_line = m.end_line,
		start_byte = m.start_byte, end_byte = m.end_byte
	FROM unnest(@ids::uuid[], @positions::int[], @start_lines::int[], @end_lines::int[], @start_bytes::int[], @end_bytes::int[])
		AS m (id, position, start_line, end_line, start_byte, end_byte)
	WHERE k.id = m.id`)

// MoveChunks says where chunks that did not change now stand in their documents.
func MoveChunks(ctx context.Context, tx *postgres.Tx, chunks []Chunk) error {
	if len(chunks) == 0 {
		return nil
	}
	c := columnsOf(chunks)
	_, err := tx.Exec(ctx, moveChunks, postgres.Args{"ids": c.ids, "positions": c.positions,
		"start_lines": c.startLines, "end_lines": c.endLines, "start_bytes": c.startBytes, "end_bytes": c.endBytes})
	if err != nil {
		return fmt.Errorf("move %d chunks: %w", len(chunks), err)
	}
	return nil
}

var addChunks = postgres.SQL("rag.chunks.add", `
	WITH counted AS (
		UPDATE rag.collections SET chunks = chunks + cardinality(@ids::uuid[]),
			tokens = tokens + (SELECT sum(n) FROM unnest(@tokens::int[]) AS n)
		WHERE id = @collection
	)
	INSERT INTO rag.chunks (id, document_id, collection_id, position, kind, heading, text, language,
		start_line, end_line, start_byte, end_byte, digest, tokens, terms)
	SELECT a.id, a.document_id, @collection, a.position, a.kind, a.heading, a.text, a.language,
		a.start_line, a.end_line, a.start_byte, a.end_byte, a.digest, a.tokens, string_to_array(a.terms, ' ')
	FROM unnest(@ids::uuid[], @documents::uuid[], @positions::int[], @kinds::text[], @headings::text[], @texts::text[],
		@languages::text[], @start_lines::int[], @end_lines::int[], @start_bytes::int[], @end_bytes::int[],
		@digests::bytea[], @tokens::int[], @terms::text[])
		AS a (id, document_id, position, kind, heading, text, language, start_line, end_line, start_byte, end_byte, digest, tokens, terms)
	RETURNING id::text, num`)

var addPostings = postgres.SQL("rag.postings.add", `
	WITH added AS (
		SELECT a.term, a.chunk, a.tf, a.tokens
		FROM unnest(@terms::text[], @chunks::bigint[], @tfs::real[], @tokens::int[]) AS a (term, chunk, tf, tokens)
	), counted AS (
		INSERT INTO rag.terms AS t (collection_id, term, chunks)
		SELECT @collection, a.term, count(*)::int FROM added a GROUP BY a.term
		ON CONFLICT (collection_id, term) DO UPDATE SET chunks = t.chunks + excluded.chunks
	)
	INSERT INTO rag.postings (collection_id, term, chunk, tf, tokens)
	SELECT @collection, a.term, a.chunk, a.tf, a.tokens FROM added a`)

// postingsAtOnce bounds the rows of one statement.
const postingsAtOnce = 50_000

// AddChunks writes chunks with their postings, and keeps the counts true.
func AddChunks(ctx context.Context, tx *postgres.Tx, collection int32, chunks []Chunk) error {
	if len(chunks) == 0 {
		return nil
	}
	c := columnsOf(chunks)
	rows, err := tx.Query(ctx, addChunks, postgres.Args{"collection": collection,
		"ids": c.ids, "documents": c.documents, "positions": c.positions, "kinds": c.kinds, "headings": c.headings,
		"texts": c.texts, "languages": c.languages, "start_lines": c.startLines, "end_lines": c.endLines,
		"start_bytes": c.startBytes, "end_bytes": c.endBytes, "digests": c.digests, "tokens": c.tokens, "terms": c.terms})
	if err != nil {
		return fmt.Errorf("write %d chunks: %w", len(chunks), err)
	}
	nums := make(map[string]int64, len(chunks))
	var id string
	var num int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &num}, func() error { nums[id] = num; return nil }); err != nil {
		return fmt.Errorf("write %d chunks: %w", len(chunks), err)
	}
	p := postings{collection: collection}
	for _, one := range chunks {
		for term, tf := range one.TF {
			p.terms = append(p.terms, term)
			p.chunks = append(p.chunks, nums[one.ID])
			p.tfs = append(p.tfs, tf)
			p.tokens = append(p.tokens, int32(one.Tokens))
		}
		if len(p.terms) >= postingsAtOnce {
			if err := p.write(ctx, tx); err != nil {
				return err
			}
		}
	}
	return p.write(ctx, tx)
}

type postings struct {
	collection int32
	terms      []string
	chunks     []int64
	tfs        []float32
	tokens     []int32
}

func (p *postings) write(ctx context.Context, tx *postgres.Tx) error {
	if len(p.terms) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, addPostings, postgres.Args{"collection": p.collection, "terms": p.terms, "chunks": p.chunks,
		"tfs": p.tfs, "tokens": p.tokens})
	if err != nil {
		return fmt.Errorf("write %d postings: %w", len(p.terms), err)
	}
	*p = postings{collection: p.collection}
	return nil
}

// columns are chunks turned on their side, as unnest takes them.
type columns struct {
	ids, documents, kinds, headings, texts, languages, terms      []string
	positions, startLines, endLines, startBytes, endBytes, tokens []int32
	digests                                                       [][]byte
}

func columnsOf(chunks []Chunk) columns {
	var c columns
	for _, one := range chunks {
		terms := make([]string, 0, len(one.TF))
		for term := range one.TF {
			terms = append(terms, term)
		}
		c.ids, c.documents = append(c.ids, one.ID), append(c.documents, one.DocumentID)
		c.kinds, c.headings = append(c.kinds, one.Kind), append(c.headings, one.Heading)
		c.texts, c.languages = append(c.texts, one.Text), append(c.languages, one.Language)
		c.terms = append(c.terms, strings.Join(terms, " "))
		c.positions, c.tokens = append(c.positions, int32(one.Position)), append(c.tokens, int32(one.Tokens))
		c.startLines, c.endLines = append(c.startLines, int32(one.StartLine)), append(c.endLines, int32(one.EndLine))
		c.startBytes, c.endBytes = append(c.startBytes, int32(one.StartByte)), append(c.endBytes, int32(one.EndByte))
		c.digests = append(c.digests, one.Digest)
	}
	return c
}

var sweepTerms = postgres.SQL("rag.terms.sweep", `DELETE FROM rag.terms WHERE collection_id = @collection AND chunks <= 0`)

// SweepTerms forgets terms that no chunk holds any more.
func SweepTerms(ctx context.Context, tx *postgres.Tx, collection int32) error {
	if _, err := tx.Exec(ctx, sweepTerms, postgres.Args{"collection": collection}); err != nil {
		return fmt.Errorf("sweep terms of collection %d: %w", collection, err)
	}
	return nil
}
