// Package eventstest helps modules to test what they do with the log: run it,
// wait until all reactions are through, and prove that folds agree with it.
package eventstest

import (
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
)

// New makes a log on a fresh, migrated database. It retries parked streams
// after 50 ms and logs into the test. What was appended by the test's end is held
// to the schemas that are published.
func New(t testing.TB) (*postgres.DB, *events.Log) {
	t.Helper()
	db := postgrestest.DB(t)
	log := events.New(db, events.Config{RetryAfter: 50 * time.Millisecond}, Logger(t))
	t.Cleanup(func() { CheckSchemas(t, db, log) })
	return db, log
}

// Run runs the log until the test ends.
func Run(t testing.TB, log *events.Log) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- log.Run(t.Context()) }()
	t.Cleanup(func() { // after the end of the context
		if err := <-done; err != nil {
			t.Errorf("run the log: %v", err)
		}
	})
}

// settleTime is how long Settle waits.
const settleTime = 20 * time.Second

// Settle waits until every subscription of a running log has handled or parked
// all that is committed, and what that caused in turn.
func Settle(t testing.TB, log *events.Log) {
	t.Helper()
	deadline := time.Now().Add(settleTime)
	for {
		horizon, err := log.Horizon(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		behind := log.Head() < horizon
		for _, done := range log.Done() {
			behind = behind || done < horizon
		}
		if !behind {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s the log is at %d, but its head at %d and its subscriptions at %v", settleTime, horizon, log.Head(), log.Done())
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(time.Millisecond):
		}
	}
}

// Verify fails the test when log and folds disagree.
func Verify(t testing.TB, log *events.Log) {
	t.Helper()
	report, err := log.Verify(t.Context(), events.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Differences {
		t.Error(d)
	}
}

// TypesOf are the types of events, separated by spaces.
func TypesOf(all []events.Event) string {
	types := make([]string, len(all))
	for i, e := range all {
		types[i] = e.Type
	}
	return strings.Join(types, " ")
}
