package tokenize_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/plugins/llm-local/internal/tokenize"
	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// The reference is Hugging Face's tokenizers 0.23; testdata holds what it made of
// texts, for the vocabularies of the models that `tracker model pull` brings.
func TestTokensAreThoseOfTheReferenceImplementation(t *testing.T) {
	for _, model := range []string{"all-minilm-l6-v2-q", "multilingual-e5-small"} {
		t.Run(model, func(t *testing.T) {
			tokens := read(t, vocabulary(t, model))
			f, err := os.Open(filepath.Join("testdata", model+".jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			n := 0
			for lines := bufio.NewScanner(f); lines.Scan(); n++ {
				var want struct {
					Text string  `json:"text"`
					IDs  []int64 `json:"ids"`
				}
				if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
					t.Fatal(err)
				}
				if got := tokens.Encode(want.Text, 1<<20); !slices.Equal(got, want.IDs) {
					t.Errorf("%q:\n got %v\nwant %v", want.Text, got, want.IDs)
				}
			}
			if n < 30 {
				t.Errorf("compared %d texts", n)
			}
		})
	}
}

// vocabulary finds the tokenizer of a model that was pulled.
func vocabulary(t *testing.T, model string) string {
	t.Helper()
	dirs := []string{"/var/lib/tracker/models"}
	if data := os.Getenv("TRACKER_DATA_DIR"); data != "" {
		dirs = append(dirs, filepath.Join(data, "models"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".local", "share", "tracker", "models"))
	}
	for _, dir := range dirs {
		raw, err := os.ReadFile(filepath.Join(dir, model, localmodel.TokenizerFile))
		if err == nil {
			return string(raw)
		}
	}
	t.Skipf("the model %s is not on this machine: run `tracker model pull`", model)
	return ""
}

func read(t testing.TB, file string) *tokenize.Tokenizer {
	t.Helper()
	tokens, err := tokenize.Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

const (
	special = `"added_tokens": [{"id": 0, "content": "[PAD]"}, {"id": 1, "content": "[UNK]"}, {"id": 2, "content": "[CLS]"}, {"id": 3, "content": "[SEP]"}]`
	bert    = `{` + special + `, "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
		"pre_tokenizer": {"type": "BertPreTokenizer"},
		"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 10,
		"vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "list": 4, "##s": 5, "lists": 6, "cafe": 7, "(": 8, ")": 9, "中": 10, "[": 11, "]": 12, "cl": 13}}}`
)

func TestWordsAreCutIntoTheLongestPieces(t *testing.T) {
	tokens := read(t, bert)
	for text, want := range map[string][]int64{
		"":                    {2, 3},
		"Lists":               {2, 6, 3},
		"CAFÉS (list)\n":      {2, 7, 5, 8, 4, 9, 3},
		"中list":               {2, 10, 4, 3},
		"listx list":          {2, 1, 4, 3},
		"listssssssssssss":    {2, 1, 3},             // too long a word
		"[CLS]":               {2, 11, 13, 5, 12, 3}, // never the special token
		"cl\u200b\x00 cafe\t": {2, 13, 7, 3},
	} {
		if got := tokens.Encode(text, 99); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	if got := tokens.Encode("list cafe list cafe", 4); !slices.Equal(got, []int64{2, 4, 7, 3}) {
		t.Errorf("cut at four tokens: %v", got)
	}
}

// sentencePiece is a vocabulary of a few pieces. Its map of characters knows none.
func sentencePiece(pieces string) string {
	none := base64.StdEncoding.EncodeToString([]byte{4, 0, 0, 0, 0, 0, 0, 0, 0})
	return fmt.Sprintf(`{"added_tokens": [{"id": 0, "content": "<s>"}, {"id": 1, "content": "<pad>"}, {"id": 2, "content": "</s>"}, {"id": 3, "content": "<unk>"}],
		"normalizer": {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": %q}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
		"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
		"model": {"type": "Unigram", "unk_id": 3, "vocab": [["<s>", 0], ["<pad>", 0], ["</s>", 0.0], ["<unk>", 0], %s]}}`, none, pieces)
}

func TestWordsAreCutTheMostProbableWay(t *testing.T) {
	tokens := read(t, sentencePiece(`["▁", -5], ["a", -2], ["b", -2.5] , ["ab", -3], ["▁ab", -9], ["▁a", -3], ["\"\u00f1\\", -1]`))
	for text, want := range map[string][]int64{
		"":         {0, 2},
		"ab":       {0, 9, 6, 2},       // ▁a b (-5.5) beats ▁ ab (-8) and ▁ab (-9)
		"  a   b ": {0, 9, 4, 6, 4, 2}, // the mark of each word, and of the end
		"aab":      {0, 9, 7, 2},
		"xyb":      {0, 4, 3, 6, 2}, // unknown neighbours are one token
		`"ñ\`:      {0, 4, 10, 2},
		"<s>":      {0, 4, 3, 2}, // never the special token
	} {
		if got := tokens.Encode(text, 99); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestATokenizerThatWantsMoreThanIsKnownIsRefused(t *testing.T) {
	for want, file := range map[string]string{
		"unexpected EOF":        `{"model": `,
		`"BPE"`:                 `{"model": {"type": "BPE"}}`,
		"no token [CLS]":        strings.ReplaceAll(bert, `"content": "[CLS]"`, `"content": "CLS"`),
		"as BERT does":          strings.ReplaceAll(bert, "BertPreTokenizer", "ByteLevel"),
		"lacks the unknown":     strings.ReplaceAll(bert, `"unk_token": "[UNK]"`, `"unk_token": "?"`),
		"Metaspace":             strings.ReplaceAll(sentencePiece(`["a", -1]`), `"type": "Metaspace"`, `"type": "WhitespaceSplit"`),
		"is cut off":            strings.ReplaceAll(sentencePiece(`["a", -1]`), "BAAAAAAAAAAA", "/wAAAAAAAAAA"),
		"no list of pieces":     sentencePiece(`["a"]`),
		"not in its vocabulary": strings.ReplaceAll(sentencePiece(`["a", -1]`), `"unk_id": 3`, `"unk_id": 30`),
		"is not known":          strings.ReplaceAll(sentencePiece(`["a", -1]`), `{2,}`, `{3,}`),
	} {
		if _, err := tokenize.Read(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func FuzzEncodeIsBoundedAndKeepsItsEnds(f *testing.F) {
	word, sentence := read(f, bert), read(f, sentencePiece(`["▁", -5], ["a", -2], ["ab", -3]`))
	f.Add("ab \xff\xc3\x28 中 e\u0301", 7)
	f.Add("\r\n \u2028 x", 3)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = 2 + most&0xFF
		for _, tokens := range []*tokenize.Tokenizer{word, sentence} {
			ids := tokens.Encode(text, most)
			if len(ids) < 2 || len(ids) > most || ids[0] != tokens.Encode("", 2)[0] || ids[len(ids)-1] != tokens.Encode("", 2)[1] {
				t.Errorf("%q became %v", text, ids)
			}
			if len(ids) > 2+2*utf8.RuneCountInString(text)+2 {
				t.Errorf("%q became %d tokens", text, len(ids))
			}
		}
	})
}
