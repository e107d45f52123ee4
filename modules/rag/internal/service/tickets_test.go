package service_test

import (
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
)

// issued counts tickets.
type issued int

func (i *issued) Issue(*postgres.Tx) { *i++ }

func TestAUnitOfWorkAsksForVectorsIfItBringsNewPassages(t *testing.T) {
	var n issued
	db := postgrestest.DB(t)
	b := &bundle{service.New(db, nil, rag.DefaultConfig(), time.Now).WithTickets(&n), t, db}
	for _, step := range []struct {
		what, text string
		want       issued
	}{
		{"a new file", "# Loops\n\nA loop goes round.\n", 1},
		{"the same file", "# Loops\n\nA loop goes round.\n", 1},
		{"a changed file", "# Loops\n\nA loop comes round again.\n", 2},
	} {
		b.ingest(tess, "c1", false, "loops.md", step.text)
		if n != step.want {
			t.Errorf("after %s there were %d tickets, not %d", step.what, n, step.want)
		}
	}
}
