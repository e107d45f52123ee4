// Package cloudevent is how the log's events look outside: CloudEvents 1.0 in
// structured JSON, the same for RabbitMQ and webhooks.
package cloudevent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	"github.com/goals-tracker/tracker/modules/events"
)

// ContentType is of the JSON form.
const ContentType = "application/cloudevents+json"

// Format is how events are written.
type Format struct {
	// Source is this server's address as others know it; the attribute source, and
	// what dataschema begins with. Required.
	Source string
	// Keep are the fields of payloads, by event type, that are sent; of types that
	// it lacks none are, for a newer replica may have written them. Nil sends all.
	Keep map[string][]string
}

// attributes of an event; the names are CloudEvents', with those of its
// extensions sequence and partitioning. userid and courseid are ours.
type attributes struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	DataSchema      string `json:"dataschema"`
	Sequence        string `json:"sequence"`
	PartitionKey    string `json:"partitionkey,omitempty"`
	UserID          string `json:"userid,omitempty"`
	CourseID        string `json:"courseid,omitempty"`
}

func (f Format) attributes(e events.Event) attributes {
	a := attributes{
		SpecVersion: "1.0", ID: e.ID.String(), Source: f.Source, Type: e.Type, Subject: e.Stream.Name(),
		Time: e.OccurredAt.UTC().Format(wire.TimeLayout), DataContentType: "application/json",
		DataSchema: strings.TrimRight(f.Source, "/") + "/schemas/" + e.Type + ".json",
		// Fixed width, so that it sorts as text.
		Sequence: fmt.Sprintf("%019d", e.Position), PartitionKey: e.Stream.SubjectID,
		UserID: e.Stream.SubjectID, CourseID: e.Stream.CourseID,
	}
	if a.PartitionKey == "" {
		a.PartitionKey = a.Subject
	}
	return a
}

// Headers are the attributes as the AMQP binding names them.
func (f Format) Headers(e events.Event) map[string]any {
	text, err := json.Marshal(f.attributes(e))
	if err != nil {
		return nil // strings only
	}
	var all map[string]string
	if err := json.Unmarshal(text, &all); err != nil {
		return nil
	}
	headers := make(map[string]any, len(all))
	for name, value := range all {
		if name != "datacontenttype" { // it says what the data is, which is inside
			headers["cloudEvents:"+name] = value
		}
	}
	return headers
}

// Marshal writes an event.
func (f Format) Marshal(e events.Event) ([]byte, error) {
	data, err := f.data(e)
	if err != nil {
		return nil, fmt.Errorf("write event %s: %w", e.ID, err)
	}
	text, err := json.Marshal(struct {
		attributes
		Data json.RawMessage `json:"data"`
	}{f.attributes(e), data})
	if err != nil {
		return nil, fmt.Errorf("write event %s: %w", e.ID, err)
	}
	return text, nil
}

// data is the payload without what stays here.
func (f Format) data(e events.Event) (json.RawMessage, error) {
	if f.Keep == nil {
		return e.Raw, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(e.Raw))
	var fields map[string]json.RawMessage
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	maps.DeleteFunc(fields, func(name string, _ json.RawMessage) bool { return !slices.Contains(f.Keep[e.Type], name) })
	return json.Marshal(fields)
}

// Time is when an event happened, in the whole seconds that AMQP has.
func Time(e events.Event) time.Time { return e.OccurredAt.Truncate(time.Second) }
