package service

import (
	"context"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/concepts"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// Concepts implements rag.Service.
func (s *Service) Concepts(ctx context.Context, actor auth.Actor, courseID string) (rag.Graph, error) {
	reader, err := s.reader(ctx, actor, courseID)
	if err != nil {
		return rag.Graph{}, err
	}
	g, err := store.Graph(ctx, s.db.As(reader), reader, courseID)
	if err != nil {
		return rag.Graph{}, err
	}
	for i := range g.Documents {
		g.Documents[i].Exercise = isStatement(g.Documents[i].Path)
	}
	slices.SortFunc(g.Documents, concepts.Order)
	concepts.Sort(&g)
	g.Cycles = concepts.Cycles(&g)
	return g, nil
}

func isStatement(path string) bool {
	at, ok := exerciseOf(path)
	return ok && at.statement
}

// relate makes the concept graph of a collection anew.
func relate(ctx context.Context, tx *postgres.Tx, collection int32, courseID string, now time.Time) (rag.Graph, []rag.Problem, error) {
	list, err := store.GraphSources(ctx, tx, collection)
	if err != nil {
		return rag.Graph{}, nil, err
	}
	sources := make([]concepts.Source, 0, len(list))
	for _, d := range list {
		source := concepts.Source{
			GraphDocument: rag.GraphDocument{ID: d.ID, Path: d.Path, Title: d.Title, Unit: d.Meta.Unit, Exercise: isStatement(d.Path)},
			Meta:          d.Meta, Practice: d.Practice,
		}
		if source.Exercise {
			source.Practice = nil // all of it is the exercise
		}
		sources = append(sources, source)
	}
	g, full := concepts.Build(courseID, sources)
	var problems []rag.Problem
	if full {
		problems = append(problems, rag.Problem{Path: ".", Reason: "the course names more concepts, or more relations between them, than its concept graph holds; the last ones are left out"})
	}
	return g, problems, store.PutGraph(ctx, tx, collection, g, now)
}
