// Package service does what may be done with snapshots and runs.
package service

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/convert"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
	"github.com/goals-tracker/tracker/sdk/judging"
)

var system = auth.System("validation")

// Tickets wakes a worker once for each run that waits.
type Tickets interface {
	// Issue enqueues a ticket with the unit of work, for the time at; the zero
	// time is now.
	Issue(tx *postgres.Tx, at time.Time)
	// List enqueues, with the unit of work, that the runs of a re-judging be
	// queued.
	List(tx *postgres.Tx, rejudgingID string)
}

// Service implements validation.Service.
type Service struct {
	db      *postgres.DB
	log     *events.Log
	tasks   tasks.Service
	catalog *judge.Catalog
	tickets Tickets
	cfg     validation.Config
	// sandbox is why nothing is judged on this machine; "" when something is.
	sandbox string
}

// New makes the service. noSandbox says why this machine can't judge; nil when
// it can.
func New(db *postgres.DB, log *events.Log, tasks tasks.Service, catalog *judge.Catalog, tickets Tickets, cfg validation.Config, noSandbox error) *Service {
	s := &Service{db: db, log: log, tasks: tasks, catalog: catalog, tickets: tickets, cfg: cfg.WithDefaults()}
	if noSandbox != nil {
		s.sandbox = noSandbox.Error()
	}
	return s
}

var _ validation.Service = (*Service)(nil)

// Ready implements validation.Service.
func (s *Service) Ready(ctx context.Context) { s.catalog.Load(ctx) }

// SubmitTx implements validation.Service.
func (s *Service) SubmitTx(ctx context.Context, tx *postgres.Tx, sub validation.Submission) (validation.Snapshot, error) {
	// The lock numbers snapshots one at a time, and keeps the order goal, task,
	// queue, run that every unit of work here follows.
	task, err := s.tasks.LockTx(ctx, tx, sub.TaskID)
	if err != nil {
		return validation.Snapshot{}, err
	}
	if !tx.Actor().Owns(task.UserID) {
		return validation.Snapshot{}, errs.Forbidden.New(errs.Say("only the learner whose task it is submits to it", "solo quien tiene la tarea entrega código para ella"))
	}
	match, err := s.match(task, sub)
	if err != nil {
		return validation.Snapshot{}, err
	}
	files, err := s.files(sub, match)
	if err != nil {
		return validation.Snapshot{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return validation.Snapshot{}, fmt.Errorf("make snapshot id: %w", err)
	}
	snapshot, err := s.store(ctx, tx, task, id, match.Language.Name, files)
	if err != nil {
		return validation.Snapshot{}, err
	}
	if err := s.supersede(ctx, tx, task); err != nil {
		return validation.Snapshot{}, err
	}
	if err := s.bound(ctx, tx, task); err != nil {
		return validation.Snapshot{}, err
	}
	run, err := s.queue(ctx, tx, task, validation.Queued{
		SnapshotID: snapshot.ID, SnapshotNumber: snapshot.Number, Plugin: match.Plugin, Reason: validation.ReasonSubmitted,
	}, snapshot.Language)
	if err != nil {
		return validation.Snapshot{}, err
	}
	if _, err := s.tasks.SubmitTx(ctx, tx, task.ID, snapshot.ID, snapshot.Number); err != nil {
		return validation.Snapshot{}, err
	}
	s.tickets.Issue(tx, time.Time{})
	snapshot.Files, snapshot.RunID, snapshot.RunStatus = nil, run.ID, run.Status
	return snapshot, nil
}

// match finds the validator: for the language that was sent, else the task's,
// else the one that the files' names say. What no test decides may be written in
// any language, and is prose when it is in none.
func (s *Service) match(task tasks.Task, sub validation.Submission) (judge.Match, error) {
	language := sub.Language
	if language == "" && task.Free() && sub.Code == nil {
		if m, ok := s.prose(sub); ok {
			return m, nil
		}
	}
	if language == "" {
		language = task.Language
	}
	available := strings.Join(s.catalog.Languages(), ", ")
	if available == "" {
		available = "-"
	}
	if language != "" {
		if m, ok := s.catalog.Find(language); ok {
			return m, nil
		}
		return judge.Match{}, validation.ErrNoValidator.New(language, available).
			WithDetail("language", language).WithDetail("available", available)
	}
	if m, ok := s.catalog.Guess(paths(sub)); ok {
		return m, nil
	}
	return judge.Match{}, validation.ErrNoLanguage.New(available).WithField("language", "name one of: "+available)
}

// prose finds the validator for work that no test decides, by its files alone.
func (s *Service) prose(sub validation.Submission) (judge.Match, bool) {
	if m, ok := s.catalog.Guess(paths(sub)); ok {
		return m, true
	}
	return s.catalog.Find(judging.LanguageText)
}

func paths(sub validation.Submission) []string {
	paths := make([]string, len(sub.Files))
	for i, f := range sub.Files {
		paths[i] = f.Path
	}
	return paths
}

func (s *Service) files(sub validation.Submission, m judge.Match) ([]validation.File, error) {
	files := sub.Files
	if sub.Code != nil {
		if len(files) > 0 {
			return nil, errs.BadInput.New(errs.Say("send either files or code", "envía files o code, no ambos")).WithField("code", "leave it out when there are files")
		}
		files = []validation.File{{Path: defaultFile(m), Content: *sub.Code}}
	}
	return validation.CheckFiles(files, s.cfg)
}

func defaultFile(m judge.Match) string {
	switch {
	case m.Language.DefaultFile != "":
		return m.Language.DefaultFile
	case len(m.Language.Extensions) > 0:
		return "main" + m.Language.Extensions[0]
	}
	return "main.txt"
}

func (s *Service) store(ctx context.Context, tx *postgres.Tx, task tasks.Task, id uuid.UUID, language string, files []validation.File) (validation.Snapshot, error) {
	number, err := store.NextNumber(ctx, tx, task.ID)
	if err != nil {
		return validation.Snapshot{}, err
	}
	snapshot := validation.Snapshot{
		ID: id.String(), TaskID: task.ID, UserID: task.UserID, CourseID: task.CourseID, Number: number,
		Language: language, Files: files, Digest: validation.Digest(files), CreatedAt: s.log.Now(tx),
	}
	stream := events.Stream{Type: validation.StreamSnapshot, ID: snapshot.ID, SubjectID: task.UserID, CourseID: task.CourseID}
	s.log.Append(tx, stream, 0, convert.Submitted(snapshot, task.GoalID))
	return snapshot, store.InsertSnapshot(ctx, tx, snapshot)
}

// supersede ends the runs of the task that did not begin.
func (s *Service) supersede(ctx context.Context, tx *postgres.Tx, task tasks.Task) error {
	ids, err := store.Supersede(ctx, tx, task.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		run, err := store.LockRun(ctx, tx, id)
		if err != nil || run == nil {
			return fmt.Errorf("supersede run %s: %w", id, orMissing(err))
		}
		if _, err := Write(ctx, tx, s.log, *run, run.Supersede()); err != nil {
			return err
		}
	}
	return nil
}

// bound refuses one more run of a learner who has as many waiting as may, or whose
// work, this snapshot included, takes more than one person's may.
func (s *Service) bound(ctx context.Context, tx *postgres.Tx, task tasks.Task) error {
	if err := store.LockLearner(ctx, tx, task.UserID); err != nil {
		return err
	}
	policy, err := store.Policy(ctx, tx, task.CourseID)
	if err != nil {
		return err
	}
	most := s.cfg.MaxPending
	if policy.MaxPending > 0 {
		most = min(most, policy.MaxPending)
	}
	n, err := store.Pending(ctx, tx, task.CourseID, task.UserID)
	if err != nil {
		return err
	}
	if n >= most {
		return validation.ErrTooManyPending.New(n).After(pendingWait)
	}
	bytes, err := store.Stored(ctx, tx, task.UserID)
	if err != nil {
		return err
	}
	if bytes > s.cfg.MaxStoredBytes {
		return validation.ErrStorageFull.New(mebibytes(bytes), mebibytes(s.cfg.MaxStoredBytes))
	}
	return nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// pendingWait is when to try again after too many runs waited.
const pendingWait = 10 * time.Second

// queue puts a run of the task into the lane of its reason.
func (s *Service) queue(ctx context.Context, tx *postgres.Tx, task tasks.Task, queued validation.Queued, language string) (validation.Run, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return validation.Run{}, fmt.Errorf("make run id: %w", err)
	}
	queued.TaskID, queued.GoalID, queued.UserID, queued.CourseID = task.ID, task.GoalID, task.UserID, task.CourseID
	run, err := Write(ctx, tx, s.log, validation.Run{ID: id.String(), UserID: task.UserID, CourseID: task.CourseID}, queued)
	if err != nil {
		return validation.Run{}, err
	}
	lane := store.LaneInteractive
	if run.Reason == validation.ReasonRejudged {
		lane = store.LaneBulk
	}
	return run, store.Enqueue(ctx, tx, run, lane, run.Plugin+"/"+language)
}

// Write appends a change of a run and writes the state it makes.
func Write(ctx context.Context, tx *postgres.Tx, log *events.Log, r validation.Run, c validation.Change) (validation.Run, error) {
	stream := events.Stream{Type: validation.StreamRun, ID: r.ID, SubjectID: r.UserID, CourseID: r.CourseID}
	e := log.Append(tx, stream, r.Version, convert.Payload(r, c))[0]
	next, err := fold(&r, e)
	if err != nil {
		return validation.Run{}, err
	}
	if next == nil {
		return validation.Run{}, store.DeleteRun(ctx, tx, r.ID)
	}
	if err := store.PutRun(ctx, tx, *next); err != nil {
		return validation.Run{}, fmt.Errorf("write run %s: %w", r.ID, err)
	}
	return *next, nil
}

// fold makes the next state from an event.
func fold(r *validation.Run, e events.Event) (*validation.Run, error) {
	c, err := convert.Change(e.Data, e.Stream.SubjectID, e.Stream.CourseID)
	if err != nil {
		return nil, err
	}
	return validation.Apply(r, c, validation.At{ID: e.Stream.ID, Time: e.OccurredAt, Version: e.Version}), nil
}

func orMissing(err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("it stands in the queue but has no row")
}
