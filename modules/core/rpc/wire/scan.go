package wire

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep objects and arrays may nest, raw JSON included.
const MaxDepth = 64

// maxNumber is how long the text of a number may be; PostgreSQL's jsonb and
// float64 both take what passes here.
const maxNumber = 350

// scanner reads JSON from bytes that are known to be UTF-8.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

func (s *scanner) fail(english, spanish string) error {
	return &malformed{english: english, spanish: spanish, at: s.pos}
}

func (s *scanner) failHere() error {
	if s.pos >= len(s.data) {
		return s.fail("it ends too early", "termina antes de tiempo")
	}
	if s.data[s.pos] == 0 {
		return s.fail("it holds a NUL", "contiene un NUL")
	}
	return s.fail("unexpected "+strconv.QuoteRune(s.rune()), strconv.QuoteRune(s.rune())+" inesperado")
}

func (s *scanner) rune() rune {
	r, _ := utf8.DecodeRune(s.data[s.pos:])
	return r
}

// peek is the next byte that is not space, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// take moves past c if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() == c && s.pos < len(s.data) {
		s.pos++
		return true
	}
	return false
}

// open enters an object or an array, leave goes out of it.
func (s *scanner) open() error {
	if s.depth++; s.depth > MaxDepth {
		return s.fail("it is nested deeper than "+strconv.Itoa(MaxDepth)+" levels", "tiene más de "+strconv.Itoa(MaxDepth)+" niveles")
	}
	s.pos++
	return nil
}

func (s *scanner) leave() { s.depth-- }

// next moves to the next element of an object or array that ends with end;
// false when there is none.
func (s *scanner) next(first bool, end byte) (bool, error) {
	if s.take(end) {
		s.leave()
		return false, nil
	}
	if first {
		return true, nil
	}
	if !s.take(',') {
		return false, s.failHere()
	}
	if s.peek() == end {
		return false, s.failHere()
	}
	return true, nil
}

// key reads a name and its colon.
func (s *scanner) key() (string, error) {
	if s.peek() != '"' {
		return "", s.failHere()
	}
	name, err := s.str()
	if err != nil {
		return "", err
	}
	if !s.take(':') {
		return "", s.failHere()
	}
	return name, nil
}

// literal takes a word such as null.
func (s *scanner) literal(word string) bool {
	if s.peek() != word[0] || len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

// number takes the text of a number.
func (s *scanner) number() ([]byte, error) {
	start := s.pos
	s.oneOf("-")
	whole := s.pos
	if !s.digits() || s.data[whole] == '0' && s.pos-whole > 1 {
		return nil, s.failHere()
	}
	if s.oneOf(".") && !s.digits() {
		return nil, s.failHere()
	}
	if s.oneOf("eE") {
		s.oneOf("+-")
		if !s.digits() {
			return nil, s.failHere()
		}
	}
	text := s.data[start:s.pos]
	if _, err := strconv.ParseFloat(string(text), 64); err != nil || len(text) > maxNumber {
		return nil, s.fail("a number is out of range", "un número está fuera de rango")
	}
	return text, nil
}

// oneOf moves past one of the characters, right here.
func (s *scanner) oneOf(characters string) bool {
	if s.pos >= len(s.data) || strings.IndexByte(characters, s.data[s.pos]) < 0 {
		return false
	}
	s.pos++
	return true
}

// digits moves past at least one digit.
func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > from
}

// str takes a string; its escapes are resolved.
func (s *scanner) str() (string, error) {
	s.pos++
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return string(s.data[start : s.pos-1]), nil
		case c == '\\':
			return s.escaped(start)
		case c < 0x20:
			return "", s.failHere()
		default:
			s.pos++
		}
	}
	return "", s.failHere()
}

func (s *scanner) escaped(start int) (string, error) {
	out := append([]byte(nil), s.data[start:s.pos]...)
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		switch {
		case c == '"':
			s.pos++
			return string(out), nil
		case c < 0x20:
			return "", s.failHere()
		case c != '\\':
			out = append(out, c)
			s.pos++
		default:
			s.pos++
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return "", s.failHere()
}

// escape reads what follows a backslash.
func (s *scanner) escape() (rune, error) {
	if s.pos >= len(s.data) {
		return 0, s.failHere()
	}
	c := s.data[s.pos]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode()
	default:
		return 0, s.failHere()
	}
	s.pos++
	return rune(c), nil
}

func (s *scanner) unicode() (rune, error) {
	r, err := s.hex()
	if err != nil {
		return 0, err
	}
	if r == 0 {
		return 0, s.fail("it holds a NUL", "contiene un NUL")
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if s.pos+1 < len(s.data) && s.data[s.pos] == '\\' && s.data[s.pos+1] == 'u' {
		s.pos++
		low, err := s.hex()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
	}
	return 0, s.fail("half of a surrogate pair stands alone", "falta la mitad de un par sustituto")
}

// hex reads uXXXX.
func (s *scanner) hex() (rune, error) {
	s.pos++
	if len(s.data)-s.pos < 4 {
		s.pos = len(s.data)
		return 0, s.failHere()
	}
	n, err := strconv.ParseUint(string(s.data[s.pos:s.pos+4]), 16, 32)
	if err != nil {
		return 0, s.failHere()
	}
	s.pos += 4
	return rune(n), nil
}

// skip moves past a value of any kind and gives its text.
func (s *scanner) skip() ([]byte, error) {
	c := s.peek()
	start := s.pos
	var err error
	switch {
	case c == '{' || c == '[':
		err = s.skipNested(c)
	case c == '"':
		_, err = s.str()
	case c == '-' || c >= '0' && c <= '9':
		_, err = s.number()
	case s.literal("null"), s.literal("true"), s.literal("false"):
	default:
		err = s.failHere()
	}
	return s.data[start:s.pos], err
}

func (s *scanner) skipNested(c byte) error {
	if err := s.open(); err != nil {
		return err
	}
	end := c + 2 // in ASCII, both closing brackets are two after their opening ones
	for first := true; ; first = false {
		more, err := s.next(first, end)
		if err != nil || !more {
			return err
		}
		if c == '{' {
			if _, err := s.key(); err != nil {
				return err
			}
		}
		if _, err := s.skip(); err != nil {
			return err
		}
	}
}

// end fails when something follows the value.
func (s *scanner) end() error {
	if s.peek(); s.pos < len(s.data) {
		return s.failHere()
	}
	return nil
}
