// Package rpc streams to clients that speak Connect what the WebSocket pushes.
package rpc

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
	realtimev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1/realtimev1connect"
)

// errInterrupted asks the client to come back.
var errInterrupted = errs.Define(errs.Unavailable, "stream_interrupted",
	"The stream was interrupted. Watch again with after_seq set to the last event you saw.",
	"La transmisión se interrumpió. Vuelve a conectarte con after_seq igual al último evento que viste.")

var errExpired = errs.Define(errs.Unauthenticated, "token_expired",
	"Your token has expired. Sign in again.", "Tu sesión ha caducado. Inicia sesión de nuevo.")

// Handler implements RealtimeService.
type Handler struct {
	hub *hub.Hub
	cfg realtime.Config
}

// Service is the handler as the server mounts it.
func Service(h *hub.Hub, cfg realtime.Config) rpc.Service {
	return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return realtimev1connect.NewRealtimeServiceHandler(&Handler{hub: h, cfg: cfg}, opts...)
	}}
}

// Watch implements RealtimeService.
func (h *Handler) Watch(ctx context.Context, req *realtimev1.WatchRequest, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	actor := rpc.Actor(ctx)
	if !actor.ExpiresAt.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, actor.ExpiresAt, errExpired.New())
		defer cancel()
	}
	screen, err := h.hub.Join(ctx, actor)
	if err != nil {
		return err
	}
	defer screen.Leave()
	hello := &realtimev1.Hello{Seq: screen.Joined(), Epoch: screen.Epoch(), UserId: actor.UserID}
	if err := stream.Send(&realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Hello{Hello: hello}}); err != nil {
		return err
	}
	if req.AfterSeq != nil {
		if err := resume(ctx, screen, req.GetAfterSeq(), stream); err != nil {
			return err
		}
	}
	return h.follow(ctx, screen, stream)
}

func resume(ctx context.Context, screen *hub.Screen, after int64, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	missed, ok, err := screen.Missed(ctx, after, screen.Joined())
	if err != nil {
		return err
	}
	if !ok || after > screen.Joined() {
		return stream.Send(&realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Reset_{Reset_: &realtimev1.Reset{Seq: screen.Joined()}}})
	}
	for _, e := range missed {
		if err := stream.Send(event(e)); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handler) follow(ctx context.Context, screen *hub.Screen, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	heartbeat := time.NewTicker(h.cfg.Heartbeat)
	defer heartbeat.Stop()
	for {
		var out *realtimev1.WatchResponse
		select {
		case <-ctx.Done():
			var expired *errs.Error
			if errors.As(context.Cause(ctx), &expired) {
				return expired
			}
			return ctx.Err()
		case p, open := <-screen.Pushes():
			switch {
			case !open:
				return errInterrupted.New().After(time.Second).Because(screen.Why())
			case p.Event != nil:
				out = event(p.Event)
			default:
				out = &realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Transient{
					Transient: &realtimev1.Transient{Type: p.Transient.Type, Payload: string(p.Transient.Payload)}}}
			}
		case now := <-heartbeat.C:
			out = &realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Heartbeat{
				Heartbeat: &realtimev1.Heartbeat{Time: timestamppb.New(now)}}}
		}
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

func event(e *hub.Encoded) *realtimev1.WatchResponse {
	out := &eventsv1.Event{
		Id: e.ID.String(), Position: e.Position, Type: e.Type, StreamId: e.Stream.Name(), Version: e.Version,
		UserId: e.Stream.SubjectID, Data: string(e.Raw), OccurredAt: timestamppb.New(e.OccurredAt),
		Actor: e.Meta.Actor, RequestId: e.Meta.RequestID,
	}
	if e.Stream.CourseID != "" {
		out.CourseId = &e.Stream.CourseID
	}
	return &realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Event{Event: out}}
}
