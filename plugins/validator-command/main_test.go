package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sdk/validator"
	"github.com/goals-tracker/tracker/sdk/validatortest"
)

func TestSpec(t *testing.T) { validatortest.Spec(t, specOf(t, "")) }

func TestCases(t *testing.T) { validatortest.Dir(t, specOf(t, ""), "testdata") }

func TestConfiguredLanguages(t *testing.T) {
	settings, err := os.ReadFile("testdata/configured/settings.json")
	if err != nil {
		t.Fatal(err)
	}
	validatortest.Dir(t, specOf(t, string(settings)), "testdata/configured")
}

func TestBinary(t *testing.T) { validatortest.Binary(t, validatortest.Build(t)) }

func specOf(t *testing.T, settings string) *validator.Spec {
	t.Helper()
	spec, err := newSpec([]byte(settings))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestSettingsThatCanNotWorkAreRefusedWithTheReason(t *testing.T) {
	for want, change := range map[string]func(map[string]any){
		"unknown field":                  func(l map[string]any) { l["extensio"] = ".x" },
		"mode is \"near\"":               func(l map[string]any) { l["mode"] = "near" },
		"needs run (for cases), or test": func(l map[string]any) { delete(l, "run") },
		"it must be tap, junit or ctrf":  func(l map[string]any) { l["test"] = []string{"x"} },
		"needs the groups":               func(l map[string]any) { l["patterns"] = []string{"x"} },
		"error parsing regexp":           func(l map[string]any) { l["patterns"] = []string{"("} },
		"name it in artifacts":           func(l map[string]any) { l["build"] = []string{"cc"} },
		"path of one file":               func(l map[string]any) { l["build"], l["artifacts"] = []string{"cc"}, []string{"../a"} },
		"needs an extension":             func(l map[string]any) { delete(l, "extensions") },
		"must be lower-case":             func(l map[string]any) { l["name"] = "Ruby!" },
	} {
		l := map[string]any{"name": "ruby", "extensions": []string{".rb"}, "default_file": "main.rb", "run": []string{"ruby", "{entry}"}}
		change(l)
		raw, err := json.Marshal(map[string]any{"languages": []any{l}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newSpec(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestALanguageOfTheSettingsReplacesTheBuiltInOne(t *testing.T) {
	spec := specOf(t, `{"languages": [{"name": "bash", "extensions": [".bash"], "default_file": "x.bash", "run": ["bash", "{entry}"]}]}`)
	if len(spec.Languages) != 1 || spec.Languages[0].DefaultFile != "x.bash" {
		t.Errorf("%+v", spec.Languages)
	}
}
