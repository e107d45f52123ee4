package inbox

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
)

// MaxMessage is how long a message may be, in bytes: far above any of the
// academy's.
const MaxMessage = 256 << 10

// maxBatch is how many may come at once: an answer may have to name each.
const maxBatch = 500

// maxAttribute is how long one of its attributes may be, and maxID an id of a
// person or a course, in characters.
const (
	maxAttribute = 1024
	maxID        = 36
)

// MalformedError says why a message can't be read; it will never be readable.
type MalformedError struct{ Reason string }

// Error implements error.
func (e *MalformedError) Error() string {
	return "the message is no CloudEvent of the academy: " + e.Reason
}

func malformed(format string, args ...any) error {
	return &MalformedError{fmt.Sprintf(format, args...)}
}

// Message is one CloudEvent.
type Message struct {
	ID      string
	Source  string
	Type    string
	Subject string
	// Time is zero when the sender didn't say.
	Time time.Time
	Data json.RawMessage
}

// Key is what a message is known by again: of its source and id alone.
func (m Message) Key() []byte {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%d:%s%s", len(m.Source), m.Source, m.ID)))
	return sum[:]
}

// structured is a CloudEvent as JSON.
type structured struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        string          `json:"time"`
	Data        json.RawMessage `json:"data"`
	DataBase64  []byte          `json:"data_base64"`
}

// Structured reads a CloudEvent that is JSON as a whole.
func Structured(body []byte) (Message, error) {
	var e structured
	if err := json.Unmarshal(body, &e); err != nil {
		return Message{}, malformed("it is not JSON: %v", err)
	}
	if len(e.DataBase64) > 0 {
		e.Data = e.DataBase64
	}
	return e.message()
}

// Batch reads several CloudEvents that are one JSON array. A message that can't
// be read stays empty and has its error in errs; the others are as good as alone.
func Batch(body []byte) (messages []Message, errs []error, err error) {
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, nil, malformed("it is not a JSON array: %v", err)
	}
	if len(list) > maxBatch {
		return nil, nil, malformed("it has %d events, send at most %d at once", len(list), maxBatch)
	}
	messages, errs = make([]Message, len(list)), make([]error, len(list))
	for i, one := range list {
		messages[i], errs[i] = Structured(one)
	}
	return messages, errs, nil
}

// Binary reads a CloudEvent whose attributes are headers: attribute finds one by
// its name.
func Binary(attribute func(name string) string, body []byte) (Message, error) {
	return structured{
		SpecVersion: attribute("specversion"), ID: attribute("id"), Source: attribute("source"), Type: attribute("type"),
		Subject: attribute("subject"), Time: attribute("time"), Data: body,
	}.message()
}

// FromHTTP reads what one request brings, in any of the three modes; errs are as
// Batch has them.
func FromHTTP(header http.Header, body []byte) (messages []Message, errs []error, err error) {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil, nil, malformed("it has no Content-Type")
	}
	one := func(m Message, err error) ([]Message, []error, error) {
		return []Message{m}, []error{nil}, err
	}
	switch {
	case mediaType == "application/cloudevents-batch+json":
		return Batch(body)
	case mediaType == "application/cloudevents+json":
		return one(Structured(body))
	case header.Get("Ce-Specversion") != "" && mediaType == "application/json":
		return one(Binary(func(name string) string {
			value, err := url.PathUnescape(header.Get("Ce-" + name))
			if err != nil {
				return header.Get("Ce-" + name)
			}
			return value
		}, body))
	case mediaType == "application/json":
		return one(Structured(body))
	}
	return nil, nil, malformed("send application/cloudevents+json, or application/json with the attributes as ce- headers, not %s", mediaType)
}

func (e structured) message() (Message, error) {
	m := Message{ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Data: e.Data}
	if e.SpecVersion != "1.0" {
		return m, malformed("its specversion is %q, not 1.0", cut(e.SpecVersion))
	}
	for name, value := range map[string]string{"id": e.ID, "source": e.Source, "type": e.Type} {
		if value == "" || len(value) > maxAttribute || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			return m, malformed("its %s is missing, too long or no text", name)
		}
	}
	if e.Time != "" {
		at, err := time.Parse(time.RFC3339Nano, e.Time)
		if err != nil || at.Year() < 1970 || at.Year() > 9999 {
			return m, malformed("its time %q is not RFC 3339", cut(e.Time))
		}
		m.Time = at.UTC()
	}
	return m, nil
}

func cut(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// news is the data of the academy's events; a missing field is nil.
type news struct {
	ID          auth.ID `json:"id"`
	UserID      auth.ID `json:"user_id"`
	CourseID    auth.ID `json:"course_id"`
	Version     *int64  `json:"version"`
	Email       *string `json:"email"`
	FullName    *string `json:"full_name"`
	IsActive    *bool   `json:"is_active"`
	Title       *string `json:"title"`
	Description *string `json:"description"`
	Status      *string `json:"status"`
}

// known reports whether the type is one that the academy is known to send.
func known(eventType string) bool {
	switch eventType {
	case academy.UserCreated, academy.UserUpdated, academy.UserDeleted, academy.CourseUpdated, academy.CourseDeleted:
		return true
	}
	return false
}

// change reads whom a message is about and what is new.
func (m Message) change(now time.Time) (academy.Change, news, error) {
	c := academy.Change{Type: m.Type, At: m.Time}
	// A clock that goes ahead must not make all that follows look late.
	if c.At.IsZero() || c.At.After(now) {
		c.At = now
	}
	c.At = c.At.Truncate(time.Microsecond)
	var n news
	if len(m.Data) > 0 {
		if err := json.Unmarshal(m.Data, &n); err != nil {
			return c, n, malformed("the data of %s can't be read: %v", m.Type, err)
		}
	}
	named := n.UserID
	if strings.HasPrefix(m.Type, "course.") {
		named = n.CourseID
	}
	about := auth.ID(m.Subject)
	for _, other := range []auth.ID{named, n.ID} {
		switch {
		case about == "":
			about = other
		case other != "" && other != about:
			return c, n, malformed("%s names two different ids", m.Type)
		}
	}
	if about == "" || utf8.RuneCountInString(string(about)) > maxID || !utf8.ValidString(string(about)) || strings.ContainsRune(string(about), 0) {
		return c, n, malformed("%s doesn't say whom it is about, in 1 to %d characters", m.Type, maxID)
	}
	if strings.HasPrefix(m.Type, "course.") {
		c.CourseID = string(about)
	} else {
		c.UserID = string(about)
	}
	return c, n, nil
}

// user is the person as the message tells of them; false when it doesn't tell
// all.
func (n news) user(userID string) (academy.User, bool) {
	if n.Email == nil || n.FullName == nil || n.IsActive == nil {
		return academy.User{}, false
	}
	return academy.User{ID: userID, Email: *n.Email, FullName: *n.FullName, IsActive: *n.IsActive}, true
}

// course likewise.
func (n news) course(courseID string) (academy.Course, bool) {
	if n.Title == nil || n.Description == nil || n.Status == nil {
		return academy.Course{}, false
	}
	return academy.Course{ID: courseID, Title: *n.Title, Description: *n.Description, Status: *n.Status}, true
}
