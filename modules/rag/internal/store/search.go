package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

//nolint:gosec // no credential: a list of columns
const passageColumns = `k.id::text, k.document_id::text, c.course_id, d.path, d.title, k.heading, k.kind, k.text, k.language,
	k.start_line, k.end_line, k.start_byte, k.end_byte`

// scopeCTE are the collections of a search: all count as if they were one.
const scopeCTE = `
	WITH scope AS MATERIALIZED (
		SELECT c.id, c.chunks, c.tokens FROM rag.collections c
		WHERE /*scope*/ (@scope = 'course' AND c.course_id = @course AND (c.user_id = '' OR @peers AND ` + ofPeers + `)
			OR @scope = 'user' AND c.user_id <> '' AND c.user_id = @actor AND NOT c.shared
			OR @scope = 'global' AND (c.user_id <> '' AND c.user_id = @actor AND NOT c.shared
				OR (c.user_id = '' OR @peers AND ` + ofPeers + `)
					AND (c.course_id = '' OR @everything OR c.course_id = ANY (@courses::text[])))) /*end*/
	)`

// bm25 is the score of postings p, by wanted w and corpus u.
const bm25 = `sum(w.idf * p.tf * (@k1::float8 + 1) / (p.tf + @k1 * (1 - @b::float8 + @b * p.tokens / u.average)))`

// First how many passages there are, and what each term is worth among them.
//
// The rarest terms lead: one index-only scan for each finds candidates, and the
// common ones, which tell little apart and stand nearly everywhere, are then
// looked up for the best of these. Where the terms have few postings together,
// all lead, and the answer is BM25's exactly.
//
// Beside passages come what the terms are worth, and the average length, so that
// others can be rated alike.
var search = postgres.SQL("rag.search.bm25", scopeCTE+`, corpus AS MATERIALIZED (
		SELECT sum(chunks)::float8 AS n, greatest(sum(tokens)::float8 / nullif(sum(chunks), 0), 1) AS average FROM scope
	), wanted AS MATERIALIZED (
		SELECT x.term, x.idf, sum(x.chunks) OVER (ORDER BY x.chunks, x.term) <= greatest(@leading, min(x.chunks) OVER ()) AS leads
		FROM (
			SELECT t.term, ln(1 + (u.n - sum(t.chunks) + 0.5) / (sum(t.chunks) + 0.5)) AS idf, sum(t.chunks) AS chunks
			FROM scope s JOIN rag.terms t ON t.collection_id = s.id CROSS JOIN corpus u
			WHERE t.term = ANY (@terms::text[]) GROUP BY t.term, u.n HAVING sum(t.chunks) > 0
		) x
	), led AS MATERIALIZED (
		SELECT p.collection_id, p.chunk, `+bm25+` AS score
		FROM scope s CROSS JOIN wanted w CROSS JOIN corpus u
		JOIN rag.postings p ON p.collection_id = s.id AND p.term = w.term
		WHERE w.leads
		GROUP BY p.collection_id, p.chunk ORDER BY score DESC, p.chunk LIMIT @led
	)
	SELECT l.chunk, l.score + coalesce((
		SELECT `+bm25+` FROM wanted w CROSS JOIN corpus u CROSS JOIN LATERAL (
			SELECT p.tf, p.tokens FROM rag.postings p
			WHERE p.collection_id = l.collection_id AND p.term = w.term AND p.chunk = l.chunk OFFSET 0
		) p WHERE NOT w.leads), 0) AS score, NULL AS term, false AS leads
	FROM led l
	UNION ALL SELECT 0, w.idf, w.term, w.leads FROM wanted w
	UNION ALL SELECT 0, u.average, '', true FROM corpus u`)

const (
	// leadingPostings is how many postings the leading terms have at most, where
	// there is more than one of them.
	leadingPostings = 8000
	// led is how many candidates the common terms are looked up for.
	led = 400
)

// Ranking are the parameters of BM25, and whether peers' validated code is
// searched where the course's policy lets.
type Ranking struct {
	K1, B float64
	Peers bool
}

// Words is what words found.
type Words struct {
	// Found are passages with their scores, best first.
	Found []Likeness
	// Whole is set when no other passage holds any of the terms.
	Whole bool
	// worth are the terms that occur; average is how long a passage is.
	terms   []string
	worth   []float64
	average float64
	by      Ranking
}

func scopeArgs(actor auth.Actor, scope rag.Scope, courseID string, peers bool) postgres.Args {
	args := rights(actor, postgres.Args{"scope": string(scope), "course": courseID, "peers": peers})
	delete(args, "system")
	return args
}

func searchArgs(actor auth.Actor, scope rag.Scope, courseID string, terms []string, by Ranking) postgres.Args {
	args := scopeArgs(actor, scope, courseID, by.Peers)
	args["terms"], args["k1"], args["b"] = terms, by.K1, by.B
	args["leading"], args["led"] = leadingPostings, led
	return args
}

// Search finds the passages that fit the terms best, by BM25 over the postings.
func Search(ctx context.Context, q postgres.Queryer, actor auth.Actor, scope rag.Scope, courseID string, terms []string, by Ranking) (Words, error) {
	words := Words{Whole: true, by: by}
	rows, err := q.Query(ctx, search, searchArgs(actor, scope, courseID, terms, by))
	if err != nil {
		return words, fmt.Errorf("search: %w", err)
	}
	var one Likeness
	var term *string
	var leads bool
	_, err = pgx.ForEachRow(rows, []any{&one.Chunk, &one.BM25, &term, &leads}, func() error {
		switch {
		case term == nil:
			words.Found = append(words.Found, one)
		case *term == "":
			words.average = one.BM25
		default:
			words.terms, words.worth = append(words.terms, *term), append(words.worth, one.BM25)
			words.Whole = words.Whole && leads
		}
		return nil
	})
	if err != nil {
		return words, fmt.Errorf("search: %w", err)
	}
	words.Whole = words.Whole && len(words.Found) < led
	slices.SortFunc(words.Found, func(a, b Likeness) int {
		return cmp.Or(cmp.Compare(b.BM25, a.BM25), cmp.Compare(a.Chunk, b.Chunk))
	})
	return words, nil
}

// Hit is a passage with its distinct terms.
type Hit struct {
	rag.Passage
	Num   int64
	Terms []string
}

// Who sees a passage is asked again: between the search and this its collection
// may have been closed to the reader.
var readHits = postgres.SQL("rag.search.hits", `
	SELECT `+passageColumns+`, k.num, k.terms
	FROM rag.chunks k JOIN rag.documents d ON d.id = k.document_id JOIN rag.collections c ON c.id = k.collection_id
	WHERE k.num = ANY (@chunks::bigint[]) AND `+readable)

// Hits reads passages by number; their order is nobody's.
func Hits(ctx context.Context, q postgres.Queryer, actor auth.Actor, chunks []int64) ([]Hit, error) {
	rows, err := q.Query(ctx, readHits, rights(actor, postgres.Args{"chunks": chunks}))
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	hits, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h Hit, err error) {
		err = scanPassage(row, &h.Passage, &h.Num, &h.Terms)
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	return hits, nil
}

var readPassages = postgres.SQL("rag.passages", `
	SELECT `+passageColumns+`
	FROM rag.collections c JOIN rag.documents d ON d.collection_id = c.id JOIN rag.chunks k ON k.document_id = d.id
	WHERE `+readable+` AND (@course = '' OR c.course_id = @course AND c.user_id = '')
		AND (cardinality(@chunks::uuid[]) = 0 OR k.id = ANY (@chunks))
		AND (cardinality(@documents::uuid[]) = 0 OR d.id = ANY (@documents))
		AND (cardinality(@kinds::text[]) = 0 OR k.kind = ANY (@kinds))
	ORDER BY c.course_id, d.path, k.position LIMIT @limit`)

// Passages reads passages in the order of their documents.
func Passages(ctx context.Context, q postgres.Queryer, actor auth.Actor, f rag.PassageFilter) ([]rag.Passage, error) {
	rows, err := q.Query(ctx, readPassages, rights(actor, postgres.Args{"course": f.CourseID, "limit": f.Limit,
		"chunks": orNone(f.ChunkIDs), "documents": orNone(f.DocumentIDs), "kinds": orNone(f.Kinds)}))
	if err != nil {
		return nil, fmt.Errorf("read passages: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p rag.Passage, err error) {
		err = scanPassage(row, &p)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read passages: %w", err)
	}
	return list, nil
}

func scanPassage(row pgx.Row, p *rag.Passage, more ...any) error {
	return row.Scan(append([]any{&p.ChunkID, &p.DocumentID, &p.CourseID, &p.Path, &p.Title, &p.Heading, &p.Kind, &p.Text,
		&p.Language, &p.StartLine, &p.EndLine, &p.StartByte, &p.EndByte}, more...)...)
}
