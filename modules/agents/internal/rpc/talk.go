package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/convert"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1/agentsv1connect"
)

// Talk implements agentsv1connect.TutorServiceHandler.
type Talk struct {
	db     *postgres.DB
	talker agents.Talker
}

// TutorService is the handler as the server mounts it.
func TutorService(db *postgres.DB, talker agents.Talker) corerpc.Service {
	return corerpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return agentsv1connect.NewTutorServiceHandler(&Talk{db: db, talker: talker}, opts...)
	}}
}

var _ agentsv1connect.TutorServiceHandler = (*Talk)(nil)

// AskTutor implements the handler.
func (h *Talk) AskTutor(ctx context.Context, req *agentsv1.AskTutorRequest) (*agentsv1.AgentRun, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*agentsv1.AgentRun, error) {
		r, err := h.talker.AskTx(ctx, tx, agents.TutorQuestion{TaskID: req.GetTaskId(), Text: req.GetText(), Locale: req.GetLocale()})
		if err != nil {
			return nil, err
		}
		return convert.Run(r), nil
	})
}

// GetConversation implements the handler.
func (h *Talk) GetConversation(ctx context.Context, req *agentsv1.GetConversationRequest) (*agentsv1.Conversation, error) {
	list, err := h.talker.Conversation(ctx, corerpc.Actor(ctx), req.GetTaskId())
	if err != nil {
		return nil, err
	}
	out := &agentsv1.Conversation{}
	for _, m := range list {
		id := ""
		if m.From == agents.FromTutor {
			id = m.RunID
		}
		out.Messages = append(out.Messages, &agentsv1.TutorMessage{
			Id: id, Dispute: string(m.Dispute),
			Number: int32(m.Number), From: m.From, Text: m.Text, Citations: convert.Citations(m.Citations), LookedAt: m.LookedAt,
			Label: m.Label, CreatedAt: timestamppb.New(m.CreatedAt),
		})
	}
	return out, nil
}
