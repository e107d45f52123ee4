package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/llm"
)

const (
	// maxEvent bounds one event of the provider, maxPiece one event to langchaingo,
	// whose line scanner stops at 64 KiB.
	maxEvent  = 8 << 20
	maxPiece  = 4 << 10
	maxCalls  = 128
	maxAnswer = 4 << 20
)

// usageIn is the provider's bill.
type usageIn struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

func (u usageIn) typed() llm.Usage {
	return llm.Usage{InputTokens: u.Prompt, OutputTokens: u.Completion, CachedInputTokens: u.Details.Cached}
}

// part is a message or a piece of one.
type part struct {
	Content   *string `json:"content"`
	Refusal   string  `json:"refusal"`
	ToolCalls []struct {
		Index    *int   `json:"index"`
		ID       string `json:"id"`
		Function struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

// event is one event of a stream, or a whole body.
type event struct {
	Model   string `json:"model"`
	Choices []struct {
		Delta        part   `json:"delta"`
		Message      part   `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usageIn     `json:"usage"`
	Error *errorObject `json:"error"`
}

// streamBody reads a provider's stream and gives langchaingo a simpler one of
// text only; everything else goes into the exchange.
type streamBody struct {
	ctx    context.Context //nolint:containedctx // the request's: it lives as long as the body
	ex     *exchange
	doer   *doer
	src    *bufio.Reader
	body   io.Closer
	alive  func()
	stop   func()
	out    bytes.Buffer
	err    error
	size   int
	places map[int]int // a call's index in the protocol → its place in ex.toolCalls
}

func newStreamBody(ctx context.Context, ex *exchange, d *doer, body io.ReadCloser, alive, stop func()) *streamBody {
	return &streamBody{
		ctx: ctx, ex: ex, doer: d, src: bufio.NewReaderSize(body, 32<<10), body: body,
		alive: alive, stop: stop, places: map[int]int{},
	}
}

// Read implements io.Reader for langchaingo's scanner.
func (s *streamBody) Read(p []byte) (int, error) {
	for s.out.Len() == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if err := s.next(); err != nil {
			if !errors.Is(err, io.EOF) {
				err = s.ex.fail(err)
			}
			s.err = err
		}
	}
	return s.out.Read(p)
}

// Close implements io.Closer.
func (s *streamBody) Close() error {
	s.stop()
	return s.body.Close()
}

// next takes one line of the provider. io.EOF is a proper end.
func (s *streamBody) next() error {
	line, err := s.line()
	if err != nil {
		return s.ended(err)
	}
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return nil // comments, blank lines, event names
	}
	data = bytes.TrimSpace(data)
	if string(data) == "[DONE]" {
		return s.finish()
	}
	var ev event
	if err := json.Unmarshal(data, &ev); err != nil {
		return llm.Errorf(llm.CodeUnavailable, "the provider sent an event that is not JSON: %v", err)
	}
	s.alive()
	if ev.Error != nil {
		return fromEvent(*ev.Error, s.doer.key)
	}
	return s.take(ev)
}

// line reads one line of any length up to maxEvent.
func (s *streamBody) line() ([]byte, error) {
	var line []byte
	for {
		piece, err := s.src.ReadSlice('\n')
		line = append(line, piece...)
		if len(line) > maxEvent {
			return nil, llm.Errorf(llm.CodeInternal, "the provider sent an event of more than %d bytes", maxEvent)
		}
		if err == nil || (errors.Is(err, io.EOF) && len(line) > 0) {
			return bytes.TrimRight(line, "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// ended judges the end of the body: proper when the provider had said why it
// stopped (some servers leave [DONE] out), else a cut.
func (s *streamBody) ended(err error) error {
	var typed *llm.Error
	switch {
	case errors.As(err, &typed):
		return err
	case s.ctx.Err() != nil:
		return fromTransport(s.ctx, err, s.doer.key)
	case errors.Is(err, io.EOF) && s.ex.finish != "":
		return s.finish()
	default:
		return llm.Errorf(llm.CodeUnavailable, "the provider's answer was cut off")
	}
}

func (s *streamBody) finish() error {
	s.ex.mu.Lock()
	defer s.ex.mu.Unlock()
	if s.ex.finish == "" {
		return llm.Errorf(llm.CodeUnavailable, "the provider closed its answer without saying why")
	}
	s.ex.complete = true
	reason, _ := json.Marshal(s.ex.finish) //nolint:errchkjson // a string
	fmt.Fprintf(&s.out, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":%s}]}\n\ndata: [DONE]\n\n", reason)
	return io.EOF
}

// take sorts an event into the exchange and the text for langchaingo.
func (s *streamBody) take(ev event) error {
	s.ex.mu.Lock()
	defer s.ex.mu.Unlock()
	if ev.Model != "" {
		s.ex.model = ev.Model
	}
	if ev.Usage != nil {
		s.ex.usage = ev.Usage.typed()
	}
	if len(ev.Choices) == 0 {
		return nil
	}
	c := ev.Choices[0]
	if c.FinishReason != "" {
		s.ex.finish = c.FinishReason
	}
	for _, p := range []part{c.Delta, c.Message} {
		if p.Content != nil {
			s.text(*p.Content)
		}
		s.ex.refusal += p.Refusal
		s.size += len(p.Refusal)
		s.calls(p)
	}
	if s.size > maxAnswer || len(s.ex.toolCalls) > maxCalls {
		return llm.Errorf(llm.CodeInternal, "the answer is larger than %d bytes or %d tool calls", maxAnswer, maxCalls)
	}
	return nil
}

// text passes a piece on, in parts that langchaingo's scanner can take.
func (s *streamBody) text(t string) {
	s.size += len(t)
	for t != "" {
		n := min(maxPiece, len(t))
		for n < len(t) && n > 0 && !utf8.RuneStart(t[n]) {
			n--
		}
		if n == 0 { // not UTF-8 at all
			n = min(maxPiece, len(t))
		}
		piece, _ := json.Marshal(t[:n]) //nolint:errchkjson // a string
		fmt.Fprintf(&s.out, "data: {\"choices\":[{\"delta\":{\"content\":%s}}]}\n\n", piece)
		t = t[n:]
	}
}

// calls puts pieces of tool calls together, each by its index. Servers that
// leave the index out start a call with an id and go on without.
func (s *streamBody) calls(p part) {
	for _, c := range p.ToolCalls {
		place, known := len(s.ex.toolCalls)-1, len(s.ex.toolCalls) > 0 && c.ID == ""
		if c.Index != nil {
			place, known = s.places[*c.Index]
		}
		if !known {
			place = len(s.ex.toolCalls)
			s.ex.toolCalls = append(s.ex.toolCalls, llm.ToolCall{})
			if c.Index != nil {
				s.places[*c.Index] = place
			}
		}
		call := &s.ex.toolCalls[place]
		if call.ID == "" {
			call.ID = c.ID
		}
		if call.Name == "" {
			call.Name = c.Function.Name
		}
		args := argumentsText(c.Function.Arguments)
		call.Arguments += args
		s.size += len(args) + len(c.ID) + len(c.Function.Name)
	}
}

// argumentsText reads arguments: a string by the protocol, an object in some servers.
func argumentsText(raw json.RawMessage) string {
	var text string
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// wholeBody turns a body that was not streamed into a stream of one event, for
// servers that ignore the wish for a stream.
func (d *doer) wholeBody(ctx context.Context, ex *exchange, res *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxEvent))
	if err != nil {
		if ctx.Err() != nil {
			return fromTransport(ctx, err, d.key)
		}
		return llm.Errorf(llm.CodeUnavailable, "the provider's answer was cut off")
	}
	_ = res.Body.Close()
	var line bytes.Buffer
	if err := json.Compact(&line, raw); err != nil {
		return llm.Errorf(llm.CodeUnavailable, "the provider answered something that is not JSON; check OPENAI_BASE_URL")
	}
	body := io.NopCloser(strings.NewReader("data: " + line.String() + "\n\n"))
	res.Body = newStreamBody(context.WithoutCancel(ctx), ex, d, body, func() {}, func() {})
	return nil
}
