package llm

import (
	"log/slog"
	"os"
)

// logger writes to stderr, which the tracker reads line by line into its own log.
var logger = slog.New(slog.NewJSONHandler(os.Stderr, nil))
