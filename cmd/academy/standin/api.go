package standin

import (
	"crypto/subtle"
	"mime"
	"net/http"
	"strings"
)

// Tokens is the answer of a login or a refresh.
type Tokens struct {
	Token        string `json:"token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type"` // always "Bearer"
	ExpiresIn    int    `json:"expires_in"` // seconds until Token expires
	UserID       string `json:"user_id"`
}

// userAnswer is what GET /api/users/{id} says.
type userAnswer struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	FullName string `json:"full_name"`
	IsActive bool   `json:"is_active"`
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "stand_in": true})
}

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"keys": s.issuer.keys()})
}

func (s *Server) apiLogin(w http.ResponseWriter, r *http.Request) {
	var in struct{ Email, Password string }
	if !readJSON(w, r, &in) {
		return
	}
	u, ok := s.people.byPassword(in.Email, in.Password)
	switch {
	case !ok:
		writeError(w, http.StatusUnauthorized, "unauthenticated", "the email or the password is wrong")
	case u.Inactive:
		inactive(w, u)
	default:
		s.writeTokens(w, u, s.refresh.start(u.ID))
	}
}

func (s *Server) apiRefresh(w http.ResponseWriter, r *http.Request) {
	var in struct {
		RefreshToken string `json:"refresh_token"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if in.RefreshToken == "" {
		writeError(w, http.StatusBadRequest, "invalid_argument", "refresh_token is missing")
		return
	}
	id, next, err := s.refresh.rotate(in.RefreshToken)
	if err != nil {
		writeError(w, http.StatusUnauthorized, "unauthenticated", err.Error())
		return
	}
	u, ok := s.people.user(id)
	switch {
	case !ok:
		writeError(w, http.StatusUnauthorized, "unauthenticated", errRefreshUnknown.Error())
	case u.Inactive:
		inactive(w, u)
	default:
		s.writeTokens(w, u, next)
	}
}

func (s *Server) writeTokens(w http.ResponseWriter, u User, refresh string) {
	token, err := s.issuer.issue(u)
	if err != nil {
		writeError(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	writeJSON(w, http.StatusOK, Tokens{
		Token: token, RefreshToken: refresh, TokenType: "Bearer",
		ExpiresIn: int(s.config.TokenTTL.Seconds()), UserID: u.ID,
	})
}

// apiValidate answers a token's claims. 401 with code invalid_token is about
// the token; the service key's own refusals have other codes.
func (s *Server) apiValidate(w http.ResponseWriter, r *http.Request) {
	var in struct{ Token string }
	if !readJSON(w, r, &in) {
		return
	}
	claims, err := s.issuer.check(in.Token)
	if err != nil {
		writeError(w, http.StatusUnauthorized, "invalid_token", "the token is not valid: "+err.Error())
		return
	}
	u, ok := s.people.user(claims.UserID)
	switch {
	case !ok:
		writeError(w, http.StatusUnauthorized, "invalid_token", "the token's user no longer exists")
	case u.Inactive:
		inactive(w, u)
	default:
		writeJSON(w, http.StatusOK, claims)
	}
}

func (s *Server) apiUser(w http.ResponseWriter, r *http.Request) {
	u, ok := s.people.user(r.PathValue("id"))
	if !ok {
		noSuch(w, "user", r.PathValue("id"))
		return
	}
	writeJSON(w, http.StatusOK, userAnswer{ID: u.ID, Email: u.Email, FullName: u.FullName, IsActive: !u.Inactive})
}

func (s *Server) apiUserCourses(w http.ResponseWriter, r *http.Request) {
	u, ok := s.people.user(r.PathValue("id"))
	if !ok {
		noSuch(w, "user", r.PathValue("id"))
		return
	}
	writeJSON(w, http.StatusOK, append([]Membership{}, u.Courses...))
}

func (s *Server) apiCourse(w http.ResponseWriter, r *http.Request) {
	c, ok := s.people.course(r.PathValue("id"))
	if !ok {
		noSuch(w, "course", r.PathValue("id"))
		return
	}
	writeJSON(w, http.StatusOK, c)
}

// service lets a request through when it carries the service key: 401 without
// one, 403 with another.
func (s *Server) service(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || key == "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="academy"`)
			writeError(w, http.StatusUnauthorized, "unauthenticated", "send Authorization: Bearer <SERVICE_API_KEY>")
			return
		}
		if subtle.ConstantTimeCompare([]byte(key), []byte(s.config.ServiceAPIKey)) != 1 {
			writeJSON(w, http.StatusForbidden, apiError{
				Code: "permission_denied", Reason: "service_key",
				Message: "the service key is not the academy's: check SERVICE_API_KEY on both sides",
			})
			return
		}
		next(w, r)
	}
}

func inactive(w http.ResponseWriter, u User) {
	writeError(w, http.StatusForbidden, "permission_denied", "the account of "+u.Email+" is not active")
}

func noSuch(w http.ResponseWriter, kind, id string) {
	if len(id) > 4*maxID {
		id = id[:4*maxID] + "…"
	}
	writeError(w, http.StatusNotFound, "not_found", "the academy has no "+kind+" "+id)
}

func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}
