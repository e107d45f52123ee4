package erasure

import (
	"testing"
	"time"
)

// SmallBatches has erasures take few rows at a time until the test ends.
func SmallBatches(t testing.TB, rows int64) {
	t.Helper()
	before := batch
	batch = rows
	t.Cleanup(func() { batch = before })
}

// LookAgainEvery has processes look for what came late so often until the test ends.
func LookAgainEvery(t testing.TB, d time.Duration) {
	t.Helper()
	before := lookAgain
	lookAgain = d
	t.Cleanup(func() { lookAgain = before })
}

// ShortLease has leases end so soon until the test ends.
func ShortLease(t testing.TB, d time.Duration) {
	t.Helper()
	before := lease
	lease = d
	t.Cleanup(func() { lease = before })
}
