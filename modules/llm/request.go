package llm

import (
	"encoding/json"

	"github.com/google/uuid"
)

// Purpose says what a call is for; routes are configured by it.
type Purpose string

// The purposes.
const (
	// Plan turns a goal into tasks.
	Plan Purpose = "plan"
	// Review explains a verdict.
	Review Purpose = "review"
	// Hint answers a learner who is stuck.
	Hint Purpose = "hint"
	// Embed turns texts into vectors.
	Embed Purpose = "embed"
	// Rerank scores passages against a question.
	Rerank Purpose = "rerank"
)

// Purposes are all of them.
var Purposes = []Purpose{Plan, Review, Hint, Embed, Rerank}

// Role says who speaks in a [Message].
type Role string

// The roles of a conversation.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
	// ToolResult is what a tool answered; Message.ToolCallID says to which call.
	ToolResult Role = "tool"
)

// Message is one turn of a conversation.
type Message struct {
	Role       Role
	Text       string
	ToolCalls  []ToolCall
	ToolCallID string
}

// ToolCall is a wish of the model to call a tool. Arguments is what the model
// wrote: untrusted, and not always JSON.
type ToolCall struct {
	ID        string
	Name      string
	Arguments string
}

// Tool is a function that the model may ask to have called.
type Tool struct {
	Name        string
	Description string
	// Parameters is the JSON Schema of the arguments object; empty means none.
	Parameters string
}

// Caller is for whom a call is made and on whose budget.
type Caller struct {
	// UserID is empty when the server works for nobody in particular.
	UserID   string
	CourseID string
	// RunID is the agent run or ingest that makes the call, for the ledger.
	RunID string
	// LocalOnly keeps the texts on this machine.
	LocalOnly bool
}

// Request asks for an answer.
type Request struct {
	Caller
	// Purpose and Messages are Required.
	Purpose  Purpose
	Messages []Message
	Tools    []Tool
	// ToolChoice is "", "auto", "none", "required" or the name of a tool.
	ToolChoice string
	// Schema, if set, is a JSON Schema (draft 2020-12, without remote
	// references) that the answer fits, or the call fails.
	Schema string
	// SchemaName is a short name for the schema: letters, digits, '_', '-'.
	// Defaults to "answer".
	SchemaName string
	// Temperature is nil for the provider's default.
	Temperature *float64
	// MaxTokens bounds the answer, and with it what is reserved. Defaults to the
	// configured bound, and is never more.
	MaxTokens int
	// Fresh asks for a new answer, also when the same request was answered a
	// short while ago.
	Fresh bool
	// Stream, if set, gets the answer as it is made.
	Stream func(Piece)
}

// Piece is a piece of an answer on its way.
type Piece struct {
	Text string
	// Restart says that what came so far is void: a repair or another provider
	// begins anew.
	Restart bool
}

// Finish says why an answer ended.
type Finish string

// The reasons.
const (
	Stopped       Finish = "stop"
	CutByLength   Finish = "length"
	WantsTools    Finish = "tool_calls"
	Refused       Finish = "refusal"
	ContentFilter Finish = "content_filter"
)

// Answer is what a model said.
type Answer struct {
	Text      string
	ToolCalls []ToolCall
	// JSON is the value that fits the request's schema; nil when there was none
	// or the model refused.
	JSON   json.RawMessage
	Finish Finish
	// Refusal holds the model's words when Finish is Refused.
	Refusal string
	// Repaired says that the first answer did not fit the schema.
	Repaired bool
	// Remembered says that it answered the same request of the same person
	// before; it cost nothing now.
	Remembered bool
	Source
	Usage Usage
}

// Source is who answered.
type Source struct {
	// Provider is the plugin's name, Model the model's as the plugin lists it.
	Provider string
	Model    string
	// Remote says that the texts left this machine.
	Remote bool
}

// Usage is what a call took, repairs included.
type Usage struct {
	InputTokens  int
	OutputTokens int
	// CostMicros is in millionths of a US dollar.
	CostMicros int64
	// LedgerIDs are the rows of llm.usage, one a call of the provider.
	LedgerIDs []uuid.UUID
}

// EmbedRequest asks for one vector a text.
type EmbedRequest struct {
	Caller
	// Texts is Required; any number, sent in batches.
	Texts []string
	// Query says that the texts are questions, not passages.
	Query bool
	// Space, if set, must answer: vectors of other spaces can't be compared.
	Space *Space
}

// Space is where vectors can be compared.
type Space struct {
	Provider   string
	Model      string
	Dimensions int
	// Version changes when the same model's vectors can no longer be compared.
	Version string
}

// Embeddings are vectors in the order of the texts, all of Space.Dimensions.
type Embeddings struct {
	Vectors [][]float32
	Space   Space
	Usage   Usage
}

// RerankRequest asks how well each passage answers a question.
type RerankRequest struct {
	Caller
	// Query and Passages are Required, at most MaxReranked.
	Query    string
	Passages []string
}

// MaxReranked bounds the passages of a [RerankRequest].
const MaxReranked = 200

// Ranking answers a [RerankRequest].
type Ranking struct {
	// Scores are the passages', in their order; higher is better, and
	// comparable within one answer only.
	Scores []float64
	Source
	Usage Usage
}

// Model is a model that can be used now.
type Model struct {
	Source
	// Generates, Embeds and Reranks say what it can do.
	Generates bool
	Embeds    bool
	Reranks   bool
	Tools     bool
	// ContextTokens and MaxOutputTokens are 0 where they are not known.
	ContextTokens   int
	MaxOutputTokens int
	Dimensions      int
}
