package sqltext

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestStatementsAreSplitWhereTheyEndAndNowhereElse(t *testing.T) {
	for name, c := range map[string]struct {
		dialect Dialect
		in      string
		want    []string
	}{
		"strings and comments": {SQLite, "SELECT ';--' /* ; */ AS \"a;\"; -- ; end\nSELECT [x;y], `z;`;", []string{"SELECT ';--' /* ; */ AS \"a;\"", "SELECT [x;y], `z;`"}},
		"empty ones":           {SQLite, ";;\n ; -- nothing\n", nil},
		"a trigger": {SQLite, "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET x = CASE WHEN y THEN 1 ELSE 2 END; DELETE FROM c; END; SELECT 1",
			[]string{"CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET x = CASE WHEN y THEN 1 ELSE 2 END; DELETE FROM c; END", "SELECT 1"}},
		"a transaction": {SQLite, "BEGIN; SELECT 1; END;", []string{"BEGIN", "SELECT 1", "END"}},
		"dollar quotes": {Postgres, "CREATE FUNCTION f() RETURNS int AS $x$ BEGIN; $$ ; $x$ LANGUAGE sql; SELECT $1", []string{"CREATE FUNCTION f() RETURNS int AS $x$ BEGIN; $$ ; $x$ LANGUAGE sql", "SELECT $1"}},
		"escapes":       {Postgres, `SELECT E'a\';b', 'c\'; SELECT 2`, []string{`SELECT E'a\';b', 'c\'`, "SELECT 2"}},
		"nested":        {Postgres, "SELECT /* a /* ; */ ; */ 1; SELECT 2", []string{"SELECT /* a /* ; */ ; */ 1", "SELECT 2"}},
		"no end":        {SQLite, "SELECT 'a; SELECT 2", []string{"SELECT 'a; SELECT 2"}},
		"a mark":        {SQLite, "\ufeffSELECT 1", []string{"SELECT 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range Split(c.in, c.dialect) {
				got = append(got, s.Text)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPlacesCountCodePointsAndEveryKindOfLineEnd(t *testing.T) {
	l := NewLines("\ufeffñ a\r\nb\rc\n🐦d")
	for _, c := range []struct {
		word         string
		line, column int
	}{{"ñ", 1, 1}, {"a", 1, 3}, {"b", 2, 1}, {"c", 3, 1}, {"d", 4, 2}} {
		if line, column := l.Position(strings.Index(l.text, c.word)); line != c.line || column != c.column {
			t.Errorf("%s is at %d:%d, want %d:%d", c.word, line, column, c.line, c.column)
		}
	}
	if l.Line(1) != "ñ a" || l.Line(4) != "🐦d" || l.Line(5) != "" {
		t.Errorf("%q %q", l.Line(1), l.Line(4))
	}
}

func TestTheOrderOfAResultIsReadFromTheOutermostOrderBy(t *testing.T) {
	for in, want := range map[string]string{
		"SELECT a, b FROM t ORDER BY b DESC, t.a LIMIT 3":                            "true [1 0]",
		"SELECT a, b FROM t ORDER BY 2, lower(a)":                                    "true []",
		"SELECT a, b FROM (SELECT * FROM t ORDER BY a)":                              "false []",
		"SELECT a, row_number() OVER (ORDER BY b) FROM t":                            "false []",
		"SELECT a, b FROM t UNION SELECT c, d FROM u ORDER BY \"a\" NULLS LAST":      "true [0]",
		"WITH x AS (SELECT 1 ORDER BY 1) SELECT a, b FROM x ORDER BY z":              "true []",
		"SELECT a, b FROM t ORDER BY (SELECT max(c) FROM u ORDER BY 1), a FOR SHARE": "true []",
	} {
		s := Split(in, SQLite)[0]
		ordered, keys := s.OrderBy([]string{"a", "B"})
		if got := fmt.Sprint(ordered, keys); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestRemarksAreMadeAboutMistakesAndNotAboutWhatIsRight(t *testing.T) {
	for in, want := range map[string]string{
		"SELECT a FROM t WHERE b = NULL OR c <> NULL":           RuleNull + " " + RuleNull,
		"UPDATE t SET a = NULL WHERE b IS NULL":                 "",
		"UPDATE t SET a = NULL WHERE b = NULL":                  "null-comparison",
		"SELECT *, t.* FROM t":                                  RuleStar + " " + RuleStar,
		"SELECT count(*) FROM t WHERE EXISTS (SELECT * FROM u)": "",
		"SELECT 2 * 3":                                                          "",
		"SELECT a, count(*) FROM t":                                             "ungrouped-column",
		"SELECT a, count(*) FROM t GROUP BY a":                                  "",
		"SELECT t.name, count(*) FROM t GROUP BY t.id":                          "",
		"SELECT a, b, sum(c) FROM t GROUP BY a HAVING sum(c) > 1":               "ungrouped-column",
		"SELECT a, sum(b) OVER (PARTITION BY c) FROM t":                         "",
		"SELECT upper(a), count(*) FROM t GROUP BY 1":                           "",
		"SELECT a, (SELECT max(b) FROM u) FROM t":                               "",
		"DELETE FROM t":                                                         "no-where",
		"SELECT \"a\" AS x, COUNT(DISTINCT b) FROM t GROUP BY c ORDER BY x":     "ungrouped-column",
		"INSERT INTO t SELECT a, b FROM u WHERE c IN (SELECT d FROM v WHERE 1)": "",
	} {
		s := Split(in, SQLite)[0]
		var got []string
		for _, m := range s.Remarks() {
			if m.Start < 0 || m.End > len(in) || m.Start >= m.End {
				t.Errorf("%s: the place %d to %d", in, m.Start, m.End)
			}
			got = append(got, m.Rule)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %q", in, got, want)
		}
	}
}

func TestNoTextIsLostOrReadTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"'", "\"", ";", "--", "\n", "/*", "*/", "$$", "$a$", "E'", `\`, "SELECT", " ", "BEGIN", "END", "CREATE TRIGGER", "[", "]", "(", ")", "ñ", "\xff", "1.5e", ",", "GROUP BY", "= NULL", "FROM"})).Draw(t, "parts"), "")
		d := rapid.SampledFrom([]Dialect{SQLite, Postgres}).Draw(t, "dialect")
		last := 0
		for _, token := range Scan(text, d) {
			if token.Start < last || token.End <= token.Start || text[token.Start:token.End] != token.Text {
				t.Fatalf("%+v behind %d of %q", token, last, text)
			}
			last = token.End
		}
		lines := NewLines(text)
		for _, s := range Split(text, d) {
			if len(s.Tokens) == 0 || !strings.HasPrefix(text[s.Start:], s.Text) {
				t.Fatalf("%+v of %q", s, text)
			}
			s.Remarks()
			s.OrderBy([]string{"a"})
			if line, column := lines.Position(s.Start); line < 1 || column < 1 {
				t.Fatalf("%d:%d", line, column)
			}
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("SELECT a, count(*) FROM t GROUP BY 1 ORDER BY 2; -- x")
	f.Fuzz(func(_ *testing.T, text string) {
		for _, d := range []Dialect{SQLite, Postgres} {
			for _, s := range Split(text, d) {
				s.Remarks()
				s.OrderBy(nil)
				s.Reads()
			}
		}
	})
}
