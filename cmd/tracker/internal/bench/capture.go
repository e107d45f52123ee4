package bench

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// trip is what goes to PostgreSQL in one round trip.
type trip []statement

// statement is SQL with $1, $2, …, as it was sent.
type statement struct {
	sql  string
	args []argument
}

// argument is one as text, with the type that PostgreSQL takes it for.
type argument struct {
	text string
	null bool
	kind string
}

// ping is what the pool sends to see whether an idle connection lives.
const ping = "-- ping"

// recorder writes down what a connection pool sends.
type recorder struct {
	mu      sync.Mutex
	active  bool
	batches []pgx.Batch
}

// TraceQueryStart implements pgx.QueryTracer.
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	var batch pgx.Batch
	batch.Queue(data.SQL, data.Args...)
	r.add(batch)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (r *recorder) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	r.add(*data.Batch)
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (r *recorder) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (r *recorder) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (r *recorder) add(batch pgx.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active && batch.QueuedQueries[0].SQL != ping {
		r.batches = append(r.batches, batch)
	}
}

// during is what is sent while fn runs.
func (r *recorder) during(fn func() error) ([]pgx.Batch, error) {
	set := func(active bool) { r.mu.Lock(); r.active = active; r.mu.Unlock() }
	r.batches = nil
	set(true)
	err := fn()
	set(false)
	return r.batches, err
}

// capture sends one request of a load to a server of its own and writes down
// the statements that it makes.
func capture(ctx context.Context, d *database, l load) ([]trip, error) {
	var r recorder
	db, err := d.connect(ctx, &r)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	s, err := newServer(db) // not started: its log would send statements too
	if err != nil {
		return nil, err
	}
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	defer s.close()
	batches, err := r.during(func() error { return l.at(s).once(ctx) })
	if err != nil {
		return nil, fmt.Errorf("capture the statements of a request: %w", err)
	}
	if len(batches) == 0 {
		return nil, fmt.Errorf("capture the statements of a request: %s %s sent none", l.Method, l.Path)
	}
	trips := make([]trip, len(batches))
	for i, batch := range batches {
		for _, q := range batch.QueuedQueries {
			s, err := describe(ctx, db.Pool(), q.SQL, q.Arguments)
			if err != nil {
				return nil, err
			}
			trips[i] = append(trips[i], s)
		}
	}
	return trips, nil
}

// describe asks PostgreSQL for the types of the arguments and writes them as
// text.
func describe(ctx context.Context, pool *pgxpool.Pool, sql string, args []any) (statement, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return statement{}, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Release()
	known, err := conn.Conn().Prepare(ctx, sql, sql)
	if err != nil {
		return statement{}, fmt.Errorf("prepare %q: %w", sql, err)
	}
	if len(known.ParamOIDs) != len(args) {
		return statement{}, fmt.Errorf("%q takes %d arguments, it was sent %d", sql, len(known.ParamOIDs), len(args))
	}
	s := statement{sql: sql, args: make([]argument, len(args))}
	for i, oid := range known.ParamOIDs {
		text, err := conn.Conn().TypeMap().Encode(oid, pgtype.TextFormatCode, args[i], []byte{})
		if err != nil {
			return statement{}, fmt.Errorf("write argument %d of %q as text: %w", i+1, sql, err)
		}
		s.args[i] = argument{text: string(text), null: text == nil}
		if err := conn.QueryRow(ctx, "SELECT format_type($1::oid, NULL)", oid).Scan(&s.args[i].kind); err != nil {
			return statement{}, fmt.Errorf("ask for the type of argument %d of %q: %w", i+1, sql, err)
		}
	}
	return s, nil
}
