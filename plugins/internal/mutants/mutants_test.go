package mutants

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func edits(operators string) (out []Edit) {
	for i, o := range strings.Fields(operators) {
		out = append(out, Edit{Operator: o, Start: 2 * i, End: 2*i + 1, With: "y"})
	}
	return out
}

func TestOperatorsTakeTurnsFromTheMiddleOutwards(t *testing.T) {
	text := strings.Repeat("x\n", 8)
	many := strings.Repeat("off-by-one ", 3)
	got := Make("m", []Source{{Path: "a", Text: text, Edits: edits(many + "swap-logic " + many + "negate-condition")}}, 4)
	var ids []string
	for _, m := range got {
		ids = append(ids, m.ID)
	}
	if want := []string{"negate-condition:a:8:1", "off-by-one:a:5:1", "swap-logic:a:4:1", "off-by-one:a:3:1"}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	if s := got[0].Description.Text["es"]; s != "a, línea 8: x se convirtió en y." {
		t.Error(s)
	}
}

func TestAShortSolutionHasMutantsWithTwoChangesOfDifferentKindsAndPlaces(t *testing.T) {
	got := Make("m", []Source{
		{Path: "a", Text: "x\nz\nx\n", Edits: edits("off-by-one swap-logic off-by-one")},
		{Path: "b", Text: "x", Edits: []Edit{{"remove-not", 0, 1, ""}, {"remove-minus", 0, 0, "-"}, {"off-by-one", 0, 1, "x"}}},
	}, 50)
	texts := map[string]string{}
	for _, m := range got {
		key := ""
		for _, f := range m.Files {
			key += f.Path + ":" + string(f.Content) + " "
		}
		if texts[key] != "" {
			t.Errorf("%s and %s are the same", m.ID, texts[key])
		}
		texts[key] = m.ID
	}
	for key, id := range map[string]string{
		"a:y\nz\nx\n ": "off-by-one:a:1:1", "b:-x ": "remove-minus:b:1:1", "a:y\ny\nx\n ": "off-by-one+swap-logic:a:1:1", "a:x\ny\nx\n b: ": "swap-logic+remove-not:a:2:1",
	} {
		if texts[key] != id {
			t.Errorf("%q is %s, want %s", key, texts[key], id)
		}
	}
	if len(got) != 5+2+3*2 {
		t.Errorf("%d mutants: %v", len(got), texts)
	}
	for _, m := range got {
		if m.Operator == "off-by-one+swap-logic" && m.Description.Text["en"] != "a, line 1: x became y; and a, line 2: z became y." {
			t.Error(m.Description.Text["en"])
		}
	}
}

// script is a small language for tests of what languages have alike.
var script = &Language{
	Keywords: strings.Fields("if else for while return throw new int const import case"), Ignored: []string{"import"}, Raising: []string{"throw"},
	Letters: true, Generics: true, Typed: true, Directives: true, Functions: map[string]string{"min": "max"},
	Results: func(result string) []string {
		return map[string][]string{"int": {"0", "1"}, "bool": {"false", "true"}}[result]
	},
	Params: func(words []string) (string, string) {
		return words[len(words)-1], strings.Join(words[:len(words)-1], " ")
	},
	Result: func(before, _ []string) string { return strings.Join(before, " ") },
}

func TestEachOperatorChangesWhatItsNameSays(t *testing.T) {
	for _, c := range []struct{ operator, before, after string }{
		{"swap-comparison", "x = a < b;", "x = a <= b;"},
		{"swap-comparison", "x = a == b;", "x = a != b;"},
		{"other-comparison", "x = a >= b;", "x = a < b;"},
		{"negate-condition", "if (a && b) c();", "if (!(a && b)) c();"},
		{"fixed-condition", "if (a < b) c();", "if (true) c();"},
		{"swap-logic", "x = a || b;", "x = a && b;"},
		{"swap-arithmetic", "x = a * b;", "x = a + b;"},
		{"other-arithmetic", "x = a / b;", "x = a - b;"},
		{"other-arithmetic", "x += b;", "x = b;"},
		{"one-side", "x = a + b;", "x =  b;"},
		{"one-side", "x = a - 1;", "x = a ;"},
		{"swap-assignment", "x -= b;", "x += b;"},
		{"swap-step", "x++;", "x--;"},
		{"swap-bits", "x = a << 1;", "x = a >> 1;"},
		{"remove-not", "x = !a;", "x = a;"},
		{"remove-minus", "x = -a;", "x = a;"},
		{"off-by-one", "x = f(9);", "x = f(10);"},
		{"off-by-one", "x = 1'000L;", "x = 1001L;"},
		{"off-by-one", "x = 1.5;", "x = 2.5;"},
		{"off-by-one-down", "x = f(0);", "x = f((-1));"},
		{"wrong-index", "x = a[0];", "x = a[1];"},
		{"swap-boolean", "x = true;", "x = false;"},
		{"swap-function", "x = Math.min(a);", "x = Math.max(a);"},
		{"empty-text", `x = f("a\"b");`, `x = f("");`},
		{"longer-text", `x = f("a");`, `x = f("ax");`},
		{"other-letter", "x = 'a';", "x = 'b';"},
		{"remove-statement", "f(a, b);", ";"},
		{"remove-statement", "if (a) { this.b[1] = c; }", "if (a) { ; }"},
		{"remove-call", "x = a.b().c();", "x = a.b();"},
		{"leave-loop", "while (a) { continue; }", "while (a) { break; }"},
		{"return-none", "int f(int a) { return a; }", "int f(int a) { return 0; }"},
		{"return-constant", "bool f() { if (x) return false; }", "bool f() { if (x) return true; }"},
		{"wrong-name", "int f(int a, List<A, B> l, int b) { return a * 2; }", "int f(int a, List<A, B> l, int b) { return b * 2; }"},
		{"empty-collection", "int[] x = {1, 2};", "int[] x = {};"},
	} {
		found := false
		for _, e := range script.Edits(c.before) {
			if !slices.Contains(Operators, e.Operator) {
				t.Errorf("%s has no turn", e.Operator)
			}
			found = found || e.Operator == c.operator && c.before[:e.Start]+e.With+c.before[e.End:] == c.after
		}
		if !found {
			t.Errorf("%s does not make %q of %q, but %v", c.operator, c.after, c.before, script.Edits(c.before))
		}
	}
}

func TestWhatIsNoCodeStaysAsItIs(t *testing.T) {
	for _, src := range []string{
		"// a < b\n/* a < b */\n", "#define A(x) \\\n  x < 1\n", "import a.b < c;", `throw new Error("a");`, "List<String> x;", "Map<A, B> f(List<C> a);",
		"int x[10];", "int *p;", "for (;;) { }", "case 'ñ': ", `@Named("a < b", 1) int x;`, "(", ")", "(]", `"no end`, "x = '\n';", "return;", "for (x; y; i++) { }",
	} {
		if got := script.Edits(src); len(got) != 0 {
			t.Errorf("%q is changed: %v", src, got)
		}
	}
}

func TestEditsLieInTheSourceAndChangeItWhateverItIs(t *testing.T) {
	words := []string{"a", "f", "if", "return", "int", "const", "=>", "{", "}", "(", ")", "[", "]", ";", ",", "<", ">", "+", "-", "*", "=", "+=", "&&", "!", "1", `"a"`, "'b'", "\n", ".", ":", "#", "fn", "->", "let", "else", "while", "//", "/*", "*/", "@x", "case"}
	bare := *script
	bare.Bare, bare.LineEnds = true, true
	rapid.Check(t, func(t *rapid.T) {
		src := strings.Join(rapid.SliceOf(rapid.SampledFrom(words)).Draw(t, "words"), " ")
		if rapid.Bool().Draw(t, "closed") { // so that brackets close more often
			src = "int f(int a, int b) {" + strings.NewReplacer("{", "{ }", "(", "( )", "[", "[ ]", "}", "", ")", "", "]", "").Replace(src) + "}"
		}
		for _, l := range []*Language{script, &bare} {
			for _, e := range l.Edits(src) {
				if e.Start > e.End || e.End > len(src) || src[e.Start:e.End] == e.With {
					t.Fatalf("%+v of %q", e, src)
				}
			}
			Make("m", []Source{{Path: "a", Text: src, Edits: l.Edits(src)}}, 20)
		}
	})
}

func FuzzEditsNeverPanic(f *testing.F) {
	for _, s := range []string{"int f(int a) { return a + 1; }", "x = {1, [2, (3)]};", "#[test] fn a() { if let x = y { } }", "a => b => { c }", "\ufeffé", "'\\", "/*", "\"", "1'0_0.5e"} {
		f.Add(s)
	}
	bare := *script
	bare.Bare, bare.LineEnds, bare.NestedComments, bare.LongTexts = true, true, true, true
	f.Fuzz(func(t *testing.T, src string) {
		for _, l := range []*Language{script, &bare} {
			for _, e := range l.Edits(src) {
				if e.Start > e.End || e.End > len(src) {
					t.Fatalf("%+v of %q", e, src)
				}
			}
		}
	})
}
