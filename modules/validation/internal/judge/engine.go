// Package judge takes a submission through a validator plugin and the sandbox.
// It knows neither queue nor database: the server's worker and `tracker
// validate` use the same code.
package judge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// ErrNoSandbox says that this machine can't confine learners' code, so nothing is judged.
var ErrNoSandbox = errors.New("there is no sandbox on this machine")

// Engine judges. It is safe for concurrent use.
type Engine struct {
	host   *pluginhost.Host
	runner steprun.Runner
	most   judging.Limits
	// isolation is what its sandbox has.
	isolation sandbox.Isolation

	mu         sync.Mutex
	toolchains map[string]*toolchain
}

// toolchain is what was seen of a plugin's runtimes.
type toolchain struct {
	mu       sync.Mutex
	version  string // of the plugin
	versions map[string]string
	problem  error
	at       time.Time
}

// missingFor is how long a missing runtime is believed to be missing.
const missingFor = time.Minute

// New makes an engine; zero fields of most take steprun.MaxLimits. Without a
// runner it judges nothing.
func New(host *pluginhost.Host, runner steprun.Runner, most judging.Limits) *Engine {
	e := &Engine{host: host, runner: runner, most: most, toolchains: map[string]*toolchain{}, isolation: sandbox.Namespaces}
	if r, ok := runner.(isolated); ok {
		e.isolation = r.Isolation()
	}
	return e
}

// isolated is a runner that may have another isolation than namespaces.
type isolated interface{ Isolation() sandbox.Isolation }

// isolationKey names the isolation among the versions of what judged, where it
// is another than namespaces.
const isolationKey = "isolation"

// mark adds the isolation to versions, so that reports say it, and verdicts
// under another are never taken for this one's.
func (e *Engine) mark(versions map[string]string) map[string]string {
	versions = maps.Clone(versions)
	if e.isolation == sandbox.Namespaces {
		return versions
	}
	if versions == nil {
		versions = map[string]string{}
	}
	versions[isolationKey] = string(e.isolation)
	return versions
}

// CanRun reports whether there is a sandbox.
func (e *Engine) CanRun() bool { return e.runner != nil }

// Job is a submission and what it is judged by.
type Job struct {
	Plugin     string
	Submission judging.Submission
	Task       judging.Task
}

// Result is what came of it. The report has passed judging.CheckReport; its
// texts are still what a plugin wrote.
type Result struct {
	Report                *judging.Report
	Plugin, PluginVersion string
	// Toolchain is the version of each runtime.
	Toolchain map[string]string
	// Prepare and Run are the sandbox's, Judge all the rest.
	Prepare, Run, Judge time.Duration
	// Way is how the sandboxes came about, the slowest of all steps; "" when
	// nothing ran.
	Way sandbox.Way
	// Limits are the widest that a step had.
	Limits sandbox.Limits
}

// Judge judges. Any error means that nothing was judged, and that it is not the
// learner's fault. stage hears of each step before it runs, and must not block.
func (e *Engine) Judge(ctx context.Context, job Job, stage func(string)) (Result, error) {
	if e.runner == nil {
		return Result{}, ErrNoSandbox
	}
	began := time.Now()
	plugin, done, desc, versions, err := e.prepare(ctx, job.Plugin)
	if err != nil {
		return Result{}, err
	}
	defer done()
	nonce, err := newNonce()
	if err != nil {
		return Result{}, err
	}
	timer := &timed{Runner: e.runner}
	progress := func(_ int, step *judging.Step) {
		if stage != nil && step.Stage != "" {
			stage(step.Stage)
		}
	}
	req := &judging.PlanRequest{Submission: job.Submission, Task: job.Task, Toolchain: maps.Clone(versions), Nonce: nonce, OneProcess: e.isolation == sandbox.NoIsolation}
	report, _, err := judging.Run(ctx, plugin, desc, steprun.New(timer, e.most), req, progress)
	if err != nil {
		return Result{}, err
	}
	unprove(report, &job.Task)
	e.weaken(report)
	res := Result{Report: report, Plugin: desc.Name, PluginVersion: desc.Version, Toolchain: e.mark(versions), Prepare: timer.prepare, Run: timer.run, Way: timer.way, Limits: timer.limits}
	res.Judge = max(time.Since(began)-timer.prepare-timer.run, 0)
	return res, nil
}

// weaken takes back the claim that submission and tests were kept apart, where
// nothing keeps them so.
func (e *Engine) weaken(r *judging.Report) {
	if e.isolation == sandbox.NoIsolation {
		r.Integrity = judging.IntegrityShared
	}
}

// unprove takes back a pass that nothing stands for: neither tests nor rules.
func unprove(r *judging.Report, task *judging.Task) {
	rules := len(task.Options) > 0 && string(task.Options) != "{}"
	if r.Verdict == judging.VerdictPassed && len(task.Tests) == 0 && len(r.Tests) == 0 && !rules {
		r.Verdict, r.Score = judging.VerdictUnproven, 0
	}
}

// Versions are those of a plugin and its toolchain, as they would judge now.
func (e *Engine) Versions(ctx context.Context, plugin string) (version string, toolchain map[string]string, err error) {
	if e.runner == nil {
		return "", nil, ErrNoSandbox
	}
	_, done, desc, versions, err := e.prepare(ctx, plugin)
	if err != nil {
		return "", nil, err
	}
	defer done()
	return desc.Version, e.mark(versions), nil
}

// prepare opens a plugin for one run, all of whose calls reach the version that
// it began with; done ends it.
func (e *Engine) prepare(ctx context.Context, name string) (plugin judging.Judge, done func(), desc *judging.Description, versions map[string]string, err error) {
	plugin, done, err = e.host.ValidatorRun(ctx, name)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	if desc, err = plugin.Describe(ctx); err == nil {
		versions, err = e.toolchain(ctx, desc)
	}
	if err != nil {
		done()
		return nil, nil, nil, nil, err
	}
	return plugin, done, desc, versions, nil
}

// toolchain asks the runtimes for their versions, once per version of a plugin.
func (e *Engine) toolchain(ctx context.Context, desc *judging.Description) (map[string]string, error) {
	e.mu.Lock()
	t := e.toolchains[desc.Name]
	if t == nil {
		t = &toolchain{}
		e.toolchains[desc.Name] = t
	}
	e.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.version == desc.Version && (t.problem == nil || time.Since(t.at) < missingFor) {
		return t.versions, t.problem
	}
	versions, err := steprun.New(e.runner, e.most).Toolchain(ctx, desc)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("ask for the toolchain of %s: %w", desc.Name, ctx.Err())
	}
	t.version, t.versions, t.problem, t.at = desc.Version, versions, err, time.Now()
	return versions, err
}

// known is what was seen of a plugin's toolchain, without asking.
func (e *Engine) known(name string) (versions map[string]string, problem error) {
	e.mu.Lock()
	t := e.toolchains[name]
	e.mu.Unlock()
	if t == nil || !t.mu.TryLock() {
		return nil, nil
	}
	defer t.mu.Unlock()
	return maps.Clone(t.versions), t.problem
}

func newNonce() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make nonce: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// timed adds up where a run's time goes; a run's steps come one after another.
type timed struct {
	steprun.Runner
	prepare, run time.Duration
	way          sandbox.Way
	limits       sandbox.Limits
}

// ways by how long they take.
var ways = map[sandbox.Way]int{sandbox.Forked: 1, sandbox.Warm: 2, sandbox.Prepared: 3, sandbox.Cold: 4}

// Run implements steprun.Runner.
func (t *timed) Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error) {
	res, err := t.Runner.Run(ctx, step)
	t.prepare += res.Prepare
	t.run += res.Run
	if ways[res.Way] > ways[t.way] {
		t.way = res.Way
	}
	l := &t.limits
	l.Wall, l.CPU = max(l.Wall, step.Limits.Wall), max(l.CPU, step.Limits.CPU)
	l.Memory, l.Output = max(l.Memory, step.Limits.Memory), max(l.Output, step.Limits.Output)
	return res, err
}
