package main

import (
	"slices"
	"testing"
)

func TestAManifestIsReadForWhatCounts(t *testing.T) {
	m := readManifest("[package]\nname = \"two-fer\" # a comment\nedition = \"2018\"\r\n\n[features]\ndefault = [\"fast\", \"loud\"]\n\n[dependencies]\nrand = { version = \"0.8\" }\n[dependencies.time]\nversion = \"0.3\"\n[[bin]]\npath = \"src/go.rs\"\n")
	if m.name != "two-fer" || m.edition != "2018" || m.bin != "src/go.rs" || !slices.Equal(m.features, []string{"fast", "loud"}) || !slices.Equal(m.crates, []string{"rand", "time"}) {
		t.Errorf("%+v", m)
	}
}

func TestAnOldCompilerGetsTheNewestEditionThatItKnows(t *testing.T) {
	for _, c := range [][3]string{
		{"2024", "rustc 1.63.0", "2021"}, {"2024", "rustc 1.96.0 (ac68faa20 2026-05-25)", "2024"}, {"2018", "rustc 1.63.0", "2018"}, {"3000", "rustc 1.96.0", "2021"},
	} {
		if got := supported(c[0], c[1]); got != c[2] {
			t.Errorf("%s with %s: %s", c[0], c[1], got)
		}
	}
}

func TestTestsAreFoundByTheNamesThatTheCompilerGivesThem(t *testing.T) {
	got := testNames(`
// #[test] fn commented() {}
#[test] fn a() { let s = "#[test] fn text() {"; let c = '{'; let l: &'static str = r#"}"#; }
#[test]
#[ignore = "because { }"]
pub fn b() {}
fn helper() {}
#[cfg(feature = "more")]
#[test]
fn conditional() {}
mod m {
    #[test]
    #[should_panic(expected = "x")]
    fn c() { if true { } }
    mod n { #[test] fn d() {} }
    #[test] fn e() {}
}
#[cfg(windows)]
mod w { #[test] fn elsewhere() {} }
macro_rules! many { ($n:ident) => { #[test] fn $n() {} } }
#[test] fn z() {}
`)
	if want := []string{"a", "b", "m::c", "m::e", "m::n::d", "z"}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

func FuzzReadingTestsNeverFails(f *testing.F) {
	f.Add("#[test] fn a() { '{' \"}\" r#\"x\"# /* /* */ */ b'x' }")
	f.Fuzz(func(_ *testing.T, src string) {
		testNames(src)
		readManifest(src)
	})
}
