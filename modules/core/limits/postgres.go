package limits

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// system is who writes the tables: people must not be able to.
var system = auth.System("limits")

const (
	// askedAtOnce is how many connections limits may take from requests.
	askedAtOnce = 4
	// askFor is how long the database may take to answer, when nobody says.
	askFor = time.Second
)

// database keeps buckets in PostgreSQL.
type database struct {
	db    *postgres.DB
	slots chan struct{}
	// timeout is how long it may take to answer.
	timeout time.Duration
}

func newDatabase(db *postgres.DB, timeout time.Duration) *database {
	return &database{db: db, slots: make(chan struct{}, askedAtOnce), timeout: cmp.Or(timeout, askFor)}
}

var takeTokensSQL = postgres.SQL("core.limits.take", `
	SELECT t.granted, t.wait
	FROM core.take_tokens(@person, @limit, @replica, @price, @capacity, @want, @life, nullif(@clock::bigint, 0)) AS t`)

// take implements store.
func (d *database) take(ctx context.Context, a ask) (g grant, err error) {
	err = d.with(ctx, func(ctx context.Context) error {
		return d.db.As(system).QueryRow(ctx, takeTokensSQL, postgres.Args{
			"person": a.person, "limit": a.limit, "replica": a.replica, "price": a.price, "capacity": a.capacity, "want": a.want,
			"life": a.life, "clock": a.clock,
		}).Scan(&g.tokens, &g.wait)
	})
	if err != nil {
		return grant{}, fmt.Errorf("ask for tokens of %s: %w", a.limit, err)
	}
	return g, nil
}

// with bounds how many ask, and for how long. Who asked may go away: ending the
// statement would cost its connection.
func (d *database) with(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.timeout)
	defer cancel()
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
		return fn(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A person's bucket that is full again is as good as none; so is what a replica
// held that was not heard of.
var (
	tidyBuckets = postgres.SQL("core.limits.tidy", `
		DELETE FROM core.limits WHERE (subject_id, name) IN (
		    SELECT l.subject_id, l.name FROM core.limits l WHERE l.expires_at < now() LIMIT 10000 FOR UPDATE SKIP LOCKED)`)
	tidyReplicas = postgres.SQL("core.limits.tidy_replicas", `DELETE FROM core.limit_replicas WHERE alive_until < now()`)
	tidyPlaces   = postgres.SQL("core.limits.tidy_places", `
		DELETE FROM core.limit_places p WHERE NOT EXISTS (SELECT FROM core.limit_replicas r WHERE r.id = p.replica)`)
)

// tidy deletes what has come to nothing. Replicas before places: one that was
// taken for dead finds that it must say anew what it holds.
func (d *database) tidy(ctx context.Context) error {
	for _, statement := range []*postgres.Statement{tidyBuckets, tidyReplicas, tidyPlaces} {
		if _, err := d.db.As(system).Exec(ctx, statement, nil); err != nil {
			return fmt.Errorf("forget limits: %w", err)
		}
	}
	return nil
}
