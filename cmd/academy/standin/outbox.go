package standin

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// The academy's events.
const (
	UserCreated   = "user.created"
	UserUpdated   = "user.updated"
	UserDeleted   = "user.deleted"
	CourseUpdated = "course.updated"
	CourseDeleted = "course.deleted"
)

// Event is what the academy tells other services: a CloudEvent, version 1.0, in
// structured JSON.
type Event struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject"`
	Time            time.Time       `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

// Publisher hands events over.
type Publisher interface {
	// Publish returns nil once the other side has the event for sure.
	Publish(ctx context.Context, event Event) error
}

// maxWaiting is how many events wait for a receiver that is away; older ones
// are dropped then, which a real academy would not do.
const maxWaiting = 10_000

// outbox holds events in order until they are handed over.
type outbox struct {
	to     Publisher
	now    func() time.Time
	logger *slog.Logger
	more   chan struct{}

	mu       sync.Mutex
	waiting  []Event
	versions map[string]int64
}

func newOutbox(c Config) *outbox {
	return &outbox{to: c.Events, now: c.Now, logger: c.Logger, more: make(chan struct{}, 1), versions: map[string]int64{}}
}

// add notes what has happened to a person or a course.
func (o *outbox) add(eventType, subject string, data map[string]any) {
	if o.to == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	kind := eventType[:4]
	// By the clock: what is told after a restart must count as newer than what was
	// told before.
	o.versions[kind+subject] = max(o.versions[kind+subject]+1, o.now().UnixMicro())
	data["id"], data["version"] = subject, o.versions[kind+subject]
	body, err := json.Marshal(data)
	if err != nil {
		panic(err) // strings, numbers and booleans
	}
	if len(o.waiting) == maxWaiting {
		o.logger.Error("nobody takes this academy's events, the oldest is dropped", "type", o.waiting[0].Type)
		o.waiting = o.waiting[1:]
	}
	o.waiting = append(o.waiting, Event{
		SpecVersion: "1.0", ID: rand.Text(), Source: "/academy", Type: eventType, Subject: subject,
		Time: o.now().UTC(), DataContentType: "application/json", Data: body,
	})
	select {
	case o.more <- struct{}{}:
	default:
	}
}

func (o *outbox) first() (Event, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		return Event{}, false
	}
	return o.waiting[0], true
}

func (o *outbox) drop(e Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) > 0 && o.waiting[0].ID == e.ID {
		o.waiting = o.waiting[1:]
	}
}

// run hands events over until ctx ends, one after the other, each until it is
// taken.
func (o *outbox) run(ctx context.Context) {
	const longest = 5 * time.Second
	wait := 50 * time.Millisecond
	for ctx.Err() == nil {
		event, ok := o.first()
		if !ok {
			select {
			case <-o.more:
			case <-ctx.Done():
			}
			continue
		}
		err := o.to.Publish(ctx, event)
		if err == nil {
			o.drop(event)
			wait = 50 * time.Millisecond
			continue
		}
		if ctx.Err() == nil {
			o.logger.Warn("an event is not taken yet, it is tried again", "type", event.Type, "error", err, "again_in", wait)
		}
		select {
		case <-time.After(wait):
			wait = min(2*wait, longest)
		case <-ctx.Done():
		}
	}
}

// Post is a Publisher that posts events to a tracker.
type Post struct {
	// URL is the tracker's /api/v1/academy/events. Required.
	URL string
	// Key is the service key. Required.
	Key string
}

// Publish implements Publisher.
func (p Post) Publish(ctx context.Context, event Event) error {
	body, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("write event %s: %w", event.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post event: %w", err)
	}
	request.Header.Set("Content-Type", "application/cloudevents+json")
	request.Header.Set("Authorization", "Bearer "+p.Key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("post event: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 300)) // for people
		return fmt.Errorf("the tracker answered %d: %s", response.StatusCode, said)
	}
	return nil
}
