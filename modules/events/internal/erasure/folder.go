package erasure

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// ErrOtherFolder says that the database's erasures belong to another folder's key.
var ErrOtherFolder = errors.New("people of this database are erased under another key")

var (
	noteFolder = postgres.SQL("events.erasure_key.note", `
		INSERT INTO events.erasure_key (key_id) VALUES (@key) ON CONFLICT DO NOTHING`)
	// A statement of its own: it sees what another has noted meanwhile.
	readFolder = postgres.SQL("events.erasure_key.read", `SELECT key_id FROM events.erasure_key`)
)

// sameFolder refuses a unit of work of a process whose folder is not that of the
// servers: the tombstones it sets would be unknown to them.
func (e *Erasure) sameFolder(ctx context.Context, tx *postgres.Tx) error {
	var key string
	_, err := tx.Exec(ctx, noteFolder, postgres.Args{"key": e.vault.keyID()})
	if err == nil {
		err = tx.QueryRow(ctx, readFolder, postgres.Args{}).Scan(&key)
	}
	if err != nil {
		return fmt.Errorf("compare the folder of erasures: %w", err)
	}
	if key != e.vault.keyID() {
		return fmt.Errorf("%w than that in %s, nobody was erased: events.erasure.dir (TRACKER_DATA_DIR) must be the servers' folder", ErrOtherFolder, e.Dir)
	}
	return nil
}

var takeFolder = postgres.SQL("events.erasure_key.take", `
	UPDATE events.erasure_key SET key_id = @key, noted_at = now()
	WHERE key_id <> @key AND NOT EXISTS (SELECT FROM events.erasures)
	RETURNING noted_at`)

// Register says, when a server starts, that its folder is the database's. As long
// as nobody was erased the last server to start is right; that it was another's
// before is a reason to warn.
func (e *Erasure) Register(ctx context.Context) error {
	err := e.DB.InTx(ctx, postgres.As(e.system), func(ctx context.Context, tx *postgres.Tx) error {
		var at any
		err := tx.QueryRow(ctx, takeFolder, postgres.Args{"key": e.vault.keyID()}).Scan(&at)
		if err == nil {
			e.Logger.Warn("another folder of erasures was in use with this database before; all replicas must share one (events.erasure.dir)", "folder", e.Dir)
			return nil
		}
		if errors.Is(err, pgx.ErrNoRows) {
			return e.sameFolder(ctx, tx)
		}
		return fmt.Errorf("note the folder of erasures: %w", err)
	})
	return err
}
