package store

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Two replicas that embed the same passages, each in its own order, wait for each
// other; they don't lock each other out.
func TestReplicasThatStoreTheSameVectorsDoNotLockEachOtherOut(t *testing.T) {
	db := setup(t)
	// As in a large table, where passages are looked up in the order they are named.
	for _, off := range []string{"enable_hashjoin", "enable_mergejoin", "enable_seqscan"} {
		if _, err := db.Pool().Exec(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET `+off+` = off', current_database()); END $$`); err != nil {
			t.Fatal(err)
		}
	}
	db.Pool().Reset()
	db.SystemPool().Reset()
	system := db.As(auth.System("test"))
	rows, err := db.Pool().Query(t.Context(), `SELECT chunk FROM rag.embeddings ORDER BY chunk`)
	if err != nil {
		t.Fatal(err)
	}
	nums, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(nums) != 2 {
		t.Fatalf("%d passages, %v", len(nums), err)
	}
	var space int32
	if err := db.Pool().QueryRow(t.Context(), `SELECT id FROM rag.spaces`).Scan(&space); err != nil {
		t.Fatal(err)
	}
	add := func(ctx context.Context, q postgres.Queryer, order ...int64) error {
		return AddVectors(ctx, q, space, order, [][]float32{{1, 0}, {0, 1}}[:len(order)], time.Now())
	}
	other := make(chan error, 1)
	err = db.InTx(t.Context(), postgres.As(auth.System("test")), func(ctx context.Context, tx *postgres.Tx) error {
		if err := add(ctx, tx, nums[0]); err != nil {
			return err
		}
		go func() { other <- add(t.Context(), system, nums[1], nums[0]) }()
		for waiting := 0; waiting == 0; time.Sleep(5 * time.Millisecond) {
			if err := db.Pool().QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')
				AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`).Scan(&waiting); err != nil {
				return err
			}
		}
		return add(ctx, tx, nums[1])
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-other; err != nil {
		t.Error(err)
	}
}

// Who changes a collection holds it for a while: passages that are embedded
// meanwhile only name it, and need not wait. One that waited, and held a passage
// that the other was about to drop, was locked out.
func TestPassagesGetTheirVectorsWhileTheirCollectionIsBeingChanged(t *testing.T) {
	db := setup(t)
	var space int32
	var num int64
	if err := db.Pool().QueryRow(t.Context(), `DELETE FROM rag.embeddings e USING rag.collections c
		WHERE c.id = e.collection_id AND c.course_id = 'c1' RETURNING space_id, chunk`).Scan(&space, &num); err != nil {
		t.Fatal(err)
	}
	err := db.InTx(t.Context(), postgres.As(auth.System("test")), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := Lock(ctx, tx, "c1"); err != nil {
			return err
		}
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return AddVectors(soon, db.As(auth.System("test")), space, []int64{num}, [][]float32{{1, 0}}, time.Now())
	})
	if err != nil {
		t.Error(err)
	}
}
