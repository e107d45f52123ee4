package mutate

import (
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
)

func TestEachOperatorChangesWhatItsNameSays(t *testing.T) {
	cases := []struct{ operator, before, after string }{
		{"swap-comparison", "if a < b:\n    pass\n", "if a <= b:\n    pass\n"},
		{"swap-comparison", "x = a == b\n", "x = a != b\n"},
		{"negate-condition", "if a and b:\n    x = 1\n", "if not (a and b):\n    x = 1\n"},
		{"negate-condition", "while (a and  # why\n       b):\n    x = 1\n", "while not ((a and b)):\n    x = 1\n"},
		{"off-by-one", "x = f(9)\n", "x = f(10)\n"},
		{"return-none", "def f():\n    return (1,\n            2)\n", "def f():\n    return None\n"},
		{"swap-arithmetic", "x = a - -b\n", "x = a + -b\n"},
		{"swap-arithmetic", "x += 1\n", "x -= 1\n"},
		{"remove-statement", "if a:\n    self.items.append(\n        b)\n", "if a:\n    pass\n"},
		{"remove-statement", "total += x\n", "pass\n"},
		{"swap-logic", "x = a or b\n", "x = a and b\n"},
		{"wrong-index", "x = a[0]\n", "x = a[-1]\n"},
		{"wrong-index", "x = a[-1]\n", "x = a[0]\n"},
		{"remove-not", "return not a\n", "return a\n"},
		{"empty-collection", "x = [a, b]\n", "x = []\n"},
		{"empty-collection", "return {'a': [1]}\n", "return {}\n"},
		{"leave-loop", "for x in y:\n    continue\n", "for x in y:\n    break\n"},
		{"leave-loop", "for x in y:\n    break\n", "for x in y:\n    pass\n"},
		{"swap-boolean", "x = True\n", "x = False\n"},
		{"swap-function", "x = min(a)\n", "x = max(a)\n"},
		{"short-range", "for i in range(1, n):\n    f = i\n", "for i in range(1, n - 1):\n    f = i\n"},
		{"empty-text", "x = f'a{b}'\n", "x = f''\n"},
		{"return-constant", "def f():\n    return a\n", "def f():\n    return True\n"},
		{"return-constant", "def f():\n    return True\n", "def f():\n    return 0\n"},
		{"fixed-condition", "if a < b:\n    x = 1\n", "if True:\n    x = 1\n"},
		{"off-by-one-down", "x = f(9)\n", "x = f((8))\n"},
		{"other-comparison", "x = a < b\n", "x = a > b\n"},
		{"other-arithmetic", "x = a + b\n", "x = a * b\n"},
		{"one-side", "x = a * b\n", "x = a \n"},
		{"one-side", "x = a * b\n", "x = b\n"},
		{"remove-call", "x = a.strip().upper()\n", "x = a.upper()\n"},
		{"longer-text", "x = f'a{b}'\n", "x = f'a{b}x'\n"},
		{"longer-text", "x = \"\"\"a\nb\"\"\"\n", "x = \"\"\"a\nbx\"\"\"\n"},
		{"wrong-name", "def f(self, a, b=1):\n    return a - b\n", "def f(self, a, b=1):\n    return a - a\n"},
		{"wrong-name", "def f(a, *, b: int):\n    x.a = g(a=a, b=3)\n", "def f(a, *, b: int):\n    x.a = g(a=b, b=3)\n"},
		{"negate-membership", "x = a in b\n", "x = a not in b\n"},
		{"negate-membership", "x = a is not None\n", "x = a is None\n"},
	}
	for _, c := range cases {
		found := false
		for _, m := range Edits(c.before) {
			if !slices.Contains(mutants.Operators, m.Operator) {
				t.Errorf("%s has no turn", m.Operator)
			}
			found = found || m.Operator == c.operator && changed(c.before, m) == c.after
		}
		if !found {
			t.Errorf("%s does not make %q of %q, but %v", c.operator, c.after, c.before, Edits(c.before))
		}
	}
}

func changed(src string, e mutants.Edit) string { return src[:e.Start] + e.With + src[e.End:] }

func TestWhatIsNoCodeStaysAsItIs(t *testing.T) {
	for _, src := range []string{
		"'''a < b and 1 + 2'''\n",
		"# if a < b: return 1\n",
		"import os.path\nfrom a import (b,\n    c)\n",
		"@decorator(1)\ndef f(*args, **kwargs): pass\n",
		"def f(a, /, b, *, c): pass\n",
		"if __name__ == '__main__':\n    main(1)\n    for x in y:\n        x += 1\n",
		"for x in y: pass\n",
		"x: int\n",
		"[a, b] = c\n",
		"raise ValueError('1 < 2')\n",
		"print(\n",
		"x = 'no end\n",
		"x = )\n",
	} {
		if got := Edits(src); len(got) != 0 {
			t.Errorf("%q is changed: %v", src, got)
		}
	}
	src := "x = 'it''s # < 1' + \"\\\"<\" + r'\\' < 2  # a < b\n"
	for _, m := range Edits(src) {
		if out := changed(src, m); strings.Count(out, "# a < b") != 1 || m.Operator == "swap-comparison" && out != strings.Replace(src, "' < 2", "' <= 2", 1) {
			t.Errorf("%v: %q", m, out)
		}
	}
}

func FuzzTokenizeNeverPanicsNorLosesText(f *testing.F) {
	for _, s := range []string{"x = [1, 'a', \"\"\"b\n\"\"\"]\n", "if a:\n\tb \\\n c\n", "f'{x!r:>{w}}'", "\ufeffx", "é = 1", "0x_1", "1.e5j", "'\\", "(", "a\r\nb\rc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		tokens, ok := tokenize(src)
		if !ok {
			return
		}
		at := 0
		for _, tok := range tokens {
			if tok.start < at || tok.end > len(src) || tok.kind != newline && src[tok.start:tok.end] != tok.text {
				t.Fatalf("token %+v after byte %d of %q", tok, at, src)
			}
			at = tok.end
		}
		Edits(src)
	})
}
