package llmtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

func schemaReaches(t *testing.T, p Provider) {
	t.Helper()
	c, asked := p.connect(t, Setup{Answer: script.Say(`{"ok":true,"note":"fine"}`)})
	req := p.ask("judge")
	req.JSONSchema, req.JSONSchemaName = answerSchema, "verdict"
	got, err := Generate(within(t, patience), c, req)
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != `{"ok":true,"note":"fine"}` {
		t.Errorf("got %q", got.Text)
	}
	if sent := asked()[0]; !sameJSON(sent.JSONSchema, answerSchema) {
		t.Errorf("sent schema %s", sent.JSONSchema)
	}
}

func schemaFallsBack(t *testing.T, p Provider) {
	t.Helper()
	answer := func(r *script.Request) script.Turn {
		if len(r.Tools) > 0 {
			return script.Turn{ToolCalls: []llm.ToolCall{{ID: "call_s", Name: r.Tools[0].Name, Arguments: `{"ok":true,"note":"tool"}`}}}
		}
		return script.Turn{Text: []string{`{"ok":true,"note":`, `"text"}`}}
	}
	first := `{"ok":true,"note":"tool"}`
	if p.lacks(LackToolChoice) {
		first = `{"ok":true,"note":"text"}` // no tool can be forced
	}
	for _, c := range []struct {
		refuse []string
		want   string
	}{
		{[]string{"json_schema"}, first},
		{[]string{"json_schema", "tools"}, `{"ok":true,"note":"text"}`},
		{[]string{"json_schema", "tools", "json_object"}, `{"ok":true,"note":"text"}`},
	} {
		client, asked := p.connect(t, Setup{Answer: answer, Refuse: c.refuse})
		for range 2 {
			req := p.ask("judge")
			req.JSONSchema = answerSchema
			got, err := Generate(within(t, patience), client, req)
			if err != nil {
				t.Fatalf("without %q: %v", c.refuse, err)
			}
			if got.Text != c.want || len(got.ToolCalls) > 0 || got.Reason != llm.FinishStop {
				t.Errorf("without %q: got %q, %+v, %s", c.refuse, got.Text, got.ToolCalls, got.Reason)
			}
		}
		want := len(c.refuse) + 2
		for _, refused := range c.refuse {
			if refused == "tools" && p.lacks(LackToolChoice) || refused == "json_object" && p.lacks(LackJSONMode) {
				want-- // it is never tried
			}
		}
		if n := len(asked()); n != want {
			t.Errorf("without %q: %d requests for two answers, want %d", c.refuse, n, want)
		}
	}
}

// forcedInVain has a server that takes tools, but whose model does not know them.
func forcedInVain(t *testing.T, p Provider) {
	t.Helper()
	if p.lacks(LackToolChoice) {
		return
	}
	c, asked := p.connect(t, Setup{Refuse: []string{"json_schema"}, Answer: script.Say("It is ok.")})
	for range 2 {
		req := p.ask("judge")
		req.JSONSchema = answerSchema
		if got, err := Generate(within(t, patience), c, req); err != nil || got.Text != "It is ok." {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	all := asked()
	if len(all) != 3 || len(all[1].Tools) == 0 || len(all[2].Tools) != 0 {
		t.Errorf("asked %d times, at last with %d tools", len(all), len(all[len(all)-1].Tools))
	}
}

func refusal(t *testing.T, p Provider) {
	t.Helper()
	if p.lacks(LackRefusal) {
		return
	}
	c, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Refusal: "I can't help with that."})})
	got, err := Generate(within(t, patience), c, p.ask("bad"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Reason != llm.FinishRefusal || got.Refusal != "I can't help with that." || got.Text != "" {
		t.Errorf("got %q, ending %+v", got.Text, got.Ending)
	}
}

func lengthEnds(t *testing.T, p Provider) {
	t.Helper()
	c, _ := p.connect(t, Setup{Answer: script.Sequence(
		script.Turn{Text: []string{"half an ans"}, Reason: llm.FinishLength},
		script.Turn{Reason: llm.FinishContentFilter},
	)})
	for _, want := range []llm.FinishReason{llm.FinishLength, llm.FinishContentFilter} {
		if want == llm.FinishContentFilter && p.lacks(LackContentFilter) {
			continue
		}
		got, err := Generate(within(t, patience), c, p.ask("long"))
		if err != nil || got.Reason != want {
			t.Errorf("got %+v, %v, want %s", got.Ending, err, want)
		}
	}
}

func longPiece(t *testing.T, p Provider) {
	t.Helper()
	long := strings.Repeat("añadir «línea» ", 20_000)
	c, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Text: []string{long}})})
	got, err := Generate(within(t, patience), c, p.ask("long"))
	if err != nil || got.Text != long {
		t.Fatalf("got %d bytes of %d, %v", len(got.Text), len(long), err)
	}
}

func typedErrors(t *testing.T, p Provider) {
	t.Helper()
	for _, c := range []struct {
		status int
		wait   time.Duration
		want   llm.Code
	}{
		{429, 7 * time.Second, llm.CodeRateLimited},
		{429, 0, llm.CodeRateLimited},
		{400, 0, llm.CodeInvalidRequest},
		{404, 0, llm.CodeInvalidRequest},
		{413, 0, llm.CodeInvalidRequest},
		{500, 0, llm.CodeUnavailable},
		{503, 2 * time.Second, llm.CodeUnavailable},
		{529, 3 * time.Second, llm.CodeUnavailable}, // overloaded, as some providers say it
	} {
		client, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Status: c.status, Message: "scripted trouble", RetryAfter: c.wait})})
		_, err := Generate(within(t, patience), client, p.ask("hello"))
		e := wantCode(t, err, c.want)
		if e.RetryAfter != c.wait || !strings.Contains(e.Message, "scripted trouble") {
			t.Errorf("%d: got %+v", c.status, e)
		}
	}
}

func cutStream(t *testing.T, p Provider) {
	t.Helper()
	for _, turn := range []script.Turn{
		{Cut: true},
		{Text: []string{"half ", "an "}, Cut: true},
		{ToolCalls: []llm.ToolCall{{ID: "call_a", Name: "f", Arguments: `{"a":"long enough"}`}}, Cut: true},
	} {
		c, _ := p.connect(t, Setup{Answer: script.Sequence(turn)})
		got, err := Generate(within(t, patience), c, p.ask("hello"))
		_ = wantCode(t, err, llm.CodeInterrupted)
		if len(got.ToolCalls) > 0 {
			t.Errorf("half a tool call was handed on: %+v", got.ToolCalls)
		}
	}
}

func midStreamError(t *testing.T, p Provider) {
	t.Helper()
	c, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Text: []string{"half "}, MidStreamError: "The server had an error"})})
	_, err := Generate(within(t, patience), c, p.ask("hello"))
	if e := wantCode(t, err, llm.CodeUnavailable); !strings.Contains(e.Message, "The server had an error") {
		t.Errorf("got %q", e.Message)
	}
}

func malformed(t *testing.T, p Provider) {
	t.Helper()
	c, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Text: []string{"half "}, Malformed: true})})
	_, err := Generate(within(t, patience), c, p.ask("hello"))
	_ = wantCode(t, err, llm.CodeInterrupted)
}

func endless(t *testing.T, p Provider) {
	t.Helper()
	piece := strings.Repeat("x", 64<<10)
	c, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Text: slices.Repeat([]string{piece}, 200)})})
	got, err := Generate(within(t, patience), c, p.ask("hello"))
	_ = wantCode(t, err, llm.CodeInternal)
	if len(got.Text) > 5<<20 {
		t.Errorf("%d bytes were handed on", len(got.Text))
	}
}

func slowFirstToken(t *testing.T, p Provider) {
	t.Helper()
	c, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Text: []string{"late"}, FirstTokenDelay: 10 * time.Minute})})
	start := time.Now()
	_, err := Generate(within(t, 300*time.Millisecond), c, p.ask("hello"))
	_ = wantCode(t, err, llm.CodeDeadline)
	if took := time.Since(start); took > patience {
		t.Errorf("took %s", took)
	}
}

func silentProvider(t *testing.T, p Provider) {
	t.Helper()
	for _, turn := range []script.Turn{
		{Text: []string{"late"}, FirstTokenDelay: 10 * time.Minute},
		{Text: []string{"one ", "two "}, PieceDelay: 10 * time.Minute},
	} {
		c, _ := p.connect(t, Setup{Answer: script.Sequence(turn), IdleTimeout: 300 * time.Millisecond})
		_, err := Generate(within(t, patience), c, p.ask("hello"))
		if e := wantCode(t, err, llm.CodeInterrupted); !strings.Contains(e.Message, "silent") {
			t.Errorf("got %q", e.Message)
		}
	}
}

func callerStops(t *testing.T, p Provider) {
	t.Helper()
	c, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Text: strings.SplitAfter(strings.Repeat("word ", 500), " "), PieceDelay: 250 * time.Millisecond})})
	enough := errors.New("enough")
	start := time.Now()
	_, err := c.Generate(within(t, patience), p.ask("hello"), func(llm.Chunk) error { return enough })
	if !errors.Is(err, enough) {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = c.Generate(ctx, p.ask("hello"), func(llm.Chunk) error { cancel(); return nil })
	_ = wantCode(t, err, llm.CodeCanceled)
	if took := time.Since(start); took > patience {
		t.Errorf("took %s", took)
	}
}

func keyNeverShows(t *testing.T, p Provider) {
	t.Helper()
	const key = "sk-very-secret-0123456789"
	c, _ := p.connect(t, Setup{Key: "sk-other", GivenKey: key})
	_, err := Generate(within(t, patience), c, p.ask("hello"))
	_ = wantCode(t, err, llm.CodeUnauthenticated)
	if strings.Contains(err.Error(), "very-secret") {
		t.Errorf("the key shows in %q", err)
	}
	c, _ = p.connect(t, Setup{GivenKey: key, Answer: script.Sequence(script.Turn{Status: 500, Message: "trouble with " + key})})
	if _, err = Generate(within(t, patience), c, p.ask("hello")); strings.Contains(err.Error(), "very-secret") {
		t.Errorf("the key shows in %q", err)
	}
}

func unknownModel(t *testing.T, p Provider) {
	t.Helper()
	c, asked := p.connect(t, Setup{})
	req := p.ask("hello")
	req.Model = "no-such-model"
	_, err := Generate(within(t, patience), c, req)
	_ = wantCode(t, err, llm.CodeInvalidRequest)
	if len(asked()) > 0 {
		t.Error("the provider was asked")
	}
}

func embedsInOrder(t *testing.T, p Provider) {
	t.Helper()
	c, asked := p.connect(t, Setup{})
	texts := []string{"def f():\n    return 1\n", "bucles for", "", "clases y objetos\r\n"}
	given := slices.Clone(texts)
	got, err := c.Embed(within(t, patience), &llm.EmbedRequest{Model: p.EmbeddingModel, Texts: given})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if i == 2 {
			continue // what is sent for an empty text is the provider's affair
		}
		if want := script.Vector(text, len(got.Vectors[i])); !slices.Equal(got.Vectors[i], want) {
			t.Errorf("vector %d is not that of %q", i, text)
		}
	}
	if sent := asked()[0].Texts; sent[0] != texts[0] || sent[3] != texts[3] {
		t.Errorf("texts were changed on the way: %q", sent)
	}
	if !slices.Equal(given, texts) || got.Usage.InputTokens == 0 || got.Model == "" {
		t.Errorf("texts %q, usage %+v, model %q", given, got.Usage, got.Model)
	}
}

func embedsMany(t *testing.T, p Provider) {
	t.Helper()
	c, _ := p.connect(t, Setup{})
	texts := make([]string, 700)
	for i := range texts {
		texts[i] = fmt.Sprintf("passage number %d", i)
	}
	got, err := c.Embed(within(t, patience), &llm.EmbedRequest{Model: p.EmbeddingModel, Texts: texts, Kind: llm.EmbedPassage})
	if err != nil {
		t.Fatal(err)
	}
	for i := range texts {
		if !slices.Equal(got.Vectors[i], script.Vector(texts[i], len(got.Vectors[i]))) {
			t.Fatalf("vector %d is another text's", i)
		}
	}
}

func embedErrors(t *testing.T, p Provider) {
	t.Helper()
	for _, c := range []struct {
		turn script.Turn
		want llm.Code
	}{
		{script.Turn{Status: 429, Message: "slow down", RetryAfter: 3 * time.Second}, llm.CodeRateLimited},
		{script.Turn{Status: 502, Message: "bad gateway"}, llm.CodeUnavailable},
		{script.Turn{Cut: true}, llm.CodeInterrupted},
	} {
		client, _ := p.connect(t, Setup{EmbedAnswer: script.Sequence(c.turn)})
		_, err := client.Embed(within(t, patience), &llm.EmbedRequest{Model: p.EmbeddingModel, Texts: []string{"x"}})
		if e := wantCode(t, err, c.want); e.RetryAfter != c.turn.RetryAfter {
			t.Errorf("got %+v", e)
		}
	}
	client, _ := p.connect(t, Setup{})
	_, err := client.Embed(within(t, patience), &llm.EmbedRequest{Model: "no-such-model", Texts: []string{"x"}})
	_ = wantCode(t, err, llm.CodeInvalidRequest)
}
