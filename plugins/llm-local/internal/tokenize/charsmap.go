package tokenize

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// charsMap is SentencePiece's compiled normalisation (a variant of NFKC): a
// double array from sequences of bytes to places in a list of replacements.
type charsMap struct {
	units        []uint32
	replacements []byte
}

func readCharsMap(encoded string) (*charsMap, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("its map of characters: %w", err)
	}
	bad := errors.New("its map of characters is cut off")
	if len(raw) < 4 {
		return nil, bad
	}
	size := int(binary.LittleEndian.Uint32(raw))
	raw = raw[4:]
	if size%4 != 0 || size == 0 || size > len(raw) {
		return nil, bad
	}
	m := &charsMap{units: make([]uint32, size/4), replacements: raw[size:]}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return m, nil
}

// replacement looks up what the shortest known beginning of s becomes. That it
// then stands for all of s is how the reference does it.
func (m *charsMap) replacement(s string) (string, bool) {
	at := offset(m.units[0])
	for i := range len(s) {
		at ^= int(s[i])
		if s[i] == 0 || at >= len(m.units) || m.units[at]&(1<<31|0xFF) != uint32(s[i]) {
			return "", false
		}
		unit := m.units[at]
		at ^= offset(unit)
		if unit>>8&1 == 1 {
			if at >= len(m.units) {
				return "", false
			}
			from := int(m.units[at] & (1<<31 - 1))
			if from > len(m.replacements) {
				return "", false
			}
			text, _, _ := bytes.Cut(m.replacements[from:], []byte{0})
			return string(text), true
		}
	}
	return "", false
}

func offset(unit uint32) int { return int(unit >> 10 << (unit & (1 << 9) >> 6)) }

// normalize replaces what a reader sees as one character where that is known
// and short, else each of its code points.
func (m *charsMap) normalize(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		n := cluster(text)
		if n < 6 {
			if to, ok := m.replacement(text[:n]); ok {
				b.WriteString(to)
				text = text[n:]
				continue
			}
		}
		for _, r := range text[:n] {
			c := string(r)
			if to, ok := m.replacement(c); ok {
				c = to
			}
			b.WriteString(c)
		}
		text = text[n:]
	}
	return b.String()
}

// cluster is the length of the first grapheme cluster, as far as clusters of
// less than six bytes go: longer ones are taken apart anyway.
func cluster(text string) int {
	r, n := utf8.DecodeRuneInString(text)
	if strings.HasPrefix(text, "\r\n") {
		return 2
	}
	if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
		return n
	}
	for n < len(text) {
		next, size := utf8.DecodeRuneInString(text[n:])
		if !unicode.In(next, unicode.M, unicode.Other_Grapheme_Extend) && next != '\u200D' {
			break
		}
		n += size
	}
	return n
}
