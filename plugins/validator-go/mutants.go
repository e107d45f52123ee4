package main

import (
	"context"

	"github.com/goals-tracker/tracker/sdk/validator"
)

func mutants(_ context.Context, req *validator.Request, limit int) ([]validator.Mutant, error) {
	return nil, nil
}
