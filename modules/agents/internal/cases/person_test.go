package cases

import (
	"strings"
	"testing"
)

func TestAPersonIsTakenOutOfTextsAndCodeStaysCode(t *testing.T) {
	b := NewBlank("u-17", []string{"Ada Lovelace", "ada.l@school.example"})
	for text, want := range map[string]string{
		"# Ada Lovelace (u-17)\nada = 1\n":       "# someone (someone)\nsomeone = 1\n",
		"ada lovelace: ada":                      "someone: someone",
		"write to bob@other.example please":      "write to someone@example.org please",
		"for n in range(3): print('Canada', n)":  "for n in range(3): print('Canada', n)",
		"def ada_solution(n):\n    return n + 1": "def someone_solution(n):\n    return n + 1",
	} {
		if got := b.Text(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestPseudonymsOfTwoExportsHaveNothingInCommon(t *testing.T) {
	a, b := NewPseudonyms(), NewPseudonyms()
	if first := a.Of("ada"); first != a.Of("ada") || first == a.Of("bob") || first == b.Of("ada") {
		t.Error("pseudonyms can be told apart by who knows an id")
	}
}

func TestCasesAreReadAsTheyWereWritten(t *testing.T) {
	dir := t.TempDir() + "/new"
	if _, err := Read(dir, Plan); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a folder that does not exist: %v", err)
	}
	if err := Write(dir, Plan, []Case{{ID: "1", Title: "<loops>"}, {ID: "2"}}); err != nil {
		t.Fatal(err)
	}
	list, err := Read(dir, Plan)
	if err != nil || len(list) != 2 || list[0].Title != "<loops>" {
		t.Errorf("got %+v, %v", list, err)
	}
	if list, err := Read(dir, Safety); err != nil || len(list) != 0 {
		t.Errorf("got %+v, %v", list, err)
	}
}
