package standin

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Header marks every answer of a stand-in, so that nobody takes it for the
// real academy. Its value is "stand-in".
const Header = "X-Academy"

// maxBody is far above any request of the contract, in bytes.
const maxBody = 64 << 10

// Server is one academy stand-in. It is an http.Handler, safe for concurrent
// use; nothing needs closing. Where it is to tell others of changes, Run it.
type Server struct {
	config  Config
	people  *directory
	issuer  *issuer
	refresh *refreshTokens
	outbox  *outbox
	formKey []byte // signs login forms; lives as long as the process
	handler http.Handler
}

// New makes a stand-in. It refuses a short secret, an unknown algorithm,
// malformed redirect URIs, and users or courses with wrong or repeated ids.
func New(config Config) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("academy stand-in: %w", err)
	}
	people, err := newDirectory(config.Users, config.Courses)
	if err != nil {
		return nil, fmt.Errorf("academy stand-in: %w", err)
	}
	issuer, err := newIssuer(config)
	if err != nil {
		return nil, fmt.Errorf("academy stand-in: %w", err)
	}
	s := &Server{
		config: config, people: people, issuer: issuer,
		refresh: newRefreshTokens(config.RefreshTTL, config.Now),
		outbox:  newOutbox(config),
		formKey: []byte(rand.Text()),
	}
	s.handler = s.routes()
	return s, nil
}

// ServeHTTP answers the academy's HTTP contract.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Token gives an access token for a user, as a login would. It works for
// inactive users too: their tokens were issued before.
func (s *Server) Token(userID string) (string, error) {
	u, ok := s.people.user(userID)
	if !ok {
		return "", fmt.Errorf("user %s: the academy has no such user", userID)
	}
	return s.issuer.issue(u)
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /login", s.loginPage)
	mux.Handle("POST /login", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.loginForm)))
	mux.HandleFunc("GET /style.css", style)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /.well-known/jwks.json", s.jwks)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("POST /api/auth/login", s.apiLogin)
	mux.HandleFunc("POST /api/auth/refresh", s.apiRefresh)
	mux.HandleFunc("POST /api/auth/validate", s.service(s.apiValidate))
	mux.HandleFunc("GET /api/users/{id}", s.service(s.apiUser))
	mux.HandleFunc("GET /api/users/{id}/courses", s.service(s.apiUserCourses))
	mux.HandleFunc("GET /api/courses/{id}", s.service(s.apiCourse))
	mux.HandleFunc("PUT /api/users/{id}", s.service(s.apiPutUser))
	mux.HandleFunc("DELETE /api/users/{id}", s.service(s.apiDeleteUser))
	mux.HandleFunc("PUT /api/courses/{id}", s.service(s.apiPutCourse))
	mux.HandleFunc("DELETE /api/courses/{id}", s.service(s.apiDeleteCourse))
	mux.HandleFunc("POST /api/keys/rotate", s.service(s.apiRotate))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, "not_found", fmt.Sprintf("no endpoint answers %s %s", r.Method, r.URL.Path))
	})
	return s.logged(browsers(mux))
}

// browsers adds the headers that keep pages from being framed, cached or
// leaking a token by Referer, and lets pages of this machine (the tracker's
// web app) call the two endpoints that take a password or a refresh token.
func browsers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set(Header, "stand-in")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		if r.URL.Path == "/api/auth/login" || r.URL.Path == "/api/auth/refresh" {
			h.Set("Vary", "Origin")
			origin := r.Header.Get("Origin")
			if u, err := url.Parse(origin); err == nil && u.Scheme == "http" && isLoopback(u.Hostname()) {
				h.Set("Access-Control-Allow-Origin", origin)
				h.Set("Access-Control-Allow-Headers", "Content-Type")
				h.Set("Access-Control-Allow-Methods", "POST")
			}
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// logged writes the path and never the query, which may hold tokens.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		s.config.Logger.Info("request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", rec.status), slog.Duration("took", time.Since(start).Round(time.Microsecond)))
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The status is out; a client that hung up needs no further answer.
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // made of strings and numbers
}

// apiError is the body of every refusal under /api.
type apiError struct {
	Code    string `json:"code"`    // stable, snake_case
	Message string `json:"message"` // for people
	// Reason is "service_key" when the caller's own key was refused, and not what
	// it asked about.
	Reason string `json:"reason,omitempty"`
}

func writeError(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, apiError{Code: code, Message: message})
}

// readJSON reads a JSON body, or answers 400, 413 or 415 itself.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if !isJSON(r.Header.Get("Content-Type")) {
		writeError(w, http.StatusUnsupportedMediaType, "invalid_argument", "send the body as Content-Type: application/json")
		return false
	}
	err := json.NewDecoder(r.Body).Decode(into)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeError(w, http.StatusRequestEntityTooLarge, "invalid_argument", fmt.Sprintf("the body is larger than %d bytes", maxBody))
	case err != nil:
		writeError(w, http.StatusBadRequest, "invalid_argument", "the body is not valid JSON: "+err.Error())
	default:
		return true
	}
	return false
}
