package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

// GraphSource is what the concept graph needs of a document.
type GraphSource struct {
	ID, Path, Title string
	Meta            rag.Meta
	// Practice are headings of sections that are exercises.
	Practice []string
}

var graphSources = postgres.SQL("rag.concepts.sources", `
	SELECT d.id::text, d.path, d.title, d.meta, coalesce((
		SELECT array_agg(DISTINCT k.heading ORDER BY k.heading) FROM rag.chunks k
		WHERE k.document_id = d.id AND k.kind = 'exercise'), '{}')
	FROM rag.documents d WHERE d.collection_id = @collection`)

// GraphSources reads what the documents of a collection say of themselves.
func GraphSources(ctx context.Context, tx *postgres.Tx, collection int32) ([]GraphSource, error) {
	rows, err := tx.Query(ctx, graphSources, postgres.Args{"collection": collection})
	if err != nil {
		return nil, fmt.Errorf("read concepts of collection %d: %w", collection, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[GraphSource])
	if err != nil {
		return nil, fmt.Errorf("read concepts of collection %d: %w", collection, err)
	}
	return list, nil
}

var (
	putConcepts = postgres.SQL("rag.concepts.put", `
		INSERT INTO rag.concepts AS c (collection_id, key, name, position, unit, taught, updated_at)
		SELECT @collection, n.key, n.name, n.position, n.unit, n.taught, @now
		FROM unnest(@keys::text[], @names::text[], @positions::int[], @units::int[], @taught::bool[]) AS n (key, name, position, unit, taught)
		ON CONFLICT (collection_id, key) DO UPDATE SET name = excluded.name, position = excluded.position,
			unit = excluded.unit, taught = excluded.taught, updated_at = excluded.updated_at
		-- What stays as it is stays untouched.
		WHERE (c.name, c.position, c.unit, c.taught) IS DISTINCT FROM (excluded.name, excluded.position, excluded.unit, excluded.taught)`)
	dropConcepts = postgres.SQL("rag.concepts.drop", `
		DELETE FROM rag.concepts WHERE collection_id = @collection AND NOT key = ANY (@keys::text[])`)
	putEdges = postgres.SQL("rag.concepts.edges.put", `
		INSERT INTO rag.concept_edges AS e (collection_id, kind, concept, needs, document_id, heading, broken)
		SELECT @collection, n.kind, n.concept, n.needs, n.document_id, n.heading, n.broken
		FROM unnest(@kinds::text[], @concepts::text[], @needs::text[], @documents::uuid[], @headings::text[], @broken::bool[])
			AS n (kind, concept, needs, document_id, heading, broken)
		ON CONFLICT (collection_id, kind, concept, needs, document_id, heading) DO UPDATE SET broken = excluded.broken
		WHERE e.broken <> excluded.broken`)
	dropEdges = postgres.SQL("rag.concepts.edges.drop", `
		DELETE FROM rag.concept_edges e WHERE e.collection_id = @collection AND NOT EXISTS (
			SELECT FROM unnest(@kinds::text[], @concepts::text[], @needs::text[], @documents::uuid[], @headings::text[])
				AS n (kind, concept, needs, document_id, heading)
			WHERE n.kind = e.kind AND n.concept = e.concept AND n.needs = e.needs AND n.document_id = e.document_id AND n.heading = e.heading)`)
)

// PutGraph makes a collection's concept graph this one; rows that stay the same
// are not touched.
func PutGraph(ctx context.Context, tx *postgres.Tx, collection int32, g rag.Graph, now time.Time) error {
	n := len(g.Concepts)
	keys, names, positions, units, taught := make([]string, n), make([]string, n), make([]int32, n), make([]int32, n), make([]bool, n)
	for i, c := range g.Concepts {
		keys[i], names[i], positions[i], units[i], taught[i] = c.Key, c.Name, int32(c.Position), int32(c.Unit), c.Taught
	}
	n = len(g.Edges)
	kinds, concepts, needs := make([]string, n), make([]string, n), make([]string, n)
	documents, headings, broken := make([]string, n), make([]string, n), make([]bool, n)
	for i, e := range g.Edges {
		kinds[i], concepts[i], needs[i] = string(e.Kind), e.Concept, e.Needs
		documents[i], headings[i], broken[i] = e.DocumentID, e.Heading, e.Broken
	}
	for _, one := range []struct {
		statement *postgres.Statement
		args      postgres.Args
	}{
		{dropConcepts, postgres.Args{"collection": collection, "keys": keys}},
		{putConcepts, postgres.Args{"collection": collection, "keys": keys, "names": names, "positions": positions,
			"units": units, "taught": taught, "now": now}},
		{dropEdges, postgres.Args{"collection": collection, "kinds": kinds, "concepts": concepts, "needs": needs,
			"documents": documents, "headings": headings}},
		{putEdges, postgres.Args{"collection": collection, "kinds": kinds, "concepts": concepts, "needs": needs,
			"documents": documents, "headings": headings, "broken": broken}},
	} {
		if _, err := tx.Exec(ctx, one.statement, one.args); err != nil {
			return fmt.Errorf("write concepts of course %s: %w", g.CourseID, err)
		}
	}
	return nil
}

var (
	listConcepts = postgres.SQL("rag.concepts.list", `
		SELECT c.course_id, n.key, n.name, n.position, n.unit, n.taught
		FROM rag.concepts n JOIN rag.collections c ON c.id = n.collection_id
		WHERE c.course_id = @course AND c.user_id = '' AND `+readable+` ORDER BY n.position`)
	listEdges = postgres.SQL("rag.concepts.edges.list", `
		SELECT c.course_id, e.kind, e.concept, e.needs, e.document_id::text, e.heading, e.broken
		FROM rag.concept_edges e JOIN rag.collections c ON c.id = e.collection_id
		WHERE c.course_id = @course AND c.user_id = '' AND `+readable)
	listGraphDocuments = postgres.SQL("rag.concepts.documents", `
		SELECT c.course_id, d.id::text, d.path, d.title, coalesce((d.meta->>'unit')::int, 0)
		FROM rag.documents d JOIN rag.collections c ON c.id = d.collection_id
		WHERE c.course_id = @course AND c.user_id = '' AND `+readable+`
			AND EXISTS (SELECT FROM rag.concept_edges e WHERE e.document_id = d.id)`)
)

// Graph reads a course's concepts, edges and documents, the latter two in no
// order; which documents are exercises is not known here.
func Graph(ctx context.Context, q postgres.Queryer, actor auth.Actor, courseID string) (g rag.Graph, err error) {
	g.CourseID = courseID
	ask := func(s *postgres.Statement, scan func(pgx.CollectableRow) error) {
		if err != nil {
			return
		}
		rows, asked := q.Query(ctx, s, rights(actor, postgres.Args{"course": courseID}))
		if asked == nil {
			_, asked = pgx.CollectRows(rows, func(row pgx.CollectableRow) (none struct{}, err error) { return none, scan(row) })
		}
		if asked != nil {
			err = fmt.Errorf("read concepts of course %s: %w", courseID, asked)
		}
	}
	var course string
	ask(listConcepts, func(row pgx.CollectableRow) error {
		var c rag.Concept
		err := row.Scan(&course, &c.Key, &c.Name, &c.Position, &c.Unit, &c.Taught)
		g.Concepts = append(g.Concepts, c)
		return err
	})
	ask(listEdges, func(row pgx.CollectableRow) error {
		var e rag.ConceptEdge
		err := row.Scan(&course, &e.Kind, &e.Concept, &e.Needs, &e.DocumentID, &e.Heading, &e.Broken)
		g.Edges = append(g.Edges, e)
		return err
	})
	ask(listGraphDocuments, func(row pgx.CollectableRow) error {
		var d rag.GraphDocument
		err := row.Scan(&course, &d.ID, &d.Path, &d.Title, &d.Unit)
		g.Documents = append(g.Documents, d)
		return err
	})
	return g, err
}
