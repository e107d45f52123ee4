package cases

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Pseudonyms of one export. Their key is nowhere but here.
type Pseudonyms struct{ key [32]byte }

// NewPseudonyms makes a key.
func NewPseudonyms() *Pseudonyms {
	p := &Pseudonyms{}
	_, _ = rand.Read(p.key[:]) // never fails, by its contract
	return p
}

// Of is a pseudonym, the same for the same id.
func (p *Pseudonyms) Of(id string) string {
	mac := hmac.New(sha256.New, p.key[:])
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil)[:6])
}

// Blank takes a person out of texts: their id, what they may be called, and
// everybody's mail addresses. What stays is still a program where it was one.
type Blank struct{ names *regexp.Regexp }

// instead of a name; it may stand where an identifier does.
const instead = "someone"

var address = regexp.MustCompile(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`)

// NewBlank takes these out; names also by their parts, from three letters on.
func NewBlank(userID string, names []string) Blank {
	words := []string{}
	for _, name := range append([]string{userID}, names...) {
		words = append(words, name)
		name, _, _ = strings.Cut(name, "@") // a school's name is everybody's
		for _, part := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if len([]rune(part)) >= 3 {
				words = append(words, part)
			}
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return strings.TrimSpace(w) == "" })
	// Longer ones first: a whole name before its parts.
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	if len(words) == 0 {
		return Blank{}
	}
	// An underscore parts words here: ada_solution is hers.
	return Blank{names: regexp.MustCompile(`(?i)(^|[^\pL\pN])(?:` + strings.Join(words, "|") + `)($|[^\pL\pN])`)}
}

// Text is a text without the person.
func (b Blank) Text(text string) string {
	text = address.ReplaceAllString(text, instead+"@example.org")
	if b.names == nil {
		return text
	}
	for { // two names may share the blank between them
		out := b.names.ReplaceAllString(text, "${1}"+instead+"${2}")
		if out == text {
			return out
		}
		text = out
	}
}

// Files are files without the person, names of files too.
func (b Blank) Files(list []File) []File {
	out := make([]File, len(list))
	for i, f := range list {
		out[i] = File{Path: b.Text(f.Path), Content: b.Text(f.Content)}
	}
	return out
}

// Case is a case without the person.
func (b Blank) Case(c Case) Case {
	c.Title, c.Ask, c.Answer, c.Files = b.Text(c.Title), b.Text(c.Ask), b.Text(c.Answer), b.Files(c.Files)
	c.Claims = slices.Clone(c.Claims)
	for i := range c.Claims {
		k := &c.Claims[i]
		k.Text, k.File, k.Criterion = b.Text(k.Text), b.Text(k.File), b.Text(k.Criterion)
	}
	c.Objectives, c.Withdrawn = b.objectives(c.Objectives), b.objectives(c.Withdrawn)
	if c.Figures != nil {
		f := *c.Figures
		f.Correction = b.Text(f.Correction)
		c.Figures = &f
	}
	if c.Task != nil {
		t := *c.Task
		t.Title, t.Description = b.Text(t.Title), b.Text(t.Description)
		c.Task = &t
	}
	return c
}

func (b Blank) objectives(list []Objective) []Objective {
	list = slices.Clone(list)
	for i := range list {
		list[i].Text = b.Text(list[i].Text)
	}
	return list
}
