// Package eval measures search on sets of questions with labelled answers, in
// the BEIR layout: corpus.jsonl (_id, title, text), queries.jsonl (_id, text)
// and qrels.tsv or qrels/test.tsv (query, document, score).
//
// It goes through the same ingest and search as a course, so that what is
// measured is what learners get.
package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Set is an evaluation set.
type Set struct {
	Corpus  []Document
	Queries []Query
	// Relevant holds, by query and document, how relevant it is; above 0 is.
	Relevant map[string]map[string]float64
	// Unknown are labels that name a query or a document that isn't there. A
	// missing document still counts as one that should be found.
	Unknown []string
	// Unlabelled is how many queries were left out for want of a label.
	Unlabelled int
}

// Document is a document of the corpus.
type Document struct{ ID, Title, Text string }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Document) UnmarshalJSON(raw []byte) error {
	var line struct {
		ID    name   `json:"_id"`
		Title string `json:"title"`
		Text  string `json:"text"`
	}
	err := json.Unmarshal(raw, &line)
	*d = Document{string(line.ID), line.Title, line.Text}
	return err
}

// Query is a question.
type Query struct{ ID, Text string }

// UnmarshalJSON implements json.Unmarshaler.
func (q *Query) UnmarshalJSON(raw []byte) error {
	var line struct {
		ID   name   `json:"_id"`
		Text string `json:"text"`
	}
	err := json.Unmarshal(raw, &line)
	*q = Query{string(line.ID), line.Text}
	return err
}

// name is an id; some sets write numbers.
type name string

// UnmarshalJSON implements json.Unmarshaler.
func (id *name) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*id = name(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(raw, &number); err != nil {
		return fmt.Errorf("the _id %s is neither a text nor a number", raw)
	}
	*id = name(number)
	return nil
}

// Load reads a set. Queries without a label are left out.
func Load(fsys fs.FS) (Set, error) {
	var set Set
	var err error
	if set.Corpus, err = readLines[Document](fsys, "corpus.jsonl"); err != nil {
		return set, err
	}
	queries, err := readLines[Query](fsys, "queries.jsonl")
	if err != nil {
		return set, err
	}
	if set.Relevant, err = readLabels(fsys); err != nil {
		return set, err
	}
	known := map[string]bool{}
	for _, d := range set.Corpus {
		if known[d.ID] {
			return set, fmt.Errorf("corpus.jsonl has two documents %q", d.ID)
		}
		known[d.ID] = true
	}
	asked := map[string]bool{}
	for _, q := range queries {
		if asked[q.ID] {
			return set, fmt.Errorf("queries.jsonl has two queries %q", q.ID)
		}
		asked[q.ID] = true
		if len(set.Relevant[q.ID]) == 0 {
			set.Unlabelled++
			continue
		}
		set.Queries = append(set.Queries, q)
		for document := range set.Relevant[q.ID] {
			if !known[document] {
				set.Unknown = append(set.Unknown, fmt.Sprintf("document %s of query %s", document, q.ID))
			}
		}
	}
	for query := range set.Relevant {
		if !asked[query] {
			set.Unknown = append(set.Unknown, "query "+query)
		}
	}
	if len(set.Corpus) == 0 || len(set.Queries) == 0 {
		return set, errors.New("the set has no documents, or no queries with labels")
	}
	return set, nil
}

func readLines[T any](fsys fs.FS, file string) ([]T, error) {
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("read evaluation set: %w", err)
	}
	var list []T
	n := 0
	for line := range bytes.Lines(bytes.TrimPrefix(raw, []byte("\ufeff"))) {
		n++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var one T
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, fmt.Errorf("%s line %d: %w", file, n, err)
		}
		list = append(list, one)
	}
	return list, nil
}

// readLabels reads qrels.tsv, or BEIR's own place for it, qrels/test.tsv.
func readLabels(fsys fs.FS) (map[string]map[string]float64, error) {
	raw, err := fs.ReadFile(fsys, "qrels.tsv")
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = fs.ReadFile(fsys, "qrels/test.tsv")
	}
	if err != nil {
		return nil, fmt.Errorf("read evaluation set: %w", err)
	}
	labels := map[string]map[string]float64{}
	n := 0
	for line := range strings.Lines(string(raw)) {
		n++
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(fields) == 4 { // as TREC writes them, with a column of zeros
			fields = append(fields[:1], fields[2:]...)
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("qrels line %d: want query, document and score between tabs", n)
		}
		score, err := strconv.ParseFloat(strings.TrimSpace(fields[2]), 64)
		if err != nil {
			if n == 1 {
				continue // the header
			}
			return nil, fmt.Errorf("qrels line %d: the score %q is no number", n, fields[2])
		}
		if score <= 0 {
			continue
		}
		if labels[fields[0]] == nil {
			labels[fields[0]] = map[string]float64{}
		}
		labels[fields[0]][fields[1]] = score
	}
	return labels, nil
}
