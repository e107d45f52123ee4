package config_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/config"
)

type settings struct {
	Server struct {
		Address string        `koanf:"address"`
		Dev     bool          `koanf:"dev"`
		Origins []string      `koanf:"origins"`
		Grace   time.Duration `koanf:"grace_period"`
	} `koanf:"server"`
	Auth struct {
		SecretKey config.Secret `koanf:"secret_key" env:"SECRET_KEY"`
	} `koanf:"auth"`
	Database struct {
		URL string `koanf:"url" env:"DATABASE_URL"`
	} `koanf:"database"`
	Routes map[string]string `koanf:"routes"`
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLaterSourcesWin(t *testing.T) {
	var s settings
	s.Server.Address, s.Server.Grace = "default:1", time.Second
	err := config.Load(&s, config.Source{
		File:    write(t, "tracker.yaml", "server:\n  address: file:2\n  grace_period: 3s\nroutes:\n  plan: a\n"),
		EnvFile: write(t, ".env", "TRACKER_SERVER_ADDRESS=dotenv:3\nDATABASE_URL=postgresql://dotenv\nSECRET_KEY=\n"),
		Environ: []string{"DATABASE_URL=postgresql://env", "TRACKER_SERVER_ORIGINS=a,b", "PATH=/bin", "SECRET_KEY_FILE=" + write(t, "key", "from-file\n")},
		Flags:   map[string]string{"server.dev": "true"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(s.Server.Address, s.Server.Grace, s.Server.Origins, s.Server.Dev, s.Database.URL, s.Auth.SecretKey.Reveal(), s.Routes)
	want := "dotenv:33s[a b]truepostgresql://envfrom-filemap[plan:a]"
	if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestAMisspeltSettingIsAnErrorThatNamesTheRightOne(t *testing.T) {
	for name, src := range map[string]config.Source{
		"file": {File: write(t, "tracker.yaml", "server:\n  adress: x\n")}, //nolint:misspell // on purpose
		"env":  {Environ: []string{"TRACKER_SERVER_ADRESS=x"}},             //nolint:misspell // on purpose
		"flag": {Flags: map[string]string{"server.adress": "x"}},
	} {
		err := config.Load(&settings{}, src)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "did you mean") || !strings.Contains(strings.ToLower(err.Error()), "address") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAMissingFileIsAnErrorUnlessOptional(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	if err := config.Load(&settings{}, config.Source{File: missing}); err == nil {
		t.Error("a missing file went unnoticed")
	}
	if err := config.Load(&settings{}, config.Source{File: missing, Optional: true}); err != nil {
		t.Error(err)
	}
}

func TestAWrongTypeNamesTheSetting(t *testing.T) {
	err := config.Load(&settings{}, config.Source{Environ: []string{"TRACKER_SERVER_GRACE_PERIOD=soon"}})
	if err == nil || !strings.Contains(err.Error(), "grace_period") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	var s settings
	s.Auth.SecretKey = "hunter2"
	s.Database.URL = "postgresql://me:hunter2@db/x"
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", s.Auth.SecretKey)
	all := fmt.Sprintf("%v %+v %#v %s", s.Auth, s.Auth, s.Auth, s.Auth.SecretKey) + strings.Join(config.Redacted(&s), "\n") + log.String()
	if strings.Contains(all, "hunter2") {
		t.Errorf("the secret shows: %s", all)
	}
}

func TestSampleSecretsAreRefused(t *testing.T) {
	for _, sample := range []config.Secret{"shared-secret-key-change-me", "YOUR_SECRET"} {
		var s settings
		s.Auth.SecretKey = sample
		err := config.RefuseSamples(&s)
		if err == nil || !strings.Contains(err.Error(), "auth.secret_key") || strings.Contains(err.Error(), string(sample)) {
			t.Errorf("%s: got %v", sample, err)
		}
	}
	var s settings
	s.Auth.SecretKey = "0f3a"
	if err := config.RefuseSamples(&s); err != nil {
		t.Error(err)
	}
}

func TestSecretsInAMapAreKeptAsOthersAre(t *testing.T) {
	var s struct {
		Keys map[string]config.Secret `koanf:"keys"`
	}
	s.Keys = map[string]config.Secret{"k1": "0f3a", "k2": "changeme"}
	if err := config.RefuseSamples(&s); err == nil || !strings.Contains(err.Error(), "keys.k2") || strings.Contains(err.Error(), "keys.k1") {
		t.Errorf("got %v", err)
	}
	if shown := strings.Join(config.Redacted(&s), "\n"); strings.Contains(shown, "0f3a") || !strings.Contains(shown, "keys") {
		t.Errorf("shown: %s", shown)
	}
}

func TestSecretsInSettingsOfAnyFormAreNotShown(t *testing.T) {
	var s struct {
		Settings map[string]map[string]any `koanf:"settings"`
	}
	s.Settings = map[string]map[string]any{"llm-openai": {
		"headers": map[string]any{"X-Gateway": "hunter2"}, "max_output_tokens": 4096, "lacks": []any{"tools"},
		"inner": []any{map[string]any{"api_key": "hunter2", "Client-Secret": "hunter2", "name": "shown"}},
	}}
	shown := strings.Join(config.Redacted(&s), "\n")
	if strings.Contains(shown, "hunter2") {
		t.Errorf("a secret shows: %s", shown)
	}
	for _, want := range []string{"X-Gateway", "4096", "tools", "shown"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%s is not shown: %s", want, shown)
		}
	}
}
