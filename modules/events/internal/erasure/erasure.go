// Package erasure erases people: one resumable job for each, from a tombstone
// that refuses them at once to a signed receipt, and again after a restore of an
// older backup. It owns the table of erasures, and a folder outside the database
// with the keys, the ledger and the receipts. What is personal is said by the
// privacy registry; who may ask for an erasure is said by the callers.
package erasure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/keyfile"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events"
)

// Memory is what replicas remember of people.
type Memory interface {
	// Refuse forgets somebody and keeps nothing about them for a while.
	Refuse(ctx context.Context, subject string, d time.Duration)
	// Check is an error as long as what they share can't be reached, and so may not
	// have heard.
	Check(ctx context.Context) error
}

// Deps are what erasure stands on.
type Deps struct {
	DB       *postgres.DB
	Log      *events.Log
	Personal privacy.Registry
	// Dir holds keys, ledger and receipts, outside the database.
	Dir string
	// Keys are those of people's pseudonyms; nil where there are none.
	Keys *keyfile.Subjects
	// Memory may be nil.
	Memory Memory
	// Tell has those hear, on this replica, who end sockets and forget; nil tells
	// nobody.
	Tell func(userID string)
	// Settle is how long the other replicas may take to hear of a tombstone, and
	// what they had begun to end. Defaults to 2 s.
	Settle time.Duration
	// Between is called between any two steps; an error breaks the job off there.
	// For tests.
	Between func(step string) error
	Logger  *slog.Logger
}

const (
	// channel is where replicas tell each other that somebody is erased, not whom.
	channel = "tracker_erasure"
	// refuseFor is how long Redis itself refuses; replicas do so for ever.
	refuseFor = 24 * time.Hour
	// lookEvery is how often a replica looks for tombstones of others.
	lookEvery = time.Second
)

// lookAgain is how often it is looked whether something came after a receipt,
// for lookFor after it: longer than any job takes.
var lookAgain = 10 * time.Minute

const lookFor = time.Hour

// Erasure erases people.
type Erasure struct {
	Deps
	vault  *vault
	system auth.Actor
	// me is this process, as a holder of leases.
	me   string
	wake chan struct{}

	mu     sync.RWMutex
	tombs  map[string]bool
	number int64
	// known is the database as it was last seen; restored is set when it is not
	// that any more, until the ledger was compared.
	known    state
	restored bool
}

// New opens the folder, and makes keys where there are none.
func New(deps Deps) (*Erasure, error) {
	if deps.Settle == 0 {
		deps.Settle = 2 * time.Second
	}
	if deps.Logger == nil {
		deps.Logger = slog.Default()
	}
	if deps.Between == nil {
		deps.Between = func(string) error { return nil }
	}
	v, err := openVault(deps.Dir)
	if err != nil {
		return nil, err
	}
	e := &Erasure{Deps: deps, vault: v, system: auth.System("erasure"), me: uuid.NewString(), wake: make(chan struct{}, 1), tombs: map[string]bool{}}
	for _, hash := range v.hashes() {
		e.tombs[string(hash)] = true
	}
	return e, nil
}

// Erased reports whether a person is being erased or was: a look into memory.
func (e *Erasure) Erased(userID string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return len(e.tombs) > 0 && userID != "" && e.tombs[string(e.vault.hash(userID))]
}

// BeginTx sets the tombstone in a unit of work of the system. When that commits,
// the person is refused everywhere, and the job is sure to run to its end. Asked
// again, it changes nothing.
func (e *Erasure) BeginTx(ctx context.Context, tx *postgres.Tx, userID, source string) error {
	if n := utf8.RuneCountInString(userID); n < 1 || n > 36 || !utf8.ValidString(userID) || strings.ContainsRune(userID, 0) {
		return fmt.Errorf("erase a person: %q is no user id, which has 1 to 36 characters", userID)
	}
	hash := e.vault.hash(userID)
	if err := e.sameFolder(ctx, tx); err != nil {
		return err
	}
	// Before the commit: a ledger that knows too much asks for what was asked for.
	if err := e.vault.note(hash, time.Now()); err != nil {
		return err
	}
	if err := e.set(ctx, tx, userID, hash, source); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		e.learn(hash)
		e.refuse(context.WithoutCancel(ctx), userID)
		e.poke()
	})
	return nil
}

// Begin is BeginTx in a unit of work of its own.
func (e *Erasure) Begin(ctx context.Context, userID, source string) error {
	err := e.DB.InTx(ctx, postgres.As(e.system), func(ctx context.Context, tx *postgres.Tx) error {
		return e.BeginTx(ctx, tx, userID, source)
	})
	if err == nil {
		e.spread(ctx)
	}
	return err
}

// refuse has this replica forget the person and end what is open, and Redis
// refuse them.
func (e *Erasure) refuse(ctx context.Context, userID string) {
	if e.Memory != nil {
		e.Memory.Refuse(ctx, userID, refuseFor)
	}
	if e.Tell != nil {
		e.Tell(userID)
	}
	e.Log.Forget(e.Erased)
}

// spread tells the other replicas that there is a tombstone. It is a hint.
func (e *Erasure) spread(ctx context.Context) {
	if err := e.DB.Notify(ctx, channel, "look"); err != nil {
		e.Logger.Warn("the other replicas were not told of an erasure; they look within a second", "error", err)
	}
}

func (e *Erasure) learn(hashes ...[]byte) (fresh bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, hash := range hashes {
		fresh = fresh || !e.tombs[string(hash)]
		e.tombs[string(hash)] = true
	}
	return fresh
}

func (e *Erasure) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// ListenOn hears of other replicas' tombstones.
func (e *Erasure) ListenOn(listener *postgres.Listener) {
	listener.On(channel, func(string) { e.poke() })
}

// Load reads the tombstones of the database, into memory and into the ledger of
// this replica.
func (e *Erasure) Load(ctx context.Context) error {
	after, err := e.look(ctx)
	if err != nil {
		return err
	}
	found, err := e.tombstones(ctx, after)
	if err != nil {
		return err
	}
	for _, t := range found {
		if t.keyID != e.vault.keyID() {
			return fmt.Errorf("%w than that in %s: copy erasure.key and ledger.jsonl there from the replica or the machine that erased them, or nobody knows them again", ErrOtherFolder, e.Dir)
		}
		if err := e.vault.note(t.hash, t.at); err != nil {
			return err
		}
		fresh := e.learn(t.hash)
		e.mu.Lock()
		e.number = max(e.number, t.number)
		e.mu.Unlock()
		if fresh {
			e.Log.Forget(e.Erased)
		}
	}
	return nil
}

// Run keeps up with the tombstones of all replicas until ctx ends. With work it
// also carries erasures out: those of the ledger after a restore, those that a
// killed process left, and what work under way left after a receipt. Only
// ErrOtherFolder ends it before: this process can't know who is erased.
func (e *Erasure) Run(ctx context.Context, work bool) error {
	compared, looked := false, time.Now()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		err := e.Load(ctx)
		if err == nil && work {
			switch restored, late := e.seen(); {
			case restored:
				err = e.again(ctx, everything)
			case !compared:
				err = e.again(ctx, unlessKnown)
			case late && time.Since(looked) >= lookAgain:
				err = e.again(ctx, lately)
				looked = time.Now()
			}
			compared = compared || err == nil
		}
		if err == nil && work {
			err = e.Work(ctx)
		}
		if errors.Is(err, ErrOtherFolder) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			e.Logger.Warn("erasures wait", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-e.wake:
		case <-ticker.C:
		}
	}
	return nil
}

// Erase erases a person to the end and gives the receipt, with the file it is in.
func (e *Erasure) Erase(ctx context.Context, userID, source string) (Receipt, string, error) {
	if err := e.Begin(ctx, userID, source); err != nil {
		return Receipt{}, "", err
	}
	return e.Finish(ctx, userID)
}

// Finish works on a person's erasure, or waits for who does, and gives its receipt.
func (e *Erasure) Finish(ctx context.Context, userID string) (Receipt, string, error) {
	hash := e.vault.hash(userID)
	for said := ""; ; {
		sealed, done, problem, err := e.receipt(ctx, hash)
		if err != nil {
			return Receipt{}, "", err
		}
		if problem != said && problem != "" {
			e.Logger.Warn("the erasure has to wait", "problem", problem)
		}
		said = problem
		if done {
			r, err := Verify([]byte(sealed), "")
			if err != nil {
				return Receipt{}, "", err
			}
			file, err := e.keep(r, []byte(sealed))
			return r, file, err
		}
		j, found, err := e.take(ctx, hash)
		if err == nil && found {
			err = e.carryOut(ctx, j)
		}
		if err != nil {
			return Receipt{}, "", err
		}
		if !found {
			select {
			case <-ctx.Done():
				return Receipt{}, "", ctx.Err()
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
}

// PublicKey is what receipts of this server are verified with.
func (e *Erasure) PublicKey() string { return public(e.vault.sign) }

// PublicKeyIn is that of a server's folder; "" when no server has one there.
func PublicKeyIn(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "receipt.key")); err != nil {
		return "", nil //nolint:nilerr // no key is an answer
	}
	sign, err := signingKey(dir)
	if err != nil {
		return "", err
	}
	return public(sign), nil
}

// keep writes a receipt where operators find it.
func (e *Erasure) keep(r Receipt, sealed []byte) (string, error) {
	file := filepath.Join(e.Dir, "receipts", r.ID+".json")
	if err := writeWhole(file, sealed); err != nil {
		return "", fmt.Errorf("keep the receipt: %w", err)
	}
	return file, nil
}
