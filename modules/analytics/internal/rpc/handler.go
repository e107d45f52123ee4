// Package rpc puts the figures on every face.
package rpc

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	analyticsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/analytics/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/analytics/v1/analyticsv1connect"
)

// defaultDays is how far ListActivity looks back when nothing is asked for.
const defaultDays = 30

// Handler implements AnalyticsService.
type Handler struct{ analytics analytics.Service }

// Service is the handler as the server mounts it.
func Service(service analytics.Service) rpc.Service {
	return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return analyticsv1connect.NewAnalyticsServiceHandler(New(service), opts...)
	}}
}

// New makes the handler.
func New(service analytics.Service) *Handler { return &Handler{analytics: service} }

// GetProgress implements AnalyticsService.
func (h *Handler) GetProgress(ctx context.Context, req *analyticsv1.GetProgressRequest) (*analyticsv1.Progress, error) {
	p, err := h.analytics.Progress(ctx, rpc.Actor(ctx), analytics.Who{UserID: req.GetUserId(), CourseID: req.GetCourseId()})
	if err != nil {
		return nil, err
	}
	return progress(p), nil
}

// ListActivity implements AnalyticsService.
func (h *Handler) ListActivity(ctx context.Context, req *analyticsv1.ListActivityRequest) (*analyticsv1.ListActivityResponse, error) {
	n := int(req.GetDays())
	if n == 0 {
		n = defaultDays
	}
	days, err := h.analytics.Activity(ctx, rpc.Actor(ctx), analytics.Who{UserID: req.GetUserId(), CourseID: req.GetCourseId()}, n)
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.ListActivityResponse{}
	for _, d := range days {
		answer.Days = append(answer.Days, &analyticsv1.ActivityDay{
			Date: d.Date.Format(time.DateOnly), Events: int32(d.Events), Submissions: int32(d.Submissions),
			Passed: int32(d.Passed), TasksCompleted: int32(d.TasksCompleted),
		})
	}
	return answer, nil
}

// GetCourseProgress implements AnalyticsService.
func (h *Handler) GetCourseProgress(ctx context.Context, req *analyticsv1.GetCourseProgressRequest) (*analyticsv1.CourseProgress, error) {
	class, err := h.analytics.Course(ctx, rpc.Actor(ctx), req.GetCourseId())
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.CourseProgress{CourseId: req.GetCourseId()}
	for _, p := range class {
		answer.Learners = append(answer.Learners, progress(p))
		answer.AverageProgress += p.Percent / float64(len(class))
	}
	return answer, nil
}

func progress(p analytics.Progress) *analyticsv1.Progress {
	out := &analyticsv1.Progress{
		UserId: p.UserID, CourseId: p.CourseID, Goals: counts(p.Goals), Tasks: counts(p.Tasks), Verdicts: counts(p.Verdicts),
		Progress: p.Percent, EstimatedHours: p.EstimatedHours, ActualHours: p.ActualHours,
		StreakDays: int32(p.StreakDays), Submissions: int32(p.Submissions), Hints: int32(p.Hints),
	}
	if !p.LastActiveAt.IsZero() {
		out.LastActiveAt = timestamppb.New(p.LastActiveAt)
	}
	return out
}

func counts(in map[string]int) map[string]int32 {
	out := make(map[string]int32, len(in))
	for status, n := range in {
		out[status] = int32(n)
	}
	return out
}
