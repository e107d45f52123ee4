package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
)

// Validate asks what a token says: its claims as JSON, or who may not use it.
// It implements auth.Introspector for the service.
func (c *Client) Validate(ctx context.Context, token string) ([]byte, error) {
	if is, refused := c.service.known(); is && refused != nil {
		return nil, fmt.Errorf("ask the academy about a token: %w", refused)
	}
	body, err := json.Marshal(map[string]string{"token": token})
	if err != nil {
		return nil, fmt.Errorf("ask the academy about a token: %w", err)
	}
	answer, err := c.ask(ctx, c.validations, http.MethodPost, "/api/auth/validate", body)
	var refused *refusedError
	if err != nil && (!errors.As(err, &refused) || refused.unknownKey()) {
		return nil, fmt.Errorf("ask the academy about a token: %w", err)
	}
	if refused != nil {
		if refused.unclear() {
			if err := c.keyHolds(ctx); err != nil {
				return nil, fmt.Errorf("ask the academy about a token: %w", err)
			}
		}
		switch refused.status {
		case http.StatusForbidden:
			return nil, academy.ErrInactive.New()
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusUnprocessableEntity:
			return nil, auth.ErrRefused.New()
		}
		return nil, fmt.Errorf("ask the academy about a token: %w", err)
	}
	// Some say so in a good answer.
	var said struct {
		Active   *bool `json:"active"`
		Valid    *bool `json:"valid"`
		IsActive *bool `json:"is_active"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return nil, fmt.Errorf("read the academy's answer about a token: %w", err)
	}
	if no(said.Active) || no(said.Valid) {
		return nil, auth.ErrRefused.New()
	}
	if no(said.IsActive) {
		return nil, academy.ErrInactive.New()
	}
	return answer, nil
}

func no(b *bool) bool { return b != nil && !*b }
