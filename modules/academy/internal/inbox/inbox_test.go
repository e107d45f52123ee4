package inbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	"github.com/goals-tracker/tracker/modules/academy/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// bundle is an inbox on a real database, and what it told the others.
type bundle struct {
	*inbox.Inbox
	t  *testing.T
	db *postgres.DB

	mu       sync.Mutex
	users    map[string]*academy.User
	courses  map[string]*academy.Course
	outcomes map[string]int
}

func setup(t *testing.T, reactions ...academy.Reaction) *bundle {
	t.Helper()
	return setupOn(t, postgrestest.DB(t), reactions...)
}

func setupOn(t *testing.T, db *postgres.DB, reactions ...academy.Reaction) *bundle {
	t.Helper()
	b := &bundle{t: t, db: db, users: map[string]*academy.User{}, courses: map[string]*academy.Course{}, outcomes: map[string]int{}}
	var err error
	b.Inbox, err = inbox.New(inbox.Deps{
		DB: db, Memory: b, Reactions: reactions, Metrics: b, Logger: slog.New(slog.DiscardHandler),
		Revoked: func(id string) bool { return id == "erased" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// LearnUser implements inbox.Memory.
func (b *bundle) LearnUser(_ context.Context, id string, user *academy.User) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users[id] = user
}

// LearnCourse implements inbox.Memory.
func (b *bundle) LearnCourse(_ context.Context, id string, course *academy.Course) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.courses[id] = course
}

// Message implements inbox.Metrics.
func (b *bundle) Message(eventType string, outcome inbox.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes[eventType+" "+string(outcome)]++
}

func (b *bundle) take(want inbox.Outcome, m inbox.Message) {
	b.t.Helper()
	if got, err := b.Take(b.t.Context(), m); err != nil || got != want {
		b.t.Errorf("%s %s: got %s, %v, want %s", m.Type, m.ID, got, err, want)
	}
}

func (b *bundle) work() {
	b.t.Helper()
	if err := b.Work(b.t.Context()); err != nil {
		b.t.Error(err)
	}
}

// rows are the inbox' messages by state, and how many still name a person.
func (b *bundle) rows() (states map[string]int, named int) {
	b.t.Helper()
	rows, err := b.db.Pool().Query(b.t.Context(), "SELECT state, user_id IS NOT NULL FROM academy.inbox")
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	states = map[string]int{}
	for rows.Next() {
		var state string
		var has bool
		if err := rows.Scan(&state, &has); err != nil {
			b.t.Fatal(err)
		}
		states[state]++
		if has {
			named++
		}
	}
	return states, named
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var counter atomic.Int64

// message is one of the academy's, at a minute after noon.
func message(eventType, subject string, minute int, data map[string]any) inbox.Message {
	body, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return inbox.Message{
		ID: fmt.Sprint("e", counter.Add(1)), Source: "/academy", Type: eventType, Subject: subject,
		Time: noon.Add(time.Duration(minute) * time.Minute), Data: body,
	}
}

func person(name string) map[string]any {
	return map[string]any{"id": "u1", "email": "u1@academy.test", "full_name": name, "is_active": true}
}

func TestAMessageIsTakenOnceHoweverOftenItComes(t *testing.T) {
	var accepted atomic.Int64
	b := setup(t, academy.Reaction{Name: "r", Types: []string{academy.UserUpdated},
		Accept: func(context.Context, *postgres.Tx, academy.Change) error { accepted.Add(1); return nil }})
	m := message(academy.UserUpdated, "u1", 0, person("Ana"))
	var taken, again atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			switch outcome, err := b.Take(context.Background(), m); {
			case err != nil:
				t.Error(err)
			case outcome == inbox.Taken:
				taken.Add(1)
			case outcome == inbox.Duplicate:
				again.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 || again.Load() != 15 || accepted.Load() != 1 {
		t.Errorf("taken %d times, known %d times, accepted %d times", taken.Load(), again.Load(), accepted.Load())
	}
	if known, told := b.users["u1"]; !told || known != nil && known.FullName != "Ana" {
		t.Errorf("the cache learnt %+v", known)
	}
	if states, named := b.rows(); states["done"] != 1 || named != 0 {
		t.Errorf("the inbox has %v, of which %d name a person", states, named)
	}
	// The same id of another sender is another message.
	m.Source = "/elsewhere"
	b.take(inbox.Taken, m)
}

func TestLateMessagesChangeNothing(t *testing.T) {
	b := setup(t)
	b.take(inbox.Taken, message(academy.UserUpdated, "u1", 10, person("Second")))
	b.take(inbox.Stale, message(academy.UserCreated, "u1", 5, person("First")))
	if b.users["u1"].FullName != "Second" {
		t.Errorf("the cache learnt %+v", b.users["u1"])
	}
	b.take(inbox.Taken, message(academy.UserUpdated, "u1", 20, map[string]any{"id": "u1"}))
	if b.users["u1"] != nil {
		t.Errorf("news without details must make the cache ask: %+v", b.users["u1"])
	}
	b.take(inbox.Taken, message(academy.CourseDeleted, "c1", 10, nil))
	b.take(inbox.Stale, message(academy.CourseUpdated, "c1", 9, map[string]any{"title": "late"}))
	b.take(inbox.Stale, message(academy.CourseUpdated, "c1", 10, map[string]any{"title": "the same instant"}))
	deleted, err := store.CourseDeleted(t.Context(), b.db.As(auth.System("test")), "c1")
	if err != nil || !deleted {
		t.Errorf("deleted: %t, %v", deleted, err)
	}
	b.take(inbox.Taken, message(academy.CourseUpdated, "c1", 11, map[string]any{"title": "T", "description": "", "status": "published"}))
	if deleted, _ := store.CourseDeleted(t.Context(), b.db.As(auth.System("test")), "c1"); deleted || b.courses["c1"] == nil {
		t.Errorf("it is back: deleted %t, learnt %+v", deleted, b.courses["c1"])
	}
	// Versions decide where both have one, whatever the clocks say.
	b.take(inbox.Taken, message(academy.UserUpdated, "u2", 10, map[string]any{"version": 7}))
	b.take(inbox.Stale, message(academy.UserUpdated, "u2", 20, map[string]any{"version": 6}))
	b.take(inbox.Taken, message(academy.UserUpdated, "u2", 5, map[string]any{"version": 8}))
	// A clock that goes ahead doesn't make all that follows late.
	b.take(inbox.Taken, message(academy.UserUpdated, "u3", 1<<30, nil))
	now := message(academy.UserUpdated, "u3", 0, nil)
	now.Time = time.Time{}
	b.take(inbox.Taken, now)
}

func TestWhatAKilledReplicaTookInButToldNobodyIsLearntWhenItComesAgain(t *testing.T) {
	killed := setup(t)
	other := setupOn(t, killed.db)
	user, course := message(academy.UserUpdated, "u1", 1, person("Ana")), message(academy.CourseUpdated, "c1", 1, map[string]any{"title": "T"})
	for _, m := range []inbox.Message{user, course} {
		killed.take(inbox.Taken, m)
		other.take(inbox.Duplicate, m)
	}
	if known, told := other.users["u1"]; !told || known != nil {
		t.Errorf("of the person it was told %v, %t", known, told)
	}
	if known, told := other.courses["c1"]; !told || known != nil {
		t.Errorf("of the course it was told %v, %t", known, told)
	}
}

func TestAPersonMayAlwaysGoAndNothingBringsThemBack(t *testing.T) {
	var erased []academy.Change
	b := setup(t, academy.Reaction{Name: "erasure", Types: []string{academy.UserDeleted},
		Work: func(_ context.Context, _ *postgres.Tx, c academy.Change) (bool, error) {
			erased = append(erased, c)
			return false, nil
		}})
	b.take(inbox.Taken, message(academy.UserUpdated, "u1", 10, person("Ana")))
	b.take(inbox.Taken, message(academy.UserDeleted, "u1", 5, nil))
	if b.users["u1"] != nil {
		t.Error("the cache still knows the person")
	}
	b.work()
	if len(erased) != 1 || erased[0].UserID != "u1" || erased[0].Type != academy.UserDeleted {
		t.Errorf("erased %+v", erased)
	}
	if states, named := b.rows(); states["waiting"] != 0 || named != 0 {
		t.Errorf("the inbox has %v, of which %d name a person", states, named)
	}
	var heard int
	if err := b.db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM academy.users").Scan(&heard); err != nil || heard != 0 {
		t.Errorf("%d people are still known, %v", heard, err)
	}
	b.take(inbox.Erased, message(academy.UserCreated, "erased", 30, map[string]any{"full_name": "Zoe"}))
	b.take(inbox.Taken, message(academy.UserDeleted, "erased", 40, nil))
}

// hurry makes waiting messages' time come.
func (b *bundle) hurry() {
	b.t.Helper()
	if _, err := b.db.Pool().Exec(b.t.Context(), "UPDATE academy.inbox SET next_at = now()"); err != nil {
		b.t.Fatal(err)
	}
}

func TestARefusedMessageLeavesNoTraceAndMayComeAgain(t *testing.T) {
	failing := true
	b := setup(t, academy.Reaction{Name: "tombstone", Types: []string{academy.UserDeleted}, Accept: func(context.Context, *postgres.Tx, academy.Change) error {
		if failing {
			return errors.New("not now")
		}
		return nil
	}})
	m := message(academy.UserDeleted, "u1", 0, nil)
	if outcome, err := b.Take(t.Context(), m); err == nil {
		t.Fatalf("got %s", outcome)
	}
	failing = false
	b.take(inbox.Taken, m)
}

func TestUnknownTypesAreCountedAndPassedOver(t *testing.T) {
	b := setup(t)
	b.take(inbox.Unknown, message("user.promoted", "u1", 0, nil))
	b.take(inbox.Unknown, message("lesson.created", "", 0, nil))
	if b.outcomes["other unknown"] != 2 {
		t.Errorf("counted %v", b.outcomes)
	}
	if states, _ := b.rows(); len(states) != 0 {
		t.Errorf("the inbox has %v", states)
	}
}

func TestReactionsNeedAName(t *testing.T) {
	work := func(context.Context, *postgres.Tx, academy.Change) (bool, error) { return false, nil }
	for _, bad := range [][]academy.Reaction{
		{{Types: []string{academy.UserDeleted}, Work: work}}, {{Name: "a", Work: work}}, {{Name: "a", Types: []string{"x"}}},
		{{Name: "a", Types: []string{"x"}, Work: work}, {Name: "a", Types: []string{"x"}, Work: work}},
	} {
		if _, err := inbox.New(inbox.Deps{Reactions: bad}); err == nil {
			t.Errorf("took %+v", bad)
		}
	}
}
