package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/config"
)

func TestAServerIsRefusedPlacesThatNothingCanBeBehindBeforeItTouchesAnything(t *testing.T) {
	for want, edit := range map[string]func(*Config){
		`server.address is "99"`:              func(c *Config) { c.Server.Address = "99" },
		`server.address is "127.0.0.1:99999"`: func(c *Config) { c.Server.Address = "127.0.0.1:99999" },
		`academy.url (USER_SERVICE_URL)`:      func(c *Config) { c.Academy.URL = "ftp://x" },
		`unrouted is "drop"`:                  func(c *Config) { c.Events.Publish.Unrouted = "drop" },
		`plugins.dir is "/nowhere/x"`:         func(c *Config) { c.Plugins.Dir = "/nowhere/x" },
		`plugins.dir is "/dev/null"`:          func(c *Config) { c.Plugins.Dir = "/dev/null" },
	} {
		cfg := DefaultConfig()
		cfg.Auth.SecretKey = testSecret
		if err := cfg.CheckServer(); err != nil {
			t.Fatal(err)
		}
		edit(&cfg)
		if err := cfg.CheckServer(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestADatabaseThatIsNotThereIsNamedInOneLineWithoutItsPassword(t *testing.T) {
	for url, want := range map[string]string{
		"postgresql://nobody:hunter2@127.0.0.1:1/x": `database "x" at 127.0.0.1:1 can't be reached as "nobody": `,
		"hunter2": "write postgresql://user:password@host:5432/database",
	} {
		cfg := DefaultConfig()
		cfg.Database.URL = config.Secret(url)
		_, err := openDatabase(context.Background(), cfg, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "DATABASE_URL") || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
}

func TestWhatCannotBeWiredSaysItsCauseAlone(t *testing.T) {
	type part struct{}
	app := fx.New(fx.NopLogger, fx.Provide(
		func() (*part, error) { return nil, errors.New("llm.timeout is 0s") },
		func(*part) io.Reader { return nil },
	), fx.Invoke(func(io.Reader) {}))
	if got := rootCause(app.Err()).Error(); got != "llm.timeout is 0s" {
		t.Errorf("got %q", got)
	}
}

func TestHelpIsACommandTooAndAWrongCommandLeadsToTheNearestHelp(t *testing.T) {
	ask := func(args ...string) (string, int) {
		said, err := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), args...).CombinedOutput()
		var ended *exec.ExitError
		if err != nil && !errors.As(err, &ended) {
			t.Fatal(err)
		}
		code := 0
		if ended != nil {
			code = ended.ExitCode()
		}
		return string(said), code
	}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"help", "Usage: tracker <command>", 0},
		{"help events show", "Usage: tracker events show", 0},
		{"evnts", `did you mean "events"?`, 2},
		{"events verfy", "Run `tracker events --help`", 2},
		{"", "Run `tracker --help`", 2},
	} {
		if said, code := ask(strings.Fields(c.args)...); code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("tracker %s ends with %d and says %s", c.args, code, said)
		}
	}
}
