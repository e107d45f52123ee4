package auth

import (
	"context"
	"fmt"
	"strings"
)

// Probe says for operators how tokens are checked, and what is in the way.
func Probe(ctx context.Context, cfg Config, from Sources) (string, error) {
	v, err := New(cfg, from)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case *JWKS:
		defer v.Close()
		return v.probe(ctx)
	case *HS256:
		return fmt.Sprintf("signed with a shared secret (HS256), %d of them hold", len(v.keys.Keys)+len(v.named)), nil
	default:
		return "the academy is asked about each", nil
	}
}

func (v *JWKS) probe(ctx context.Context) (string, error) {
	where := v.keys.from.name()
	if err := v.keys.refresh(ctx); err != nil {
		return "", fmt.Errorf("the keys of %s can't be read: %w", where, err)
	}
	keys, err := v.keys.Storage.KeyReadAll(ctx)
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		return "", fmt.Errorf("%s publishes no key that can be used, so nobody can sign in: does the academy sign with one of %s?", where, v.accepted)
	}
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = key.Marshal().KID
	}
	return fmt.Sprintf("signed with the keys of %s (%s): %s", where, v.accepted, strings.Join(ids, ", ")), nil
}
