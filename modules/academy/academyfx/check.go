package academyfx

import (
	"context"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
)

// Probe asks the academy something that changes nothing, and says for operators
// what is in the way: it can't be reached, or refuses the service key.
func Probe(ctx context.Context, cfg academy.Config) error {
	c := client.New(cfg)
	defer c.Close()
	if err := c.Check(ctx); err != nil {
		return err
	}
	_, _, err := c.Course(ctx, "there-is-no-such-course")
	return err
}
