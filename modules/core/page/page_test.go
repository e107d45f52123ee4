package page_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/page"
)

type key struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

func TestATokenGivesBackTheKeyItWasMadeOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := key{At: time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "at")).UTC(), ID: rapid.String().Draw(t, "id")}
		scope := rapid.String().Draw(t, "scope")
		var got key
		if err := page.Decode(page.Encode(scope, want), scope, &got); err != nil {
			t.Fatal(err)
		}
		if !got.At.Equal(want.At) || got.ID != strings.ToValidUTF8(want.ID, "\ufffd") {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestTheEmptyTokenIsTheFirstPage(t *testing.T) {
	got := key{ID: "untouched"}
	if err := page.Decode("", "goals", &got); err != nil || got.ID != "untouched" {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestAForeignOrDamagedTokenIsRefused(t *testing.T) {
	good := page.Encode("goals status=pending", key{ID: "a"})
	for name, token := range map[string]string{
		"other filters": page.Encode("goals status=blocked", key{ID: "a"}),
		"other list":    page.Encode("tasks status=pending", key{ID: "a"}),
		"other key":     page.Encode("goals status=pending", map[string]any{"name": "x"}),
		"cut off":       good[:len(good)-3],
		"not base64":    "%%%",
		"padding":       good + "=",
		"made up":       "AQ",
		"too long":      strings.Repeat("A", page.MaxToken+1),
		"two values":    page.Encode("goals status=pending", key{ID: "a"}) + "e30",
	} {
		var got key
		if err := page.Decode(token, "goals status=pending", &got); !errs.BadPageToken.Is(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzDecodeNeverPanics(f *testing.F) {
	f.Add(page.Encode("goals", key{ID: "a"}))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		var got key
		if err := page.Decode(token, "goals", &got); err != nil && !errs.BadPageToken.Is(err) {
			t.Fatalf("got %v", err)
		}
	})
}
