package standin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// PutUser adds a person or replaces the one of the same id, and tells so.
func (s *Server) PutUser(u User) error {
	_, known := s.people.user(u.ID)
	if err := s.people.putUser(u); err != nil {
		return err
	}
	eventType := UserCreated
	if known {
		eventType = UserUpdated
	}
	s.outbox.add(eventType, u.ID, map[string]any{"email": u.Email, "full_name": u.FullName, "is_active": !u.Inactive})
	return nil
}

// RemoveUser deletes a person, ends their logins and tells so; tokens they hold
// stay signed until they expire, but validate no more.
func (s *Server) RemoveUser(id string) {
	s.people.removeUser(id)
	s.refresh.revoke(id)
	s.outbox.add(UserDeleted, id, map[string]any{})
}

// PutCourse adds a course or replaces the one of the same id, and tells so.
func (s *Server) PutCourse(c Course) error {
	if err := s.people.putCourse(c); err != nil {
		return err
	}
	s.outbox.add(CourseUpdated, c.ID, map[string]any{"title": c.Title, "description": c.Description, "status": c.Status})
	return nil
}

// RemoveCourse deletes a course and everybody's place in it, and tells so.
func (s *Server) RemoveCourse(id string) {
	s.people.removeCourse(id)
	s.outbox.add(CourseDeleted, id, map[string]any{})
}

// RotateKey has tokens signed with a fresh key from now on. The old one stays
// published until the last token that it signed has expired. Only with RS256.
func (s *Server) RotateKey() error { return s.issuer.rotate() }

// Run hands this academy's events over until ctx ends. Without Config.Events it
// returns at once.
func (s *Server) Run(ctx context.Context) {
	if s.outbox.to != nil {
		s.outbox.run(ctx)
	}
}

// apiPutUser is the body of PUT /api/users/{id}: what the academy's own pages
// would change.
type apiPutUser struct {
	Email    string       `json:"email"`
	FullName string       `json:"full_name"`
	Password string       `json:"password"`
	Roles    []string     `json:"roles"`
	Courses  []Membership `json:"courses"`
	IsActive *bool        `json:"is_active"`
}

func (s *Server) apiPutUser(w http.ResponseWriter, r *http.Request) {
	var in apiPutUser
	if !readJSON(w, r, &in) {
		return
	}
	err := s.PutUser(User{
		ID: r.PathValue("id"), Email: in.Email, FullName: in.FullName, Password: in.Password, Roles: in.Roles,
		Courses: in.Courses, Inactive: in.IsActive != nil && !*in.IsActive,
	})
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_argument", err.Error())
		return
	}
	s.apiUser(w, r)
}

func (s *Server) apiDeleteUser(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.people.user(r.PathValue("id")); !ok {
		noSuch(w, "user", r.PathValue("id"))
		return
	}
	s.RemoveUser(r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) apiPutCourse(w http.ResponseWriter, r *http.Request) {
	var in Course
	if !readJSON(w, r, &in) {
		return
	}
	in.ID = r.PathValue("id")
	if err := s.PutCourse(in); err != nil {
		writeError(w, http.StatusBadRequest, "invalid_argument", err.Error())
		return
	}
	s.apiCourse(w, r)
}

func (s *Server) apiDeleteCourse(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.people.course(r.PathValue("id")); !ok {
		noSuch(w, "course", r.PathValue("id"))
		return
	}
	s.RemoveCourse(r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) apiRotate(w http.ResponseWriter, _ *http.Request) {
	if err := s.RotateKey(); err != nil {
		writeError(w, http.StatusConflict, "failed_precondition", err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// discovery is the OpenID Connect document of an issuer that is an address.
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	issuer := s.config.Issuer
	if u, err := url.Parse(issuer); err != nil || u.Host == "" {
		writeError(w, http.StatusNotFound, "not_found", fmt.Sprintf("the issuer %q is no address, so there is nothing to discover", issuer))
		return
	}
	base := strings.TrimRight(issuer, "/")
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": issuer, "jwks_uri": base + "/.well-known/jwks.json",
		"authorization_endpoint": base + "/login", "token_endpoint": base + "/api/auth/refresh",
		"response_types_supported": []string{"token"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{s.config.Algorithm},
	})
}
