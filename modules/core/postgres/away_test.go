package postgres_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestADatabaseThatIsAwayIsToldFromOneThatRefuses(t *testing.T) {
	_, unreachable := pgx.Connect(t.Context(), "postgresql://nobody@127.0.0.1:1/none")
	db := postgrestest.DB(t)
	_, refused := db.Pool().Exec(t.Context(), "SELECT 1/0")
	conn, err := db.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := db.Pool().Exec(t.Context(), "SELECT pg_terminate_backend($1)", conn.Conn().PgConn().PID()); err != nil {
		t.Fatal(err)
	}
	_, ended := conn.Exec(t.Context(), "SELECT 1")
	for name, c := range map[string]struct {
		err  error
		away bool
	}{
		"nobody listens":      {unreachable, true},
		"ended by its server": {ended, true},
		"wrapped":             {fmt.Errorf("take in: %w", unreachable), true},
		"starting":            {&pgconn.PgError{Code: "57P03"}, true},
		"division by zero":    {refused, false},
		"something else":      {errors.New("boom"), false},
		"nothing":             {nil, false},
	} {
		if got := postgres.Away(c.err); got != c.away {
			t.Errorf("%s (%v): got %t", name, c.err, got)
		}
	}
}
