package chunk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/modules/rag"
)

// notebook cuts a Jupyter notebook by its cells; headings carry over from cell
// to cell, outputs are left out. Spans are the cells' in the file.
func (d *Document) notebook(content string) error {
	decoder := json.NewDecoder(strings.NewReader(content))
	if err := open(decoder, '{'); err != nil {
		return badNotebook(err)
	}
	reader := notebookReader{doc: d, content: content, l: indexLines(content), lists: gathered{}}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return badNotebook(err)
		}
		switch key {
		case "cells":
			err = reader.cells(decoder)
		case "metadata":
			err = reader.metadata(decoder)
		default:
			err = decoder.Decode(&json.RawMessage{})
		}
		if err != nil {
			return badNotebook(err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return badNotebook(err)
	}
	if !reader.found {
		return errors.New("it has no list of cells; only notebooks of format 4 are read")
	}
	reader.lists.settle(&d.Meta)
	if d.Program == "" {
		d.Program = "python"
	}
	if d.Title == "" {
		d.Title = reader.headings.first
	}
	return nil
}

func badNotebook(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is not a whole notebook: the JSON ends early")
	}
	return fmt.Errorf("it is not a notebook: %w", err)
}

func open(decoder *json.Decoder, want json.Delim) error {
	got, err := decoder.Token()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%v stands where %v belongs", got, want)
	}
	return nil
}

type notebookReader struct {
	doc      *Document
	content  string
	l        lines
	headings headings
	lists    gathered
	found    bool
}

func (r *notebookReader) metadata(decoder *json.Decoder) error {
	var meta struct {
		Kernel struct {
			Language string `json:"language"`
		} `json:"kernelspec"`
		Language struct {
			Name string `json:"name"`
		} `json:"language_info"`
		Title string `json:"title"`
	}
	if err := decoder.Decode(&meta); err != nil {
		return err
	}
	r.doc.Title = meta.Title
	if r.doc.Program = strings.ToLower(limit(meta.Language.Name, 50)); r.doc.Program == "" {
		r.doc.Program = strings.ToLower(limit(meta.Kernel.Language, 50))
	}
	return nil
}

func (r *notebookReader) cells(decoder *json.Decoder) error {
	if err := open(decoder, '['); err != nil {
		return err
	}
	r.found = true
	for decoder.More() {
		// The span begins after the comma and blanks that the decoder is about to skip.
		start := int(decoder.InputOffset())
		for start < len(r.content) && strings.IndexByte(", \t\r\n", r.content[start]) >= 0 {
			start++
		}
		var cell struct {
			Type   string          `json:"cell_type"`
			Source json.RawMessage `json:"source"`
			Meta   json.RawMessage `json:"metadata"`
		}
		if err := decoder.Decode(&cell); err != nil {
			return err
		}
		if graded(cell.Meta) {
			continue
		}
		source, err := joined(cell.Source)
		if err != nil {
			return err
		}
		if err := r.cell(cell.Type, source, start, int(decoder.InputOffset())); err != nil {
			return err
		}
	}
	_, err := decoder.Token()
	return err
}

// graded reports whether a cell is one that nbgrader collects or judges: in the
// course team's copy it holds the solution, or tests.
func graded(metadata json.RawMessage) bool {
	var meta struct {
		Grader struct {
			Grade    bool `json:"grade"`
			Solution bool `json:"solution"`
			Task     bool `json:"task"`
		} `json:"nbgrader"`
	}
	if len(metadata) == 0 || json.Unmarshal(metadata, &meta) != nil {
		return false // whatever else it says is nothing to nbgrader
	}
	return (meta.Grader.Grade || meta.Grader.Solution) && !meta.Grader.Task
}

// joined reads a source: one string, or a list of lines.
func joined(raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	if raw[0] == '"' {
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	}
	var parts []string
	err := json.Unmarshal(raw, &parts)
	return strings.Join(parts, ""), err
}

// kept is what nbgrader takes out of the copies that learners get: solutions and
// hidden tests, to the cell's end where nothing says that they end.
var kept = regexp.MustCompile(`(?ms)^[^\n]*### BEGIN (?:SOLUTION|HIDDEN TESTS)\b.*?(?:### END (?:SOLUTION|HIDDEN TESTS)[^\n]*(?:\n|\z)|\z)`)

func (r *notebookReader) cell(kind, source string, start, end int) error {
	if err := readable(source); err != nil {
		return err
	}
	source = kept.ReplaceAllString(source, "\n")
	var part Document
	switch kind {
	case "markdown":
		if err := nesting(source); err != nil {
			return err
		}
		part.section(source, 0, &r.headings, false, r.lists)
	case "code":
		l := indexLines(source)
		part.Chunks = pack(source, l, byLines(source, l, 0, len(source)), r.headings.path(), rag.PassageCode)
	}
	for _, c := range part.Chunks {
		c.StartByte, c.EndByte = start, end
		c.StartLine, c.EndLine = r.l.of(start), r.l.of(max(start, end-1))
		r.doc.Chunks = append(r.doc.Chunks, c)
	}
	return nil
}
