// Package rpc lets people read the log.
package rpc

import (
	"context"
	"fmt"
	"net/http"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/page"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1/eventsv1connect"
)

// Handler implements EventsService.
type Handler struct {
	db  *postgres.DB
	log *events.Log
}

// New makes the handler.
func New(db *postgres.DB, log *events.Log) *Handler { return &Handler{db: db, log: log} }

// Service is the handler as the server mounts it.
func Service(db *postgres.DB, log *events.Log) rpc.Service {
	return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return eventsv1connect.NewEventsServiceHandler(New(db, log), opts...)
	}}
}

// defaultPage is how many events a page has when nothing is asked for, maxPage
// the most.
const (
	defaultPage = 50
	maxPage     = 100
)

// ListEvents implements EventsService.
func (h *Handler) ListEvents(ctx context.Context, req *eventsv1.ListEventsRequest) (*eventsv1.ListEventsResponse, error) {
	actor := rpc.Actor(ctx)
	f := events.Filter{
		For: actor, Types: req.GetType(), CourseID: req.GetCourseId(),
		Descending: req.GetDescending(), Limit: defaultPage,
	}
	if size := int(req.GetPageSize()); size > 0 {
		f.Limit = min(size, maxPage)
	}
	var err error
	if f.GoalID, err = parseID("goal_id", req.GetGoalId()); err != nil {
		return nil, err
	}
	if f.TaskID, err = parseID("task_id", req.GetTaskId()); err != nil {
		return nil, err
	}
	scope := fmt.Sprintf("events type=%q goal=%s task=%s course=%q descending=%t", f.Types, f.GoalID, f.TaskID, f.CourseID, f.Descending)
	var position int64
	if err := page.Decode(req.GetPageToken(), scope, &position); err != nil {
		return nil, err
	}
	if f.Descending {
		f.Before = position
	} else {
		f.After = position
	}
	found, next, err := h.log.Read(ctx, h.db.As(actor), f)
	if err != nil {
		return nil, err
	}
	resp := &eventsv1.ListEventsResponse{Events: make([]*eventsv1.Event, len(found))}
	for i, e := range found {
		resp.Events[i] = message(e)
	}
	if next > 0 {
		resp.NextPageToken = page.Encode(scope, next)
	}
	return resp, nil
}

func message(e events.Event) *eventsv1.Event {
	m := &eventsv1.Event{
		Id: e.ID.String(), Position: e.Position, Type: e.Type, StreamId: e.Stream.Name(), Version: e.Version,
		UserId: e.Stream.SubjectID, Data: string(e.Raw), OccurredAt: timestamppb.New(e.OccurredAt),
		Actor: e.Meta.Actor, RequestId: e.Meta.RequestID,
	}
	if e.Stream.CourseID != "" {
		m.CourseId = &e.Stream.CourseID
	}
	return m
}

func parseID(field, text string) (uuid.UUID, error) {
	if text == "" {
		return uuid.UUID{}, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.UUID{}, errs.BadInput.New(errs.Say("%s is no UUID", "%s no es un UUID", field)).WithField(field, "must be a UUID")
	}
	return id, nil
}
