package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
)

// User asks for a person; ok is false when there is none.
func (c *Client) User(ctx context.Context, id string) (user academy.User, ok bool, err error) {
	var said struct {
		ID       auth.ID `json:"id"`
		Email    string  `json:"email"`
		FullName string  `json:"full_name"`
		IsActive *bool   `json:"is_active"`
	}
	ok, err = c.get(ctx, "/api/users/"+url.PathEscape(id), &said)
	switch {
	case !ok || err != nil:
		return user, false, err
	case string(said.ID) != id:
		return user, false, fmt.Errorf("the academy answers another user than %q", id)
	case said.IsActive == nil: // nobody is refused for a word that is missing
		return user, false, errors.New("the academy's answer to /api/users/{id} has no is_active")
	}
	return academy.User{ID: id, Email: said.Email, FullName: said.FullName, IsActive: *said.IsActive}, true, nil
}

// Course asks for a course; ok is false when there is none.
func (c *Client) Course(ctx context.Context, id string) (course academy.Course, ok bool, err error) {
	var said struct {
		ID          auth.ID `json:"id"`
		Title       string  `json:"title"`
		Description string  `json:"description"`
		Status      string  `json:"status"`
	}
	ok, err = c.get(ctx, "/api/courses/"+url.PathEscape(id), &said)
	switch {
	case !ok || err != nil:
		return course, false, err
	case string(said.ID) != id:
		return course, false, fmt.Errorf("the academy answers another course than %q", id)
	}
	return academy.Course{ID: id, Title: said.Title, Description: said.Description, Status: said.Status}, true, nil
}

// Courses asks for a person's courses; ok is false when there is no such person.
func (c *Client) Courses(ctx context.Context, userID string) (courses []academy.Membership, ok bool, err error) {
	var said []struct {
		ID   auth.ID `json:"id"`
		Role string  `json:"role"`
	}
	if ok, err = c.get(ctx, "/api/users/"+url.PathEscape(userID)+"/courses", &said); !ok || err != nil {
		return nil, false, err
	}
	courses = make([]academy.Membership, len(said))
	for i, m := range said {
		courses[i] = academy.Membership{ID: string(m.ID), Role: m.Role}
	}
	return courses, true, nil
}
