package reference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// source reads the reference's database in one read-only snapshot of it, one
// query at a time.
type source struct {
	mu *sync.Mutex
	tx pgx.Tx
}

// lockNotAvailable is what PostgreSQL says when it waited long enough.
const lockNotAvailable = "55P03"

// columns are what is read, by table.
var columns = map[string][]string{
	"goals": {"id", "user_id", "course_id", "title", "description", "status", "priority", "progress_percentage", "ai_generated",
		"validation_criteria", "goal_metadata", "created_at", "updated_at", "started_at", "completed_at", "due_date"},
	"tasks": {"id", "goal_id", "user_id", "title", "description", "task_type", "status", "priority", "estimated_hours", "actual_hours",
		"validation_result", "ai_feedback", "task_metadata", "created_at", "updated_at", "started_at", "completed_at"},
	"code_snapshots": {"id", "task_id", "user_id", "file_path", "language", "code_content", "validation_passed", "validation_score",
		"validation_feedback", "issues_found", "metadata", "storage_path", "created_at"},
	"events": {"id", "event_type", "user_id", "entity_type", "entity_id", "payload", "event_metadata", "created_at"},
	// Only counted.
	"embeddings": {"id"},
}

// ErrNoSource says that the database to import from can't be reached; nothing was
// done.
var ErrNoSource = errors.New("reach the database to import from")

// openSource connects and begins; call done.
func openSource(ctx context.Context, url string) (s source, done func(), err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return source{}, nil, fmt.Errorf("%w: %w", ErrNoSource, err)
	}
	done = func() { _ = conn.Close(context.WithoutCancel(ctx)) }
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err == nil {
		s = source{mu: &sync.Mutex{}, tx: tx}
		err = s.settle(ctx)
	}
	if err == nil {
		err = s.check(ctx)
	}
	if err != nil {
		done()
		return source{}, nil, err
	}
	return s, done, nil
}

// settle holds the other server's time limits off, which are not for a reader
// that waits for another database, and other imports too: two at once would take
// each other's half-made goals for what learners made here.
func (s source) settle(ctx context.Context) error {
	_, err := s.tx.Exec(ctx, `SELECT set_config(name, CASE name WHEN 'TimeZone' THEN 'UTC' WHEN 'lock_timeout' THEN '2s' ELSE '0' END, true)
		FROM pg_settings WHERE name IN ('TimeZone', 'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`)
	if err == nil { // one that was broken off may be going still
		_, err = s.tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('tracker migrate import', 0))`)
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == lockNotAvailable {
		return errors.New("another import reads this database: let it end, or stop it")
	}
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	return nil
}

// check is an error when this is no database of the reference, and names all
// that it lacks.
func (s source) check(ctx context.Context) error {
	var wrong []string
	for _, table := range tableNames {
		var there bool
		var missing []string
		err := s.tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL, ARRAY(SELECT name FROM unnest($2::text[]) name WHERE NOT EXISTS (
			SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = name AND attnum > 0 AND NOT attisdropped) ORDER BY 1)`,
			table, columns[table]).Scan(&there, &missing)
		switch {
		case err != nil:
			return fmt.Errorf("look for table %s: %w", table, err)
		case !there:
			wrong = append(wrong, "no table "+table)
		case len(missing) > 0:
			wrong = append(wrong, fmt.Sprintf("in table %s no column %s", table, strings.Join(missing, ", ")))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the database to import from has %s: it is none of the reference system, or the login sees another schema (search_path)", strings.Join(wrong, "; "))
	}
	for _, table := range tableNames {
		again, err := s.count(ctx, `SELECT count(*) - count(DISTINCT nullif(id, '')) FROM `+table)
		if err != nil {
			return err
		}
		if again > 0 {
			return fmt.Errorf("the database to import from has %d rows of %s whose id is missing or another's too: which is meant can't be told, make them unique first", again, table)
		}
	}
	return nil
}

// count is how many rows a query has.
func (s source) count(ctx context.Context, query string) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.tx.QueryRow(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("count what there is: %w", err)
	}
	return n, nil
}

const (
	pageSize = 200
	// A chunk of snapshots is what a worker holds at once, with their code.
	chunkSize = 8
)

// eachGoal gives goals with their tasks, and which snapshots these have.
func (s source) eachGoal(ctx context.Context, fn func(wholeGoal) error) error {
	for after := ""; ; {
		page, err := s.goals(ctx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := s.hang(ctx, page); err != nil {
			return err
		}
		for _, g := range page {
			if err := fn(*g); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// hang hangs on goals what belongs to them.
func (s source) hang(ctx context.Context, page []*wholeGoal) error {
	goals := make(map[string]*wholeGoal, len(page))
	ids := make([]string, len(page))
	for i, g := range page {
		goals[g.ID], ids[i] = g, g.ID
	}
	rows, err := s.tasks(ctx, ids)
	if err != nil {
		return err
	}
	tasks := make(map[string]*wholeTask, len(rows))
	taskIDs := make([]string, 0, len(rows))
	for _, t := range rows {
		taskIDs = append(taskIDs, t.ID)
		tasks[t.ID] = &wholeTask{taskRow: t}
		goals[t.GoalID].tasks = append(goals[t.GoalID].tasks, tasks[t.ID])
	}
	refs, err := read(ctx, s, func(row pgx.CollectableRow) (ref [2]string, err error) {
		return ref, row.Scan(&ref[0], &ref[1])
	}, `SELECT task_id, id FROM code_snapshots WHERE task_id = ANY($1) ORDER BY created_at, id`, taskIDs)
	for _, ref := range refs {
		tasks[ref[0]].snapshots = append(tasks[ref[0]].snapshots, ref[1])
	}
	return err
}

// eachSnapshot gives snapshots by their ids, in this order.
func (s source) eachSnapshot(ctx context.Context, ids []string, fn func(snapshotRow) error) error {
	for chunk := range slices.Chunk(ids, chunkSize) {
		rows, err := s.snapshots(ctx, chunk)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := fn(row); err != nil {
				return err
			}
		}
	}
	return nil
}

func read[T any](ctx context.Context, s source, scan func(pgx.CollectableRow) (T, error), query string, args ...any) ([]T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read what to import: %w", err)
	}
	all, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read what to import: %w", err)
	}
	return all, nil
}
