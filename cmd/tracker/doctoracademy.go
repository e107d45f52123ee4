package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/goals-tracker/tracker/modules/academy/academyfx"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/config"
)

// academyFindings say whether the academy is there and vouches for tokens.
func academyFindings(ctx context.Context, cfg Config) []finding {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	there := finding{"academy", "ok", config.Address(cfg.Academy.URL)}
	if cfg.Academy.URL == "" {
		there = finding{"academy", "none", "USER_SERVICE_URL is not set: names and titles stay unknown"}
	} else if err := academyfx.Probe(ctx, cfg.Academy); err != nil {
		there = finding{"academy", "FAILED", err.Error()}
	}
	from := auth.Sources{AcademyURL: cfg.Academy.URL, Logger: slog.New(slog.DiscardHandler)}
	if cfg.Academy.URL != "" {
		from.Academy = unasked{}
	}
	tokens := finding{what: "tokens", state: "ok"}
	why, err := auth.Probe(ctx, cfg.Auth, from)
	if tokens.why = why; err != nil {
		tokens.state, tokens.why = "FAILED", err.Error()
	}
	return []finding{there, tokens}
}

// unasked stands in for the academy where only the settings are looked at.
type unasked struct{ auth.Introspector }
