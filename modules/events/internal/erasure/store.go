package erasure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// lease is how long a process that went silent is waited for.
var lease = 20 * time.Second

// errTaken: another process has taken the job over.
var errTaken = errors.New("another process has taken the erasure over")

// A person who was erased and is back, after a restore, is erased anew: an
// erasure of its own, with a receipt of its own.
var setTombstone = postgres.SQL("events.erasures.set", `
	INSERT INTO events.erasures AS e (id, subject_hash, key_id, subject_id, source, state)
	VALUES (@id, @hash, @key, @subject, @source, 'running')
	ON CONFLICT (subject_hash) DO UPDATE
	SET id = excluded.id, subject_id = excluded.subject_id, source = excluded.source, state = 'running', found = NULL, erased = '{}', replaced = '{}',
	    leased_until = '-infinity', attempts = 0, problem = '', requested_at = now(), finished_at = NULL
	WHERE e.state = 'done' AND @again`)

var wasErased = postgres.SQL("events.erasures.was", `
	SELECT EXISTS (SELECT FROM events.erasures WHERE subject_hash = @hash AND state = 'done')`)

func (e *Erasure) set(ctx context.Context, tx *postgres.Tx, userID string, hash []byte, source string) error {
	// What asks again mostly does so because it was not sure to have been heard;
	// only something that is there is a reason to begin anew.
	var again bool
	if err := tx.QueryRow(ctx, wasErased, postgres.Args{"hash": hash}).Scan(&again); err != nil {
		return fmt.Errorf("look whether the person was erased: %w", err)
	}
	if again {
		var err error
		if again, err = e.present(ctx, tx, userID); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, setTombstone, postgres.Args{
		"id": uuid.Must(uuid.NewV7()), "hash": hash, "key": e.vault.keyID(), "subject": userID, "source": source, "again": again,
	})
	return err
}

var takeTime = postgres.SQL("events.erasures.take_time", `SELECT set_config('statement_timeout', '0', true)`)

// present reports whether any table has a row of the person.
func (e *Erasure) present(ctx context.Context, tx *postgres.Tx, userID string) (bool, error) {
	raw, p, err := e.planIn(ctx, tx)
	if err != nil {
		return false, err
	}
	for name, subject := range p.subjects {
		var there bool
		err := raw.QueryRow(ctx, fmt.Sprintf("SELECT EXISTS (SELECT FROM %s WHERE %s = $1)", table(name), ident(subject)), userID).Scan(&there)
		if err != nil || there {
			return there, err
		}
	}
	return false, nil
}

// state is what tells one database from another, and from an older one.
type state struct {
	epoch       string
	count, last int64
	// late: somebody was erased a short while ago.
	late bool
}

var readState = postgres.SQL("events.erasures.state", `
	SELECT md5(concat_ws('/', s.system_identifier, c.timeline_id, d.oid, 'events.events'::regclass::oid)), e.*
	FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d, (
		SELECT count(*), coalesce(max(number), 0), coalesce(max(finished_at) > now() - @for::interval, false) FROM events.erasures) e
	WHERE d.datname = current_database()`)

func (e *Erasure) state(ctx context.Context) (s state, err error) {
	err = e.DB.As(e.system).QueryRow(ctx, readState, postgres.Args{"for": lookFor}).Scan(&s.epoch, &s.count, &s.last, &s.late)
	if err != nil {
		return s, fmt.Errorf("look at erasures: %w", err)
	}
	return s, nil
}

type tombstone struct {
	number int64
	hash   []byte
	keyID  string
	at     time.Time
}

var listTombstones = postgres.SQL("events.erasures.tombstones", `
	SELECT number, subject_hash, key_id, requested_at FROM events.erasures WHERE number > @after ORDER BY number`)

// tombstones are those with a higher number. Numbers are given before commits,
// so a look goes back by some.
func (e *Erasure) tombstones(ctx context.Context, after int64) ([]tombstone, error) {
	rows, err := e.DB.As(e.system).Query(ctx, listTombstones, postgres.Args{"after": max(after-100, 0)})
	if err != nil {
		return nil, fmt.Errorf("read tombstones: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t tombstone, err error) {
		return t, row.Scan(&t.number, &t.hash, &t.keyID, &t.at)
	})
}

// job is an erasure that this process holds.
type job struct {
	id          uuid.UUID
	subject     string
	hash        []byte
	source      string
	requestedAt time.Time
	attempts    int
	found       map[string]int64
	erased      map[string]int64
	replaced    map[string]int64
}

var takeJob = postgres.SQL("events.erasures.take", `
	UPDATE events.erasures SET holder = @me, leased_until = now() + @lease::interval, attempts = attempts + 1
	WHERE id = (
		SELECT id FROM events.erasures
		WHERE state = 'running' AND leased_until < now() AND (@hash::bytea IS NULL OR subject_hash = @hash)
		ORDER BY leased_until LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING id, subject_id, subject_hash, source, requested_at, attempts, coalesce(found, 'null'), erased, replaced`)

// take leases an erasure: that of the hash, or with nil any that waits.
func (e *Erasure) take(ctx context.Context, hash []byte) (j job, found bool, err error) {
	err = e.DB.As(e.system).QueryRow(ctx, takeJob, postgres.Args{"me": e.me, "lease": lease, "hash": hash}).
		Scan(&j.id, &j.subject, &j.hash, &j.source, &j.requestedAt, &j.attempts, &j.found, &j.erased, &j.replaced)
	if errors.Is(err, pgx.ErrNoRows) {
		return j, false, nil
	}
	if err != nil {
		return j, false, fmt.Errorf("take up an erasure: %w", err)
	}
	return j, true, nil
}

var saveJob = postgres.SQL("events.erasures.save", `
	UPDATE events.erasures SET leased_until = now() + @lease::interval, found = @found, erased = @erased, replaced = @replaced
	WHERE id = @id AND holder = @me AND state = 'running'`)

// save notes what is done in the unit of work that did it, and prolongs the lease.
func (e *Erasure) save(ctx context.Context, tx *postgres.Tx, j *job) error {
	tag, err := tx.Exec(ctx, saveJob, postgres.Args{
		"id": j.id, "me": e.me, "lease": lease, "found": j.found, "erased": j.erased, "replaced": j.replaced,
	})
	if err == nil && tag.RowsAffected() == 0 {
		err = errTaken
	}
	return err
}

var prolongJob = postgres.SQL("events.erasures.prolong", `
	UPDATE events.erasures SET leased_until = now() + @lease::interval WHERE id = @id AND holder = @me AND state = 'running'`)

// hold prolongs the lease until the returned function is called: one step may take
// long where there is much.
func (e *Erasure) hold(ctx context.Context, j job) (release func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pause(ctx, lease/4) == nil {
			if _, err := e.DB.As(e.system).Exec(ctx, prolongJob, postgres.Args{"id": j.id, "me": e.me, "lease": lease}); err != nil && ctx.Err() == nil {
				e.Logger.Warn("the lease of an erasure was not prolonged", "error", err)
			}
		}
	}()
	return func() { cancel(); <-done }
}

var postponeJob = postgres.SQL("events.erasures.postpone", `
	UPDATE events.erasures SET leased_until = now() + @wait::interval, problem = @problem
	WHERE id = @id AND holder = @me AND state = 'running'`)

func (e *Erasure) postpone(ctx context.Context, j job, why error) error {
	wait := min(time.Second<<min(j.attempts, 8), 5*time.Minute)
	_, err := e.DB.As(e.system).Exec(ctx, postponeJob, postgres.Args{"id": j.id, "me": e.me, "wait": wait, "problem": why.Error()})
	return err
}

var finishJob = postgres.SQL("events.erasures.finish", `
	UPDATE events.erasures SET state = 'done', subject_id = NULL, holder = NULL, finished_at = @at, receipt = @receipt, problem = ''
	WHERE id = @id AND holder = @me AND state = 'running'`)

func (e *Erasure) finishTx(ctx context.Context, tx *postgres.Tx, j job, at time.Time, sealed []byte) error {
	tag, err := tx.Exec(ctx, finishJob, postgres.Args{"id": j.id, "me": e.me, "at": at, "receipt": string(sealed)})
	if err == nil && tag.RowsAffected() == 0 {
		err = errTaken
	}
	return err
}

var readReceipt = postgres.SQL("events.erasures.receipt", `
	SELECT coalesce(receipt, ''), state = 'done', problem FROM events.erasures WHERE subject_hash = @hash`)

func (e *Erasure) receipt(ctx context.Context, hash []byte) (sealed string, done bool, problem string, err error) {
	err = e.DB.As(e.system).QueryRow(ctx, readReceipt, postgres.Args{"hash": hash}).Scan(&sealed, &done, &problem)
	if err != nil {
		return "", false, "", fmt.Errorf("read the receipt: %w", err)
	}
	return sealed, done, problem, nil
}

var knownHashes = postgres.SQL("events.erasures.known", `SELECT subject_hash FROM events.erasures WHERE subject_hash = ANY(@hashes)`)

// unknown are those of the ledger that the database has not heard of: it was
// restored from before.
func (e *Erasure) unknown(ctx context.Context, hashes [][]byte) ([][]byte, error) {
	rows, err := e.DB.As(e.system).Query(ctx, knownHashes, postgres.Args{"hashes": hashes})
	if err != nil {
		return nil, fmt.Errorf("compare the ledger: %w", err)
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("compare the ledger: %w", err)
	}
	have := map[string]bool{}
	for _, hash := range known {
		have[string(hash)] = true
	}
	var unknown [][]byte
	for _, hash := range hashes {
		if !have[string(hash)] {
			unknown = append(unknown, hash)
		}
	}
	return unknown, nil
}

var setDone = postgres.SQL("events.erasures.set_done", `
	INSERT INTO events.erasures (id, subject_hash, key_id, source, state, finished_at, receipt)
	VALUES (@id, @hash, @key, 'ledger', 'done', now(), @receipt)
	ON CONFLICT (subject_hash) DO NOTHING`)

// setDone notes that nothing of somebody in the ledger is there.
func (e *Erasure) setDone(ctx context.Context, hash []byte) error {
	id := uuid.Must(uuid.NewV7())
	sealed, err := e.vault.seal(e.newReceipt(job{id: id, hash: hash, source: "ledger", requestedAt: time.Now()}, Scan{Left: []Left{}}, time.Now()))
	if err != nil {
		return err
	}
	_, err = e.DB.As(e.system).Exec(ctx, setDone, postgres.Args{"id": id, "hash": hash, "key": e.vault.keyID(), "receipt": string(sealed)})
	return err
}

// addTo counts rows of a table.
func addTo(counts *map[string]int64, name string, n int64) {
	if *counts == nil {
		*counts = map[string]int64{}
	}
	(*counts)[name] += n
}
