// Package tokenize cuts texts into the tokens of an encoder, as the file
// tokenizer.json beside the model says: WordPiece as of BERT, and Unigram with
// SentencePiece's normalisation as of XLM-RoBERTa.
//
// It reads what those two families need and refuses a file that asks for more.
// Unlike the reference, it never reads a special token out of a text: "[MASK]"
// in a learner's comment is six characters.
package tokenize

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Tokenizer cuts texts. Safe for concurrent use.
type Tokenizer struct {
	model      interface{ tokens(text string) []int64 }
	start, end int64
	// pad fills up shorter texts of a batch.
	pad int64
}

type file struct {
	AddedTokens []struct {
		ID      int64  `json:"id"`
		Content string `json:"content"`
	} `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Model         json.RawMessage `json:"model"`
}

// Read reads a tokenizer.json.
func Read(r io.Reader) (*Tokenizer, error) {
	var f file
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(f.Model, &kind); err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	added := map[string]int64{}
	for _, a := range f.AddedTokens {
		added[a.Content] = a.ID
	}
	t := &Tokenizer{}
	var err error
	var names [3]string
	switch kind.Type {
	case "WordPiece":
		names = [3]string{"[CLS]", "[SEP]", "[PAD]"}
		t.model, err = readWordPiece(f)
	case "Unigram":
		names = [3]string{"<s>", "</s>", "<pad>"}
		t.model, err = readUnigram(f)
	default:
		err = fmt.Errorf("its model is %q: WordPiece and Unigram are known", kind.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	for i, to := range []*int64{&t.start, &t.end, &t.pad} {
		id, ok := added[names[i]]
		if !ok {
			return nil, fmt.Errorf("read tokenizer: it has no token %s", names[i])
		}
		*to = id
	}
	return t, nil
}

// Encode returns the tokens of a text between the start and the end token, at
// limit of them: what does not fit is cut off.
func (t *Tokenizer) Encode(text string, limit int) []int64 {
	ids := t.model.tokens(text)
	if len(ids) > limit-2 {
		ids = ids[:max(limit-2, 0)]
	}
	out := make([]int64, 0, len(ids)+2)
	return append(append(append(out, t.start), ids...), t.end)
}

// Pad is the token that fills up a batch.
func (t *Tokenizer) Pad() int64 { return t.pad }

// parts reads a normaliser or pre-tokeniser, a sequence of them or none.
func parts(raw json.RawMessage) ([]part, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var p part
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, err
	}
	if p.Type != "Sequence" {
		return []part{p}, nil
	}
	if len(p.Normalizers)+len(p.PreTokenizers) == 0 {
		return nil, errors.New("a sequence of nothing")
	}
	return append(p.Normalizers, p.PreTokenizers...), nil
}

type part struct {
	Type          string `json:"type"`
	Normalizers   []part `json:"normalizers"`
	PreTokenizers []part `json:"pretokenizers"`
	// BertNormalizer
	CleanText    bool  `json:"clean_text"`
	ChineseChars bool  `json:"handle_chinese_chars"`
	StripAccents *bool `json:"strip_accents"`
	Lowercase    bool  `json:"lowercase"`
	// Precompiled
	CharsMap string `json:"precompiled_charsmap"`
	// Replace
	Pattern struct {
		Regex string `json:"Regex"`
	} `json:"pattern"`
	Content string `json:"content"`
	// Metaspace
	Replacement    string `json:"replacement"`
	AddPrefixSpace *bool  `json:"add_prefix_space"`
	PrependScheme  string `json:"prepend_scheme"`
}
