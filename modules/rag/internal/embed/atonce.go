package embed

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// atOnce is how many vectors one statement stores where nobody else waits.
const atOnce = 1000

// AtOnce fills the configured model's space and makes its index afterwards,
// which is several times faster but holds up all who write: for a database that
// nobody uses yet.
func (f *Filler) AtOnce(ctx context.Context) error {
	target, err := f.wanted(ctx)
	if err != nil {
		return err
	}
	var space store.Space
	err = f.inTx(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if space, err = store.EnsureSpace(ctx, tx, target, Weight(target), f.now().UTC()); err != nil {
			return err
		}
		return store.Unindex(ctx, tx, space.ID)
	})
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		bare, err := store.Without(ctx, f.system(), space.ID, after, atOnce)
		if err != nil {
			return err
		}
		if len(bare) == 0 {
			break
		}
		texts, nums := make([]string, len(bare)), make([]int64, len(bare))
		for i, b := range bare {
			texts[i], nums[i] = Text(b.Kind, b.Title, b.Heading, b.Text), b.Num
		}
		got, err := f.models.Embed(ctx, llm.EmbedRequest{Texts: texts, Space: &target})
		if err != nil {
			return err
		}
		if err := store.AddVectors(ctx, f.system(), space.ID, nums, got.Vectors, f.now().UTC()); err != nil {
			return err
		}
		after = nums[len(nums)-1]
	}
	return f.inTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := store.Reindex(ctx, tx, space); err != nil {
			return err
		}
		return store.Activate(ctx, tx, space.ID, f.now().UTC())
	})
}
