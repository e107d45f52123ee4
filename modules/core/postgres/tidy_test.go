package postgres_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

func TestExpiredKeysAreForgottenByReplicasTogetherAndOthersStay(t *testing.T) {
	db := setup(t)
	for _, key := range []string{"old", "new"} {
		if err := write(db, postgres.Call{Actor: learner("ada"), Key: key, Procedure: "p", Hash: []byte("h")}, key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Pool().Exec(t.Context(), `
		UPDATE core.idempotency_keys SET expires_at = now() - interval '1 s' WHERE key = 'old';
		INSERT INTO core.idempotency_keys (subject_id, key, procedure, request_hash, expires_at)
		SELECT 'bob', n::text, 'p', 'h', now() - interval '1 s' FROM generate_series(1, 2500) n`); err != nil {
		t.Fatal(err)
	}
	var gone atomic.Int64
	var replicas sync.WaitGroup
	for range 2 {
		replicas.Go(func() {
			n, err := db.Tidy(t.Context())
			if err != nil {
				t.Error(err)
			}
			gone.Add(n)
		})
	}
	replicas.Wait()
	if n, err := db.Tidy(t.Context()); err != nil { // what one left to the other is gone by now
		t.Error(err)
	} else {
		gone.Add(n)
	}
	var left int
	if err := db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM core.idempotency_keys").Scan(&left); err != nil || left != 1 || gone.Load() != 2501 {
		t.Errorf("%d keys are left and %d were forgotten, %v", left, gone.Load(), err)
	}
}
