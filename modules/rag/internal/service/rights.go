package service

import (
	"context"
	"slices"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
)

// reader is the actor with the right to read a course's material; "" asks for
// no course in particular. Errors: rag.ErrNotYourCourse.
func (s *Service) reader(ctx context.Context, actor auth.Actor, courseID string) (auth.Actor, error) {
	if courseID == "" || actor.Joined(courseID) {
		return actor, nil
	}
	if reader := s.member(ctx, actor); reader.Joined(courseID) {
		return reader, nil
	}
	return actor, rag.ErrNotYourCourse.New(courseID)
}

// editor is the actor with the right to change a course's material. Errors:
// rag.ErrNotATeacher.
func (s *Service) editor(ctx context.Context, actor auth.Actor, courseID string) (auth.Actor, error) {
	if actor.Teaches(courseID) {
		return actor, nil
	}
	if actor.Has(auth.Teacher) && courseID != "" {
		courses, err := s.members.Courses(ctx, actor.UserID)
		for _, m := range courses {
			if err == nil && m.ID == courseID && m.Role == string(auth.Teacher) {
				actor.CourseIDs = append(slices.Clone(actor.CourseIDs), courseID)
				return actor, nil
			}
		}
	}
	return actor, rag.ErrNotATeacher.New(courseID)
}

// member is the actor as a mere reader of all courses that the token or the
// academy names. When the academy can't be asked, the token alone holds.
func (s *Service) member(ctx context.Context, actor auth.Actor) auth.Actor {
	if actor.UserID == "" {
		return actor
	}
	reader := auth.Actor{UserID: actor.UserID, Roles: []auth.Role{auth.Student}, CourseIDs: slices.Clone(actor.CourseIDs)}
	courses, err := s.members.Courses(ctx, actor.UserID)
	if err != nil {
		return reader
	}
	for _, m := range courses {
		if !slices.Contains(reader.CourseIDs, m.ID) {
			reader.CourseIDs = append(reader.CourseIDs, m.ID)
		}
	}
	return reader
}
