package tokenize

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// unknownPenalty is what an unknown character costs more than the rarest piece.
const unknownPenalty = 10

// unigram is SentencePiece's tokenizer: the most probable way to cut each word
// into pieces.
type unigram struct {
	pieces  map[string]piece
	longest int // bytes of the longest piece
	unk     int64
	unkCost float64
	chars   *charsMap
	meta    string
}

type piece struct {
	id    int64
	score float64
}

func readUnigram(f file) (*unigram, error) {
	var m struct {
		Vocab json.RawMessage `json:"vocab"`
		Unk   *int64          `json:"unk_id"`
	}
	if err := json.Unmarshal(f.Model, &m); err != nil {
		return nil, err
	}
	vocab, err := readEntries(m.Vocab)
	if err != nil {
		return nil, err
	}
	if m.Unk == nil || *m.Unk < 0 || *m.Unk >= int64(len(vocab)) {
		return nil, errors.New("its unknown token is not in its vocabulary")
	}
	u := &unigram{pieces: make(map[string]piece, len(vocab)), unk: *m.Unk}
	if err := u.readRules(f); err != nil {
		return nil, err
	}
	special := map[string]bool{vocab[*m.Unk].text: true}
	for _, a := range f.AddedTokens {
		special[a.Content] = true
	}
	lowest := math.Inf(1)
	for id, e := range vocab {
		lowest = min(lowest, e.score)
		if special[e.text] {
			continue
		}
		u.pieces[e.text] = piece{int64(id), e.score}
		u.longest = max(u.longest, len(e.text))
	}
	u.unkCost = lowest - unknownPenalty
	return u, nil
}

// readRules reads how texts are normalised and split: SentencePiece's map of
// characters, runs of spaces made one, and a mark instead of spaces.
func (u *unigram) readRules(f file) error {
	normalizers, err := parts(f.Normalizer)
	if err != nil {
		return err
	}
	for _, p := range normalizers {
		switch {
		case p.Type == "Precompiled":
			if u.chars, err = readCharsMap(p.CharsMap); err != nil {
				return err
			}
		case p.Type == "Replace" && p.Pattern.Regex == " {2,}" && p.Content == " ":
		default:
			return fmt.Errorf("its normaliser %s %q is not known", p.Type, p.Pattern.Regex)
		}
	}
	if err := u.readMark(f.PreTokenizer); err != nil {
		return err
	}
	if u.chars == nil || u.meta == "" {
		return errors.New("a Unigram tokenizer must have a Precompiled normaliser and a Metaspace")
	}
	return nil
}

// readMark reads what stands for a space.
func (u *unigram) readMark(raw json.RawMessage) error {
	pre, err := parts(raw)
	if err != nil {
		return err
	}
	for _, p := range pre {
		switch p.Type {
		case "WhitespaceSplit":
		case "Metaspace":
			u.meta = p.Replacement
			if p.AddPrefixSpace != nil && !*p.AddPrefixSpace || p.PrependScheme == "never" {
				return errors.New("its first word has no mark, which is not known")
			}
		default:
			return fmt.Errorf("its pre-tokenizer %s is not known", p.Type)
		}
	}
	return nil
}

func (u *unigram) tokens(text string) []int64 {
	text = u.chars.normalize(strings.ToValidUTF8(text, "\uFFFD"))
	if text == "" {
		return nil
	}
	for strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	var ids []int64
	var way []step
	for word := range strings.SplitSeq(strings.TrimPrefix(text, " "), " ") {
		ids, way = u.cut(ids, way, u.meta+word)
	}
	return ids
}

// step is the best way to a byte of a word: from where, by which piece.
type step struct {
	score float64
	from  int
	id    int64
}

// cut appends the tokens of a word. way is room to work in.
func (u *unigram) cut(ids []int64, way []step, word string) (out []int64, room []step) {
	way = append(way[:0], make([]step, len(word)+1)...)
	for i := range way {
		way[i].from = -1
	}
	for start := 0; start < len(word); {
		_, size := utf8.DecodeRuneInString(word[start:])
		single := false
		better := func(end int, id int64, score float64) {
			if to := &way[end]; to.from < 0 || score > to.score {
				*to = step{score: score, from: start, id: id}
			}
		}
		for end := start + size; end <= len(word) && end-start <= u.longest; {
			if p, ok := u.pieces[word[start:end]]; ok {
				better(end, p.id, way[start].score+p.score)
				single = single || end == start+size
			}
			if end == len(word) {
				break
			}
			_, next := utf8.DecodeRuneInString(word[end:])
			end += next
		}
		if !single {
			better(start+size, u.unk, way[start].score+u.unkCost)
		}
		start += size
	}
	// The way back; unknown neighbours are one token.
	before := len(ids)
	for at := len(word); at > 0; at = way[at].from {
		if id := way[at].id; id != u.unk || len(ids) == before || ids[len(ids)-1] != u.unk {
			ids = append(ids, id)
		}
	}
	for i, j := before, len(ids)-1; i < j; i, j = i+1, j-1 {
		ids[i], ids[j] = ids[j], ids[i]
	}
	return ids, way
}
