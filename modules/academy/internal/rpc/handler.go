// Package rpc puts the academy's lookups on every face.
package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	academyv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/academy/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/academy/v1/academyv1connect"
)

// Handler implements AcademyService.
type Handler struct{ academy academy.Service }

// Service is the handler as the server mounts it.
func Service(service academy.Service) rpc.Service {
	return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return academyv1connect.NewAcademyServiceHandler(New(service), opts...)
	}}
}

// New makes the handler.
func New(service academy.Service) *Handler { return &Handler{academy: service} }

// GetMe implements AcademyService.
func (h *Handler) GetMe(ctx context.Context, _ *academyv1.GetMeRequest) (*academyv1.User, error) {
	actor := rpc.Actor(ctx)
	me := &academyv1.User{Id: actor.UserID, Email: actor.Email, CourseIds: actor.CourseIDs}
	for _, role := range actor.Roles {
		me.Roles = append(me.Roles, string(role))
	}
	user, err := h.academy.User(ctx, actor.UserID)
	if err != nil {
		me.Degraded = true // the token's word is enough to go on
		return me, nil     //nolint:nilerr // degraded says it
	}
	me.Email, me.FullName = user.Email, user.FullName
	return me, nil
}

// GetCourse implements AcademyService.
func (h *Handler) GetCourse(ctx context.Context, req *academyv1.GetCourseRequest) (*academyv1.Course, error) {
	course, err := h.academy.Course(ctx, req.GetId())
	if err != nil {
		return nil, err
	}
	return &academyv1.Course{Id: course.ID, Title: course.Title, Description: course.Description, Status: course.Status}, nil
}

// ListCourses implements AcademyService.
func (h *Handler) ListCourses(ctx context.Context, _ *academyv1.ListCoursesRequest) (*academyv1.ListCoursesResponse, error) {
	courses, err := h.academy.Courses(ctx, rpc.Actor(ctx).UserID)
	if err != nil {
		return nil, err
	}
	answer := &academyv1.ListCoursesResponse{}
	for _, m := range courses {
		answer.Courses = append(answer.Courses, &academyv1.Membership{Id: m.ID, Role: m.Role})
	}
	return answer, nil
}
