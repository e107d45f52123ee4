package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/report"
	"github.com/goals-tracker/tracker/sandbox"
)

type validateCmd struct {
	Language   string        `required:"" help:"The language of the submission: python, …"`
	Submission string        `required:"" help:"The folder of the code." type:"existingdir"`
	Tests      string        `help:"The folder of the tests. Without it, the code is only looked at and the verdict is unproven." type:"existingdir"`
	Format     report.Format `default:"text" enum:"text,json,sarif,junit" help:"text, json, sarif or junit."`
	Messages   string        `default:"en" enum:"en,es" help:"The language of messages: en or es."`
	Options    string        `help:"Options of the validator, a JSON object."`
	Timeout    time.Duration `default:"5m" help:"How long all of it may take."`
	Unsafe     bool          `name:"unsafe-without-isolation" help:"Judge also where this machine can't confine programs. The submission can then do to it what its user can."`
}

// errCouldNotJudge is the exit code when nothing can be said of the submission.
const errCouldNotJudge = exitError(2)

// Run judges a folder: exit code 0 when it passed, 1 when it is the learner's
// failure, 2 when it could not be judged.
func (c *validateCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	started := time.Now()
	judged, err := c.judge(ctx, flags)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tracker: could not judge:", refusal(err))
		return errCouldNotJudge
	}
	root, err := filepath.Abs(c.Submission)
	if err != nil {
		return err
	}
	if err := report.Write(os.Stdout, c.Format, judged, report.Options{Language: c.Messages, Took: time.Since(started), Root: root}); err != nil {
		fmt.Fprintln(os.Stderr, "tracker:", err)
		return errCouldNotJudge
	}
	if code := judged.ExitCode(); code != 0 {
		return exitError(code)
	}
	return nil
}

// refusal is what a plugin said where one refused, and else the error.
func refusal(err error) error {
	var call *pluginhost.CallError
	if !errors.As(err, &call) || call.Reason != pluginhost.ErrRefused || call.Err == nil { //nolint:errorlint // it is one of a list
		return err
	}
	return fmt.Errorf("%s refuses it: %w", call.Plugin, call.Err)
}

func (c *validateCmd) judge(ctx context.Context, flags *ConfigFlags) (validation.Report, error) {
	if c.Options != "" && !json.Valid([]byte(c.Options)) {
		return validation.Report{}, fmt.Errorf("--options is %q: write a JSON object, such as {\"framework\":\"unittest\"}", c.Options)
	}
	cfg, err := flags.Load()
	if err != nil {
		return validation.Report{}, err
	}
	quiet := slog.New(slog.DiscardHandler)
	allowed, err := pluginConfig(cfg, quiet)
	if err != nil {
		return validation.Report{}, err
	}
	host, err := pluginhost.New(allowed, pluginhost.Validator, pluginhost.LLM)
	if err != nil {
		return validation.Report{}, err
	}
	defer func() { _ = host.Close() }()
	settings := cfg.Validation.Sandbox()
	settings.UnsafeWithoutIsolation = settings.UnsafeWithoutIsolation || c.Unsafe
	runner, err := sandbox.New(settings) //nolint:contextcheck // it bounds itself
	if err != nil {
		return validation.Report{}, err
	}
	if why := runner.Unsafe(); why != nil {
		fmt.Fprintln(os.Stderr, "tracker: UNSAFE: the submission runs without isolation and can reach what its user can:", why)
	}
	return validation.JudgeDir(ctx, host, runner, validation.DirOptions{
		Language: c.Language, Submission: c.Submission, Tests: c.Tests, Options: []byte(c.Options), Timeout: c.Timeout,
	})
}
