package syntax_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
	"github.com/goals-tracker/tracker/modules/agents/internal/syntax"
)

func TestCodeThatCantBeRightIsToldFromCodeThatMayBe(t *testing.T) {
	for _, c := range []struct {
		language, code string
		wrong          bool
	}{
		{"python", "for day in [3, 8]:\n    print(day * 7)\n", false},
		{"python", "    for day in days:\n        print(day)\n", false},
		{"python", "total = sum(\n  [1,\n2])\nif total: print('a: b')\nelse: pass\n", false},
		{"python", "def f(a,\n      b):\n    '''A text\nof two lines.'''\n    return {1: 2}[1:2]\n", false},
		{"python", "x = 1 + \\\n    2\nprint(x)  # it's ( open\n", false},
		{"python", ">>> for n in range(2):\n...     print(n)\n0\n1\n", false},
		{"python", "try:\n\tx()\nexcept E as e:\n\tpass\n", false},
		{"python", "for day in days\n    print(day)\n", true},
		{"python", "for day in days:\nprint(day)\n", true},
		{"python", "print('a)\n", true},
		{"python", "print((1, 2)\n", true},
		{"python", "x = 1)\n", true},
		{"python", "x = 1\n    y = 2\n", true},
		{"python", "if x:\n        y()\n    z()\n", true},
		{"python", "def f():\n", true},
		{"go", "for i := range 3 {\n\tfmt.Println(i)\n}", false},
		{"go", "type T struct{}\nfunc (T) M() {}", false},
		{"go", "for i := range 3 {", true},
		{"javascript", "const f = (a) => `x${a}`; // it's (\nf({b: [1]});", false},
		{"rust", "fn f<'a>(x: &'a str) -> char { 'c' }", false},
		{"java", "void f() { g(\"(\"); }", false},
		{"javascript", "f({b: [1)});", true},
		{"c", "int main(void) { puts(\"x); }", true},
		{"", "((((", false},
	} {
		if why := syntax.Wrong(c.language, c.code); (why != "") != c.wrong {
			t.Errorf("%s: %q: %q", c.language, c.code, why)
		}
	}
}

// Whatever the sample courses show as Python files is right.
func TestThePythonOfTheCoursesIsRight(t *testing.T) {
	seen := 0
	for _, id := range []string{courses.PythonBasicsEN, courses.PythonBasicsES} {
		c, err := courses.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		err = fs.WalkDir(c.FS(), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".py") {
				return err
			}
			text, err := fs.ReadFile(c.FS(), path)
			seen++
			if why := syntax.Wrong("python", string(text)); why != "" {
				t.Errorf("%s: %s", path, why)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 20 {
		t.Errorf("only %d files", seen)
	}
}

func FuzzWrong(f *testing.F) {
	f.Add("for x in '''a\n'''[1]:\n\t#\n  \\\n")
	f.Fuzz(func(_ *testing.T, code string) {
		for _, language := range []string{"python", "go", "javascript"} {
			_ = syntax.Wrong(language, code)
		}
	})
}
