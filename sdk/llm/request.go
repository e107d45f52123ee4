package llm

// Role says who speaks in a [Message].
type Role int

// The roles of a conversation.
const (
	RoleSystem Role = iota + 1
	RoleUser
	RoleAssistant
	// RoleTool is the result of a tool call; Message.ToolCallID says of which.
	RoleTool
)

// Message is one turn of a conversation.
type Message struct {
	// Role is Required.
	Role Role
	// Text is the words of the turn; for RoleTool, what the tool answered.
	Text string
	// ToolCalls are the calls that an assistant turn made.
	ToolCalls []ToolCall
	// ToolCallID is Required for RoleTool: the ID of the call this answers.
	ToolCallID string
}

// ToolCall is a wish of the model to call a tool.
type ToolCall struct {
	// ID is unique in the conversation.
	ID string
	// Name is the tool's name as the model wrote it.
	Name string
	// Arguments is a JSON object as the model wrote it, not validated.
	Arguments string
}

// Tool is a function that a model may ask to have called.
type Tool struct {
	// Name is Required: letters, digits, '_' and '-', at most 64.
	Name string
	// Description tells the model what the tool is for.
	Description string
	// ParametersSchema is the JSON Schema of the arguments object; empty means
	// no parameters.
	ParametersSchema string
}

// ToolChoice says whether the model may, must or must not call tools. The zero
// value leaves it to the provider, which means "auto" where there are tools.
type ToolChoice struct {
	// Mode is "auto", "none" or "required".
	Mode string
	// Tool, if set, is the name of the tool that must be called; Mode is empty then.
	Tool string
}

// GenerateRequest asks a model for the next turn of a conversation.
type GenerateRequest struct {
	// Model is Required: the ID of one of the plugin's models.
	Model string
	// Messages is Required: the conversation so far, oldest first.
	Messages []Message
	// Tools and ToolChoice are Optional.
	Tools      []Tool
	ToolChoice ToolChoice
	// JSONSchema, if set, is a JSON Schema (draft 2020-12) that the whole answer
	// must fit. A plugin whose provider can't promise that does what it can; the
	// tracker validates what comes back.
	JSONSchema string
	// JSONSchemaName is a short name for the schema; Defaults to "answer".
	JSONSchemaName string
	// Temperature, TopP and Seed are Optional: nil leaves the provider's default.
	Temperature *float64
	TopP        *float64
	Seed        *int64
	// MaxTokens bounds the answer; 0 takes the model's own maximum.
	MaxTokens int
	// Stop are strings that end the answer.
	Stop []string
	// EndUser is an opaque pseudonym for the provider's abuse tracing.
	EndUser string
}

// Chunk is a piece of an answer, in the order it came.
type Chunk struct {
	// Text is appended to the answer; it never holds pieces of tool calls.
	Text string
	// ToolCalls are whole calls; a call is sent once it is complete.
	ToolCalls []ToolCall
}

// FinishReason says why an answer ended.
type FinishReason int

// The reasons why an answer ends.
const (
	// FinishStop is a natural end or a stop string.
	FinishStop FinishReason = iota + 1
	// FinishLength means MaxTokens or the context was full: the answer is cut.
	FinishLength
	// FinishToolCalls means the model waits for the results of its calls.
	FinishToolCalls
	// FinishRefusal means the model would not answer; Ending.Refusal says why.
	FinishRefusal
	// FinishContentFilter means the provider's filter withheld the answer.
	FinishContentFilter
)

// String names the reason in lower case, for logs.
func (r FinishReason) String() string {
	switch r {
	case FinishStop:
		return "stop"
	case FinishLength:
		return "length"
	case FinishToolCalls:
		return "tool_calls"
	case FinishRefusal:
		return "refusal"
	case FinishContentFilter:
		return "content_filter"
	default:
		return "unknown"
	}
}

// Usage counts tokens as the provider bills them; zero where it did not say.
type Usage struct {
	InputTokens  int
	OutputTokens int
	// CachedInputTokens is the part of InputTokens that the provider had cached.
	CachedInputTokens int
}

// Ending closes an answer.
type Ending struct {
	// Reason is Required.
	Reason FinishReason
	Usage  Usage
	// Model is the model that really answered, as the provider names it.
	Model string
	// Refusal holds the provider's words when Reason is FinishRefusal.
	Refusal string
}

// EmbedKind tells encoders that treat them differently what a text is.
type EmbedKind string

// The kinds of text that are embedded.
const (
	EmbedQuery   EmbedKind = "query"
	EmbedPassage EmbedKind = "passage"
)

// EmbedRequest asks for one vector for each text.
type EmbedRequest struct {
	// Model is Required.
	Model string
	// Texts is Required, never changed by the plugin, at most 2048.
	Texts []string
	// Kind is Optional; Defaults to EmbedPassage.
	Kind EmbedKind
}

// Embeddings answers an [EmbedRequest].
type Embeddings struct {
	// Vectors holds one vector a text, in the order of the texts, all of one length.
	Vectors [][]float32
	Usage   Usage
	Model   string
}

// RerankRequest asks how well each passage answers the query.
type RerankRequest struct {
	// Model, Query and Passages are Required.
	Model    string
	Query    string
	Passages []string
}

// Ranking answers a [RerankRequest].
type Ranking struct {
	// Scores holds one score a passage, in their order; higher is better, and
	// comparable within one answer only.
	Scores []float64
	Usage  Usage
	Model  string
}
