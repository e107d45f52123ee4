// Package inbox takes the academy's events in: each once, late ones not at all,
// and whatever they ask for is done even if the server dies meanwhile.
package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Outcome is what became of a message.
type Outcome string

// The outcomes.
const (
	// Taken: it was new.
	Taken Outcome = "taken"
	// Duplicate: it had come before.
	Duplicate Outcome = "duplicate"
	// Stale: something newer had been heard of the same person or course.
	Stale Outcome = "stale"
	// Unknown: nothing here is for events of its type.
	Unknown Outcome = "unknown"
	// Erased: it is about somebody who is being erased.
	Erased Outcome = "erased"
	// Malformed: it can't be read, now or later.
	Malformed Outcome = "malformed"
)

// Memory is what remembers the academy's answers.
type Memory interface {
	// LearnUser remembers a person; nil forgets what was known.
	LearnUser(ctx context.Context, id string, user *academy.User)
	// LearnCourse remembers a course; nil forgets what was known.
	LearnCourse(ctx context.Context, id string, course *academy.Course)
}

// Metrics count messages.
type Metrics interface {
	// Message counts one by its type, or "other".
	Message(eventType string, outcome Outcome)
}

// Deps are what an inbox stands on.
type Deps struct {
	DB     *postgres.DB
	Memory Memory
	// Revoked reports whether a person is being erased; nil knows of none.
	Revoked   func(userID string) bool
	Reactions []academy.Reaction
	// Enqueue has the waiting messages worked on once the unit of work has
	// committed; nil leaves them to the sweep.
	Enqueue func(tx *postgres.Tx)
	// Metrics may be nil.
	Metrics Metrics
	Logger  *slog.Logger
	// Now defaults to time.Now.
	Now func() time.Time
}

// Inbox takes messages in.
type Inbox struct {
	Deps
	system auth.Actor
}

// New makes an inbox. It refuses reactions without a name, or two of one name.
func New(deps Deps) (*Inbox, error) {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	names := map[string]bool{}
	for _, r := range deps.Reactions {
		if r.Name == "" || names[r.Name] || len(r.Types) == 0 || r.Accept == nil && r.Work == nil {
			return nil, fmt.Errorf("academy: reaction %q needs a name of its own, types, and something to do", r.Name)
		}
		names[r.Name] = true
	}
	return &Inbox{Deps: deps, system: auth.System("academy")}, nil
}

// readyWithin is how long the database may take to say that it is there.
const readyWithin = 5 * time.Second

// Ready is nil when messages can be taken in: the database is there.
func (b *Inbox) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return b.DB.Ping(ctx)
}

// Take takes a message in. When it returns without an error, what the message
// asks for is done or noted durably, and the sender may forget it; after a
// *MalformedError it may as well, any other error asks to send it again.
func (b *Inbox) Take(ctx context.Context, m Message) (Outcome, error) {
	outcome, err := b.take(ctx, m)
	if b.Metrics != nil && outcome != "" {
		name := m.Type
		if !known(name) {
			name = "other"
		}
		b.Metrics.Message(name, outcome)
	}
	return outcome, err
}

func (b *Inbox) take(ctx context.Context, m Message) (Outcome, error) {
	if !known(m.Type) {
		b.Logger.Info("an event of the academy is of no type that is known here", "type", cut(m.Type), "source", cut(m.Source))
		return Unknown, nil
	}
	c, n, err := m.change(b.Now())
	if err != nil {
		return Malformed, err
	}
	if c.UserID != "" && c.Type != academy.UserDeleted && b.Revoked != nil && b.Revoked(c.UserID) {
		return Erased, nil
	}
	outcome := Taken
	err = b.DB.InTx(ctx, postgres.As(b.system), func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		outcome, err = b.note(ctx, tx, m.Key(), c, n)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("take in %s: %w", m.Type, err)
	}
	switch outcome { //nolint:exhaustive // of the others nothing is learnt
	case Taken:
		b.learn(ctx, c, n)
	case Duplicate:
		// Who took it in may have died before it told anybody; what it said may be old
		// by now.
		b.learn(ctx, c, news{})
	}
	return outcome, nil
}

// note writes the message down and does what must be done at once.
func (b *Inbox) note(ctx context.Context, tx *postgres.Tx, key []byte, c academy.Change, n news) (Outcome, error) {
	state, kept := "done", c
	if b.hasWork(c.Type) {
		state = "waiting"
	} else {
		kept.UserID = "" // nothing is left to be done for them
	}
	added, err := store.Add(ctx, tx, key, kept, state)
	if err != nil || !added {
		return Duplicate, err
	}
	var fresh bool
	switch {
	case c.CourseID != "":
		fresh, err = store.HearCourse(ctx, tx, c.CourseID, n.Version, c.At, c.Type == academy.CourseDeleted)
	case c.Type == academy.UserDeleted:
		fresh, err = true, store.ForgetUser(ctx, tx, c.UserID) // a person may always go, and leaves no trace here
	default:
		fresh, err = store.HearUser(ctx, tx, c.UserID, n.Version, c.At)
	}
	if err != nil {
		return "", err
	}
	if !fresh {
		return Stale, store.Settle(ctx, tx, key, "stale")
	}
	for _, r := range b.Reactions {
		if r.Accept == nil || !slices.Contains(r.Types, c.Type) {
			continue
		}
		if err := r.Accept(ctx, tx, c); err != nil {
			return "", fmt.Errorf("reaction %s: %w", r.Name, err)
		}
	}
	if state == "waiting" && b.Enqueue != nil {
		b.Enqueue(tx)
	}
	return Taken, nil
}

// hasWork reports whether messages of the type wait for reactions. A deletion
// of a person waits even where nothing here erases people, so that it is not
// lost before something does.
func (b *Inbox) hasWork(eventType string) bool {
	return eventType == academy.UserDeleted || slices.ContainsFunc(b.Reactions, func(r academy.Reaction) bool {
		return r.Work != nil && slices.Contains(r.Types, eventType)
	})
}

// learn has the cache remember what is new, on all replicas.
func (b *Inbox) learn(ctx context.Context, c academy.Change, n news) {
	switch c.Type {
	case academy.UserCreated, academy.UserUpdated:
		if user, whole := n.user(c.UserID); whole {
			b.Memory.LearnUser(ctx, c.UserID, &user)
			return
		}
		b.Memory.LearnUser(ctx, c.UserID, nil)
	case academy.UserDeleted:
		b.Memory.LearnUser(ctx, c.UserID, nil)
	case academy.CourseUpdated:
		if course, whole := n.course(c.CourseID); whole {
			b.Memory.LearnCourse(ctx, c.CourseID, &course)
			return
		}
		b.Memory.LearnCourse(ctx, c.CourseID, nil)
	case academy.CourseDeleted:
		b.Memory.LearnCourse(ctx, c.CourseID, nil)
	}
}
