// Package llmrpc is the host's side of the LLM plugin protocol: it speaks
// sdk/llm's Go types over a gRPC connection. The tracker's plugin host and the
// test harness use it; the author of a plugin never needs it.
//
// What a plugin answers is untrusted: the client bounds it (size, counts,
// finite numbers, UTF-8) and turns every failure into an [llm.Error].
package llmrpc

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	llmv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/llm/v1"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// Limits on what one answer may hold.
const (
	MaxAnswerBytes = 4 << 20
	MaxToolCalls   = 128
	MaxDimensions  = 16384
	maxModels      = 1000
)

// Description is what a plugin says of itself.
type Description struct {
	Name    string
	Version string
	// Remote says that texts leave the machine that the plugin runs on.
	Remote bool
	Models []llm.Model
}

// Client calls one running plugin. Safe for concurrent use.
type Client struct {
	rpc llmv1.LlmServiceClient
}

// New makes a client on a connection to a plugin.
func New(conn grpc.ClientConnInterface) *Client {
	return &Client{rpc: llmv1.NewLlmServiceClient(conn)}
}

var sizes = []grpc.CallOption{
	grpc.MaxCallRecvMsgSize(llm.MaxMessageBytes), grpc.MaxCallSendMsgSize(llm.MaxMessageBytes),
}

// Describe asks for the plugin's name and models.
func (c *Client) Describe(ctx context.Context, hostVersion string) (*Description, error) {
	res, err := c.rpc.Describe(ctx, &llmv1.DescribeRequest{HostVersion: hostVersion}, sizes...)
	if err != nil {
		return nil, fromStatus(ctx, err)
	}
	if len(res.GetModels()) > maxModels {
		return nil, llm.Errorf(llm.CodeInternal, "the plugin lists %d models; %d are allowed", len(res.GetModels()), maxModels)
	}
	d := &Description{Name: res.GetName(), Version: res.GetVersion(), Remote: res.GetRemote()}
	for _, m := range res.GetModels() {
		d.Models = append(d.Models, modelFromProto(m))
	}
	return d, nil
}

// Generate asks for an answer. emit, if not nil, gets each piece as it comes and
// may stop the call by an error, which is returned as it is. The whole answer
// is the pieces together; a call that fails midway has emitted a part only.
func (c *Client) Generate(ctx context.Context, req *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Generate(ctx, generateRequestToProto(req), sizes...)
	if err != nil {
		return nil, fromStatus(ctx, err)
	}
	var size, calls int
	for {
		res, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, llm.Errorf(llm.CodeInterrupted, "the plugin's answer was cut off")
		}
		if err != nil {
			e := fromStatus(ctx, err)
			if size == 0 && calls == 0 {
				e = orDied(e, stream.Trailer())
			}
			return nil, e
		}
		if chunk := chunkFromProto(res); chunk.Text != "" || len(chunk.ToolCalls) > 0 {
			size += len(chunk.Text)
			for _, call := range chunk.ToolCalls {
				size += len(call.Arguments) + len(call.Name) + len(call.ID)
			}
			calls += len(chunk.ToolCalls)
			if size > MaxAnswerBytes || calls > MaxToolCalls {
				return nil, llm.Errorf(llm.CodeInternal, "the answer is larger than %d bytes or %d tool calls", MaxAnswerBytes, MaxToolCalls)
			}
			if emit != nil {
				if err := emit(chunk); err != nil {
					return nil, err
				}
			}
		}
		if res.GetFinishReason() != llmv1.FinishReason_FINISH_REASON_UNSPECIFIED {
			return endingFromProto(res)
		}
	}
}

// Embed asks for one vector a text.
func (c *Client) Embed(ctx context.Context, req *llm.EmbedRequest) (*llm.Embeddings, error) {
	var last metadata.MD
	res, err := c.rpc.Embed(ctx, &llmv1.EmbedRequest{Model: req.Model, Texts: req.Texts, Kind: string(req.Kind)}, append(sizes, grpc.Trailer(&last))...)
	if err != nil {
		return nil, orDied(fromStatus(ctx, err), last)
	}
	if len(res.GetVectors()) != len(req.Texts) {
		return nil, llm.Errorf(llm.CodeInternal, "the plugin answered %d vectors for %d texts", len(res.GetVectors()), len(req.Texts))
	}
	out := &llm.Embeddings{Usage: usageFromProto(res.GetUsage()), Model: res.GetModel()}
	for i, v := range res.GetVectors() {
		n := len(v.GetValues())
		if n == 0 || n > MaxDimensions || n != len(res.GetVectors()[0].GetValues()) {
			return nil, llm.Errorf(llm.CodeInternal, "vector %d has %d dimensions", i, n)
		}
		for _, x := range v.GetValues() {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return nil, llm.Errorf(llm.CodeInternal, "vector %d holds a value that is not a number", i)
			}
		}
		out.Vectors = append(out.Vectors, v.GetValues())
	}
	return out, nil
}

// Rerank asks for one score a passage.
func (c *Client) Rerank(ctx context.Context, req *llm.RerankRequest) (*llm.Ranking, error) {
	var last metadata.MD
	res, err := c.rpc.Rerank(ctx, &llmv1.RerankRequest{Model: req.Model, Query: req.Query, Passages: req.Passages}, append(sizes, grpc.Trailer(&last))...)
	if err != nil {
		return nil, orDied(fromStatus(ctx, err), last)
	}
	if len(res.GetScores()) != len(req.Passages) {
		return nil, llm.Errorf(llm.CodeInternal, "the plugin answered %d scores for %d passages", len(res.GetScores()), len(req.Passages))
	}
	for i, s := range res.GetScores() {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return nil, llm.Errorf(llm.CodeInternal, "score %d is not a number", i)
		}
	}
	return &llm.Ranking{Scores: res.GetScores(), Usage: usageFromProto(res.GetUsage()), Model: res.GetModel()}, nil
}

var codesByGRPC = map[codes.Code]llm.Code{
	codes.ResourceExhausted: llm.CodeRateLimited,
	codes.Unauthenticated:   llm.CodeUnauthenticated,
	codes.InvalidArgument:   llm.CodeInvalidRequest,
	codes.Unavailable:       llm.CodeUnavailable,
	codes.Unimplemented:     llm.CodeUnsupported,
	codes.DeadlineExceeded:  llm.CodeDeadline,
	codes.Canceled:          llm.CodeCanceled,
	codes.Aborted:           llm.CodeInterrupted,
}

// orDied tells the end of a plugin that died before its first word from what a
// plugin says: whoever answers with an error alone sends at least its type of
// content with it, and whoever dies sends nothing.
func orDied(e *llm.Error, last metadata.MD) *llm.Error {
	if e.Code == llm.CodeUnavailable && len(last) == 0 {
		e.Code = llm.CodeInterrupted
	}
	return e
}

// fromStatus turns a gRPC error into an llm.Error.
func fromStatus(ctx context.Context, err error) *llm.Error {
	st := status.Convert(err)
	e := &llm.Error{Code: codesByGRPC[st.Code()], Message: cleanMessage(st.Message()), RetryAfter: retryAfter(st)}
	// Receive-size overflows are gRPC's own ResourceExhausted, not a rate limit.
	if e.Code == llm.CodeRateLimited && strings.Contains(e.Message, "message larger than max") {
		e.Code = llm.CodeInternal
	}
	// The caller's clock and the plugin's race; the caller's wins.
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Code = llm.CodeDeadline
	case ctx.Err() != nil:
		e.Code = llm.CodeCanceled
	}
	return e
}

const maxErrorBytes = 2000

// cleanMessage bounds a foreign message and makes it one valid line.
func cleanMessage(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "�")
	for len(s) > maxErrorBytes {
		_, n := utf8.DecodeLastRuneInString(s[:maxErrorBytes+1])
		s = s[:maxErrorBytes+1-n]
	}
	return s
}
