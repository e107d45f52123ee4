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
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
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
	// Erased says who was erased here: nothing of theirs comes back. nil is nobody.
	Erased func(userID string) bool
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
	return im.report, im.allEvents(ctx, src)
}

// count reports what is not read row by row.
func (im *Importer) count(ctx context.Context, src source) (err error) {
	if im.report.Users, err = src.count(ctx, `SELECT count(DISTINCT user_id) FROM goals WHERE user_id <> ''`); err != nil {
		return err
	}
	if im.report.Courses, err = src.count(ctx, `SELECT count(DISTINCT course_id) FROM goals WHERE course_id <> ''`); err != nil {
		return err
	}
	const ofNoTask = `code_snapshots c WHERE NOT EXISTS (SELECT FROM tasks t WHERE t.id = c.task_id)`
	const ofNoGoal = `tasks t WHERE NOT EXISTS (SELECT FROM goals g WHERE g.id = t.goal_id)`
	for _, left := range []struct{ table, why, rows string }{
		{"embeddings", "search makes its own from the goals, tasks and material", `embeddings`},
		{"tasks", "its goal is not there", ofNoGoal},
		{"code_snapshots", "it belongs to no task", ofNoTask},
		{"code_snapshots", "its task was left", `code_snapshots c WHERE EXISTS (SELECT FROM ` + ofNoGoal + ` AND t.id = c.task_id)`},
	} {
		n, err := src.count(ctx, `SELECT count(*) FROM `+left.rows)
		if err != nil {
			return err
		}
		if n > 0 {
			im.report.leftMany(left.table, left.why, n)
		}
	}
	return nil
}

func (im *Importer) allGoals(ctx context.Context, src source) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(workers + 1)
	feed := make(chan wholeGoal)
	group.Go(func() error {
		defer close(feed)
		return src.eachGoal(working, func(g wholeGoal) error {
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
				if err := im.takeGoal(working, src, &g); err != nil {
					return fmt.Errorf("import goal %s: %w", g.ID, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// mark is what says that a row was taken: its history.
func mark(table, id string) events.Stream {
	return events.Stream{Type: "history", ID: table + "-" + id}
}

// leftError is why a row is left.
type leftError string

func (l leftError) Error() string { return string(l) }

const (
	wasErased = "its user was erased here"
	anothers  = "a row of somebody else has its id here"
)

// taken reports whether an earlier import took the row.
func (im *Importer) taken(ctx context.Context, table, id, userID string) (bool, error) {
	history, err := im.Log.Show(ctx, mark(table, id).Name())
	if len(history) > 0 && history[0].Stream.SubjectID != userID {
		return false, leftError(anothers)
	}
	return len(history) > 0, err
}

// outcome reports what became of a row that is taken in one unit of work, which
// ended with err.
func (im *Importer) outcome(ctx context.Context, r *Report, table, id, userID string, err error, whats []string) error {
	if err != nil && !auth.ErrRevoked.Is(err) {
		done, takenErr := im.taken(ctx, table, id, userID)
		if done {
			r.here(table)
			return nil
		}
		err = errors.Join(takenErr, err)
	}
	if why, is := refused(err); is {
		r.left(table, id, why)
		return nil
	}
	if err == nil {
		r.taken(table)
		r.changed(table, id, whats)
	}
	return err
}

// history appends the row's mark, which keeps what has no place elsewhere.
func (im *Importer) history(tx *postgres.Tx, userID, courseID string, h *eventsv1.HistoryImported, kept map[string]any) error {
	if err := fill(h, kept); err != nil {
		return fmt.Errorf("keep the rest of %s %s: %w", h.GetTable(), h.GetSourceId(), err)
	}
	stream := mark(h.GetTable(), h.GetSourceId())
	stream.SubjectID, stream.CourseID = userID, courseID
	im.Log.Append(tx, stream, 0, h)
	return nil
}

// fill has the history hold what is kept. JSON that the log does not take (it has
// NUL, halves of characters, endless numbers, too many levels) is kept as text.
func fill(h *eventsv1.HistoryImported, kept map[string]any) error {
	for _, asText := range []bool{false, true} {
		row := make(map[string]any, len(kept))
		for name, value := range kept {
			row[name] = value
			if raw, is := value.(json.RawMessage); is && asText {
				row[name] = string(raw)
			}
		}
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		h.Row = string(text)
		if _, err = wire.Marshal(h); err == nil || asText {
			return err
		}
	}
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
	var left leftError
	if errors.As(err, &left) {
		return string(left), true
	}
	var e *errs.Error
	if !errors.As(err, &e) || auth.ErrRevoked.Is(err) {
		return "", false
	}
	if slices.Contains([]errs.Code{errs.Unavailable, errs.Internal, errs.DeadlineExceeded, errs.Canceled}, e.Kind.Code) {
		return "", false
	}
	return e.Text("en"), true
}
