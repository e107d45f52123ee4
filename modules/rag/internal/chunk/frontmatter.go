package chunk

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/goals-tracker/tracker/modules/rag"
)

// maxFront bounds front matter, in bytes.
const maxFront = 64 << 10

// frontMatter reads the YAML between a first line of --- and the next, and
// returns where the body begins. A document without any is all body.
func (d *Document) frontMatter(content string) (body int, err error) {
	open := "---\n"
	if strings.HasPrefix(content, "---\r\n") {
		open = "---\r\n"
	}
	if !strings.HasPrefix(content, open) {
		return 0, nil
	}
	length := -1
	for at := len(open); at < len(content) && at <= maxFront; {
		next := strings.IndexByte(content[at:], '\n')
		line := content[at:]
		if next >= 0 {
			line = content[at : at+next]
		}
		if strings.TrimRight(line, " \t\r") == "---" {
			length, body = at, min(at+len(line)+1, len(content))
			break
		}
		if next < 0 {
			break
		}
		at += next + 1
	}
	if length < 0 {
		// A line of dashes that nothing closes is a rule, not front matter.
		return 0, nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(content[len(open):length]), &root); err != nil {
		return 0, fmt.Errorf("its front matter is not valid YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(root.Content) == 0 {
		return body, nil
	}
	if root.Content[0].Kind != yaml.MappingNode {
		return 0, fmt.Errorf("its front matter must be keys with values, such as title: Lists")
	}
	var values map[string]any
	if err := root.Content[0].Decode(&values); err != nil {
		return 0, fmt.Errorf("its front matter can't be read: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := d.take(values); err != nil {
		return 0, err
	}
	d.typed(content, length, root.Content[0].Content)
	return body, nil
}

// typed makes passages of the lines that name objectives and prerequisites.
func (d *Document) typed(content string, end int, pairs []*yaml.Node) {
	l := indexLines(content)
	for i := 0; i+1 < len(pairs); i += 2 {
		kind := map[string]string{"objectives": rag.PassageObjectives, "prerequisites": rag.PassagePrerequisites}[pairs[i].Value]
		first, stop := pairs[i].Line, end // the YAML's line n is the document's n+1: index n of lines
		if i+2 < len(pairs) {
			if pairs[i+2].Line <= first {
				continue // several keys on a line
			}
			stop = l[min(pairs[i+2].Line, len(l)-1)]
		}
		if kind == "" || first >= len(l) || l[first] >= stop {
			continue
		}
		if c, ok := span(content, l, l[first], stop); ok {
			c.Kind, c.Heading = kind, d.Title
			d.Chunks = append(d.Chunks, c)
		}
	}
}

// take sorts front matter into what is known and the rest.
func (d *Document) take(values map[string]any) error {
	m := &d.Meta
	for key, value := range values {
		switch key {
		case "title":
			d.Title = strings.TrimSpace(plain(value))
		case "description":
			m.Description = plain(value)
		case "objectives":
			m.Objectives = list(value)
		case "prerequisites":
			m.Prerequisites = list(value)
		case "concepts":
			m.Concepts = list(value)
		case "language":
			d.takeLanguage(strings.ToLower(strings.TrimSpace(plain(value))))
		case "unit", "difficulty", "estimated_hours":
			n, ok := number(value)
			if !ok || n < 0 || n > 10_000 {
				return fmt.Errorf("its front matter says %s: %v, which must be a number from 0 to 10000", key, value)
			}
			switch key {
			case "unit":
				m.Unit = int(n)
			case "difficulty":
				m.Difficulty = int(n)
			default:
				m.EstimatedHours = n
			}
		default:
			if clean, ok := jsonable(value, 0); ok {
				if m.Extra == nil {
					m.Extra = map[string]any{}
				}
				m.Extra[limit(key, 200)] = clean
			}
		}
	}
	return nil
}

func (d *Document) takeLanguage(name string) {
	switch base, _, _ := strings.Cut(name, "-"); base {
	case "en", "es":
		d.Natural = base
	case "english":
		d.Natural = "en"
	case "spanish", "español":
		d.Natural = "es"
	default:
		d.Program = limit(name, 50)
	}
}

func number(value any) (float64, bool) {
	switch n := value.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return 0, false
}

func plain(value any) string {
	if value == nil {
		return ""
	}
	return limit(fmt.Sprint(value), 10_000)
}

// list reads a list, or one string.
func list(value any) []string {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	var out []string
	for _, item := range items {
		if s := strings.TrimSpace(plain(item)); s != "" && len(out) < 200 {
			out = append(out, limit(s, 1000))
		}
	}
	return out
}

// jsonable makes YAML's values fit for JSON; ok is false for what has no place there.
func jsonable(value any, depth int) (any, bool) {
	switch v := value.(type) {
	case nil, bool, int, int64, uint64:
		return v, true
	case float64:
		_, ok := number(v)
		return v, ok
	case string:
		return limit(v, 10_000), true
	case time.Time:
		return v.Format(time.RFC3339), true
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			if clean, ok := jsonable(item, depth+1); ok && depth < 8 {
				out = append(out, clean)
			}
		}
		return out, true
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			if clean, ok := jsonable(item, depth+1); ok && depth < 8 {
				out[limit(key, 200)] = clean
			}
		}
		return out, true
	}
	return nil, false
}
