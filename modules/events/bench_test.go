package events_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// BenchmarkAppend is a unit of work that appends one event to a new stream;
// BenchmarkPlainInsert is the same rows written by two inserts, without log.
// Both run with eight writers per core: `go test -bench 'Append|Insert' -cpu 2`.
func BenchmarkAppend(b *testing.B) {
	s := setup(b)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			g := goal("ada")
			if err := s.inTx(func(tx *postgres.Tx) error {
				s.log.Append(tx, g, 0, created(g, "Learn Go"))
				return nil
			}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

var (
	plainStream = postgres.SQL("bench.streams.insert", `
		INSERT INTO events.streams (stream_id, type, subject_id, version, created_at, updated_at)
		VALUES (@stream, 'goal', 'ada', 1, now(), now())`)
	plainEvent = postgres.SQL("bench.events.insert", `
		INSERT INTO events.events (event_id, stream_id, version, type, schema_version, subject_id, goal_id, data, meta, occurred_at)
		VALUES (@id, @stream, 1, 'goal.created', 1, 'ada', @goal, @data, '{"actor":"ada"}', now())`)
)

func BenchmarkPlainInsert(b *testing.B) {
	s := setup(b)
	const data = `{"goal_id":"0190b6d2-0000-7000-8000-000000000001","user_id":"ada","details":{"title":"Learn Go","description":"","priority":"unspecified","validation_criteria":[],"metadata":{"a":[1,"é"]}},"ai_generated":false}`
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := uuid.New()
			if err := s.db.InTx(context.Background(), postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
				if _, err := tx.Exec(ctx, plainStream, postgres.Args{"stream": "goal:" + id.String()}); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, plainEvent, postgres.Args{"id": uuid.Must(uuid.NewV7()), "stream": "goal:" + id.String(), "goal": id, "data": data})
				return err
			}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkAppendWhileFollowed is BenchmarkAppend on a server that runs.
func BenchmarkAppendWhileFollowed(b *testing.B) {
	s := setup(b)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.log.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			g := goal("ada")
			if err := s.inTx(func(tx *postgres.Tx) error {
				s.log.Append(tx, g, 0, created(g, "Learn Go"))
				return nil
			}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
