package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// parseCTRF reads the Common Test Report Format.
func parseCTRF(content []byte) (*Report, error) {
	var doc struct {
		Results *struct {
			Summary *struct {
				Tests *int `json:"tests"`
			} `json:"summary"`
			Tests []struct {
				Name     string          `json:"name"`
				Status   string          `json:"status"`
				Duration float64         `json:"duration"`
				Message  string          `json:"message"`
				Trace    string          `json:"trace"`
				Suite    json.RawMessage `json:"suite"`
				Stdout   []string        `json:"stdout"`
			} `json:"tests"`
		} `json:"results"`
	}
	r := &Report{}
	dec := json.NewDecoder(bytes.NewReader(content))
	if err := dec.Decode(&doc); err != nil {
		return r, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("there is text after the JSON object")
	}
	if doc.Results == nil {
		return r, errors.New(`it has no "results"`)
	}
	for _, t := range doc.Results.Tests {
		out := Test{Name: t.Name, Message: t.Message, Output: strings.Join(t.Stdout, "\n")}
		if suite := suiteOf(t.Suite); suite != "" && t.Name != "" {
			out.Name = suite + " > " + t.Name
		}
		if out.Message == "" {
			out.Message = t.Trace
		}
		if t.Duration >= 0 && t.Duration < 1e9 {
			out.Duration = time.Duration(t.Duration * float64(time.Millisecond))
		}
		switch t.Status {
		case "passed":
			out.Status = Pass
		case "failed":
			out.Status = Fail
		case "skipped", "pending":
			out.Status = Skip
		default: // "other", and what nobody knows
			out.Status = Error
		}
		if err := r.add(out); err != nil {
			return r, err
		}
	}
	if s := doc.Results.Summary; s != nil && s.Tests != nil && *s.Tests != len(r.Tests) {
		return r, fmt.Errorf("its summary says %d tests, and %d are there", *s.Tests, len(r.Tests))
	}
	r.unique()
	return r, nil
}

// suiteOf is a text, or in newer versions a list of texts.
func suiteOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, " > ")
	}
	return ""
}
