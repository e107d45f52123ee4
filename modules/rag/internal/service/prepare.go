package service

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/analyze"
	"github.com/goals-tracker/tracker/modules/rag/internal/chunk"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// prepared is a document that was cut and waits for its language.
type prepared struct {
	chunk.Document
	path    string
	content string
	digest  []byte
	natural analyze.Language
}

// pipeline numbers the way in which chunks and postings are made.
func (s *Service) pipeline() int {
	return chunk.Version*1_000_000 + analyze.Version*1000 + int(s.cfg.HeadingWeight*10)
}

// cleanPath refuses what could not be a path below the material's root.
func cleanPath(name string) (string, error) {
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return "", fmt.Errorf("its path holds control characters or is not UTF-8; rename it")
	case strings.Contains(name, `\`):
		return "", fmt.Errorf("its path holds a backslash; separate folders by /")
	case name == "" || utf8.RuneCountInString(name) > 1000:
		return "", fmt.Errorf("its path must have 1 to 1000 characters")
	}
	clean := path.Clean(name)
	if path.IsAbs(clean) || clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.HasSuffix(name, "/") {
		return "", fmt.Errorf("its path must be relative to the course's root and stay below it")
	}
	return clean, nil
}

// settle decides in which language each document's words are read: what it
// says of itself, its path, its words, and for programs with few words the
// language that most of the course is in.
func settle(docs []prepared, states map[string]store.State) {
	votes := map[analyze.Language]int{}
	for _, s := range states {
		votes[analyze.Language(s.Language)]++
	}
	for i := range docs {
		d := &docs[i]
		if d.natural = ownLanguage(d); d.Kind != rag.Code {
			votes[d.natural]++
		}
	}
	course := analyze.English
	if votes[analyze.Spanish] > votes[analyze.English] {
		course = analyze.Spanish
	}
	for i := range docs {
		if docs[i].natural == analyze.Unknown {
			docs[i].natural = course
		}
	}
}

func ownLanguage(d *prepared) analyze.Language {
	if d.Natural != "" {
		return analyze.Language(d.Natural)
	}
	for _, folder := range strings.Split(path.Dir(d.path), "/") {
		if lower := strings.ToLower(folder); lower == "en" || lower == "es" {
			return analyze.Language(lower)
		}
	}
	least := 2
	if d.Kind == rag.Code {
		least = 5
	}
	return analyze.Detect(d.content, least)
}

// row is the document as it is stored.
func (d *prepared) row(id string, pipeline int) store.Row {
	language := string(d.natural)
	if d.Kind == rag.Code {
		language = d.Program
	}
	return store.Row{ID: id, Path: d.path, Title: d.Title, Kind: d.Kind, Language: language, Digest: d.digest,
		Content: d.content, Meta: d.Meta, Chunks: len(d.Chunks), Pipeline: pipeline}
}

// chunks are the document's passages with their terms.
func (d *prepared) chunks(documentID string, pipeline int, headingWeight float64) []store.Chunk {
	list := make([]store.Chunk, len(d.Chunks))
	for i, c := range d.Chunks {
		language := string(d.natural)
		if c.Kind == rag.PassageCode && d.Program != "" {
			language = d.Program
		}
		one := store.Chunk{DocumentID: documentID, Position: i, Chunk: c, Language: language, TF: map[string]float32{}}
		for _, term := range analyze.Terms(c.Text, d.natural) {
			one.TF[term]++
			one.Tokens++
		}
		about := c.Heading
		if !strings.Contains(about, d.Title) {
			about = d.Title + "\n" + about
		}
		for _, term := range analyze.Terms(about, d.natural) {
			if headingWeight > 0 {
				one.TF[term] += float32(headingWeight)
				one.Tokens++
			}
		}
		one.Digest = digestOf(pipeline, c.Kind, about, language, string(d.natural), c.Text)
		list[i] = one
	}
	return list
}

func digestOf(pipeline int, parts ...string) []byte {
	sum := sha256.New()
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(pipeline))
	sum.Write(length[:])
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		sum.Write(length[:])
		sum.Write([]byte(part))
	}
	return sum.Sum(nil)
}

// changes compares a document's chunks with those that are there: what stays
// the same keeps its id, and with it its postings, embeddings and citations.
type changes struct {
	add, move []store.Chunk
	drop      []string
}

func (c *changes) compare(wanted []store.Chunk, known []store.Known, newID func() string) {
	free := map[string][]string{}
	for _, k := range known {
		free[string(k.Digest)] = append(free[string(k.Digest)], k.ID)
	}
	for _, w := range wanted {
		if ids := free[string(w.Digest)]; len(ids) > 0 {
			w.ID, free[string(w.Digest)] = ids[0], ids[1:]
			c.move = append(c.move, w)
			continue
		}
		w.ID = newID()
		c.add = append(c.add, w)
	}
	for _, ids := range free {
		c.drop = append(c.drop, ids...)
	}
}
