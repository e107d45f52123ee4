package tokenize

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// entry is a piece of the vocabulary and its score.
type entry struct {
	text  string
	score float64
}

// readEntries reads [["▁the", -3.9], …] of a valid JSON document: a quarter of a
// million of them in a multilingual model, for which encoding/json takes a
// second.
func readEntries(raw []byte) ([]entry, error) {
	var out []entry
	s := scanner{rest: raw}
	if !s.next('[') {
		return nil, s.wrong()
	}
	for s.next('[') {
		text, ok := s.text()
		if !ok || !s.next(',') {
			return nil, s.wrong()
		}
		end := bytes.IndexByte(s.rest, ']')
		if end < 0 {
			return nil, s.wrong()
		}
		score, err := strconv.ParseFloat(string(bytes.TrimSpace(s.rest[:end])), 64)
		if err != nil {
			return nil, s.wrong()
		}
		s.rest = s.rest[end+1:]
		out = append(out, entry{text, score})
		if !s.next(',') {
			break
		}
	}
	if !s.next(']') {
		return nil, s.wrong()
	}
	return out, nil
}

type scanner struct{ rest []byte }

// next takes a character, if it is the next one.
func (s *scanner) next(c byte) bool {
	s.rest = bytes.TrimLeft(s.rest, " \t\r\n")
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text takes a string.
func (s *scanner) text() (text string, ok bool) {
	if !s.next('"') {
		return "", false
	}
	escaped := false
	for i := 0; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			inside := s.rest[:i]
			s.rest = s.rest[i+1:]
			if !escaped {
				return string(inside), true
			}
			quoted := append(append([]byte{'"'}, inside...), '"')
			err := json.Unmarshal(quoted, &text)
			return text, err == nil
		}
	}
	return "", false
}

func (s *scanner) wrong() error {
	return fmt.Errorf("its vocabulary is no list of pieces and scores at %.20q", s.rest)
}
