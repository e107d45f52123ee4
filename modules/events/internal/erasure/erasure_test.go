package erasure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/erasure"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
)

func erase(t testing.TB, e *erasure.Erasure, id string) (erasure.Receipt, string) {
	t.Helper()
	r, file, err := e.Erase(t.Context(), id, "operator")
	if err != nil {
		t.Fatal(err)
	}
	return r, file
}

func TestEverythingOfAPersonGoesAndNothingOfOthers(t *testing.T) {
	b := setup(t)
	b.life(t, bob)
	theirs := b.rows(t)
	b.life(t, ada)
	before, err := b.keys.Key(ada)
	if err != nil {
		t.Fatal(err)
	}
	r, file := erase(t, b.erasure(t, nil), ada)
	if diff := cmp.Diff(theirs, b.rows(t)); diff != "" {
		t.Errorf("what is left is not what others have:\n%s", diff)
	}
	b.green(t)
	if !r.Complete || len(r.Scan.Left) > 0 || r.Scan.Exact || r.Scan.Tables < 30 || r.Scan.Columns < 150 {
		t.Errorf("scan: %+v", r.Scan)
	}
	for name, want := range map[string]int64{
		"events.events": 5, "events.streams": 2, "events.parked": 1, "core.idempotency_keys": 1, "core.notices": 1, "river.river_job": 2,
	} {
		if c := r.Tables[name]; c.Erased != want || c.Before != want || c.After != 0 {
			t.Errorf("%s: %+v, want %d", name, c, want)
		}
	}
	if after, err := b.keys.Key(ada); err != nil || bytes.Equal(before, after) {
		t.Errorf("the key of the pseudonyms lives: %v", err)
	}
	if !slices.Contains(b.told, ada) || slices.Contains(b.told, bob) {
		t.Errorf("sockets of %v were ended", b.told)
	}
	receipt, err := os.ReadFile(file)
	if err != nil || bytes.Contains(receipt, []byte(ada)) {
		t.Errorf("the receipt is personal: %v\n%s", err, receipt)
	}
	var said string
	if err := b.db.Pool().QueryRow(t.Context(), `SELECT data::text || meta::text || coalesce(subject_id, '') FROM events.events WHERE type = 'user.erased'`).Scan(&said); err != nil ||
		!strings.Contains(said, r.SubjectHash) || strings.Contains(said, ada) {
		t.Errorf("user.erased says %s, %v", said, err)
	}
	ledger, err := os.ReadFile(filepath.Join(b.dir, "ledger.jsonl"))
	if err != nil || !bytes.Contains(ledger, []byte(r.SubjectHash)) || bytes.Contains(ledger, []byte(ada)) {
		t.Errorf("ledger: %s, %v", ledger, err)
	}
}

func TestATeachersNameGoesFromALearnersEventWhichStays(t *testing.T) {
	b := setup(t)
	b.happens(t, tim, bob, 2)
	b.happens(t, bob, bob, 1)
	b.happens(t, tim, tim, 1)
	r, _ := erase(t, b.erasure(t, nil), tim)
	if c := r.Tables["events.events"]; c.Erased != 1 || c.Replaced != 2 || !r.Complete {
		t.Errorf("%+v, %+v", c, r.Scan)
	}
	if n := b.count(t, `events.events WHERE subject_id = $1 AND meta->>'actor' = 'erased'`, bob); n != 2 {
		t.Errorf("%d events by nobody, want 2", n)
	}
	if n := b.count(t, `events.events WHERE subject_id = $1 AND meta->>'actor' = $1`, bob); n != 1 {
		t.Errorf("%d events by their owner, want 1", n)
	}
	b.green(t)
}

func TestBrokenOffAnywhereItEndsTheSame(t *testing.T) {
	stop := errors.New("killed")
	b := setup(t)
	b.life(t, bob)
	theirs := b.rows(t)
	var counts map[string]erasure.Count
	for at, points := 0, 1; at < points; at++ {
		id := fmt.Sprintf("learner-1%03d", at)
		b.life(t, id)
		calls := 0
		killed := b.erasure(t, func(string) error {
			calls++
			if calls == at {
				return stop
			}
			return nil
		})
		r, _, err := killed.Erase(t.Context(), id, "operator")
		if at > 0 {
			if !errors.Is(err, stop) {
				t.Fatalf("broken off at %d: %v", at, err)
			}
			// The lease of the dead runs out.
			b.exec(t, `UPDATE events.erasures SET leased_until = '-infinity' WHERE state = 'running'`)
			if r, _, err = b.erasure(t, nil).Erase(t.Context(), id, "operator"); err != nil {
				t.Fatalf("taken up after %d: %v", at, err)
			}
		} else {
			if counts, points = r.Tables, calls+1; points < 15 {
				t.Fatalf("only %d steps", points)
			}
		}
		if diff := cmp.Diff(theirs, b.rows(t)); diff != "" || !r.Complete {
			t.Errorf("broken off at %d, others have, %+v:\n%s", at, r.Scan, diff)
		}
		if diff := cmp.Diff(counts, r.Tables); diff != "" {
			t.Errorf("broken off at %d, the receipt says:\n%s", at, diff)
		}
		if n := b.count(t, `events.events WHERE type = 'user.erased'`); n != at+1 {
			t.Errorf("broken off at %d: %d erasures are said, want %d", at, n, at+1)
		}
		b.green(t)
	}
}

func TestFromTheTombstoneOnNothingIsWrittenOfThePersonByAnyProcess(t *testing.T) {
	b := setup(t)
	s := b.happens(t, ada, ada, 1)
	e := b.erasure(t, nil)
	if err := e.Begin(t.Context(), ada, "academy"); err != nil {
		t.Fatal(err)
	}
	if !e.Erased(ada) || e.Erased(bob) || e.Erased("") {
		t.Error("this process does not know who is erased")
	}
	// A process that has not heard of it yet.
	another := events.Stream{Type: "goal", ID: "0198c0de-0000-7000-8000-000000000001", SubjectID: ada}
	if err := b.append(ada, another, 1); !auth.ErrRevoked.Is(err) {
		t.Errorf("append: %v", err)
	}
	if err := b.append(bob, events.Stream{Type: "goal", ID: "0198c0de-0000-7000-8000-000000000002", SubjectID: bob}, 1); err != nil {
		t.Errorf("another's: %v", err)
	}
	// One that has, when all is over and the id stands nowhere any more.
	if _, _, err := e.Finish(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	b.log.RefuseWhen(e.Erased)
	if err := b.append(ada, another, 1); !auth.ErrRevoked.Is(err) {
		t.Errorf("append afterwards: %v", err)
	}
	late := b.erasure(t, nil)
	if err := late.Load(t.Context()); err != nil || !late.Erased(ada) {
		t.Errorf("a process that starts later: %v", err)
	}
	if history, err := b.log.Show(t.Context(), s.Name()); err != nil || len(history) > 0 {
		t.Errorf("%d events, %v", len(history), err)
	}
}

func TestNothingElseLeavesTheLog(t *testing.T) {
	b := setup(t)
	b.happens(t, bob, bob, 2)
	b.happens(t, ada, ada, 1)
	if err := b.erasure(t, nil).Begin(t.Context(), ada, "operator"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`DELETE FROM events.events WHERE subject_id = 'learner-0002'`,
		`DELETE FROM events.streams WHERE subject_id = 'learner-0002'`,
		`UPDATE events.events SET meta = '{"actor":"erased"}' WHERE subject_id = 'learner-0002'`,
		`UPDATE events.events SET meta = '{"actor":"erased"}', data = '{}' WHERE subject_id = 'learner-0001'`,
		`UPDATE events.events SET subject_id = 'learner-0001' WHERE subject_id = 'learner-0002'`,
		`TRUNCATE events.events`,
	} {
		for _, as := range []string{"SELECT 1", "SET ROLE tracker_system", "SET ROLE tracker_user"} {
			conn, err := b.db.Pool().Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.Exec(t.Context(), as)
			if err == nil {
				_, err = conn.Exec(t.Context(), sql)
			}
			_, _ = conn.Exec(t.Context(), "RESET ROLE")
			conn.Release()
			if err == nil || !strings.Contains(err.Error(), "42501") {
				t.Errorf("%s after %s: %v", sql, as, err)
			}
		}
	}
	if n := b.count(t, "events.events"); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

func TestWhatTheRegistryForgotIsFoundAndSaid(t *testing.T) {
	b := setup(t)
	b.life(t, ada)
	b.exec(t, `CREATE TABLE core.forgotten (note text, more jsonb, raw bytea, list text[])`)
	b.exec(t, `INSERT INTO core.forgotten VALUES ('by learner-0001, at noon', '{"a":[{"who":"learner-0001"}]}', convert_to('x learner-0001', 'UTF8'), '{a,learner-0001}'),
		('learner-00011 is another', '{"who":"a-learner-0001"}', '\x00', '{}')`)
	b.exec(t, `GRANT SELECT ON core.forgotten TO tracker_system`)
	r, _ := erase(t, b.erasure(t, nil), ada)
	want := []erasure.Left{{Column: "core.forgotten.note", Rows: 1}, {Column: "core.forgotten.more", Rows: 1}, {Column: "core.forgotten.raw", Rows: 1}, {Column: "core.forgotten.list", Rows: 1}}
	if diff := cmp.Diff(want, r.Scan.Left); diff != "" || r.Complete {
		t.Errorf("complete %t\n%s", r.Complete, diff)
	}
}

func TestAPlainIdIsNotFoundInOthersWords(t *testing.T) {
	b := setup(t)
	for _, id := range []string{"42", "ada"} {
		b.life(t, id)
		s := events.Stream{Type: "goal", ID: "0198c0de-0000-7000-8000-00000000000" + id[:1], SubjectID: bob}
		if err := b.append(bob, s, 1); err != nil {
			t.Fatal(err)
		}
		b.exec(t, `INSERT INTO core.notices (channel, payload) VALUES ('x', 'the answer is 42, says ada')`)
		r, _ := erase(t, b.erasure(t, nil), id)
		if !r.Complete || !r.Scan.Exact || r.Tables["events.events"].Erased != 5 {
			t.Errorf("%s: %+v %+v", id, r.Scan, r.Tables["events.events"])
		}
	}
	if n := b.count(t, "core.notices WHERE channel = 'x'"); n != 2 {
		t.Errorf("%d notices of others, want 2", n)
	}
}

func TestAfterARestoreTheLedgerErasesAgain(t *testing.T) {
	b := setup(t)
	b.life(t, bob)
	theirs := b.rows(t)
	first, _ := erase(t, b.erasure(t, nil), ada) // nothing is there yet: the backup's later state
	b.exec(t, `DELETE FROM events.erasures`)     // the backup knows nothing of it
	b.life(t, ada)                               // and has the person
	restored := b.erasure(t, nil)
	if !restored.Erased(ada) {
		t.Error("before the ledger is replayed the person is let in")
	}
	if n, err := restored.Replay(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d people, %v", n, err)
	}
	if err := restored.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(theirs, b.rows(t)); diff != "" {
		t.Errorf("after the replay:\n%s", diff)
	}
	r, _, err := restored.Finish(t.Context(), ada)
	if err != nil || r.SubjectHash != first.SubjectHash || r.Source != "ledger" || r.Tables["events.events"].Erased != 5 {
		t.Errorf("%+v, %v", r, err)
	}
	if n, err := restored.Replay(t.Context()); err != nil || n != 0 {
		t.Errorf("again: %d people, %v", n, err)
	}
	// A start replays by itself, and a database that never had the person is noted.
	b.exec(t, `DELETE FROM events.erasures`)
	b.runs(t)
	await(t, "the start looks into the ledger", func() bool { return b.count(t, `events.erasures WHERE state = 'done'`) == 1 })
}

func TestAnotherKeyIsNotTakenForThatOfTheTombstones(t *testing.T) {
	b := setup(t)
	erase(t, b.erasure(t, nil), ada)
	b.dir = t.TempDir()
	if err := b.erasure(t, nil).Load(t.Context()); err == nil || !strings.Contains(err.Error(), "copy erasure.key") {
		t.Errorf("%v", err)
	}
}

func TestAReceiptThatWasChangedIsRefused(t *testing.T) {
	b := setup(t)
	b.life(t, ada)
	e := b.erasure(t, nil)
	_, file := erase(t, e, ada)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := erasure.Verify(content, e.PublicKey()); err != nil || len(r.Beyond) < 5 {
		t.Errorf("%+v, %v", r.Beyond, err)
	}
	if _, err := erasure.Verify(bytes.ReplaceAll(content, []byte("  "), nil), e.PublicKey()); err != nil {
		t.Errorf("set otherwise: %v", err)
	}
	for _, change := range [][2]string{{`"erased": 5`, `"erased": 6`}, {`"complete": true`, `"complete": false`}, {"operator", "academy"}} {
		changed := bytes.Replace(content, []byte(change[0]), []byte(change[1]), 1)
		if _, err := erasure.Verify(changed, ""); bytes.Equal(changed, content) || !errors.Is(err, erasure.ErrForged) {
			t.Errorf("%v: %v", change, err)
		}
	}
	b.dir = t.TempDir()
	if _, err := erasure.Verify(content, b.erasure(t, nil).PublicKey()); !errors.Is(err, erasure.ErrOtherKey) {
		t.Errorf("another server's: %v", err)
	}
	for _, junk := range []string{"", "{}", "[]", `{"receipt":{},"public_key":"AA==","signature":""}`} {
		if _, err := erasure.Verify([]byte(junk), ""); err == nil {
			t.Errorf("%q was taken for a receipt", junk)
		}
	}
}

func TestWhatReplicasRememberOfTheLogForgetsThePersonAndFollowersGoOn(t *testing.T) {
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.log.RunTailer(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	first := b.log.Tail(0)
	b.happens(t, ada, ada, 2)
	b.happens(t, bob, bob, 1)
	for n := 0; n < 3; {
		got, err := first.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(got)
	}
	erase(t, b.erasure(t, nil), ada)
	again, seen := b.log.Tail(0), []string{}
	for len(seen) < 2 {
		got, err := again.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got {
			if e.Stream.SubjectID == ada {
				t.Errorf("%s of somebody who is erased", e.Type)
			}
			seen = append(seen, e.Type)
		}
	}
	if diff := cmp.Diff([]string{"goal.created", "user.erased"}, seen); diff != "" {
		t.Error(diff)
	}
	if got, err := first.Next(t.Context()); err != nil || got[0].Type != "user.erased" {
		t.Errorf("the first follower got %v, %v", got, err)
	} else if _, ok := got[0].Data.(*eventsv1.UserErased); !ok {
		t.Errorf("%T", got[0].Data)
	}
}

// The bench stands beside the figure: 10,000 events in 10 s.
func BenchmarkErasingTenThousandEventsOfOnePerson(t *testing.B) {
	for t.Loop() {
		t.StopTimer()
		b := setup(t)
		for range 100 {
			b.happens(t, ada, ada, 100)
			b.happens(t, bob, bob, 20)
		}
		e := b.erasure(t, nil)
		t.StartTimer()
		r, _, err := e.Erase(context.Background(), ada, "operator")
		if err != nil || r.Tables["events.events"].Erased != 10_000 {
			t.Fatalf("%+v, %v", r.Tables["events.events"], err)
		}
	}
}
