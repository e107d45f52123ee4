// Package rpc serves tracker.tasks.v1.TasksService: it converts and calls the
// service, which decides.
package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/convert"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1/tasksv1connect"
)

// Handler implements tasksv1connect.TasksServiceHandler.
type Handler struct {
	db    *postgres.DB
	tasks tasks.Service
}

// New makes the handler.
func New(db *postgres.DB, service tasks.Service) *Handler { return &Handler{db: db, tasks: service} }

var _ tasksv1connect.TasksServiceHandler = (*Handler)(nil)

// Service mounts the handler.
func (h *Handler) Service() corerpc.Service {
	return corerpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return tasksv1connect.NewTasksServiceHandler(h, opts...)
	}}
}

// CreateTask implements the handler.
func (h *Handler) CreateTask(ctx context.Context, req *tasksv1.CreateTaskRequest) (*tasksv1.Task, error) {
	metadata, err := goals.ParseMetadata("metadata", req.GetMetadata())
	if err != nil {
		return nil, err
	}
	validation, err := validationOf(req.GetValidation())
	if err != nil {
		return nil, err
	}
	n := tasks.New{Last: req.Position == nil, Details: tasks.Details{
		Title: req.GetTitle(), Description: req.GetDescription(), Type: convert.Type(req.GetType()), Position: int(req.GetPosition()),
		EstimatedHours: req.EstimatedHours, DependsOn: req.GetDependsOn(), Concepts: req.GetConcepts(), Language: req.GetLanguage(),
		Validation: validation, Citations: convert.Citations(req.GetCitations()), Metadata: metadata,
	}}
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		made, err := h.tasks.CreateTx(ctx, tx, req.GetGoalId(), n)
		if err != nil {
			return tasks.Task{}, err
		}
		return made[0], nil
	})
}

// GetTask implements the handler.
func (h *Handler) GetTask(ctx context.Context, req *tasksv1.GetTaskRequest) (*tasksv1.Task, error) {
	t, err := h.tasks.Get(ctx, corerpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return convert.Task(t), nil
}

// ListTasks implements the handler.
func (h *Handler) ListTasks(ctx context.Context, req *tasksv1.ListTasksRequest) (*tasksv1.ListTasksResponse, error) {
	q := tasks.Query{
		Size: int(req.GetPageSize()), Token: req.GetPageToken(),
		GoalID: req.GetGoalId(), CourseID: req.GetCourseId(), UserID: req.GetUserId(),
	}
	for _, s := range req.GetStatus() {
		if status := convert.Status(s); status != "" {
			q.Statuses = append(q.Statuses, status)
		}
	}
	for _, t := range req.GetType() {
		if kind := convert.Type(t); kind != "" {
			q.Types = append(q.Types, kind)
		}
	}
	page, err := h.tasks.List(ctx, corerpc.Actor(ctx), q)
	if err != nil {
		return nil, err
	}
	answer := &tasksv1.ListTasksResponse{Tasks: make([]*tasksv1.Task, len(page.Tasks)), NextPageToken: page.Next}
	for i, t := range page.Tasks {
		answer.Tasks[i] = convert.Task(t)
	}
	return answer, nil
}

// UpdateTask implements the handler.
func (h *Handler) UpdateTask(ctx context.Context, req *tasksv1.UpdateTaskRequest) (*tasksv1.Task, error) {
	patch, err := patchOf(req)
	if err != nil {
		return nil, err
	}
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return h.tasks.UpdateTx(ctx, tx, req.GetId(), req.Version, patch)
	})
}

// DeleteTask implements the handler.
func (h *Handler) DeleteTask(ctx context.Context, req *tasksv1.DeleteTaskRequest) (*emptypb.Empty, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*emptypb.Empty, error) {
		return &emptypb.Empty{}, h.tasks.DeleteTx(ctx, tx, req.GetId(), req.Version)
	})
}

// StartTask implements the handler.
func (h *Handler) StartTask(ctx context.Context, req *tasksv1.StartTaskRequest) (*tasksv1.Task, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return h.tasks.StartTx(ctx, tx, req.GetId(), req.Version)
	})
}

// SkipTask implements the handler.
func (h *Handler) SkipTask(ctx context.Context, req *tasksv1.SkipTaskRequest) (*tasksv1.Task, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return h.tasks.SkipTx(ctx, tx, req.GetId(), req.Version)
	})
}

// CompleteTask implements the handler.
func (h *Handler) CompleteTask(ctx context.Context, req *tasksv1.CompleteTaskRequest) (*tasksv1.Task, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return h.tasks.CompleteTx(ctx, tx, req.GetId(), req.Version, req.ActualHours)
	})
}

// ReopenTask implements the handler.
func (h *Handler) ReopenTask(ctx context.Context, req *tasksv1.ReopenTaskRequest) (*tasksv1.Task, error) {
	return h.mutate(ctx, req, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return h.tasks.ReopenTx(ctx, tx, req.GetId(), req.Version)
	})
}

// mutate runs a mutation that answers with the task.
func (h *Handler) mutate(ctx context.Context, req proto.Message, do func(context.Context, *postgres.Tx) (tasks.Task, error)) (*tasksv1.Task, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*tasksv1.Task, error) {
		t, err := do(ctx, tx)
		if err != nil {
			return nil, err
		}
		return convert.Task(t), nil
	})
}
