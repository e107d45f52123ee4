package goals

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxMetadata is how many bytes a JSON object may have.
const MaxMetadata = 16 << 10

// maxDepth bounds nesting: PostgreSQL's parser and other readers recurse.
const maxDepth = 32

// Metadata is the text of a JSON object of at most MaxMetadata bytes, which
// passes through without being looked at; "" is {}.
type Metadata string

// ParseMetadata takes a JSON object from outside, in compact form with its
// names sorted, of which the last wins where one is repeated. The error says
// what is wrong with it; path is how the caller names the field.
func ParseMetadata(path, text string) (Metadata, error) {
	if strings.TrimSpace(text) == "" {
		return "{}", nil
	}
	canonical, err := canonicalObject(text)
	if err != nil {
		var c Checker
		c.Wrong(path, err.english, err.spanish)
		return "", c.Err()
	}
	return Metadata(canonical), nil
}

// Text is the object's text.
func (m Metadata) Text() string {
	if m == "" {
		return "{}"
	}
	return string(m)
}

// Equal reports whether both hold the same object; the log may have put names
// into another order.
func (m Metadata) Equal(other Metadata) bool {
	if m.Text() == other.Text() {
		return true
	}
	a, errA := canonicalObject(m.Text())
	b, errB := canonicalObject(other.Text())
	return errA == nil && errB == nil && a == b
}

// flaw is what is wrong with a JSON object, as the rest of a sentence.
type flaw struct{ english, spanish string }

var (
	notUTF8    = &flaw{"must be UTF-8", "debe ser UTF-8"}
	notObject  = &flaw{`must be a JSON object, like {"key": "value"}`, `debe ser un objeto JSON, como {"clave": "valor"}`}
	tooDeep    = &flaw{fmt.Sprintf("is nested deeper than %d levels", maxDepth), fmt.Sprintf("tiene más de %d niveles", maxDepth)}
	holdsNUL   = &flaw{"must not hold a NUL", "no puede contener un NUL"}
	outOfRange = &flaw{"holds a number that is out of range", "contiene un número fuera de rango"}
)

func tooLong(n int) *flaw {
	return &flaw{
		fmt.Sprintf("has %d bytes, at most %d are kept", n, MaxMetadata),
		fmt.Sprintf("tiene %d bytes, como máximo se guardan %d", n, MaxMetadata),
	}
}

func canonicalObject(text string) (string, *flaw) {
	switch {
	case len(text) > MaxMetadata:
		return "", tooLong(len(text))
	case !utf8.ValidString(text):
		return "", notUTF8
	case depth(text) > maxDepth:
		return "", tooDeep
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return "", notObject
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return "", notObject
	}
	if f := flawOf(object); f != nil {
		return "", f
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return "", notObject
	}
	canonical := strings.TrimSuffix(out.String(), "\n")
	if len(canonical) > MaxMetadata {
		return "", tooLong(len(canonical))
	}
	return canonical, nil
}

// depth is how deep the text nests; it is asked before anything that recurses.
func depth(text string) (deepest int) {
	now, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// flawOf finds what PostgreSQL can't keep, or would swell.
func flawOf(value any) *flaw {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if strings.ContainsRune(name, 0) {
				return holdsNUL
			}
			if f := flawOf(member); f != nil {
				return f
			}
		}
	case []any:
		for _, element := range v {
			if f := flawOf(element); f != nil {
				return f
			}
		}
	case string:
		if strings.ContainsRune(v, 0) {
			return holdsNUL
		}
	case json.Number:
		f, err := strconv.ParseFloat(v.String(), 64)
		size := math.Abs(f)
		if err != nil || len(v) > 40 || f != 0 && (size > 1e40 || size < 1e-40) {
			return outOfRange
		}
	}
	return nil
}
