package steprun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Toolchain asks each runtime of a plugin for its version, in the sandbox. The
// map has the runtimes that work; the error joins one per runtime that does not,
// and says which program is missing.
func (e *Executor) Toolchain(ctx context.Context, desc *judging.Description) (map[string]string, error) {
	out := map[string]string{}
	var errs []error
	for i := range desc.Runtimes {
		rt := &desc.Runtimes[i]
		version, err := e.version(ctx, rt)
		if err != nil {
			errs = append(errs, fmt.Errorf("runtime %s of %s: %w", rt.ID, desc.Name, err))
			continue
		}
		out[rt.ID] = version
	}
	return out, errors.Join(errs...)
}

func (e *Executor) version(ctx context.Context, rt *judging.Runtime) (string, error) {
	for _, p := range rt.Programs {
		if !exists(p) {
			return "", fmt.Errorf("%s is not installed on this machine", p)
		}
	}
	if len(rt.VersionArgv) == 0 {
		return "", nil
	}
	res, err := e.runner.Run(ctx, sandbox.Step{
		Name: rt.ID + " version", Runtimes: mounts(rt),
		Limits:    sandbox.Limits{Wall: 20 * time.Second, CPU: 20 * time.Second, Memory: int64(e.cap.MemoryBytes)},
		Processes: []sandbox.Process{{Role: "main", Argv: rt.VersionArgv, Env: environ(rt.Env)}},
	})
	if err != nil {
		return "", err
	}
	p := res.Processes[0]
	if res.Outcome != sandbox.Exited || p.ExitCode != 0 {
		return "", fmt.Errorf("%s ended with %s, code %d: %s", strings.Join(rt.VersionArgv, " "), res.Outcome, p.ExitCode, p.Stderr)
	}
	text := string(p.Stdout)
	if strings.TrimSpace(text) == "" {
		text = string(p.Stderr) // java -version
	}
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line), nil
}

func exists(program string) bool {
	if filepath.IsAbs(program) {
		_, err := os.Stat(program)
		return err == nil
	}
	for _, dir := range []string{"/usr/local/bin", "/usr/bin", "/bin"} {
		if _, err := os.Stat(filepath.Join(dir, program)); err == nil {
			return true
		}
	}
	return false
}
