//go:build linux && (amd64 || arm64)

package sandbox

import "testing"

func TestANameChosenByThePayloadDoesNotShiftTheFields(t *testing.T) {
	const stat = "7 (a) R 1 1 1 (x) S 1 7 7 0 -1 0 0 0 0 0 5 6 7 8 20 0 1 0 0 0"
	if got := parseTicks(stat); got != 26 {
		t.Errorf("%d ticks", got)
	}
	if got := parseTicks("7 (a"); got != 0 {
		t.Errorf("%d ticks of a cut line", got)
	}
}

func TestResidentMemoryIsReadFromItsOwnLines(t *testing.T) {
	anon, shared := parseResident("Name:\tRssAnon:\t9 kB\nVmRSS:\t  50 kB\nRssAnon:\t    12 kB\nRssFile:\t 8 kB\nRssShmem:\t 4 kB\n")
	if anon != 12<<10 || shared != 4<<10 {
		t.Errorf("%d and %d", anon, shared)
	}
}

func FuzzProcessFiles(f *testing.F) {
	f.Add("7 (a) R 1 1 1 (x) S 1 7 7 0 -1 0 0 0 0 0 5 6 7 8 20 0 1 0 0 0", "RssAnon:\t 12 kB\n")
	f.Fuzz(func(t *testing.T, stat, status string) {
		parseTicks(stat)
		if anon, shared := parseResident(status); anon < 0 || shared < 0 {
			t.Fatalf("%d and %d", anon, shared)
		}
	})
}

func FuzzWhatTheProbeSays(f *testing.F) {
	f.Add("seccomp\theld\tx\nns:pid\theld\tpid:[1]\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range new(Runner).parseAttacks(text) {
			if l.State != Held && l.State != Open && l.State != Unavailable {
				t.Fatalf("%+v", l)
			}
		}
	})
}
