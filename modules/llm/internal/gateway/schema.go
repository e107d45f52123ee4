package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	maxSchema  = 256 << 10
	maxSchemas = 256
)

// schema checks answers.
type schema struct{ compiled *jsonschema.Schema }

// schemaCache keeps compiled schemas: callers have a few and use them often.
type schemaCache struct {
	mu    sync.Mutex
	known map[string]*schema
}

func (c *schemaCache) get(text string) (*schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.known[text]; ok {
		return s, nil
	}
	s, err := compile(text)
	if err != nil {
		return nil, err
	}
	if c.known == nil || len(c.known) >= maxSchemas {
		c.known = map[string]*schema{}
	}
	c.known[text] = s
	return s, nil
}

// noLoader keeps schemas from reading files or the network.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is outside of the schema", url)
}

func compile(text string) (*schema, error) {
	if len(text) > maxSchema {
		return nil, fmt.Errorf("it has more than %d bytes", maxSchema)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource("answer.json", doc); err != nil {
		return nil, err
	}
	compiled, err := c.Compile("answer.json")
	if err != nil {
		return nil, err
	}
	return &schema{compiled}, nil
}

// read takes the JSON value out of an answer and holds it against the schema.
// The error is for the model to read.
func (s *schema) read(text string) (json.RawMessage, error) {
	raw := []byte(unwrap(text))
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("it is not one JSON value: %w", err)
	}
	if err := s.compiled.Validate(value); err != nil {
		var invalid *jsonschema.ValidationError
		if errors.As(err, &invalid) {
			return nil, errors.New(invalid.Error())
		}
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, err
	}
	return compact.Bytes(), nil
}

// unwrap takes off the code fence that models like to put around JSON.
func unwrap(text string) string {
	text = strings.TrimSpace(text)
	if body, ok := strings.CutPrefix(text, "```"); ok {
		if _, rest, ok := strings.Cut(body, "\n"); ok {
			text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "```"))
		}
	}
	return text
}
