package store

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// A notification that a crash loses is made up for by polling, so its commit
// waits for no disk; the writers of events do, and should not queue behind it.
var notify = postgres.SQL("events.notify", `
	SELECT pg_notify(@channel, @payload), set_config('synchronous_commit', 'off', true)`)

// Notify sends a notification, committed at once.
func Notify(ctx context.Context, q postgres.Queryer, channel, payload string) error {
	if _, err := q.Exec(ctx, notify, postgres.Args{"channel": channel, "payload": payload}); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}
