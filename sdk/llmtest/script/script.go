// Package script says what a scripted provider answers, in words that belong to
// no provider. The protocol servers beside it (openaiserver) speak a script in
// their own protocol over HTTP, so that one suite of cases serves every plugin.
package script

import (
	"hash/fnv"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// Turn is one answer of a provider. The zero value is an empty answer.
type Turn struct {
	// Text is streamed piece by piece.
	Text []string
	// ToolCalls are streamed in small pieces of their arguments; several calls
	// are interleaved, as providers do it.
	ToolCalls []llm.ToolCall
	// Refusal is streamed in the place of text.
	Refusal string
	// Reason Defaults to what the content implies: tool_calls, refusal or stop.
	Reason llm.FinishReason
	// Usage Defaults to one token a word, given and answered.
	Usage llm.Usage

	// Status, if set, answers with an HTTP error instead; Message is its text.
	Status  int
	Message string
	// RetryAfter is sent with the error.
	RetryAfter time.Duration

	// FirstTokenDelay passes before the first byte of the answer.
	FirstTokenDelay time.Duration
	// PieceDelay passes before each further piece.
	PieceDelay time.Duration
	// Cut closes the connection after the pieces, without the closing words.
	Cut bool
	// Malformed sends something that is not the protocol's JSON after the pieces.
	Malformed bool
	// MidStreamError, if set, is sent as the protocol's error object after the pieces.
	MidStreamError string
}

// Request is what the provider was asked, in words that belong to no provider.
type Request struct {
	Model    string
	Messages []llm.Message
	Tools    []llm.Tool
	// ToolChoice is the mode or the name of the tool.
	ToolChoice string
	// JSONSchema is the schema asked for; JSONMode says that any JSON will do.
	JSONSchema string
	JSONMode   bool
	// Temperature and TopP are nil when they were not sent.
	Temperature *float64
	TopP        *float64
	MaxTokens   int
	EndUser     string
	// Texts are the texts to embed; a request has either messages or texts.
	Texts []string
	// Key is the API key that came along.
	Key string
	// Header and Body are the request as it was sent.
	Header http.Header
	Body   []byte
}

// LastUserText returns the text of the last user turn.
func (r *Request) LastUserText() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == llm.RoleUser {
			return r.Messages[i].Text
		}
	}
	return ""
}

// Answer decides what to say to a request. Called from many goroutines.
type Answer func(*Request) Turn

// Sequence answers with the turns in order, then repeats the last one.
func Sequence(turns ...Turn) Answer {
	var mu sync.Mutex
	next := 0
	return func(*Request) Turn {
		mu.Lock()
		defer mu.Unlock()
		if len(turns) == 0 {
			return Turn{}
		}
		t := turns[min(next, len(turns)-1)]
		next++
		return t
	}
}

// Say answers every request with one text, cut into pieces at spaces.
func Say(text string) Answer {
	return Sequence(Turn{Text: strings.SplitAfter(text, " ")})
}

// Log keeps the requests that a server got. Safe for concurrent use; the zero
// value is ready.
type Log struct {
	mu   sync.Mutex
	list []Request
}

// Add appends a request.
func (l *Log) Add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, r)
}

// All returns a copy of the requests so far, oldest first.
func (l *Log) All() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Request(nil), l.list...)
}

// Vector embeds a text as a bag of hashed words: the same text gives the same
// vector, texts that share words are near each other. Length one.
func Vector(text string, dimensions int) []float32 {
	v := make([]float32, dimensions)
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, w := range append(words, "\x00bias") {
		h := fnv.New64a()
		_, _ = h.Write([]byte(w))
		sum := h.Sum64()
		sign := float32(1)
		if sum>>63 == 1 {
			sign = -1
		}
		v[int(sum%uint64(dimensions))] += sign
	}
	var norm float64
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	if norm == 0 {
		v[0], norm = 1, 1
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}
