package store

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var readEpoch = postgres.SQL("events.epoch", `
	SELECT md5(concat_ws('/', s.system_identifier, c.timeline_id, d.oid, 'events.events'::regclass::oid))
	FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
	WHERE d.datname = current_database()`)

// Epoch is the same as long as positions can be compared: a restore makes a
// new cluster, timeline, database or, in place, a new table.
func Epoch(ctx context.Context, q postgres.Queryer) (string, error) {
	var epoch string
	if err := q.QueryRow(ctx, readEpoch, postgres.Args{}).Scan(&epoch); err != nil {
		return "", fmt.Errorf("read epoch: %w", err)
	}
	return epoch[:16], nil
}
