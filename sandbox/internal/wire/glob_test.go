package wire

import (
	"strings"
	"testing"
)

func TestPatternsMatchWholePathsSegmentBySegment(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"report.json", "report.json", true},
		{"report.json", "a/report.json", false},
		{"*.xml", "junit.xml", true},
		{"*.xml", "out/junit.xml", false},
		{"**/*.xml", "junit.xml", true},
		{"**/*.xml", "a/b/junit.xml", true},
		{"out/**", "out/a/b", true},
		{"out/**", "out", true},
		{"out/**", "other/a", false},
		{"a/**/z", "a/z", true},
		{"a/**/b/**/z", "a/x/b/y/y/z", true},
		{"a/**/b/**/z", "a/x/y/z", false},
		{"**", "x", true},
	} {
		if got := Match(c.pattern, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func TestPathsThatLeaveTheFolderAreRefused(t *testing.T) {
	for _, p := range []string{"", "/etc/passwd", "..", "a/../b", "../x", "./a", "a//b", "a/", "a\x00b", "\xff", strings.Repeat("x", 256), strings.Repeat("a/", 2100) + "b"} {
		if CheckPath(p) == nil {
			t.Errorf("%.40q was accepted", p)
		}
	}
	for _, p := range []string{"a", "a/b.py", "ñandú/código.py", "a b", "..a", strings.Repeat("x", 255)} {
		if err := CheckPath(p); err != nil {
			t.Error(err)
		}
	}
	if CheckGlob("[a") == nil {
		t.Error("an unfinished class was accepted")
	}
}

func FuzzPathsAndPatterns(f *testing.F) {
	f.Add("a/**/b*", "a/x/bc")
	f.Add("[a-", "../x")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if CheckPath(name) == nil {
			for segment := range strings.SplitSeq(name, "/") {
				if segment == ".." || segment == "" {
					t.Fatalf("%q was accepted", name)
				}
			}
		}
		if CheckGlob(pattern) == nil {
			Match(pattern, name)
		}
	})
}
