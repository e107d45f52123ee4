// Package service does what may be asked of agents.
package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/planner"
	"github.com/goals-tracker/tracker/modules/agents/internal/reviewer"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/agents/internal/tutor"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/page"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
)

// Service implements agents.Service.
type Service struct {
	db       *postgres.DB
	log      *events.Log
	engine   *engine.Engine
	goals    goals.Service
	tasks    tasks.Service
	verdicts validation.Service
	material rag.Service
	ladder   *tutor.Ladder
	hintWait time.Duration
}

// New makes the service.
func New(db *postgres.DB, log *events.Log, e *engine.Engine, g goals.Service, t tasks.Service, v validation.Service, m rag.Service,
	ladder *tutor.Ladder, cfg agents.Config) *Service {
	return &Service{db: db, log: log, engine: e, goals: g, tasks: t, verdicts: v, material: m, ladder: ladder, hintWait: cfg.HintWait}
}

var (
	_ agents.Service    = (*Service)(nil)
	_ planner.Material  = rag.Service(nil)
	_ reviewer.Material = rag.Service(nil)
)

// system is as whom the server reads for its own decisions.
var system = auth.System("agents")

// Get implements agents.Service.
func (s *Service) Get(ctx context.Context, actor auth.Actor, id string) (agents.Run, error) {
	if uuid.Validate(id) != nil {
		return agents.Run{}, agents.ErrRunNotFound.New(id)
	}
	row, err := store.Get(ctx, s.db.As(actor), actor, id)
	if err != nil {
		return agents.Run{}, fmt.Errorf("load agent run %s: %w", id, err)
	}
	if row == nil {
		return agents.Run{}, agents.ErrRunNotFound.New(id)
	}
	r := row.Run
	if row.State != nil {
		if err := json.Unmarshal(row.State, &r.Plan); err != nil {
			return agents.Run{}, fmt.Errorf("read plan of run %s: %w", id, err)
		}
	}
	if r.Steps, err = store.Steps(ctx, s.db.As(actor), actor, id); err != nil {
		return agents.Run{}, err
	}
	r.Mermaid = s.engine.Draw(r)
	return r, s.marked(ctx, actor, &r)
}

// The size of a page.
const (
	defaultSize = 20
	maxSize     = 100
)

// List implements agents.Service.
func (s *Service) List(ctx context.Context, actor auth.Actor, q agents.Query) (agents.Page, error) {
	size := q.Size
	if size == 0 {
		size = defaultSize
	}
	var c goals.Checker
	if size < 1 || size > maxSize {
		c.Wrong("page_size", fmt.Sprintf("is %d, it may be 1 to %d", q.Size, maxSize), fmt.Sprintf("es %d, puede ser de 1 a %d", q.Size, maxSize))
		return agents.Page{}, c.Err()
	}
	goal := ""
	if q.GoalID != "" {
		id, err := uuid.Parse(q.GoalID)
		if err != nil {
			c.Wrong("goal_id", "must be a UUID", "debe ser un UUID")
			return agents.Page{}, c.Err()
		}
		goal = id.String()
	}
	scope := fmt.Sprintf("agent-runs goal=%q course=%q", goal, q.CourseID)
	after := store.Key{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), ID: uuid.Max.String()}
	if err := page.Decode(q.Token, scope, &after); err != nil {
		return agents.Page{}, err
	}
	if uuid.Validate(after.ID) != nil {
		return agents.Page{}, errs.BadPageToken.New()
	}
	rows, err := store.List(ctx, s.db.As(actor), actor, goal, q.CourseID, after, size+1)
	if err != nil {
		return agents.Page{}, err
	}
	result := agents.Page{}
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		result.Next = page.Encode(scope, store.Key{At: last.CreatedAt, ID: last.ID})
	}
	for _, row := range rows {
		result.Runs = append(result.Runs, row.Run)
	}
	return result, nil
}

// run locks a run of the unit of work's actor.
func (s *Service) run(ctx context.Context, tx *postgres.Tx, id string) (*store.Row, error) {
	if uuid.Validate(id) != nil {
		return nil, agents.ErrRunNotFound.New(id)
	}
	row, err := store.Lock(ctx, tx, tx.Actor(), id)
	if err != nil {
		return nil, fmt.Errorf("load agent run %s: %w", id, err)
	}
	if row == nil {
		return nil, agents.ErrRunNotFound.New(id)
	}
	return row, nil
}

// courses are those whose material the actor reads by their token.
func courses(actor auth.Actor, goalCourse string) []string {
	list := slices.Clone(actor.CourseIDs)
	if list == nil {
		list = []string{}
	}
	if goalCourse != "" && !slices.Contains(list, goalCourse) && actor.Joined(goalCourse) {
		list = append(list, goalCourse) // an admin's, whose token names none
	}
	return list
}

func checkWords(name, text string, least, most int) error {
	var c goals.Checker
	if n := utf8.RuneCountInString(text); n < least || n > most {
		c.Wrong(name, fmt.Sprintf("must have %d to %d characters, it has %d", least, most, n),
			fmt.Sprintf("debe tener de %d a %d caracteres y tiene %d", least, most, n))
	}
	return c.Err()
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	return id.String(), nil
}
