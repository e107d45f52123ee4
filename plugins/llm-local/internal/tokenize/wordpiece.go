package tokenize

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// wordPiece is BERT's tokenizer: words, then the longest pieces of the
// vocabulary from the left.
type wordPiece struct {
	vocab  map[string]int64
	prefix string
	unk    int64
	most   int // characters of a word; a longer one is unknown
	norm   part
}

func readWordPiece(f file) (*wordPiece, error) {
	var m struct {
		Vocab  map[string]int64 `json:"vocab"`
		Unk    string           `json:"unk_token"`
		Prefix string           `json:"continuing_subword_prefix"`
		Most   int              `json:"max_input_chars_per_word"`
	}
	if err := json.Unmarshal(f.Model, &m); err != nil {
		return nil, err
	}
	normalizers, err := parts(f.Normalizer)
	if err != nil {
		return nil, err
	}
	pre, err := parts(f.PreTokenizer)
	if err != nil {
		return nil, err
	}
	if len(normalizers) != 1 || normalizers[0].Type != "BertNormalizer" || len(pre) != 1 || pre[0].Type != "BertPreTokenizer" {
		return nil, errors.New("a WordPiece tokenizer must normalise and split as BERT does")
	}
	unk, ok := m.Vocab[m.Unk]
	if !ok {
		return nil, fmt.Errorf("its vocabulary lacks the unknown token %q", m.Unk)
	}
	return &wordPiece{vocab: m.Vocab, prefix: m.Prefix, unk: unk, most: m.Most, norm: normalizers[0]}, nil
}

func (w *wordPiece) tokens(text string) []int64 {
	var ids []int64
	for _, word := range words(w.normalize(text)) {
		ids = w.pieces(ids, word)
	}
	return ids
}

// pieces appends the tokens of a word: all of them, or "unknown" once.
func (w *wordPiece) pieces(ids []int64, word string) []int64 {
	if utf8.RuneCountInString(word) > w.most {
		return append(ids, w.unk)
	}
	before := len(ids)
	for start := 0; start < len(word); {
		end := len(word)
		var id int64
		found := false
		for end > start {
			piece := word[start:end]
			if start > 0 {
				piece = w.prefix + piece
			}
			if id, found = w.vocab[piece]; found {
				break
			}
			_, size := utf8.DecodeLastRuneInString(word[start:end])
			end -= size
		}
		if !found {
			return append(ids[:before], w.unk)
		}
		ids = append(ids, id)
		start = end
	}
	return ids
}

func (w *wordPiece) normalize(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case w.norm.CleanText && (r == 0 || r == utf8.RuneError || isControl(r)):
		case w.norm.CleanText && isSpace(r):
			b.WriteByte(' ')
		case w.norm.ChineseChars && isChinese(r):
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	text = b.String()
	strip := w.norm.Lowercase
	if w.norm.StripAccents != nil {
		strip = *w.norm.StripAccents
	}
	if strip {
		text = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, norm.NFD.String(text))
	}
	if w.norm.Lowercase {
		text = strings.ToLower(text)
	}
	return text
}

// words splits at white space and puts each punctuation mark apart.
func words(text string) []string {
	var out []string
	start := -1
	cut := func(end int) {
		if start >= 0 {
			out = append(out, text[start:end])
			start = -1
		}
	}
	for i, r := range text {
		switch {
		case isSpace(r):
			cut(i)
		case isPunctuation(r):
			cut(i)
			out = append(out, string(r))
		case start < 0:
			start = i
		}
	}
	cut(len(text))
	return out
}

func isSpace(r rune) bool { return unicode.Is(unicode.White_Space, r) }

func isControl(r rune) bool {
	if r == '\t' || r == '\n' || r == '\r' {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

func isPunctuation(r rune) bool {
	return r > ' ' && r < unicode.MaxASCII && !unicode.IsLetter(r) && !unicode.IsDigit(r) || unicode.Is(unicode.P, r)
}

func isChinese(r rune) bool {
	for _, span := range [...][2]rune{
		{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
		{0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return false
}
