package postgres

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

// tidyBatch bounds how many rows one statement deletes, and so how long it holds
// their locks.
const tidyBatch = 1000

// Rows that another replica deletes right now are left to it.
var tidyKeys = SQL("core.idempotency.tidy", `
	DELETE FROM core.idempotency_keys WHERE (subject_id, key) IN (
	    SELECT k.subject_id, k.key FROM core.idempotency_keys k WHERE k.expires_at < now()
	    ORDER BY k.expires_at LIMIT @batch FOR UPDATE SKIP LOCKED)`)

// Tidy forgets idempotency keys whose time is over and says how many. Any number
// of replicas may do so at once.
func (db *DB) Tidy(ctx context.Context) (int64, error) {
	var gone int64
	for {
		tag, err := db.As(auth.System("idempotency")).Exec(ctx, tidyKeys, Args{"batch": tidyBatch})
		if err != nil {
			return gone, fmt.Errorf("forget idempotency keys: %w", err)
		}
		gone += tag.RowsAffected()
		if tag.RowsAffected() < tidyBatch {
			return gone, nil
		}
	}
}
