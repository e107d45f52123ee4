package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
)

// space is where ids that are no UUIDs are made into some, always the same.
var space = uuid.MustParse("5f3c7a52-9d1c-5a0b-8a70-6f3a0f0c6d11")

// idOf is what a row's id is here: the same, where it is a UUID.
func idOf(table, id string) string {
	if parsed, err := uuid.Parse(id); err == nil && len(id) == 36 {
		return parsed.String()
	}
	return uuid.NewSHA1(space, []byte(table+":"+id)).String()
}

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

// metadata takes a JSON object as it is; all else stays in the history.
func (c *changes) metadata(raw json.RawMessage) goals.Metadata {
	if null(raw) {
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
	if null(raw) {
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
		text = strings.TrimSpace(text)
		if text == "" {
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

func null(raw json.RawMessage) bool {
	text := strings.TrimSpace(string(raw))
	return text == "" || text == "null"
}

func (g goalRow) convert() (goals.New, *changes) {
	c := &changes{}
	n := goals.New{ID: idOf("goals", g.ID), UserID: g.UserID, AIGenerated: g.AIGenerated, Details: goals.Details{
		CourseID: g.CourseID, Title: c.title(g.Title), Description: c.cut("description", g.Description, 20_000),
		Priority: goals.Priority(g.Priority), Criteria: c.criteria(g.Criteria), Metadata: c.metadata(g.Metadata),
	}}
	if g.DueAt != nil {
		n.DueAt = *g.DueAt
	}
	return n, c
}

func (t taskRow) convert() (tasks.New, *changes) {
	c := &changes{}
	n := tasks.New{ID: idOf("tasks", t.ID), Details: tasks.Details{
		Title: c.title(t.Title), Description: c.cut("description", t.Description, 20_000), Type: tasks.Type(t.Type),
		Position: min(max(t.Priority, 0), 1_000_000), EstimatedHours: c.hours("estimated_hours", t.Estimated),
		ActualHours: c.hours("actual_hours", t.Actual), Metadata: c.metadata(t.Metadata),
	}}
	if n.Position != t.Priority {
		c.note("priority brought into 0 to 1,000,000")
	}
	if !null(t.Result) {
		c.note("the verdict of the other system kept in the history alone")
		c.keep("validation_result", t.Result)
	}
	return n, c
}

func (c *changes) hours(name string, h *float64) *float64 {
	if h == nil || (*h >= 0 && *h <= 10_000) {
		return h
	}
	c.note(name + " outside of 0 to 10,000 left out")
	c.keep(name, fmt.Sprint(*h))
	return nil
}

func (s snapshotRow) convert() (validation.Recorded, *changes) {
	c := &changes{}
	file := validation.File{Path: c.relative(s.Path), Content: s.Content}
	r := validation.Recorded{ID: idOf("code_snapshots", s.ID), Files: []validation.File{file}, Language: c.cut("language", s.Language, 50)}
	if r.Language == "" {
		c.note("had no language")
		r.Language = "text"
	}
	keepSome(c, "storage_path", s.StoragePath)
	if !null(s.Metadata) {
		c.keep("metadata", s.Metadata)
	}
	before := len(c.kept)
	keepSome(c, "validation_passed", s.Passed)
	keepSome(c, "validation_score", s.Score)
	keepSome(c, "validation_feedback", s.Feedback)
	if !null(s.Issues) {
		c.keep("issues_found", s.Issues)
	}
	if len(c.kept) > before {
		c.note("the verdict of the other system kept in the history alone")
	}
	return r, c
}

// relative is a path as snapshots have it: of an editor's absolute one the
// file's name.
func (c *changes) relative(p string) string {
	slashed := strings.ReplaceAll(p, `\`, "/")
	clean := path.Clean(slashed)
	absolute := path.IsAbs(clean) || len(clean) > 1 && clean[1] == ':' || clean == ".." || strings.HasPrefix(clean, "../")
	if absolute || len(clean) > 512 {
		clean = path.Base(clean)
	}
	if clean != p {
		c.note("file_path made relative")
		c.keep("file_path", p)
	}
	return clean
}

// withoutNUL writes the replacement character for NUL, which the other system's
// json columns may hold and the log may not.
func withoutNUL(raw []byte) ([]byte, error) {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return raw, nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(cleaned(value))
}

func cleaned(value any) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "\ufffd")
	case []any:
		for i := range v {
			v[i] = cleaned(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, of := range v {
			clean[strings.ReplaceAll(name, "\x00", "\ufffd")] = cleaned(of)
		}
		return clean
	}
	return value
}

// or is the first time that is there.
func or(at *time.Time, else_ time.Time) time.Time {
	if at != nil {
		return *at
	}
	return else_
}

// later is the later of two times: what follows in a stream never lies before.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
