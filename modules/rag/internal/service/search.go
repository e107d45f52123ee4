package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/analyze"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

const (
	maxQuery     = 2000
	maxTerms     = 64
	defaultLimit = 10
	maxLimit     = 50
	// alike is the share of common terms from which two passages say the same.
	alike = 0.9
)

// Search implements rag.Service.
func (s *Service) Search(ctx context.Context, actor auth.Actor, q rag.Query) (rag.Result, error) {
	result := rag.Result{Method: "bm25"}
	if err := checkQuery(&q); err != nil {
		return result, err
	}
	reader, err := s.reader(ctx, actor, q.CourseID)
	if err != nil {
		return result, err
	}
	if q.Scope == rag.ScopeGlobal && len(actor.CourseIDs) == 0 && !actor.IsSystem() && !actor.Has(auth.Admin) {
		reader = s.member(ctx, actor)
	}
	terms := analyze.Query(q.Text, maxTerms)
	if len(terms) == 0 {
		return result, nil
	}
	// More than asked for, since some may say the same.
	hits, err := store.Search(ctx, s.db.As(reader), reader, q.Scope, q.CourseID, terms,
		store.Ranking{K1: s.cfg.K1, B: s.cfg.B}, q.Limit+max(q.Limit/2, 5))
	if err != nil {
		return result, err
	}
	result.Passages = distinct(hits, q.Limit)
	return result, nil
}

func checkQuery(q *rag.Query) error {
	if q.Scope == "" {
		q.Scope = rag.ScopeGlobal
		if q.CourseID != "" {
			q.Scope = rag.ScopeCourse
		}
	}
	switch {
	case strings.TrimSpace(q.Text) == "":
		return rag.ErrBadQuery.New("it is empty")
	case !utf8.ValidString(q.Text) || utf8.RuneCountInString(q.Text) > maxQuery:
		return rag.ErrBadQuery.New("it must be UTF-8 of at most 2000 characters")
	case q.Scope == rag.ScopeCourse && q.CourseID == "":
		return rag.ErrBadQuery.New("scope course needs course_id")
	case q.Scope != rag.ScopeCourse && q.Scope != rag.ScopeUser && q.Scope != rag.ScopeGlobal:
		return rag.ErrBadQuery.New("scope must be user, course or global")
	}
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, maxLimit)
	return nil
}

// distinct leaves out passages that say the same as a better one.
func distinct(hits []store.Hit, limit int) []rag.Passage {
	var kept []store.Hit
	for i := range hits {
		slices.Sort(hits[i].Terms)
		if len(kept) < limit && !slices.ContainsFunc(kept, func(k store.Hit) bool { return overlap(k.Terms, hits[i].Terms) >= alike }) {
			kept = append(kept, hits[i])
		}
	}
	passages := make([]rag.Passage, len(kept))
	for i, h := range kept {
		passages[i] = h.Passage
	}
	return passages
}

// overlap is the share of the terms of both that are in both; a and b are sorted.
func overlap(a, b []string) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch cmp.Compare(a[i], b[j]) {
		case -1:
			i++
		case 1:
			j++
		default:
			both, i, j = both+1, i+1, j+1
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// Outline implements rag.Service.
func (s *Service) Outline(ctx context.Context, actor auth.Actor, courseID string) ([]rag.Document, error) {
	reader, err := s.reader(ctx, actor, courseID)
	if err != nil {
		return nil, err
	}
	list, err := store.ListDocuments(ctx, s.db.As(reader), reader, courseID, "", s.cfg.MaxFiles)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b rag.Document) int {
		// Units stand at the root of the material; exercises name theirs too.
		if byUnit := cmp.Compare(order(a), order(b)); byUnit != 0 {
			return byUnit
		}
		return cmp.Compare(a.Path, b.Path)
	})
	return list, nil
}

func order(d rag.Document) int {
	if d.Meta.Unit == 0 {
		return 1 << 30
	}
	if _, ok := exerciseOf(d.Path); ok {
		return 2*d.Meta.Unit + 1
	}
	return 2 * d.Meta.Unit
}
