package privacy_test

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/privacy"
)

func registry() privacy.Registry {
	return privacy.Registry{
		Tables: []privacy.Table{{
			Name: "goals.goals", Class: privacy.Folds, Subject: "user_id",
			Personal: []string{"user_id", "title"}, Plain: []string{"id"}, Erase: privacy.DeleteBySubject,
		}},
		Events: []privacy.Event{{Type: "goal.created", Personal: []string{"user_id"}, Plain: []string{"goal_id"}}},
	}
}

func columns() map[string][]string {
	return map[string][]string{"goals.goals": {"id", "user_id", "title"}}
}

func fields() map[string][]string { return map[string][]string{"goal.created": {"goal_id", "user_id"}} }

func TestACompleteRegistryPasses(t *testing.T) {
	if wrong := registry().Check(columns(), fields()); len(wrong) > 0 {
		t.Error(wrong)
	}
}

func TestWhateverIsNotRegisteredIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *privacy.Registry, columns, fields map[string][]string)
		want   string
	}{
		"new column": {func(_ *privacy.Registry, c, _ map[string][]string) {
			c["goals.goals"] = append(c["goals.goals"], "phone")
		}, "column phone is not registered"},
		"new table": {func(_ *privacy.Registry, c, _ map[string][]string) { c["goals.diary"] = []string{"id"} }, "goals.diary is not registered"},
		"new field": {func(_ *privacy.Registry, _, f map[string][]string) {
			f["goal.created"] = append(f["goal.created"], "mood")
		}, "field mood is not registered"},
		"new event":      {func(_ *privacy.Registry, _, f map[string][]string) { f["goal.sung"] = nil }, "goal.sung is not registered"},
		"dropped column": {func(_ *privacy.Registry, c, _ map[string][]string) { c["goals.goals"] = []string{"id", "user_id"} }, "title is registered but does not exist"},
		"no erasure":     {func(r *privacy.Registry, _, _ map[string][]string) { r.Tables[0].Erase = "" }, "does not say how it is erased"},
		"plain subject":  {func(r *privacy.Registry, _, _ map[string][]string) { r.Tables[0].Subject = "id" }, "not among its personal columns"},
	} {
		r, cols, flds := registry(), columns(), fields()
		c.change(&r, cols, flds)
		if wrong := strings.Join(r.Check(cols, flds), "\n"); !strings.Contains(wrong, c.want) {
			t.Errorf("%s: got %q, want %q", name, wrong, c.want)
		}
	}
}
