package mutate

import (
	"strings"
	"testing"
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
		{"negate-membership", "x = a in b\n", "x = a not in b\n"},
		{"negate-membership", "x = a is not None\n", "x = a is None\n"},
	}
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.operator] = true
		found := false
		for _, m := range All(c.before) {
			found = found || m.Operator == c.operator && m.Source == c.after
		}
		if !found {
			t.Errorf("%s does not make %q of %q, but %v", c.operator, c.after, c.before, All(c.before))
		}
	}
	for _, o := range Operators {
		if !seen[o] {
			t.Errorf("%s has no case", o)
		}
	}
}

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
		if got := All(src); len(got) != 0 {
			t.Errorf("%q is changed: %v", src, got)
		}
	}
	src := "x = 'it''s # < 1' + \"\\\"<\" + r'\\' < 2  # a < b\n"
	for _, m := range All(src) {
		if strings.Count(m.Source, "# a < b") != 1 || m.Operator == "swap-comparison" && m.Source != strings.Replace(src, "' < 2", "' <= 2", 1) {
			t.Errorf("%v: %q", m, m.Source)
		}
	}
}

func TestPickGivesEachOperatorItsShareAndIsStable(t *testing.T) {
	src := strings.Repeat("x = 1\n", 100) + "y = a < b\nif not a:\n    return 5\n"
	all := All(src)
	got := Pick(all, 10)
	if len(got) != 10 {
		t.Fatalf("%d mutants", len(got))
	}
	operators := map[string]bool{}
	for i, m := range got {
		operators[m.Operator] = true
		if again := Pick(All(src), 10)[i]; again != m {
			t.Errorf("another on the second time: %v, %v", m, again)
		}
	}
	for _, o := range []string{"swap-comparison", "negate-condition", "remove-not", "return-none", "off-by-one"} {
		if !operators[o] {
			t.Errorf("no %s among %v", o, got)
		}
	}
	if n := len(Pick(all, 10000)); n != len(all) {
		t.Errorf("%d of %d", n, len(all))
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
		All(src)
	})
}
