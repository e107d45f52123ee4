package postgrestest

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// DB opens the pools on a database of URL's kind and closes them when the test
// ends, before the database goes.
func DB(t testing.TB) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: URL(t)})
	if err != nil {
		t.Fatalf("postgrestest: open the pools: %v", err)
	}
	t.Cleanup(db.Close)
	return db
}
