package standin

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

//go:embed web
var web embed.FS

var pages = template.Must(template.ParseFS(web, "web/*.html"))

const (
	formCookie = "academy_login"
	formTTL    = time.Hour
	// maxState is the longest state that is echoed, in bytes.
	maxState = 2048
)

// view is what a page shows.
type view struct {
	T         texts
	Languages []languageLink
	Problem   string
	Fatal     bool // nothing to sign in to: no form
	Action    string
	Form      string // proof that this page made the form
	Email     string
	People    []User
	Courses   []Course
	Client    string // where the login goes back to
}

type languageLink struct {
	Code, Name, URL string
	Current         bool
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) {
	v := s.newView(r)
	v.People = s.people.list()
	v.Courses = s.people.listCourses()
	s.render(w, http.StatusOK, "home.html", v, "")
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	s.showLogin(w, r, http.StatusOK, "")
}

// loginForm receives the form. The query is that of the page, covered by the
// form's signature together with the cookie: a form that another site sends,
// or one with another redirect_uri, is refused.
func (s *Server) loginForm(w http.ResponseWriter, r *http.Request) {
	v := s.newView(r)
	target, state, err := s.where(r)
	if err != nil {
		s.showLogin(w, r, http.StatusBadRequest, "")
		return
	}
	if err := r.ParseForm(); err != nil {
		s.showLogin(w, r, http.StatusBadRequest, v.T.FormStale)
		return
	}
	cookie, err := r.Cookie(formCookie)
	if err != nil || !s.formValid(r.PostForm.Get("form"), cookie.Value, r.URL.Query()) {
		s.showLogin(w, r, http.StatusForbidden, v.T.FormStale)
		return
	}
	u, ok := s.people.byPassword(r.PostForm.Get("email"), r.PostForm.Get("password"))
	switch {
	case !ok:
		s.showLogin(w, r, http.StatusUnauthorized, v.T.WrongPassword)
		return
	case u.Inactive:
		s.showLogin(w, r, http.StatusForbidden, v.T.InactiveAccount)
		return
	}
	token, err := s.issuer.issue(u)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	setFormCookie(w, r, "", -1)
	http.Redirect(w, r, withTokens(target, token, s.refresh.start(u.ID), state), http.StatusSeeOther)
}

// where reads and checks redirect_uri and state; state is nil when the client
// sent none.
func (s *Server) where(r *http.Request) (*url.URL, *string, error) {
	q := r.URL.Query()
	target, err := redirectTarget(q.Get("redirect_uri"), s.config.RedirectURIs)
	if err != nil {
		return nil, nil, err
	}
	if !q.Has("state") {
		return target, nil, nil
	}
	state := q.Get("state")
	if len(state) > maxState {
		return nil, nil, errors.New("state is longer than " + strconv.Itoa(maxState) + " bytes")
	}
	return target, &state, nil
}

// setFormCookie sets the cookie that a form is bound to; a maxAge below 0
// deletes it.
func setFormCookie(w http.ResponseWriter, r *http.Request, nonce string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where there is TLS: on this machine there is none
		Name: formCookie, Value: nonce, Path: "/login", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request, status int, problem string) {
	v := s.newView(r)
	v.Problem = problem
	target, _, err := s.where(r)
	if err != nil {
		v.Problem, v.Fatal = v.T.BadRequest+" "+err.Error(), true
		s.render(w, http.StatusBadRequest, "login.html", v, "")
		return
	}
	nonce := rand.Text()
	if c, err := r.Cookie(formCookie); err == nil && len(c.Value) == len(nonce) {
		nonce = c.Value // two tabs share one cookie
	}
	setFormCookie(w, r, nonce, int(formTTL.Seconds()))
	v.Action = "/login?" + r.URL.RawQuery
	v.Form = s.signForm(nonce, r.URL.Query(), s.config.Now().Add(formTTL))
	v.Email = r.PostFormValue("email")
	v.People = s.people.list()
	v.Client = target.Scheme + "://" + target.Host
	s.render(w, status, "login.html", v, target.Scheme)
}

func (s *Server) render(w http.ResponseWriter, status int, page string, v view, redirectScheme string) {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, page, v); err != nil {
		http.Error(w, "render "+page+": "+err.Error(), http.StatusInternalServerError)
		return
	}
	// Browsers apply form-action to the redirect as well, so the scheme that
	// the login goes back to must be named.
	action := "'self'"
	if redirectScheme != "" {
		action += " " + redirectScheme + ":"
	}
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+action)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.T.Code)
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

func (s *Server) signForm(nonce string, q url.Values, expires time.Time) string {
	deadline := strconv.FormatInt(expires.Unix(), 10)
	mac := hmac.New(sha256.New, s.formKey)
	for _, part := range []string{nonce, deadline, q.Get("redirect_uri"), strings.Join(q["state"], "\x00")} {
		mac.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return deadline + "." + hex.EncodeToString(mac.Sum(nil))
}

func (s *Server) formValid(form, nonce string, q url.Values) bool {
	deadline, _, _ := strings.Cut(form, ".")
	unix, err := strconv.ParseInt(deadline, 10, 64)
	if err != nil || s.config.Now().Unix() > unix {
		return false
	}
	return hmac.Equal([]byte(form), []byte(s.signForm(nonce, q, time.Unix(unix, 0))))
}

func style(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=300")
	http.ServeFileFS(w, r, web, "web/style.css")
}
