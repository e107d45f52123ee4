package erasure_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/events/internal/erasure"
)

// runs is a worker that keeps up with erasures until the test ends.
func (b *bundle) runs(t *testing.T) *erasure.Erasure {
	t.Helper()
	e := b.erasure(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, true) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func TestARestoreUnderARunningServerIsNoticedAndErasedAgain(t *testing.T) {
	b := setup(t)
	b.life(t, bob)
	theirs := b.rows(t)
	running := b.runs(t)
	for _, id := range []string{ada, "learner-0007"} {
		b.life(t, id)
		erase(t, running, id)
	}
	// As an older backup has it: people are back, and of erasures it knows less.
	b.exec(t, `TRUNCATE events.erasures RESTART IDENTITY`)
	b.life(t, ada)
	await(t, "erased again", func() bool {
		return b.count(t, `events.erasures WHERE state = 'done'`) == 2 && cmp.Diff(theirs, b.rows(t)) == ""
	})
	// What happens from now on has numbers that were given before.
	other := b.erasure(t, nil)
	b.exec(t, `TRUNCATE events.erasures RESTART IDENTITY`)
	erase(t, other, tim)
	await(t, "heard of another's", func() bool { return running.Erased(tim) })
	b.green(t)
}

// Work that nobody could wait for may write a row when all is over: it goes too.
func TestWhatWasWrittenAfterTheReceiptGoesAtTheNextLook(t *testing.T) {
	b := setup(t)
	erasure.LookAgainEvery(t, 100*time.Millisecond)
	running := b.runs(t)
	b.life(t, ada)
	first, _ := erase(t, running, ada)
	b.exec(t, `INSERT INTO core.idempotency_keys (subject_id, key, procedure, request_hash, expires_at) VALUES ($1, 'late', '/p', '\x00', now())`, ada)
	await(t, "gone", func() bool {
		return b.count(t, `core.idempotency_keys WHERE subject_id = $1`, ada) == 0 && b.count(t, `events.erasures WHERE state = 'running'`) == 0
	})
	if again, _, err := running.Finish(t.Context(), ada); err != nil || again.ID == first.ID || again.Source != "ledger" || again.Tables["core.idempotency_keys"].Erased != 1 {
		t.Errorf("%+v, %v", again, err)
	}
}
