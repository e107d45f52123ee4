package events

import (
	"context"
	"slices"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Table is where a fold keeps rows.
type Table struct {
	// Name with its schema: "goals.goals".
	Name string
	// Key is the column that holds the entity's id.
	Key string
}

// Folder keeps the rows of one stream type equal to its events. A module
// registers one per stream type that has rows.
type Folder interface {
	// StreamType is the type of the streams it folds.
	StreamType() string
	// Tables are where its rows are. Every row in them belongs to the stream
	// that its key names.
	Tables() []Table
	// Rows says what each table, by name, must hold for a stream: every column,
	// as to_jsonb shows it, or as a Go value that comes to the same (time.Time,
	// uuid.UUID, []byte, json.RawMessage, pointers, numbers). Nothing for a
	// deleted entity.
	Rows(history []Event) (map[string][]map[string]any, error)
	// Restore rewrites the rows of the entity from its history, and deletes them
	// when that is empty or ends in the entity's end. The rows that are there are
	// locked already. It updates them in place: who deletes a row to insert it
	// again takes along what hangs on it, and slips it from under a writer who
	// waits for it. It runs as the system and appends nothing.
	Restore(ctx context.Context, tx *postgres.Tx, id string, history []Event) error
}

// Folds are all that were registered, in that order.
func (l *Log) Folds() []Folder { return slices.Clone(l.folds) }
