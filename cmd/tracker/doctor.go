package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/sandbox"
)

type doctorCmd struct{}

// finding is one line of the doctor's table.
type finding struct {
	what, state, why string
}

// Run checks the machine and says what to do; exit code 1 when the server could
// not do its work.
func (doctorCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	cfg.Telemetry.LogLevel = "error"
	logger, err := cfg.logger(os.Stderr)
	if err != nil {
		return err
	}
	var findings []finding
	add := func(what string, err error, good string) {
		if err != nil {
			findings = append(findings, finding{what, "FAILED", err.Error()})
		} else {
			findings = append(findings, finding{what, "ok", good})
		}
	}
	add("settings", cfg.CheckServer(), "listens on "+cfg.Server.Address)

	db, err := openDatabase(ctx, cfg, logger)
	if err != nil {
		add("database", err, "")
	} else {
		version, dbErr := databaseVersion(ctx, db.DB)
		add("database", dbErr, version)
		db.Close(ctx)
	}
	findings = append(findings, academyFindings(ctx, cfg)...)
	findings = append(findings, brokerFinding(ctx, cfg, logger), cacheFinding(ctx, cfg, logger))
	findings = append(findings, sandboxFindings(sandbox.Probe(ctx, cfg.Validation.Sandbox()))...)
	findings = append(findings, pluginFindings(ctx, cfg)...)
	findings = append(findings, searchFinding(cfg))
	return show(os.Stdout, findings)
}

// sandboxFindings fails when an attack got through, though rooms can be built.
func sandboxFindings(report sandbox.Report) []finding {
	first := finding{"sandbox", "ok", "judges learners' code"}
	var open []string
	for _, layer := range report.Layers {
		if layer.State == sandbox.Open {
			open = append(open, layer.Name)
		}
	}
	switch {
	case report.Err != nil:
		first.state, first.why = "FAILED", report.Err.Error()
	case report.Unsafe != nil:
		first.state = "UNSAFE"
		first.why = "learners' code runs without isolation, as validation.unsafe_without_isolation is set: " + report.Unsafe.Error()
	case !report.OK():
		first.state = "FAILED"
		first.why = fmt.Sprintf("attacks got through (%s): let no learner's code run here, see sandbox/README.md", strings.Join(open, ", "))
	}
	findings := append(make([]finding, 0, 1+len(report.Layers)), first)
	for _, layer := range report.Layers {
		findings = append(findings, finding{"  " + layer.Name, string(layer.State), layer.Why})
	}
	return findings
}

func pluginFindings(ctx context.Context, cfg Config) []finding {
	logger, err := cfg.logger(io.Discard)
	if err != nil {
		return []finding{{"plugins", "FAILED", err.Error()}}
	}
	allowed, err := pluginConfig(cfg, logger)
	if err != nil {
		return []finding{{"plugins", "FAILED", err.Error()}}
	}
	host, err := pluginhost.New(allowed, pluginhost.Validator, pluginhost.LLM)
	if err != nil {
		return []finding{{"plugins", "FAILED", err.Error()}}
	}
	defer func() { _ = host.Close() }()
	var findings []finding
	for _, p := range host.Catalog(ctx) {
		state, why := "ok", p.Description.Version
		if p.Problem != "" {
			state, why = "FAILED", p.Problem
		}
		findings = append(findings, finding{"plugin " + p.Name, state, why})
	}
	if len(findings) == 0 {
		findings = append(findings, finding{"plugins", "none", "nothing can be judged: there is no program in the plugins' folder (make build)"})
	}
	return findings
}

func databaseVersion(ctx context.Context, db *postgres.DB) (string, error) {
	var server, vector string
	err := db.Pool().QueryRow(ctx, `SELECT current_setting('server_version'), extversion FROM pg_extension WHERE extname = 'vector'`).Scan(&server, &vector)
	return fmt.Sprintf("PostgreSQL %s, pgvector %s, roles hold", server, vector), err
}

func show(out io.Writer, findings []finding) error {
	width, failed := 0, false
	for _, f := range findings {
		width = max(width, len(f.what))
		failed = failed || f.state == "FAILED"
	}
	for _, f := range findings {
		_, _ = fmt.Fprintf(out, "%-*s  %-12s %s\n", width, f.what, f.state, f.why)
	}
	if failed {
		return exitError(1)
	}
	return nil
}
