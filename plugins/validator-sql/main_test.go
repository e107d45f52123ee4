package main

import (
	"testing"

	"github.com/goals-tracker/tracker/sdk/validatortest"
)

func TestSpec(t *testing.T) { validatortest.Spec(t, spec) }

func TestSQLite(t *testing.T) { validatortest.Dir(t, spec, "testdata") }

func TestPostgres(t *testing.T) {
	if postgresBin == "" {
		t.Skip("PostgreSQL is not installed below " + postgresHome)
	}
	validatortest.Dir(t, spec, "testdata/postgres")
}

func TestBinary(t *testing.T) { validatortest.Binary(t, validatortest.Build(t)) }
