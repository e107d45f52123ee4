package standin_test

import (
	"bytes"
	"html"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
)

const vscodeURI = "vscode://goals-tracker.tracker/auth?windowId=3"

func loginPath(redirectURI string, more ...string) string {
	q := url.Values{"redirect_uri": {redirectURI}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/login?" + q.Encode()
}

var hidden = regexp.MustCompile(`name="form" value="([^"]+)"`)

// openForm loads the login page with a cookie jar, as a browser does, and
// returns the form's own path and proof.
func (b *bundle) openForm(path string) (action, proof string) {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar = jar
	resp, page := b.do("GET", path, "")
	if resp.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s: %d: %s", path, resp.StatusCode, page)
	}
	proofs := hidden.FindStringSubmatch(page)
	actions := regexp.MustCompile(`<form method="post" action="([^"]+)"`).FindStringSubmatch(page)
	if proofs == nil || actions == nil {
		b.t.Fatalf("the page has no form: %s", page)
	}
	return html.UnescapeString(actions[1]), proofs[1]
}

func (b *bundle) submit(action, proof, email, password string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	form := url.Values{"form": {proof}, "email": {email}, "password": {password}}
	return b.do("POST", action, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

func TestSigningInGoesBackWithTokensAndState(t *testing.T) {
	b := setup(t, standin.Config{RedirectURIs: []string{"https://tracker.example/callback"}})
	state := "a b&c=d#é"
	for _, target := range []string{"http://127.0.0.1:8000/app", "http://localhost:3000/", "http://[::1]:4000/cb", vscodeURI, "vscode-insiders://goals-tracker.tracker/auth", "https://tracker.example/callback?x=1"} {
		t.Run(target, func(t *testing.T) {
			b := b.with(t)
			action, proof := b.openForm(loginPath(target, "state", state))
			resp, body := b.submit(action, proof, "ben@academy.test", "ben-learns")
			if resp.StatusCode != http.StatusSeeOther {
				t.Fatalf("status %d: %s", resp.StatusCode, body)
			}
			to, err := url.Parse(resp.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			from, _ := url.Parse(target)
			if to.Scheme != from.Scheme || to.Host != from.Host || to.Path != from.Path {
				t.Errorf("went to %s", to)
			}
			q := to.Query()
			for key := range from.Query() {
				if q.Get(key) != from.Query().Get(key) {
					t.Errorf("the target's own %s was lost in %s", key, to)
				}
			}
			if q.Get("state") != state {
				t.Errorf("state %q came back as %q", state, q.Get("state"))
			}
			if b.validate(q.Get("token")).UserID != "learner-ben" || b.refreshOK(q.Get("refresh_token")).UserID != "learner-ben" {
				t.Error("the tokens are not Ben's")
			}
		})
	}
}

func TestStateComesBackOnlyWhenItWasSent(t *testing.T) {
	b := setup(t, standin.Config{})
	action, proof := b.openForm(loginPath("http://127.0.0.1:8000/app?state=planted"))
	resp, _ := b.submit(action, proof, "ben@academy.test", "ben-learns")
	to, _ := url.Parse(resp.Header.Get("Location"))
	if resp.StatusCode != http.StatusSeeOther || to.Query().Has("state") {
		t.Errorf("status %d, location %s", resp.StatusCode, to)
	}
	action, proof = b.openForm(loginPath(vscodeURI, "state", ""))
	resp, _ = b.submit(action, proof, "ben@academy.test", "ben-learns")
	to, _ = url.Parse(resp.Header.Get("Location"))
	if !to.Query().Has("state") {
		t.Errorf("an empty state was not echoed: %s", to)
	}
}

func TestRedirectsElsewhereAreRefusedWithAPageAndNoRedirect(t *testing.T) {
	b := setup(t, standin.Config{RedirectURIs: []string{"https://tracker.example/callback"}})
	bad := []string{
		"", "/app", "//evil.test/", "https://evil.test/", "http://evil.test/", "http://127.0.0.1.evil.test/",
		"http://127.0.0.1@evil.test/", "http://127.0.0.1:8000@evil.test/", "http://user@127.0.0.1:8000/", "http://127.0.0.1\\@evil.test/",
		"https://127.0.0.1/", "javascript:alert(1)", "data:text/html,x", "vscode:foo", "ftp://127.0.0.1/", "http://127.0.0.1:8000/#x",
		"https://tracker.example/callback/../other", "https://tracker.example/other", "http://tracker.example/callback", "https://tracker.example:8443/callback", "http://10.0.0.1/",
	}
	for _, target := range bad {
		for _, method := range []string{"GET", "POST"} {
			resp, page := b.do(method, loginPath(target), "")
			if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" || strings.Contains(page, `name="password"`) {
				t.Errorf("%s with redirect_uri %q: status %d, location %q", method, target, resp.StatusCode, resp.Header.Get("Location"))
			}
		}
	}
	resp, _ := b.do("GET", loginPath(vscodeURI, "state", strings.Repeat("s", 2049)), "")
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a state of 2049 bytes: status %d", resp.StatusCode)
	}
}

func TestAFormFromElsewhereIsRefused(t *testing.T) {
	b := setup(t, standin.Config{})
	path := loginPath(vscodeURI, "state", "mine")
	action, proof := b.openForm(path)
	login := func(action, proof string, headers ...string) int {
		resp, _ := b.submit(action, proof, "ben@academy.test", "ben-learns", headers...)
		if resp.StatusCode != http.StatusSeeOther && resp.Header.Get("Location") != "" {
			t.Errorf("status %d with location %s", resp.StatusCode, resp.Header.Get("Location"))
		}
		return resp.StatusCode
	}
	if got := login(action, ""); got != http.StatusForbidden {
		t.Errorf("no proof: %d", got)
	}
	if got := login(loginPath(vscodeURI, "state", "other"), proof); got != http.StatusForbidden {
		t.Errorf("other state: %d", got)
	}
	if got := login(loginPath("http://127.0.0.1:1/", "state", "mine"), proof); got != http.StatusForbidden {
		t.Errorf("other redirect_uri: %d", got)
	}
	if got := login(action, proof, "Sec-Fetch-Site", "cross-site"); got != http.StatusForbidden {
		t.Errorf("cross-site: %d", got)
	}
	if got := login(action, proof, "Origin", "https://evil.test"); got != http.StatusForbidden {
		t.Errorf("other origin: %d", got)
	}
	jar := b.client.Jar
	b.client.Jar = nil
	if got := login(action, proof); got != http.StatusForbidden {
		t.Errorf("no cookie: %d", got)
	}
	b.client.Jar = jar
	if got := login(action, proof, "Origin", b.url); got != http.StatusSeeOther {
		t.Errorf("the real form: %d", got)
	}
	action, proof = b.openForm(path)
	b.clock.advance(time.Hour + time.Second)
	if got := login(action, proof); got != http.StatusForbidden {
		t.Errorf("an hour later: %d", got)
	}
}

func TestWrongPasswordsShowThePageAgainInTheReadersLanguage(t *testing.T) {
	b := setup(t, standin.Config{})
	action, proof := b.openForm(loginPath(vscodeURI, "lang", "es"))
	resp, page := b.submit(action, proof, "ben@academy.test", `"><script>`)
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(page, "no son correctos") || !strings.Contains(page, `value="ben@academy.test"`) {
		t.Errorf("wrong password: %d: %s", resp.StatusCode, page)
	}
	_, page = b.submit(action, proof, `"><script>alert(1)</script>`, "x")
	if strings.Contains(page, "<script>") {
		t.Error("the email is written unescaped")
	}
	resp, page = b.submit(action, proof, "iris@academy.test", "iris-was-here")
	if resp.StatusCode != http.StatusForbidden || !strings.Contains(page, "no está activa") {
		t.Errorf("inactive: %d", resp.StatusCode)
	}
}

func TestPagesSpeakTheReadersLanguage(t *testing.T) {
	b := setup(t, standin.Config{})
	cases := []struct{ lang, accept, want string }{
		{"", "", "en"}, {"", "es", "es"}, {"", "es-MX,es;q=0.9,en;q=0.8", "es"}, {"", "en-GB,en;q=0.9,es;q=0.8", "en"},
		{"", "fr,es;q=0.5", "es"}, {"", "fr, de", "en"}, {"", "es;q=0.2, en;q=0.7", "en"}, {"", "es;q=0", "en"}, {"", "est", "en"},
		{"es", "en", "es"}, {"en", "es", "en"}, {"xx", "es", "es"},
	}
	for _, c := range cases {
		path := loginPath(vscodeURI)
		if c.lang != "" {
			path = loginPath(vscodeURI, "lang", c.lang)
		}
		resp, page := b.do("GET", path, "", "Accept-Language", c.accept)
		if resp.Header.Get("Content-Language") != c.want || !strings.Contains(page, `<html lang="`+c.want+`">`) {
			t.Errorf("lang %q, Accept-Language %q: %s", c.lang, c.accept, resp.Header.Get("Content-Language"))
		}
	}
}

func TestThePageListsSamplePeopleAndIsHardToAbuse(t *testing.T) {
	b := setup(t, standin.Config{})
	resp, page := b.do("GET", loginPath(vscodeURI), "")
	for _, u := range standin.SampleUsers() {
		if !strings.Contains(page, u.FullName) || !strings.Contains(page, u.Email) || !strings.Contains(page, u.Password) {
			t.Errorf("%s is missing on the page", u.Email)
		}
	}
	for header, want := range map[string]string{
		"Content-Security-Policy": "form-action 'self' vscode:", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if !strings.Contains(resp.Header.Get(header), want) {
			t.Errorf("%s: %q, want %q", header, resp.Header.Get(header), want)
		}
	}
	for _, c := range resp.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %s is readable or cross-site", c.Name)
		}
	}
	for path, want := range map[string]string{"/": "learner-ben", "/?lang=es": "Academia de pruebas", "/style.css": "color-scheme"} {
		resp, page := b.do("GET", path, "")
		if resp.StatusCode != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("GET %s: %d without %q", path, resp.StatusCode, want)
		}
	}
}

func TestPagesOfThisMachineMayLogInAndRefreshFromABrowser(t *testing.T) {
	b := setup(t, standin.Config{})
	for _, path := range []string{"/api/auth/login", "/api/auth/refresh"} {
		resp, _ := b.do("OPTIONS", path, "", "Origin", "http://127.0.0.1:8000", "Access-Control-Request-Method", "POST")
		if resp.StatusCode != http.StatusNoContent || resp.Header.Get("Access-Control-Allow-Origin") != "http://127.0.0.1:8000" {
			t.Errorf("preflight of %s: %d, %q", path, resp.StatusCode, resp.Header.Get("Access-Control-Allow-Origin"))
		}
		resp, _ = b.do("OPTIONS", path, "", "Origin", "https://evil.test", "Access-Control-Request-Method", "POST")
		if resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s lets https://evil.test in", path)
		}
	}
	resp, _ := b.do("GET", "/api/users/learner-ben", "", append(withKey(), "Origin", "http://127.0.0.1:8000")...)
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("lookups are for services, not for browsers")
	}
}

func TestLogsNeverHoldTokensPasswordsOrQueries(t *testing.T) {
	var logs bytes.Buffer
	b := setup(t, standin.Config{Logger: slog.New(slog.NewTextHandler(&logs, nil))})
	action, proof := b.openForm(loginPath(vscodeURI, "state", "secret-state"))
	resp, _ := b.submit(action, proof, "ben@academy.test", "ben-learns")
	to, _ := url.Parse(resp.Header.Get("Location"))
	text := logs.String()
	if !strings.Contains(text, "path=/login") || !strings.Contains(text, "status=303") {
		t.Fatalf("logs: %s", text)
	}
	for _, secret := range []string{"secret-state", "ben-learns", "redirect_uri", to.Query().Get("token"), to.Query().Get("refresh_token")} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
