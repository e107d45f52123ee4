package erasure_test

import (
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events/internal/erasure"
)

// Where there is much, a step takes longer than people's calls may, and longer
// than a lease: it is neither broken off nor done by two in turns for ever.
func TestALargeDatabaseIsErasedByOneProcessWithAllTheTimeItTakes(t *testing.T) {
	b := setup(t)
	b.life(t, ada)
	var err error
	if b.db, err = postgres.Open(t.Context(), postgres.Config{URL: b.db.URL(), StatementTimeout: time.Second}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.db.Close)
	b.exec(t, `CREATE TABLE core.slow (user_id text)`)
	b.exec(t, `INSERT INTO core.slow VALUES ($1)`, ada)
	b.exec(t, `GRANT ALL ON core.slow TO tracker_system`)
	b.exec(t, `ALTER TABLE core.slow ENABLE ROW LEVEL SECURITY`)
	b.exec(t, `CREATE POLICY system ON core.slow TO tracker_system USING (pg_sleep(2.5) IS NOT NULL)`)
	b.more = privacy.Registry{Tables: []privacy.Table{{
		Name: "core.slow", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject, Personal: []string{"user_id"},
	}}}
	erasure.ShortLease(t, 1500*time.Millisecond)
	one := b.erasure(t, func(step string) error {
		if step == "jobs" { // once is enough
			b.exec(t, `ALTER POLICY system ON core.slow USING (true)`)
		}
		return nil
	})
	b.runs(t)
	r, _ := erase(t, one, ada)
	if !r.Complete || r.Tables["core.slow"].Erased != 1 {
		t.Errorf("%+v, %+v", r.Tables["core.slow"], r.Scan)
	}
	if n := b.count(t, `events.erasures WHERE attempts = 1`); n != 1 {
		t.Error("it was taken over while it went on")
	}
}
