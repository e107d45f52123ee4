package erasure

import "testing"

// SmallBatches has erasures take few rows at a time until the test ends.
func SmallBatches(t testing.TB, rows int64) {
	before := batch
	batch = rows
	t.Cleanup(func() { batch = before })
}
