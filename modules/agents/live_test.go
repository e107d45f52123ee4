package agents_test

import (
	"os"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmtest"
)

// evaluated is a provider under evaluation; without models it is the built-in
// one.
type evaluated struct {
	name   string
	models func(*postgres.DB) llm.Service
}

// live is the real provider that OPENAI_BASE_URL names, where there is one:
// TRACKER_EVAL_MODEL is the model, OPENAI_API_KEY the key.
func live(t *testing.T) []evaluated {
	t.Helper()
	model := os.Getenv("TRACKER_EVAL_MODEL")
	if model == "" {
		return nil
	}
	return []evaluated{{"live: " + model, func(db *postgres.DB) llm.Service {
		return llmtest.Live(t, db, os.Getenv("OPENAI_BASE_URL"), os.Getenv("OPENAI_API_KEY"), model)
	}}}
}
