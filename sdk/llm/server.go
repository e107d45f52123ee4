package llm

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"

	llmv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/llm/v1"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
)

const describeTimeout = 5 * time.Second

// Serve answers the protocol for spec on l until ctx ends, without the tracker's
// handshake. It is for test harnesses (see sdk/llmtest); plugins call [Main].
func Serve(ctx context.Context, spec *Spec, l net.Listener) error {
	if err := ValidateSpec(spec); err != nil {
		return fmt.Errorf("check spec: %w", err)
	}
	s := pluginproto.NewServer(nil)
	llmv1.RegisterLlmServiceServer(s, &server{spec: spec})
	defer context.AfterFunc(ctx, s.Stop)()
	if err := s.Serve(l); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve %s: %w", spec.Name, err)
	}
	return nil
}

// server turns the protocol's calls into calls of the spec's functions.
type server struct {
	llmv1.UnimplementedLlmServiceServer
	spec *Spec
}

// Describe implements the protocol.
func (s *server) Describe(ctx context.Context, _ *llmv1.DescribeRequest) (*llmv1.DescribeResponse, error) {
	models := s.spec.Models
	if s.spec.Discover != nil {
		ctx, cancel := context.WithTimeout(ctx, describeTimeout)
		defer cancel()
		var err error
		if models, err = s.spec.Discover(ctx); err != nil {
			return nil, toStatus(err)
		}
		if err := validateModels(s.spec, models); err != nil {
			return nil, toStatus(Errorf(CodeInternal, "discovered models: %v", err))
		}
	}
	res := &llmv1.DescribeResponse{Name: s.spec.Name, Version: s.spec.Version, Remote: s.spec.Remote}
	for _, m := range models {
		res.Models = append(res.Models, modelToProto(m))
	}
	return res, nil
}

// Generate implements the protocol.
func (s *server) Generate(req *llmv1.GenerateRequest, stream grpc.ServerStreamingServer[llmv1.GenerateResponse]) error {
	if s.spec.Generate == nil {
		return toStatus(Errorf(CodeUnsupported, "%s can't generate text", s.spec.Name))
	}
	r, err := generateRequestFromProto(req)
	if err != nil {
		return toStatus(err)
	}
	emit := func(c Chunk) error {
		if c.Text == "" && len(c.ToolCalls) == 0 {
			return nil
		}
		return stream.Send(&llmv1.GenerateResponse{TextDelta: c.Text, ToolCalls: toolCallsToProto(c.ToolCalls)})
	}
	end, err := s.spec.Generate(stream.Context(), r, emit)
	if err != nil {
		return toStatus(err)
	}
	if end == nil || end.Reason < FinishStop || end.Reason > FinishContentFilter {
		return toStatus(Errorf(CodeInternal, "%s closed its answer without a finish reason", s.spec.Name))
	}
	return stream.Send(&llmv1.GenerateResponse{
		FinishReason: llmv1.FinishReason(end.Reason),
		Usage:        usageToProto(end.Usage),
		Model:        end.Model,
		Refusal:      end.Refusal,
	})
}

// Embed implements the protocol.
func (s *server) Embed(ctx context.Context, req *llmv1.EmbedRequest) (*llmv1.EmbedResponse, error) {
	if s.spec.Embed == nil {
		return nil, toStatus(Errorf(CodeUnsupported, "%s can't embed", s.spec.Name))
	}
	if err := checkCount("texts", len(req.GetTexts())); err != nil {
		return nil, toStatus(err)
	}
	kind := EmbedKind(req.GetKind())
	if kind == "" {
		kind = EmbedPassage
	}
	got, err := s.spec.Embed(ctx, &EmbedRequest{Model: req.GetModel(), Texts: req.GetTexts(), Kind: kind})
	if err != nil {
		return nil, toStatus(err)
	}
	if got == nil || len(got.Vectors) != len(req.GetTexts()) {
		return nil, toStatus(Errorf(CodeInternal, "%s did not answer one vector a text", s.spec.Name))
	}
	res := &llmv1.EmbedResponse{Usage: usageToProto(got.Usage), Model: got.Model}
	for _, v := range got.Vectors {
		res.Vectors = append(res.Vectors, &llmv1.Vector{Values: v})
	}
	return res, nil
}

// Rerank implements the protocol.
func (s *server) Rerank(ctx context.Context, req *llmv1.RerankRequest) (*llmv1.RerankResponse, error) {
	if s.spec.Rerank == nil {
		return nil, toStatus(Errorf(CodeUnsupported, "%s can't rerank", s.spec.Name))
	}
	if err := checkCount("passages", len(req.GetPassages())); err != nil {
		return nil, toStatus(err)
	}
	got, err := s.spec.Rerank(ctx, &RerankRequest{Model: req.GetModel(), Query: req.GetQuery(), Passages: req.GetPassages()})
	if err != nil {
		return nil, toStatus(err)
	}
	if got == nil || len(got.Scores) != len(req.GetPassages()) {
		return nil, toStatus(Errorf(CodeInternal, "%s did not answer one score a passage", s.spec.Name))
	}
	return &llmv1.RerankResponse{Scores: got.Scores, Usage: usageToProto(got.Usage), Model: got.Model}, nil
}

func checkCount(what string, n int) error {
	if n == 0 || n > MaxTexts {
		return Errorf(CodeInvalidRequest, "%d %s given; send 1 to %d", n, what, MaxTexts)
	}
	return nil
}
