package llmtest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// Provider is a plugin under test, on a scripted server of its own protocol.
type Provider struct {
	// Start is Required: it starts a server that answers as the setup says and
	// returns the plugin's spec, configured against it, and what the server was
	// asked so far.
	Start func(t *testing.T, s Setup) (*llm.Spec, func() []script.Request)
	// ChatModel is Required; EmbeddingModel is Optional, and without it the
	// embedding cases are left out.
	ChatModel      string
	EmbeddingModel string
	// Lacks names what the provider's protocol does not have, of [LackRefusal] and
	// its neighbours. Optional; the cases about it are left out or expect less.
	Lacks []string
}

// What a protocol may lack.
const (
	// LackRefusal: a refusal is text like any other.
	LackRefusal = "refusal"
	// LackContentFilter: an answer never ends for a filter.
	LackContentFilter = "content_filter"
	// LackToolChoice: the model decides about tools by itself.
	LackToolChoice = "tool_choice"
	// LackJSONMode: there is no promise of JSON without a schema.
	LackJSONMode = "json_object"
	// LackCachedTokens: the bill does not say what came from a cache.
	LackCachedTokens = "cache"
)

func (p Provider) lacks(what string) bool { return slices.Contains(p.Lacks, what) }

// Setup is what a case wants of the server.
type Setup struct {
	// Key that the server demands; the spec is configured with GivenKey.
	Key, GivenKey string
	Answer        script.Answer
	EmbedAnswer   script.Answer
	// Refuse lists what the server does not know: "json_schema", "json_object", "tools".
	Refuse []string
	// IdleTimeout is the longest silence that the plugin bears; 0 is its default.
	IdleTimeout time.Duration
}

const answerSchema = `{"type":"object","properties":{"ok":{"type":"boolean"},"note":{"type":"string","pattern":"^[a-z]+$"}},"required":["ok","note"],"additionalProperties":false}`

// TestProvider holds a plugin to the contract of the protocol.
func TestProvider(t *testing.T, p Provider) { //nolint:tparallel // the caller decides about the whole
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*testing.T, Provider)
	}{
		{"an answer streams in pieces and closes with reason, usage and model", streams},
		{"what was not asked for is not sent", sendsOnlyWhatWasAsked},
		{"parallel tool calls come whole, apart, and never as text", parallelTools},
		{"a conversation with tool results reaches the provider as it is", toolResults},
		{"a schema reaches the provider whole", schemaReaches},
		{"without json_schema the answer still comes, and the detour is learned once", schemaFallsBack},
		{"a forced tool that nobody calls is not tried again", forcedInVain},
		{"a refusal is an ending with the provider's words", refusal},
		{"an answer cut by its bound says so", lengthEnds},
		{"an answer of one very long piece arrives whole", longPiece},
		{"errors are typed", typedErrors},
		{"a cut stream is interrupted, not a short answer", cutStream},
		{"an error in the middle of a stream is an error", midStreamError},
		{"an answer that is not the protocol's JSON is unavailable", malformed},
		{"an answer without end is cut short", endless},
		{"a slow first token ends with the caller's deadline", slowFirstToken},
		{"a silent provider is given up", silentProvider},
		{"a caller that stops listening stops the call", callerStops},
		{"a refused key never shows", keyNeverShows},
		{"a model that is not configured is an invalid request", unknownModel},
	} {
		t.Run(c.name, func(t *testing.T) { t.Parallel(); c.run(t, p) })
	}
	if p.EmbeddingModel == "" {
		return
	}
	for _, c := range []struct {
		name string
		run  func(*testing.T, Provider)
	}{
		{"vectors come in the order of the texts, line breaks kept", embedsInOrder},
		{"more texts than a provider takes at once are embedded all the same", embedsMany},
		{"embedding errors are typed", embedErrors},
	} {
		t.Run(c.name, func(t *testing.T) { t.Parallel(); c.run(t, p) })
	}
}

func (p Provider) connect(t *testing.T, s Setup) (*Client, func() []script.Request) {
	t.Helper()
	spec, asked := p.Start(t, s)
	if err := llm.ValidateSpec(spec); err != nil {
		t.Fatalf("the spec is not valid: %v", err)
	}
	return Connect(t, spec), asked
}

func (p Provider) ask(text string) *llm.GenerateRequest {
	return &llm.GenerateRequest{Model: p.ChatModel, Messages: []llm.Message{
		{Role: llm.RoleSystem, Text: "You are terse."}, {Role: llm.RoleUser, Text: text},
	}}
}

// patience bounds what should take no time: a machine may be busy.
const patience = time.Minute

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// wantCode fails the test unless err is an llm.Error of the code.
func wantCode(t *testing.T, err error, code llm.Code) *llm.Error {
	t.Helper()
	var e *llm.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got error %v, want code %s", err, code)
	}
	return e
}

func streams(t *testing.T, p Provider) {
	t.Helper()
	pieces := []string{"Hola, ", "¿qué ", "tal? ", "<b>&</b>", "\n\n"}
	c, _ := p.connect(t, Setup{Answer: script.Sequence(script.Turn{
		Text: pieces, Usage: llm.Usage{InputTokens: 11, OutputTokens: 7, CachedInputTokens: 3},
	})})
	got, err := Generate(within(t, patience), c, p.ask("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != strings.Join(pieces, "") || len(got.Pieces) < 3 {
		t.Errorf("got pieces %q", got.Pieces)
	}
	if got.Reason != llm.FinishStop || got.Model == "" {
		t.Errorf("got ending %+v", got.Ending)
	}
	want := llm.Usage{InputTokens: 11, OutputTokens: 7, CachedInputTokens: 3}
	if p.lacks(LackCachedTokens) {
		want.CachedInputTokens = 0
	}
	if got.Usage != want {
		t.Errorf("got usage %+v", got.Usage)
	}
}

func sendsOnlyWhatWasAsked(t *testing.T, p Provider) {
	t.Helper()
	c, asked := p.connect(t, Setup{})
	req := p.ask("hello")
	if _, err := Generate(within(t, patience), c, req); err != nil {
		t.Fatal(err)
	}
	zero, most := 0.0, 0.25
	req.Temperature, req.TopP, req.MaxTokens, req.EndUser = &zero, &most, 77, "pseudonym-1"
	if _, err := Generate(within(t, patience), c, req); err != nil {
		t.Fatal(err)
	}
	first, second := asked()[0], asked()[1]
	if first.Temperature != nil || first.TopP != nil || first.JSONSchema != "" || len(first.Tools) > 0 {
		t.Errorf("sent more than was asked for: %s", first.Body)
	}
	if second.Temperature == nil || *second.Temperature != 0 || second.TopP == nil || *second.TopP != most || second.MaxTokens != 77 {
		t.Errorf("dropped what was asked for: %s", second.Body)
	}
	if !slices.EqualFunc(first.Messages, req.Messages, func(a, b llm.Message) bool { return a.Role == b.Role && a.Text == b.Text }) {
		t.Errorf("sent messages %+v", first.Messages)
	}
}

func parallelTools(t *testing.T, p Provider) {
	t.Helper()
	calls := []llm.ToolCall{
		{ID: "call_a", Name: "search", Arguments: `{"query":"bucles «for»","limit":3}`},
		{ID: "call_b", Name: "read_file", Arguments: `{"path":"main.py"}`},
		{ID: "call_c", Name: "search", Arguments: `{"query":"while"}`},
	}
	c, asked := p.connect(t, Setup{Answer: script.Sequence(script.Turn{Text: []string{"Let me look."}, ToolCalls: calls})})
	req := p.ask("find it")
	req.Tools = []llm.Tool{
		{Name: "search", Description: "Searches.", ParametersSchema: `{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer"}},"required":["query"]}`},
		{Name: "read_file", ParametersSchema: `{"type":"object","properties":{"path":{"type":"string"}}}`},
		{Name: "now"},
	}
	req.ToolChoice = llm.ToolChoice{Mode: "required"}
	got, err := Generate(within(t, patience), c, req)
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != "Let me look." {
		t.Errorf("tool calls leaked into the text: %q", got.Text)
	}
	if !slices.Equal(got.ToolCalls, calls) {
		t.Errorf("got calls %+v", got.ToolCalls)
	}
	if got.Reason != llm.FinishToolCalls {
		t.Errorf("got reason %s", got.Reason)
	}
	sent := asked()[0]
	if len(sent.Tools) != 3 || sent.ToolChoice != "required" && !p.lacks(LackToolChoice) || !sameJSON(sent.Tools[0].ParametersSchema, req.Tools[0].ParametersSchema) {
		t.Errorf("sent tools %+v, choice %q", sent.Tools, sent.ToolChoice)
	}
}

func toolResults(t *testing.T, p Provider) {
	t.Helper()
	c, asked := p.connect(t, Setup{})
	req := p.ask("find it")
	req.Messages = append(req.Messages,
		llm.Message{Role: llm.RoleAssistant, Text: "Looking.", ToolCalls: []llm.ToolCall{
			{ID: "call_a", Name: "search", Arguments: `{"query":"x"}`}, {ID: "call_b", Name: "search", Arguments: `{"query":"y"}`},
		}},
		llm.Message{Role: llm.RoleTool, ToolCallID: "call_a", Text: "found x"},
		llm.Message{Role: llm.RoleTool, ToolCallID: "call_b", Text: ""},
		llm.Message{Role: llm.RoleAssistant, Text: "It is x."},
		llm.Message{Role: llm.RoleUser, Text: "Sure?"},
	)
	req.Tools = []llm.Tool{{Name: "search"}, {Name: "other"}}
	req.ToolChoice = llm.ToolChoice{Tool: "search"}
	if _, err := Generate(within(t, patience), c, req); err != nil {
		t.Fatal(err)
	}
	sent := asked()[0]
	only := sent.ToolChoice == "required" && len(sent.Tools) == 1 && sent.Tools[0].Name == "search" // says the same
	if sent.ToolChoice != "search" && !only && !p.lacks(LackToolChoice) {
		t.Errorf("sent tool choice %q", sent.ToolChoice)
	}
	// What stands before the first turn is the plugin's affair.
	extra := len(sent.Messages) - len(req.Messages)
	if extra < 0 || extra > 1 {
		t.Fatalf("sent %d messages of %d", len(sent.Messages), len(req.Messages))
	}
	for i, want := range req.Messages {
		got := sent.Messages[i+extra]
		if got.Role != want.Role || got.Text != want.Text || got.ToolCallID != want.ToolCallID || !slices.Equal(got.ToolCalls, want.ToolCalls) {
			t.Errorf("message %d: sent %+v, want %+v", i, got, want)
		}
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}
