package inbox_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
)

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

const whole = `{"specversion":"1.0","id":"e1","source":"/academy","type":"user.updated","subject":"u1","time":"2026-03-01T12:00:00.5+02:00","data":{"id":"u1"}}`

func TestACloudEventIsReadInEveryModeOfHTTP(t *testing.T) {
	binary := header("Content-Type", "application/json; charset=utf-8", "Ce-Specversion", "1.0", "Ce-Id", "e1", "Ce-Source", "/academy",
		"Ce-Type", "user.updated", "Ce-Subject", "u%201", "Ce-Time", "2026-03-01T10:00:00.5Z")
	for name, c := range map[string]struct {
		header  http.Header
		body    string
		subject string
		n       int
	}{
		"structured":       {header("Content-Type", "application/cloudevents+json; charset=utf-8"), whole, "u1", 1},
		"structured, JSON": {header("Content-Type", "application/json"), whole, "u1", 1},
		"binary":           {binary, `{"id":"u 1"}`, "u 1", 1},
		"batch":            {header("Content-Type", "application/cloudevents-batch+json"), "[" + whole + "," + whole + "]", "u1", 2},
		"base64":           {header("Content-Type", "application/cloudevents+json"), strings.Replace(whole, `"data":{"id":"u1"}`, `"data_base64":"eyJpZCI6InUxIn0="`, 1), "u1", 1},
	} {
		messages, errs, err := inbox.FromHTTP(c.header, []byte(c.body))
		if err = errors.Join(append(errs, err)...); err != nil || len(messages) != c.n {
			t.Errorf("%s: got %d messages, %v", name, len(messages), err)
			continue
		}
		m := messages[0]
		at := time.Date(2026, 3, 1, 10, 0, 0, 500_000_000, time.UTC)
		if m.ID != "e1" || m.Source != "/academy" || m.Type != "user.updated" || m.Subject != c.subject || !m.Time.Equal(at) || !strings.Contains(string(m.Data), `"u`) {
			t.Errorf("%s: got %+v", name, m)
		}
	}
}

func TestWhatIsNoCloudEventIsRefusedForGood(t *testing.T) {
	structured := header("Content-Type", "application/cloudevents+json")
	for name, c := range map[string]struct {
		header http.Header
		body   string
	}{
		"no content type":      {header(), whole},
		"a form":               {header("Content-Type", "application/x-www-form-urlencoded"), "a=b"},
		"no JSON":              {structured, "<xml>"},
		"a list":               {structured, "[" + whole + "]"},
		"no version":           {structured, strings.Replace(whole, `"1.0"`, `""`, 1)},
		"another version":      {structured, strings.Replace(whole, `"1.0"`, `"0.3"`, 1)},
		"no id":                {structured, strings.Replace(whole, `"e1"`, `""`, 1)},
		"a long id":            {structured, strings.Replace(whole, `"e1"`, `"`+strings.Repeat("x", 2000)+`"`, 1)},
		"no source":            {structured, strings.Replace(whole, `"/academy"`, `""`, 1)},
		"NUL in the type":      {structured, strings.Replace(whole, `user.updated`, `user\u0000`, 1)},
		"no time":              {structured, strings.Replace(whole, `2026-03-01T12:00:00.5+02:00`, `yesterday`, 1)},
		"too many at once":     {header("Content-Type", "application/cloudevents-batch+json"), "[" + strings.Repeat("{},", 500) + "{}]"},
		"one bad in the batch": {header("Content-Type", "application/cloudevents-batch+json"), "[" + whole + ",{}]"},
		"binary without type":  {header("Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "/"), "{}"},
	} {
		var bad *inbox.MalformedError
		messages, errs, err := inbox.FromHTTP(c.header, []byte(c.body))
		if err = errors.Join(append(errs, err)...); !errors.As(err, &bad) {
			t.Errorf("%s: got %+v, %v", name, messages, err)
		}
	}
}

func TestAMessageMustSayWhomItIsAbout(t *testing.T) {
	b := setup(t)
	for name, c := range map[string]struct {
		kind, subject, data string
		ok                  bool
	}{
		"subject":              {"user.updated", "u1", ``, true},
		"id":                   {"user.updated", "", `{"id":"u1"}`, true},
		"user_id":              {"user.updated", "", `{"user_id":"u1"}`, true},
		"course_id":            {"course.updated", "", `{"course_id":"c1","user_id":"who did it"}`, true},
		"a number":             {"user.updated", "", `{"id":42}`, true},
		"null":                 {"user.updated", "u1", `{"id":null}`, true},
		"nobody":               {"user.updated", "", `{}`, false},
		"two":                  {"user.updated", "u1", `{"id":"u2"}`, false},
		"too long":             {"user.updated", strings.Repeat("x", 37), ``, false},
		"NUL":                  {"user.updated", "a\x00b", ``, false},
		"a fraction":           {"user.updated", "", `{"id":4.5}`, false},
		"an object":            {"user.updated", "", `{"id":{}}`, false},
		"data that is a list":  {"user.updated", "u1", `[]`, false},
		"data that is no JSON": {"user.updated", "u1", `nope`, false},
	} {
		m := message(c.kind, c.subject, 0, nil)
		m.Data = []byte(c.data)
		_, err := b.Take(t.Context(), m)
		var bad *inbox.MalformedError
		if c.ok && err != nil || !c.ok && !errors.As(err, &bad) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzStructured(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"specversion":"1.0","id":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := inbox.Structured(body)
		var bad *inbox.MalformedError
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("%q: %v", body, err)
		}
		if err == nil && (m.ID == "" || m.Type == "" || m.Source == "" || len(m.Key()) != 32) {
			t.Errorf("%q was read as %+v", body, m)
		}
	})
}
