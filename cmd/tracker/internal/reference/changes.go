package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/goals-tracker/tracker/modules/goals"
)

// changes collects what is not taken over as it stood.
type changes struct {
	whats []string
	// kept has what was left out, for the row's history.
	kept map[string]any
}

func (c *changes) note(what string) { c.whats = append(c.whats, what) }

func (c *changes) keep(name string, value any) {
	if c.kept == nil {
		c.kept = map[string]any{}
	}
	c.kept[name] = value
}

// odd notes a value that can't be here, and keeps how it was written there.
func (c *changes) odd(column, what string, value any) {
	c.note(column + " " + what)
	if t, is := value.(pgtype.Timestamp); is {
		value = t.Time.String()
		if t.InfinityModifier != pgtype.Finite {
			value = t.InfinityModifier.String()
		}
	}
	c.keep(column, value)
}

// past is when something happened; nil when that is unknown, or can't have been.
func (c *changes) past(column string, at pgtype.Timestamp) *time.Time {
	switch {
	case !at.Valid:
		return nil
	case at.InfinityModifier != pgtype.Finite || at.Time.Year() < 1970 || at.Time.After(time.Now().Add(time.Minute)):
		c.odd(column, "lies before 1970 or is still to come, left out", at)
		return nil
	}
	return &at.Time
}

// made is when a row was made and changed, by what is known of it.
func (c *changes) made(created, updated pgtype.Timestamp, others ...*time.Time) (made, changed time.Time) {
	at, last := c.past("created_at", created), c.past("updated_at", updated)
	for _, other := range append([]*time.Time{last}, others...) {
		if at == nil {
			at = other
		}
	}
	if at == nil {
		c.note("made at an unknown time, taken as now")
		now := time.Now().UTC()
		at = &now
	}
	return *at, or(last, *at)
}

// keepSome keeps what is there.
func keepSome[T any](c *changes, name string, value *T) {
	if value != nil {
		c.keep(name, *value)
	}
}

// cut shortens a text to at most n characters.
func (c *changes) cut(name, text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	c.note(fmt.Sprintf("%s cut to %d characters", name, n))
	c.keep(name, text)
	return string([]rune(text)[:n])
}

func (c *changes) title(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		c.note("had no title")
		return "(untitled)"
	}
	return c.cut("title", text, 500)
}

// json is a column's JSON; nil for none, and for what was too large to be read.
func (c *changes) json(column string, raw json.RawMessage) json.RawMessage {
	text := strings.TrimSpace(string(raw))
	if text == "" || text == "null" {
		return nil
	}
	if size, large := strings.CutPrefix(text, `"`+leftOut); large {
		c.odd(column, fmt.Sprintf("of more than %d bytes left out", maxJSON), strings.TrimSuffix(size, `"`))
		return nil
	}
	return raw
}

// metadata takes a JSON object as it is; all else stays in the history.
func (c *changes) metadata(raw json.RawMessage) goals.Metadata {
	if raw == nil {
		return ""
	}
	m, err := goals.ParseMetadata("metadata", string(raw))
	if err != nil {
		c.note("metadata that is no JSON object of 16 KiB kept in the history alone")
		c.keep("metadata", raw)
		return ""
	}
	return m
}

// criteria takes a list of texts as it is, and anything else by its parts.
func (c *changes) criteria(raw json.RawMessage) (texts []string) {
	if raw == nil {
		return nil
	}
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		c.note("validation_criteria that are no list taken as their JSON")
		parts = []json.RawMessage{raw}
	}
	whole := true
	for _, part := range parts {
		var text string
		if json.Unmarshal(part, &text) != nil {
			var flat bytes.Buffer
			if json.Compact(&flat, part) != nil {
				continue
			}
			text = flat.String()
		}
		if text = strings.TrimSpace(strings.ReplaceAll(text, "\x00", "\ufffd")); text == "" {
			continue
		}
		if len(texts) == 50 || utf8.RuneCountInString(text) > 1000 {
			whole = false
		}
		if len(texts) < 50 {
			texts = append(texts, c.cut("validation_criteria", text, 1000))
		}
	}
	if !whole {
		c.note("validation_criteria beyond 50 of 1,000 characters kept in the history alone")
		c.keep("validation_criteria", raw)
	}
	return texts
}

// known is a value of an enum, or what stands for one that is none here.
func known[T ~string](c *changes, column, value string, all []T, instead T) T {
	if slices.Contains(all, T(value)) {
		return T(value)
	}
	c.note(fmt.Sprintf("%s is none of this system's, taken as %s", column, instead))
	c.keep(column, value)
	return instead
}

func (c *changes) hours(name string, h *float64) *float64 {
	if h == nil || (*h >= 0 && *h <= 10_000) {
		return h
	}
	c.note(name + " outside of 0 to 10,000 left out")
	c.keep(name, fmt.Sprint(*h))
	return nil
}
