package tokenize

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

func TestTmp(t *testing.T) {
	for _, m := range []string{"minilm", "me5"} {
		f, err := os.Open("/tmp/enc/m/" + m + "/tokenizer.json")
		if err != nil {
			t.Fatal(err)
		}
		tok, err := Read(f)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := os.Open("/tmp/enc/m/" + m + "/vectors.jsonl")
		s := bufio.NewScanner(v)
		for s.Scan() {
			var c struct {
				Text string
				IDs  []int64
			}
			if err := json.Unmarshal(s.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			if got := tok.Encode(c.Text, 1<<20); !slices.Equal(got, c.IDs) {
				t.Errorf("%s %q:\n got %v\nwant %v", m, c.Text, got, c.IDs)
			}
		}
	}
}
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		f, _ := os.Open("/tmp/enc/m/me5/tokenizer.json")
		Read(f)
	}
}
