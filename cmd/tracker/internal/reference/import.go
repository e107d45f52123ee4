package reference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
)

// Importer takes a database over.
type Importer struct {
	DB         *postgres.DB
	Log        *events.Log
	Goals      goals.Service
	Tasks      tasks.Service
	Validation validation.Service
	// DryRun only reports what would be done, as far as rows themselves show it.
	DryRun bool

	report *Report
}

// system is who takes rows over; what learners did is done in their name.
var system = auth.System("import")

// workers is how many goals, and events, are under way at once.
const workers = 4

// Run takes everything over from the database at url. It may be run again: what
// was taken stays as it has become since. An error says what could not be done;
// the report is of what was done until then.
func (im *Importer) Run(ctx context.Context, url string) (*Report, error) {
	im.report = newReport()
	src, done, err := openSource(ctx, postgres.NormalizeURL(url))
	if err != nil {
		return im.report, err
	}
	defer done()
	if err := im.count(ctx, src); err != nil {
		return im.report, err
	}
	if err := im.allGoals(ctx, src); err != nil {
		return im.report, err
	}
	if err := im.strays(ctx, src); err != nil {
		return im.report, err
	}
	return im.report, im.allEvents(ctx, src)
}

func (im *Importer) count(ctx context.Context, src source) (err error) {
	if im.report.Users, err = src.count(ctx, `SELECT count(DISTINCT user_id) FROM goals WHERE user_id <> ''`); err != nil {
		return err
	}
	if im.report.Courses, err = src.count(ctx, `SELECT count(DISTINCT course_id) FROM goals`); err != nil {
		return err
	}
	n, err := src.count(ctx, `SELECT count(*) FROM embeddings`)
	if err != nil || n == 0 {
		return err
	}
	im.report.with("embeddings", func(t *Table) {
		t.Read, t.Left = n, n
		t.LeftBecause["search makes its own from the goals, tasks and material"] = &Rows{Count: n}
	})
	return nil
}

// wholeGoal is a goal with what hangs on it.
type wholeGoal struct {
	goalRow
	tasks []wholeTask
}

type wholeTask struct {
	taskRow
	snapshots []snapshotRow
}

func (im *Importer) allGoals(ctx context.Context, src source) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(workers + 1)
	feed := make(chan wholeGoal)
	group.Go(func() error {
		defer close(feed)
		return im.eachGoal(working, src, func(g wholeGoal) error {
			select {
			case feed <- g:
				return nil
			case <-working.Done():
				return working.Err()
			}
		})
	})
	for range workers {
		group.Go(func() error {
			for g := range feed {
				if err := im.goal(working, g); err != nil {
					return fmt.Errorf("import goal %s: %w", g.ID, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (im *Importer) eachGoal(ctx context.Context, src source, fn func(wholeGoal) error) error {
	for after := ""; ; {
		page, err := src.goals(ctx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, row := range page {
			whole := wholeGoal{goalRow: row}
			rows, err := src.tasks(ctx, row.ID)
			if err != nil {
				return err
			}
			for _, t := range rows {
				snapshots, err := src.snapshots(ctx, t.ID)
				if err != nil {
					return err
				}
				whole.tasks = append(whole.tasks, wholeTask{t, snapshots})
			}
			if err := fn(whole); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// strays are snapshots that belong to no task.
func (im *Importer) strays(ctx context.Context, src source) error {
	n, err := src.count(ctx, `SELECT count(*) FROM code_snapshots WHERE task_id IS NULL`)
	if err != nil || n == 0 {
		return err
	}
	im.report.with("code_snapshots", func(t *Table) {
		t.Read, t.Left = t.Read+n, t.Left+n
		t.LeftBecause["it belongs to no task"] = &Rows{Count: n}
	})
	return nil
}

// mark is what says that a row was taken: its history.
func mark(table, id string) events.Stream {
	return events.Stream{Type: "history", ID: table + "-" + id}
}

// taken reports whether an earlier import took the row.
func (im *Importer) taken(ctx context.Context, table, id string) (bool, error) {
	history, err := im.Log.Show(ctx, mark(table, id).Name())
	return len(history) > 0, err
}

// history appends the row's mark, which keeps what has no place elsewhere.
func (im *Importer) history(tx *postgres.Tx, userID, courseID string, h *eventsv1.HistoryImported, kept map[string]any) error {
	h.Row = "{}"
	if kept != nil {
		row, err := json.Marshal(kept)
		if err == nil {
			row, err = withoutNUL(row)
		}
		if err != nil {
			return fmt.Errorf("keep the rest of %s %s: %w", h.GetTable(), h.GetSourceId(), err)
		}
		h.Row = string(row)
	}
	stream := mark(h.GetTable(), h.GetSourceId())
	stream.SubjectID, stream.CourseID = userID, courseID
	im.Log.Append(tx, stream, 0, h)
	return nil
}

// at runs a unit of work of an actor at the time of what it takes over.
func (im *Importer) at(ctx context.Context, actor auth.Actor, when time.Time, fn func(context.Context, *postgres.Tx) error) error {
	call := postgres.As(actor)
	call.RequestID = "import"
	return im.DB.InTx(ctx, call, func(ctx context.Context, tx *postgres.Tx) error {
		im.Log.At(tx, when)
		return fn(ctx, tx)
	})
}

// refused is why a row can't be taken, when that is the row's fault.
func refused(err error) (why string, is bool) {
	var e *errs.Error
	if !errors.As(err, &e) {
		return "", false
	}
	if slices.Contains([]errs.Code{errs.Unavailable, errs.Internal, errs.DeadlineExceeded, errs.Canceled}, e.Kind.Code) {
		return "", false
	}
	return e.Text("en"), true
}
