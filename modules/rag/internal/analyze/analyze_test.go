package analyze_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/rag/internal/analyze"
)

func TestTermsOfATextInEachLanguage(t *testing.T) {
	for _, c := range []struct {
		text string
		lang analyze.Language
		want string
	}{
		{"The lists are being sorted", analyze.English, "list sort"},
		{"Las listas están ordenadas", analyze.Spanish, "list~ orden~"},
		{"for x in items: while True", analyze.English, "for in item while true"},
		{"readFile read_file READ_FILE", analyze.English, "readfil read file readfil read file readfil read file"},
		{"os.path.join(parts)", analyze.English, "os path join os.path.join part"},
		{"HTTPServer2 parseJSON", analyze.English, "httpserver2 http server2 parsejson pars json"},
		{"don't use Python's f'x'", analyze.English, "use python"},
		{"C++ or C# 3.11", analyze.English, "c++ or c# 3.11"},
		{"__init__ self._name", analyze.English, "init self name self.name"},
		{"Café, naïve, año", analyze.English, "cafe naiv ano"},
		{"función, FUNCION funciones", analyze.Spanish, strings.Repeat("funcion ", 2) + "funcion~"},
		{strings.Repeat("x", 65), analyze.English, ""},
		{"e\u0301tude", analyze.English, "etud"},
		{"", analyze.English, ""},
	} {
		if got := strings.Join(analyze.Terms(c.text, c.lang), " "); got != c.want {
			t.Errorf("%q in %q: got %q, want %q", c.text, c.lang, got, c.want)
		}
	}
}

func TestSpanishWordsMeetWithoutTheirAccents(t *testing.T) {
	for _, words := range [][]string{
		{"validación", "validacion", "VALIDACIÓN"}, {"iteración", "iteracion", "iteraciones"},
		{"diccionario", "diccionarios"}, {"cadena", "cadenas"}, {"bucle", "bucles"}, {"número", "numero", "números"},
	} {
		want := analyze.Terms(words[0], analyze.Spanish)
		for _, w := range words[1:] {
			if got := analyze.Terms(w, analyze.Spanish); !slices.Equal(got, want) {
				t.Errorf("%s gives %v and %s %v", words[0], want, w, got)
			}
		}
	}
}

func TestAQueryIsReadInItsLanguageOrInBoth(t *testing.T) {
	for query, want := range map[string]string{
		"how do I sort the lists":  "do sort list",
		"¿cómo ordeno las listas?": "orden~ list~",
		"files":                    "file fil~",
		"bucle for":                "bucl bucl~ for",
		"sorted and sorted":        "sort sort~ and",
	} {
		if got := strings.Join(analyze.Query(query, 64), " "); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
	if got := analyze.Query(strings.Repeat("alpha beta gamma delta ", 100)+strings.Repeat("q w e r t y ", 9), 3); len(got) != 3 {
		t.Errorf("got %d terms, want the limit", len(got))
	}
}

func TestTheLanguageOfAText(t *testing.T) {
	for text, want := range map[string]analyze.Language{
		"A list keeps several values and you can change it.":       analyze.English,
		"Una lista guarda varios valores y se pueden cambiar.":     analyze.Spanish,
		"¿Qué es una función?":                                     analyze.Spanish,
		"python sort list":                                         analyze.Unknown,
		"es = Elasticsearch()\nes.search()\nes.close()\nes.open()": analyze.Unknown,
		"": analyze.Unknown,
	} {
		if got := analyze.Detect(text, 2); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzTerms(f *testing.F) {
	f.Add("os.path.join don't C++ naïve_año 3.11 f'x'")
	f.Fuzz(func(t *testing.T, text string) {
		for _, lang := range []analyze.Language{analyze.English, analyze.Spanish} {
			for _, term := range analyze.Terms(text, lang) {
				// What Postgres could not hold, or the store's separator.
				if len(term) < 2 || strings.ContainsAny(term, " \x00") || !utf8.ValidString(term) {
					t.Fatalf("%q gives %q", text, term)
				}
			}
		}
		analyze.Query(text, 64)
	})
}
