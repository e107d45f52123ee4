package postgres

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Args are a statement's arguments by name.
type Args = pgx.NamedArgs

// Statement is SQL with a name and @named arguments, written next to the store
// method that runs it. All statements are known to a test that prepares each
// against the migrated schema, and to one that takes the parts between
// /*scope*/ and /*end*/ out and still reads no foreign row.
type Statement struct {
	name  string
	text  string
	sql   string
	names []string
}

var statements = struct {
	sync.Mutex
	byName map[string]*Statement
}{byName: map[string]*Statement{}}

// SQL makes a statement; name is unique: "goals.get". It panics on a name that
// is taken, since statements are package variables.
func SQL(name, text string) *Statement {
	s := &Statement{name: name, text: text}
	s.sql, s.names = number(text)
	statements.Lock()
	defer statements.Unlock()
	if _, taken := statements.byName[name]; taken {
		panic(fmt.Sprintf("postgres: two statements are named %q", name))
	}
	statements.byName[name] = s
	return s
}

// Statements are all that were made, by name.
func Statements() []*Statement {
	statements.Lock()
	defer statements.Unlock()
	all := make([]*Statement, 0, len(statements.byName))
	for _, s := range statements.byName {
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	return all
}

// Name is the statement's name.
func (s *Statement) Name() string { return s.name }

// Text is the SQL as it was written, with @named arguments.
func (s *Statement) Text() string { return s.text }

// Numbered is the SQL with $1, $2, … in place of names.
func (s *Statement) Numbered() string { return s.sql }

// Bind puts arguments into the statement's order; a missing or a superfluous
// one is an error, since both are slips.
func (s *Statement) Bind(args Args) ([]any, error) {
	if len(args) != len(s.names) {
		return nil, fmt.Errorf("statement %s takes %v, got %d arguments", s.name, s.names, len(args))
	}
	values := make([]any, len(s.names))
	for i, name := range s.names {
		value, ok := args[name]
		if !ok {
			return nil, fmt.Errorf("statement %s: argument @%s is missing", s.name, name)
		}
		values[i] = value
	}
	return values, nil
}

// Unscoped is a copy without its /*scope*/ … /*end*/ parts; only for the test
// that proves what row-level security holds back.
func (s *Statement) Unscoped() *Statement {
	text := s.text
	for {
		start := strings.Index(text, "/*scope*/")
		if start < 0 {
			break
		}
		end := strings.Index(text[start:], "/*end*/")
		if end < 0 {
			break
		}
		text = text[:start] + "true" + text[start+end+len("/*end*/"):]
	}
	open := &Statement{name: s.name, text: text}
	open.sql, open.names = number(text)
	return open
}

// number replaces @names outside quotes and comments by $n.
func number(text string) (string, []string) {
	var out strings.Builder
	var names []string
	index := map[string]int{}
	for i := 0; i < len(text); {
		if n := opaque(text[i:]); n > 0 {
			out.WriteString(text[i : i+n])
			i += n
			continue
		}
		switch c := text[i]; {
		case c == '@' && i+1 < len(text) && isNameStart(text[i+1]) && (i == 0 || text[i-1] != '<'):
			end := i + 1
			for end < len(text) && isNamePart(text[end]) {
				end++
			}
			name := text[i+1 : end]
			n, seen := index[name]
			if !seen {
				names = append(names, name)
				n = len(names)
				index[name] = n
			}
			fmt.Fprintf(&out, "$%d", n)
			i = end
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.String(), names
}

// opaque is the length of the quoted text or comment that s begins with, or 0.
// One that does not end takes all of s.
func opaque(s string) int {
	var closing string
	from := 1
	switch {
	case s[0] == '\'' || s[0] == '"':
		closing = s[:1]
	case strings.HasPrefix(s, "--"):
		if end := strings.IndexByte(s, '\n'); end >= 0 {
			return end
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		closing, from = "*/", 2
	default:
		return 0
	}
	if end := strings.Index(s[from:], closing); end >= 0 {
		return from + end + len(closing)
	}
	return len(s)
}

func isNameStart(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' }

func isNamePart(c byte) bool { return isNameStart(c) || '0' <= c && c <= '9' }
