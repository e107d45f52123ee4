package config_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/config"
)

type figures struct {
	Pause time.Duration     `koanf:"pause"`
	Every time.Duration     `koanf:"every" least:"1"`
	Ratio float64           `koanf:"ratio"`
	Cap   int64             `koanf:"cap" least:"-1"`
	On    bool              `koanf:"on"`
	Names map[string]string `koanf:"names"`
}

func TestAValueThatNoSettingCanHaveIsRefusedInWordsWithTheValue(t *testing.T) {
	for set, want := range map[string]string{
		"pause=-1s":     "pause is -1s: it can't be negative",
		"every=0s":      "every is 0s: it must be more than 0",
		"ratio=NaN":     "ratio is NaN: it must be a number",
		"ratio=+Inf":    "it must be a number",
		"ratio=-0.5":    "ratio is -0.5: it can't be negative",
		"cap=-2":        "cap is -2: it must be -1 or more",
		"cap=many":      `cap is "many": write a whole number`,
		"pause=10":      `pause is "10": write a duration, such as 30s`,
		"ratio=half":    `ratio is "half": write a number`,
		"on=perhaps":    `on is "perhaps": write true or false`,
		"names=no pair": "names holds names and their values",
	} {
		key, value, _ := strings.Cut(set, "=")
		err := config.Load(&figures{Every: time.Second}, config.Source{Flags: map[string]string{key: value}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "decod") || strings.Contains(err.Error(), "strconv") {
			t.Errorf("%s: got %v", set, err)
		}
	}
	fine := map[string]string{"pause": "0s", "cap": "-1", "ratio": "0", "on": "true"}
	if err := config.Load(&figures{Every: time.Second}, config.Source{Flags: fine}); err != nil {
		t.Error(err)
	}
}

func TestAFileOfVariablesThatWasNamedMustBeThere(t *testing.T) {
	err := config.Load(&figures{Every: 1}, config.Source{EnvFile: filepath.Join(t.TempDir(), "typo.env")})
	if err == nil || !strings.Contains(err.Error(), "typo.env: no such file") {
		t.Errorf("got %v", err)
	}
	t.Chdir(t.TempDir())
	for _, usual := range []string{config.DefaultEnvFile, "/dev/null", ""} {
		if err := config.Load(&figures{Every: 1}, config.Source{EnvFile: usual}); err != nil {
			t.Errorf("%q: %v", usual, err)
		}
	}
}
