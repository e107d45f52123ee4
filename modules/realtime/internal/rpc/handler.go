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

var errErased = errs.Define(errs.PermissionDenied, "account_erased",
	"This account is being erased.", "Esta cuenta se está borrando.")

// Handler implements RealtimeService.
type Handler struct {
	hub *hub.Hub
	cfg realtime.Config
}

// Service is the handler as the server mounts it.
func Service(h *hub.Hub, cfg realtime.Config) rpc.Service {
	return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		path, handler := realtimev1connect.NewRealtimeServiceHandler(&Handler{hub: h, cfg: cfg}, opts...)
		return path, patient(cfg.WriteTimeout, handler)
	}}
}

// Watch implements RealtimeService.
func (h *Handler) Watch(ctx context.Context, req *realtimev1.WatchRequest, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	expires := rpc.Actor(ctx).ExpiresAt
	if expires.IsZero() {
		return h.watch(ctx, req, stream)
	}
	ctx, cancel := context.WithDeadlineCause(ctx, expires, errExpired.New())
	defer cancel()
	err := h.watch(ctx, req, stream)
	// Wherever it came in between: to begin, to resume or to wait.
	var expired *errs.Error
	if err != nil && errors.As(context.Cause(ctx), &expired) {
		return expired
	}
	return err
}

func (h *Handler) watch(ctx context.Context, req *realtimev1.WatchRequest, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	actor := rpc.Actor(ctx)
	more := make(chan struct{}, 1)
	screen, err := h.hub.Join(ctx, actor, func() {
		select {
		case more <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return interrupted(err)
	}
	defer screen.Leave()
	stream.ResponseHeader().Set("X-Accel-Buffering", "no") // proxies pass on what there is
	hello := &realtimev1.Hello{Seq: screen.Joined(), Epoch: screen.Epoch(), UserId: actor.UserID}
	if err := stream.Send(&realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Hello{Hello: hello}}); err != nil {
		return err
	}
	if req.AfterSeq != nil {
		if err := resume(ctx, screen, req, stream); err != nil {
			return err
		}
	}
	return h.follow(ctx, screen, req.GetAfterSeq(), more, stream)
}

// resume sends what came after the client's last event, up to where the
// screen's queue begins; reset when it can't.
func resume(ctx context.Context, screen *hub.Screen, req *realtimev1.WatchRequest, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	after, ok := req.GetAfterSeq(), false
	if (req.GetEpoch() == "" || req.GetEpoch() == screen.Epoch()) && screen.Reached(ctx, after) {
		var err error
		_, ok, err = screen.Missed(ctx, after, screen.Joined(), func(missed []*hub.Event) error {
			for _, e := range missed {
				if err := stream.Send(event(e)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if ok {
		return nil
	}
	*req.AfterSeq = screen.Joined()
	return stream.Send(&realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Reset_{Reset_: &realtimev1.Reset{Seq: screen.Joined()}}})
}

// follow sends what comes, without what the client has seen on another replica.
func (h *Handler) follow(ctx context.Context, screen *hub.Screen, seen int64, more <-chan struct{}, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	heartbeat := time.NewTicker(h.cfg.Heartbeat)
	defer heartbeat.Stop()
	for {
		pushes, ended := screen.Take(false)
		if ended != nil {
			return interrupted(ended)
		}
		for _, p := range pushes {
			if p.Event != nil && p.Event.Position <= seen {
				continue
			}
			if err := stream.Send(response(p)); err != nil {
				return err
			}
		}
		if len(pushes) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-more:
		case now := <-heartbeat.C:
			beat := &realtimev1.Heartbeat{Time: timestamppb.New(now)}
			if err := stream.Send(&realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Heartbeat{Heartbeat: beat}}); err != nil {
				return err
			}
		}
	}
}

// interrupted is what the client learns of the end of its screen.
func interrupted(why error) error {
	var e *errs.Error
	switch {
	case errors.As(why, &e):
		return why
	case errors.Is(why, hub.ErrErased):
		return errErased.New()
	default:
		return errInterrupted.New().After(time.Second).Because(why)
	}
}

func response(p hub.Push) *realtimev1.WatchResponse {
	if p.Event != nil {
		return event(p.Event)
	}
	return &realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Transient{
		Transient: &realtimev1.Transient{Type: p.Transient.Type, Payload: string(p.Transient.Payload)}}}
}

func event(e *hub.Event) *realtimev1.WatchResponse {
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
