package jobs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Absorb deletes jobs of a kind that wait to be run, at most so many, for a
// running job that now does the work of all of them. ctx is that of a worker.
func Absorb(ctx context.Context, kind string, most int) error {
	waiting := river.NewJobDeleteManyParams().Kinds(kind).States(rivertype.JobStateAvailable).First(most)
	if _, err := river.ClientFromContext[pgx.Tx](ctx).JobDeleteMany(ctx, waiting); err != nil {
		return fmt.Errorf("take the waiting jobs of kind %s: %w", kind, err)
	}
	return nil
}
