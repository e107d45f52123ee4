package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/embed"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

const (
	maxQuery     = 2000
	maxTerms     = 64
	defaultLimit = 10
	maxLimit     = 50
	// reranked is how many a model orders, where there is one that can.
	reranked = 30
)

// Search implements rag.Service.
func (s *Service) Search(ctx context.Context, actor auth.Actor, q rag.Query) (rag.Result, error) {
	result := rag.Result{Method: "bm25"}
	unsaid := q.Scope == "" && q.CourseID != ""
	if err := checkQuery(&q); err != nil {
		return result, err
	}
	reader, err := s.reader(ctx, actor, q.CourseID)
	if err != nil {
		return result, err
	}
	if unsaid {
		policy, err := store.Policy(ctx, s.db.As(reader), reader, q.CourseID)
		if err != nil {
			return result, err
		}
		q.Scope = policy.DefaultScope
	}
	if q.Scope == rag.ScopeGlobal && len(actor.CourseIDs) == 0 && !actor.IsSystem() && !actor.Has(auth.Admin) {
		reader = s.member(ctx, actor)
	}
	got, err := s.find(ctx, actor, reader, q, &result)
	if err != nil {
		return result, err
	}
	ranked, err := s.best(ctx, reader, got)
	if err != nil || len(ranked) == 0 {
		return result, err
	}
	err = s.show(ctx, actor, reader, q, ranked, &result)
	return result, err
}

// show reads the texts of the best and chooses among them. More are looked at
// than were asked for, since some may say the same. Most don't: where they are
// chosen in this order, the last of them are read when they are needed.
func (s *Service) show(ctx context.Context, actor, reader auth.Actor, q rag.Query, ranked []scored, result *rag.Result) error {
	diversity := s.cfg.Diversity
	if q.Diversity != nil {
		diversity = *q.Diversity
	}
	some, ranks := max(2*q.Limit, q.Limit+5), s.ranks(q)
	if ranks {
		some = max(some, reranked)
	}
	ranked = ranked[:min(len(ranked), some)]
	first := len(ranked)
	if diversity == 0 && !ranks {
		first = min(first, q.Limit+2)
	}
	hits, err := s.hits(ctx, reader, ranked[:first])
	if err != nil {
		return err
	}
	result.Reranked = ranks && s.rerank(ctx, actor, q, hits)
	result.Passages = choose(hits, q.Limit, q.MaxTokens, diversity)
	if len(result.Passages) == q.Limit || first == len(ranked) {
		return nil
	}
	more, err := s.hits(ctx, reader, ranked[first:])
	if err != nil {
		return err
	}
	result.Passages = choose(append(hits, more...), q.Limit, q.MaxTokens, diversity)
	return nil
}

// ranks says whether a model is to order what is found.
func (s *Service) ranks(q rag.Query) bool {
	return s.cfg.Rerank && s.meaning != nil && q.By == rag.ByBoth && s.meaning.can(llm.Rerank)
}

// rerank lets a model order the best hits, if it answers in time. What it says
// are scores, and no more: no passage comes or goes by them.
func (s *Service) rerank(ctx context.Context, actor auth.Actor, q rag.Query, hits []store.Hit) bool {
	if len(hits) < 2 {
		return false
	}
	head := hits[:min(len(hits), reranked)]
	texts := make([]string, len(head))
	for i, h := range head {
		texts[i] = embed.Text(h.Kind, h.Title, h.Heading, h.Text)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RerankDeadline)
	defer cancel()
	got, err := s.meaning.models.Rerank(ctx, llm.RerankRequest{
		Caller: llm.Caller{UserID: actor.UserID, CourseID: q.CourseID}, Query: q.Text, Passages: texts,
	})
	if err != nil || len(got.Scores) != len(head) {
		return false
	}
	order := make([]int, len(head))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(got.Scores[b], got.Scores[a]) })
	was := slices.Clone(head)
	for to, from := range order {
		// The scores stay in falling order, whatever the model's look like.
		score := was[to].Score
		head[to] = was[from]
		head[to].Score = score
	}
	return true
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
		return rag.ErrBadQuery.New(errs.Say("it is empty", "está vacía"))
	case !utf8.ValidString(q.Text) || utf8.RuneCountInString(q.Text) > maxQuery:
		return rag.ErrBadQuery.New(errs.Say("it must be UTF-8 of at most 2000 characters", "debe ser UTF-8 de 2000 caracteres como máximo"))
	case q.Scope == rag.ScopeCourse && q.CourseID == "":
		return rag.ErrBadQuery.New(errs.Say("scope course needs course_id", "el ámbito course necesita course_id"))
	case !slices.Contains([]rag.Scope{rag.ScopeCourse, rag.ScopeUser, rag.ScopeGlobal}, q.Scope):
		return rag.ErrBadQuery.New(errs.Say("scope must be user, course or global", "scope debe ser user, course o global"))
	case !slices.Contains([]rag.By{rag.ByBoth, rag.ByWords, rag.ByMeaning}, q.By):
		return rag.ErrBadQuery.New(errs.Say("it goes by words, by meaning, or by both", "se busca por palabras, por significado o por ambos"))
	case q.Diversity != nil && !(*q.Diversity >= 0 && *q.Diversity <= 1):
		return rag.ErrBadQuery.New(errs.Say("diversity must be from 0 to 1", "diversity debe estar entre 0 y 1"))
	case q.MaxTokens < 0:
		return rag.ErrBadQuery.New(errs.Say("max_tokens must be 0 or more", "max_tokens debe ser 0 o más"))
	}
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, maxLimit)
	return nil
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
