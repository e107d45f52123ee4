package errs_test

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

func TestWordsAreReadInTheLanguageOfTheirMessage(t *testing.T) {
	e := errs.Forbidden.New(errs.Say("webhooks are for %s of %q", "los webhooks son para %s de %q", errs.Say("teachers", "docentes"), "c1"))
	if got, want := e.Text("es"), `No puedes hacer esto: los webhooks son para docentes de "c1"`; got != want {
		t.Errorf("in Spanish it is %q", got)
	}
	if got, want := e.Text("en"), `You may not do this: webhooks are for teachers of "c1"`; got != want || e.Error() != want {
		t.Errorf("in English it is %q, in logs %q", got, e.Error())
	}
}
