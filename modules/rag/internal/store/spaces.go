package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
)

// Space is an embedding space as it is kept.
type Space struct {
	ID int32
	llm.Space
	State   rag.SpaceState
	Weight  float64
	Problem string
	// RetiredAt is the zero time unless it is retired.
	RetiredAt time.Time
}

const spaceColumns = `s.id, s.provider, s.model, s.dims, s.version, s.state, s.weight, s.problem, coalesce(s.retired_at, 'epoch')`

func scanSpace(row pgx.CollectableRow) (s Space, err error) {
	err = row.Scan(&s.ID, &s.Provider, &s.Model, &s.Dimensions, &s.Version, &s.State, &s.Weight, &s.Problem, &s.RetiredAt)
	return s, err
}

var listSpaces = postgres.SQL("rag.spaces.list", `SELECT `+spaceColumns+` FROM rag.spaces s ORDER BY s.id`)

// Spaces reads all spaces.
func Spaces(ctx context.Context, q postgres.Queryer) ([]Space, error) {
	rows, err := q.Query(ctx, listSpaces, nil)
	if err != nil {
		return nil, fmt.Errorf("read embedding spaces: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanSpace)
	if err != nil {
		return nil, fmt.Errorf("read embedding spaces: %w", err)
	}
	return list, nil
}

var countSpaces = postgres.SQL("rag.spaces.count", `
	SELECT 0, count(*), 0 FROM rag.chunks
	UNION ALL
	SELECT e.space_id, count(*), count(*) FILTER (WHERE e.embedding IS NULL) FROM rag.embeddings e GROUP BY e.space_id`)

// Filled is how much of a space is there: passages with a row in it, and those
// of them that the model can't take.
type Filled struct{ Done, Refused int64 }

// FilledSpaces counts passages, and each space's vectors by its id.
func FilledSpaces(ctx context.Context, q postgres.Queryer) (passages int64, spaces map[int32]Filled, err error) {
	rows, err := q.Query(ctx, countSpaces, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("count vectors: %w", err)
	}
	spaces = map[int32]Filled{}
	var id int32
	var f Filled
	_, err = pgx.ForEachRow(rows, []any{&id, &f.Done, &f.Refused}, func() error {
		if id == 0 {
			passages = f.Done
		}
		spaces[id] = f
		return nil
	})
	if err != nil {
		return 0, nil, fmt.Errorf("count vectors: %w", err)
	}
	return passages, spaces, nil
}

var (
	ensureSpace = postgres.SQL("rag.spaces.ensure", `
		INSERT INTO rag.spaces AS s (provider, model, dims, version, weight, created_at)
		VALUES (@provider, @model, @dims, @version, @weight, @now)
		ON CONFLICT (provider, model, dims, version) DO UPDATE
			SET state = CASE s.state WHEN 'retired' THEN 'building' ELSE s.state END, retired_at = NULL,
				weight = CASE WHEN s.pinned THEN s.weight ELSE excluded.weight END
		RETURNING `+spaceColumns)
	indexSpace = postgres.SQL("rag.spaces.index", `SELECT rag.index_space(@space, @dims)`)
)

// EnsureSpace makes a space with its index if need be. One that was to be
// dropped is filled again.
func EnsureSpace(ctx context.Context, tx *postgres.Tx, of llm.Space, weight float64, now time.Time) (Space, error) {
	rows, err := tx.Query(ctx, ensureSpace, postgres.Args{"provider": of.Provider, "model": of.Model,
		"dims": of.Dimensions, "version": of.Version, "weight": weight, "now": now})
	if err != nil {
		return Space{}, fmt.Errorf("make embedding space: %w", err)
	}
	space, err := pgx.CollectExactlyOneRow(rows, scanSpace)
	if err != nil {
		return Space{}, fmt.Errorf("make embedding space: %w", err)
	}
	return space, Reindex(ctx, tx, space)
}

var leaseSpace = postgres.SQL("rag.spaces.lease", `
	UPDATE rag.spaces SET worker = @worker, leased_till = @till
	WHERE id = @space AND state <> 'retired' AND (worker IS NULL OR worker = @worker OR leased_till < @now)
	RETURNING id`)

// Lease takes a space for a worker until a time, or for longer; false says that
// another one fills it.
func Lease(ctx context.Context, q postgres.Queryer, space int32, worker uuid.UUID, now, till time.Time) (bool, error) {
	var id int32
	err := q.QueryRow(ctx, leaseSpace, postgres.Args{"space": space, "worker": worker, "now": now, "till": till}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lease embedding space %d: %w", space, err)
	}
	return true, nil
}

var releaseSpace = postgres.SQL("rag.spaces.release", `
	UPDATE rag.spaces SET worker = NULL, leased_till = NULL, problem = @problem WHERE id = @space AND worker = @worker`)

// Release gives a space back and says what went wrong, if anything.
func Release(ctx context.Context, q postgres.Queryer, space int32, worker uuid.UUID, problem string) error {
	if _, err := q.Exec(ctx, releaseSpace, postgres.Args{"space": space, "worker": worker, "problem": problem}); err != nil {
		return fmt.Errorf("release embedding space %d: %w", space, err)
	}
	return nil
}

var (
	retireOthers = postgres.SQL("rag.spaces.retire", `
		UPDATE rag.spaces SET state = 'retired', retired_at = @now WHERE state = 'active' AND id <> @space`)
	activateSpace = postgres.SQL("rag.spaces.activate", `
		UPDATE rag.spaces SET state = 'active', activated_at = @now, retired_at = NULL WHERE id = @space AND state = 'building'`)
)

// Activate lets search use a space from now on, instead of the one before.
func Activate(ctx context.Context, tx *postgres.Tx, space int32, now time.Time) error {
	if _, err := tx.Exec(ctx, retireOthers, postgres.Args{"space": space, "now": now}); err != nil {
		return fmt.Errorf("retire the embedding space before %d: %w", space, err)
	}
	if _, err := tx.Exec(ctx, activateSpace, postgres.Args{"space": space, "now": now}); err != nil {
		return fmt.Errorf("activate embedding space %d: %w", space, err)
	}
	return nil
}

var (
	unindexSpace = postgres.SQL("rag.spaces.unindex", `SELECT rag.unindex_space(@space)`)
	dropSpace    = postgres.SQL("rag.spaces.drop", `DELETE FROM rag.spaces WHERE id = @space AND state = 'retired'`)
)

// Unindex takes a space's index away, to fill the space faster.
func Unindex(ctx context.Context, tx *postgres.Tx, space int32) error {
	if _, err := tx.Exec(ctx, unindexSpace, postgres.Args{"space": space}); err != nil {
		return fmt.Errorf("drop the index of embedding space %d: %w", space, err)
	}
	return nil
}

// An index is made several times faster where all of it has room.
var roomForIndex = postgres.SQL("rag.spaces.room", `SELECT set_config('maintenance_work_mem', '512MB', true)`)

// Reindex makes a space's index of the vectors that are there.
func Reindex(ctx context.Context, tx *postgres.Tx, space Space) error {
	if _, err := tx.Exec(ctx, roomForIndex, nil); err != nil {
		return fmt.Errorf("make room to index embedding space %d: %w", space.ID, err)
	}
	if _, err := tx.Exec(ctx, indexSpace, postgres.Args{"space": space.ID, "dims": space.Dimensions}); err != nil {
		return fmt.Errorf("index embedding space %d: %w", space.ID, err)
	}
	return nil
}

// DropSpace forgets a retired space with its vectors.
func DropSpace(ctx context.Context, tx *postgres.Tx, space int32) error {
	if err := Unindex(ctx, tx, space); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, dropSpace, postgres.Args{"space": space}); err != nil {
		return fmt.Errorf("drop embedding space %d: %w", space, err)
	}
	return nil
}

var weighSpace = postgres.SQL("rag.spaces.weigh", `UPDATE rag.spaces SET weight = @weight, pinned = true WHERE id = @space RETURNING id`)

// Weigh sets what a space's cosine counts beside BM25, for good.
func Weigh(ctx context.Context, q postgres.Queryer, space int32, weight float64) error {
	var id int32
	if err := q.QueryRow(ctx, weighSpace, postgres.Args{"space": space, "weight": weight}).Scan(&id); err != nil {
		return fmt.Errorf("weigh embedding space %d: %w", space, err)
	}
	return nil
}
