package goals_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/store"
)

// other is another value for a column, in SQL, by type.
func other(column, dataType string) string {
	switch column {
	case "status":
		return `CASE WHEN status = 'blocked' THEN 'pending' ELSE 'blocked' END`
	case "priority":
		return `CASE WHEN priority = 'low' THEN 'high' ELSE 'low' END`
	case "progress":
		return `CASE WHEN progress = 1 THEN 2 ELSE 1 END`
	}
	switch dataType {
	case "uuid":
		return "gen_random_uuid()"
	case "text":
		return fmt.Sprintf("coalesce(%s, '') || 'x'", column)
	case "boolean":
		return "NOT " + column
	case "ARRAY":
		return column + " || ARRAY['x']"
	case "json":
		return `'{"tampered":true}'::json`
	case "timestamp with time zone":
		return fmt.Sprintf("coalesce(%s, now()) + interval '1 microsecond'", column)
	case "integer", "bigint":
		return column + " + 1"
	}
	return ""
}

func TestChangingAnyColumnTurnsVerifyRedAndRebuildRestoresIt(t *testing.T) {
	b := setup(t)
	for range 3 {
		g := b.create(ada, "c1", "Learn Go")
		b.must(ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
			return b.goals.SetProgressTx(ctx, tx, g.ID, 40)
		})
	}
	b.verify()
	pool := b.db.Pool()
	tested := 0
	for _, table := range []string{"goals", "goal_progress"} {
		rows, err := pool.Query(t.Context(), `SELECT column_name, data_type FROM information_schema.columns
			WHERE table_schema = 'goals' AND table_name = $1`, table)
		if err != nil {
			t.Fatal(err)
		}
		type column struct{ Name, Type string }
		columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
		if err != nil || len(columns) == 0 {
			t.Fatalf("%d columns of %s: %v", len(columns), table, err)
		}
		for _, c := range columns {
			value := other(c.Name, c.Type)
			if value == "" {
				t.Errorf("no way to change %s.%s of type %s is known", table, c.Name, c.Type)
				continue
			}
			change := fmt.Sprintf("UPDATE goals.%[1]s SET %[2]s = %[3]s WHERE ctid = (SELECT min(ctid) FROM goals.%[1]s)", table, c.Name, value)
			if tag, err := pool.Exec(t.Context(), change); err != nil || tag.RowsAffected() != 1 {
				t.Fatalf("%s: %v, %v", change, tag, err)
			}
			if report, err := b.log.Verify(t.Context(), events.VerifyOptions{}); err != nil || report.OK() {
				t.Errorf("verify is green though %s.%s was changed (%v)", table, c.Name, err)
			}
			if _, err := b.log.Rebuild(t.Context()); err != nil {
				t.Fatalf("rebuild after %s: %v", c.Name, err)
			}
			b.verify()
			tested++
		}
		if _, err := pool.Exec(t.Context(), "DELETE FROM goals."+table); err != nil {
			t.Fatal(err)
		}
		if report, err := b.log.Verify(t.Context(), events.VerifyOptions{}); err != nil || report.OK() {
			t.Errorf("verify is green though %s is empty (%v)", table, err)
		}
		if _, err := b.log.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.verify()
	}
	if tested < 25 {
		t.Errorf("only %d columns were tested", tested)
	}
}

func TestWhateverIsDoneLogAndRowsAgree(t *testing.T) {
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		var ids []string
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			_, err := b.do(ada, func(ctx context.Context, tx *postgres.Tx) (g goals.Goal, err error) {
				// Several acts may share a unit of work.
				for range rapid.IntRange(1, 3).Draw(rt, "acts") {
					if g, err = b.act(ctx, tx, rt, &ids); err != nil {
						return g, err
					}
				}
				return g, nil
			})
			if err != nil && errs.CodeOf(err) == errs.Internal {
				rt.Fatal(err)
			}
		}
		report, err := b.log.Verify(context.Background(), events.VerifyOptions{})
		if err != nil || !report.OK() {
			rt.Fatalf("%v, %v", report.Differences, err)
		}
	})
	if _, err := b.log.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.verify()
}

// act does something at random; a unit of work that fails may leave ids of
// goals that never came to be, which are then not found.
func (b bundle) act(ctx context.Context, tx *postgres.Tx, rt *rapid.T, ids *[]string) (g goals.Goal, err error) {
	kind := rapid.IntRange(0, 9).Draw(rt, "kind")
	if len(*ids) == 0 || kind == 0 {
		g, err = b.goals.CreateTx(ctx, tx, goals.New{Details: goals.Details{
			Title: rapid.StringMatching(`[a-zñ"\\]{1,20}`).Draw(rt, "title"), CourseID: rapid.SampledFrom([]string{"", "c1", "c2"}).Draw(rt, "course"),
			Metadata: goals.Metadata(rapid.SampledFrom([]string{"", `{"b":1,"a":{"z":[1.50,2e3]}}`}).Draw(rt, "metadata")),
		}})
		*ids = append(*ids, g.ID)
		return g, err
	}
	id := rapid.SampledFrom(*ids).Draw(rt, "id")
	switch kind {
	case 1:
		return b.goals.StartTx(ctx, tx, id, nil)
	case 2:
		return b.goals.CompleteTx(ctx, tx, id, nil)
	case 3:
		return b.goals.BlockTx(ctx, tx, id, nil, "why")
	case 4:
		return b.goals.CancelTx(ctx, tx, id, nil)
	case 5:
		return b.goals.ReopenTx(ctx, tx, id, nil)
	case 6:
		return b.goals.SetProgressTx(ctx, tx, id, rapid.Float64Range(0, 100).Draw(rt, "percent"))
	case 7:
		return g, b.goals.DeleteTx(ctx, tx, id, nil)
	case 8:
		total := rapid.IntRange(0, 9).Draw(rt, "total")
		done := rapid.IntRange(0, total).Draw(rt, "done")
		err := b.goals.ProgressTx(ctx, tx, id, goals.TaskNews{Total: total, Completed: done, Begun: done > 0, Closed: true})
		if err != nil && strings.Contains(err.Error(), "there is no goal") {
			err = goals.ErrNotFound.New(id)
		}
		return g, err
	default:
		course, title := rapid.SampledFrom([]string{"", "c1", "c2"}).Draw(rt, "course"), "Learn more"
		return b.goals.UpdateTx(ctx, tx, id, nil, goals.Patch{CourseID: &course, Title: &title})
	}
}

func TestEveryStatementIsUnderstoodByTheDatabase(t *testing.T) {
	b := setup(t)
	seen := 0
	for _, s := range postgres.Statements() {
		if !strings.HasPrefix(s.Name(), "goals.") {
			continue
		}
		seen++
		conn, err := b.db.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Conn().Prepare(t.Context(), s.Name(), s.Numbered()); err != nil {
			t.Errorf("%s: %v", s.Name(), err)
		}
		conn.Release()
	}
	if seen < 10 {
		t.Errorf("only %d statements were seen", seen)
	}
}

func TestWithoutTheirFiltersStatementsReadNoForeignRow(t *testing.T) {
	b := setup(t)
	mine, class, foreign := b.create(ada, "c1", "a"), b.create(bob, "c1", "b"), b.create(tom, "c2", "m")
	for _, g := range []goals.Goal{mine, class, foreign} {
		b.must(system, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
			return b.goals.SetProgressTx(ctx, tx, g.ID, 40)
		})
	}
	scoped := 0
	for _, s := range postgres.Statements() {
		if !strings.HasPrefix(s.Name(), "goals.") || !strings.Contains(s.Text(), "/*scope*/") {
			continue
		}
		scoped++
		for _, c := range []struct {
			actor   auth.Actor
			foreign []goals.Goal
		}{{ada, []goals.Goal{class, foreign}}, {tess, []goals.Goal{foreign}}} {
			for _, g := range c.foreign {
				args := postgres.Args{}
				for name, value := range store.Scope(c.actor, postgres.Args{
					"id": g.ID, "user": g.UserID, "course": g.CourseID, "statuses": []string{}, "size": 100,
					"after_time": store.Newest.At, "after_id": store.Newest.ID,
				}) {
					if strings.Contains(s.Unscoped().Text(), "@"+name) {
						args[name] = value
					}
				}
				if slices.Contains(b.ids(c.actor, s, args), g.ID) {
					t.Errorf("%s without its filter shows %s the goal of %s", s.Name(), c.actor.Name(), g.UserID)
				}
				// The same as the system, to see that the case is no blank.
				if !slices.Contains(b.ids(system, s, args), g.ID) {
					t.Errorf("%s does not read the goal even as the system: the case proves nothing", s.Name())
				}
			}
		}
	}
	if scoped < 4 {
		t.Errorf("only %d statements have a scope", scoped)
	}
	// Nor does a write reach another's row.
	for _, actor := range []auth.Actor{ada, tess} {
		_, err := b.do(actor, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
			g := class
			g.Title = "stolen"
			_, err := store.Update(ctx, tx, g)
			return g, err
		})
		if got, _ := b.goals.Get(t.Context(), bob, class.ID); got.Title != "b" {
			t.Errorf("%s wrote bob's goal (%v)", actor.Name(), err)
		}
	}
}

// ids reads the first column of an unscoped statement, in a unit of work so
// that FOR UPDATE is allowed.
func (b bundle) ids(actor auth.Actor, s *postgres.Statement, args postgres.Args) (ids []string) {
	b.Helper()
	b.must(actor, func(ctx context.Context, tx *postgres.Tx) (g goals.Goal, err error) {
		rows, err := tx.Query(ctx, s.Unscoped(), args)
		if err != nil {
			return g, err
		}
		ids, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
			values, err := row.Values()
			if err != nil {
				return "", err
			}
			return uuid.UUID(values[0].([16]byte)).String(), nil
		})
		return g, err
	})
	return ids
}
