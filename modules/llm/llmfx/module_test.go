package llmfx_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmtest"
	"github.com/goals-tracker/tracker/sdk/llmtest/openaiserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

var booked = postgres.SQL("test.llm_booked", `
	SELECT count(*), count(settled_at), coalesce(sum(input_tokens), 0)::bigint
	FROM llm.usage WHERE user_id = 'learner-1' AND provider = 'llm-openai'`)

// The whole way: gateway, ledger in PostgreSQL, plugin process, HTTP server.
func TestACallGoesThroughTheRealPluginAndIsBooked(t *testing.T) {
	db := postgrestest.DB(t)
	answer := func(r *script.Request) script.Turn {
		if strings.Contains(r.LastUserText(), "does not fit") {
			return script.Turn{Text: []string{`{"title":`, `"Bucles"}`}}
		}
		return script.Turn{Text: []string{`{"titel":"Bucles"}`}}
	}
	s := llmtest.Real(t, db, openaiserver.Config{Key: "sk-test", Answer: answer}, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if !s.Available(llm.Plan) || !s.Available(llm.Embed) {
		t.Fatalf("not available: %+v", s.Host.Status())
	}
	var streamed strings.Builder
	got, err := s.Generate(ctx, llm.Request{
		Purpose: llm.Plan, Caller: llm.Caller{UserID: "learner-1", RunID: "run-1"},
		Messages: []llm.Message{{Role: llm.System, Text: "Plan."}, {Role: llm.User, Text: "Learn loops"}},
		Schema:   `{"type":"object","properties":{"title":{"type":"string"}},"required":["title"],"additionalProperties":false}`,
		Stream: func(p llm.Piece) {
			if p.Restart {
				streamed.Reset()
			}
			streamed.WriteString(p.Text)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(got.JSON) != `{"title":"Bucles"}` || !got.Repaired || streamed.String() != string(got.JSON) {
		t.Errorf("got %+v, streamed %q", got, streamed.String())
	}
	vectors, err := s.Embed(ctx, llm.EmbedRequest{Caller: llm.Caller{UserID: "learner-1"}, Texts: []string{"bucle\nfor", "clase"}})
	if err != nil || len(vectors.Vectors) != 2 || vectors.Space.Dimensions != 64 {
		t.Fatalf("got %+v, %v", vectors, err)
	}
	if again, err := s.Embed(ctx, llm.EmbedRequest{Texts: []string{"clase"}, Query: true, Space: &vectors.Space}); err != nil || again.Space != vectors.Space {
		t.Errorf("got %+v, %v", again, err)
	}
	var rows, settled, input int64
	if err := db.As(auth.System("test")).QueryRow(ctx, booked, postgres.Args{}).Scan(&rows, &settled, &input); err != nil {
		t.Fatal(err)
	}
	// A model on this machine embeds without a row for each search.
	if rows != 2 || settled != 2 || input == 0 {
		t.Errorf("%d rows, %d settled, %d input tokens", rows, settled, input)
	}
}

func TestAKilledPluginIsStartedAgain(t *testing.T) {
	db := postgrestest.DB(t)
	s := llmtest.Real(t, db, openaiserver.Config{Answer: script.Say("still here")}, nil)
	req := llm.Request{Purpose: llm.Hint, Messages: []llm.Message{{Role: llm.User, Text: "hi"}}, Fresh: true}
	for range 2 {
		got, err := s.Generate(context.Background(), req)
		if err != nil || got.Text != "still here" {
			t.Fatalf("got %+v, %v; %+v", got, err, s.Host.Status())
		}
		before := s.Host.Status()[0].PID
		kill(t, before)
	}
}
