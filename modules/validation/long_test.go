package validation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
)

// long fills the queue with runs of 500 learners in a number of courses, of
// which the first begun.
func (b *bundle) long(runs, courses int) {
	b.t.Helper()
	_, err := b.DB.Pool().Exec(context.Background(), `
		INSERT INTO validation.queue (run_id, task_id, snapshot_id, user_id, course_id, lane, kind, enqueued_at, available_at, attempt)
		SELECT gen_random_uuid(), t.task, t.snapshot, 'u' || t.i % 500, 'c' || t.i % 500 % $2, 0, 'k', t.enqueued, t.available, 0
		FROM (SELECT i, gen_random_uuid() AS task, gen_random_uuid() AS snapshot, now() AS enqueued, now() AS available FROM generate_series(1, $1) i) t`, runs, courses)
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) analyze() {
	b.t.Helper()
	if _, err := b.DB.Pool().Exec(context.Background(), "ANALYZE validation.queue"); err != nil {
		b.t.Fatal(err)
	}
}

// takeOne takes a run and says how long that took, without the commit.
func (b *bundle) takeOne() (l *store.Lease, took time.Duration) {
	b.t.Helper()
	b.do(auth.System("test"), func(ctx context.Context, tx *postgres.Tx) (err error) {
		began := time.Now()
		l, err = store.Take(ctx, tx, uuid.NewString(), "test", time.Minute)
		took = time.Since(began)
		return err
	})
	return l, took
}

// plan is a node of what EXPLAIN answers.
type plan struct {
	Node     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Plans    []plan  `json:"Plans"`
}

// touched adds up the rows of the queue that were looked at, and how.
func (p plan) touched(how map[string]float64) {
	if p.Relation == "queue" {
		how[strings.TrimSpace(p.Node+" "+p.Index)] += (p.Rows + p.Removed) * p.Loops
	}
	for _, child := range p.Plans {
		child.touched(how)
	}
}

// However the planner's statistics are, taking a run looks at one row for each
// course and each learner of those whose turn it may be, not at all that wait.
func TestTakingARunDoesNotLookAtAllThatWait(t *testing.T) {
	for _, c := range []struct {
		courses   int
		analyzed  bool
		most      float64
		statement string
	}{
		{20, true, 120, "analyzed"}, {20, false, 120, "never analyzed"}, {1, true, 650, "one course"}, {500, true, 650, "a course each"},
	} {
		t.Run(c.statement, func(t *testing.T) {
			b := setup(t, validationtest.Options{Judge: &fake{}})
			b.long(10_000, c.courses)
			if c.analyzed {
				b.analyze()
			}
			for range 30 { // turns differ from then on
				if l, _ := b.takeOne(); l == nil {
					t.Fatal("nothing was taken")
				}
			}
			var text string
			b.do(auth.System("test"), func(ctx context.Context, tx *postgres.Tx) error {
				raw, err := tx.PGX(ctx)
				if err != nil {
					return err
				}
				values, err := store.TakeStatement().Bind(postgres.Args{"lane": 0, "token": uuid.NewString(), "lease": time.Minute, "worker": "x"})
				if err != nil {
					return err
				}
				return raw.QueryRow(ctx, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+store.TakeStatement().Numbered(), values...).Scan(&text)
			})
			var plans []struct {
				Plan plan    `json:"Plan"`
				Took float64 `json:"Execution Time"`
			}
			if err := json.Unmarshal([]byte(text), &plans); err != nil {
				t.Fatal(err)
			}
			how, all := map[string]float64{}, 0.0
			plans[0].Plan.touched(how)
			for _, n := range how {
				all += n
			}
			t.Logf("%.1f ms, %v", plans[0].Took, how)
			if all > c.most || how["Index Scan queue_flows"]+how["Index Only Scan queue_flows"] == 0 {
				t.Errorf("%.0f rows of 10,000 were looked at: %v", all, how)
			}
		})
	}
}

// BenchmarkTakingFromALongQueue takes with 10,000 runs of 500 learners waiting.
func BenchmarkTakingFromALongQueue(b *testing.B) {
	for _, courses := range []int{1, 20, 500} {
		b.Run(fmt.Sprintf("courses=%d", courses), func(b *testing.B) {
			s := setup(b, validationtest.Options{Judge: &fake{}})
			s.long(10_000, courses)
			s.analyze()
			var all []time.Duration
			for b.Loop() {
				l, took := s.takeOne()
				if l == nil {
					b.Fatal("nothing was taken")
				}
				all = append(all, took)
			}
			sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "median-µs")
		})
	}
}
