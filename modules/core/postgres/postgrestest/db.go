package postgrestest

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// DB opens a fresh, migrated database as the server does; it is closed and
// dropped when the test ends.
func DB(t testing.TB) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: URL(t), MaxConns: 10, SystemConns: 4})
	if err != nil {
		t.Fatalf("postgrestest: %v", err)
	}
	t.Cleanup(db.Close)
	return db
}
