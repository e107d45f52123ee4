package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// VerdictOptions say how to measure verdicts.
type VerdictOptions struct {
	// Host has the validators, Runner builds the rooms. Required.
	Host   *pluginhost.Host
	Runner *sandbox.Runner
	// Rounds is how often all take turns. Defaults to 15.
	Rounds int
	// Only are the names of exercises to measure. Defaults to all.
	Only []string
	// Progress hears what is being measured. Defaults to nobody.
	Progress io.Writer
}

// Verdicts measures how long learners wait: from a submission to its report,
// plugin, sandbox and all, against what they would type themselves. Raw and
// judged take turns, so that a busy machine slows both.
func Verdicts(ctx context.Context, o VerdictOptions) (*VerdictReport, error) {
	if o.Rounds <= 0 {
		o.Rounds = 15
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	report := &VerdictReport{Rounds: o.Rounds, CPUs: runtime.NumCPU()}
	for _, e := range exercises() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, e.name) {
			continue
		}
		if why := e.missing(o.Host); why != "" {
			report.Left = append(report.Left, fmt.Sprintf("%s: %s", e.name, why))
			continue
		}
		fmt.Fprintln(o.Progress, e.name)
		rows, err := o.measure(ctx, &e)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", e.name, err)
		}
		report.Rows = append(report.Rows, rows...)
	}
	return report, nil
}

// measure has one exercise judged in all ways, in turns with the raw command.
func (o *VerdictOptions) measure(ctx context.Context, e *exercise) (rows []VerdictRow, err error) {
	raw, err := e.raw()
	if err != nil {
		return nil, err
	}
	defer raw.remove()
	ways := []*wayOf{{name: "cold"}, {name: "prepared"}}
	if e.warms {
		ways = append(ways, &wayOf{name: "warm"})
	}
	for _, w := range ways {
		if err := w.open(ctx, o, e); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, w.close()) }()
	}
	sides := append([]contestant{raw}, asContestants(ways)...)
	times := make([][]float64, len(sides))
	for round := range o.Rounds + 2 { // the first two only fill caches
		for i, side := range sides {
			// What is refilled for one must not take the machine from another.
			for _, w := range ways {
				if err := w.ready(ctx); err != nil {
					return nil, err
				}
			}
			begun := time.Now()
			if err := side.run(ctx); err != nil {
				return nil, err
			}
			if took := time.Since(begun); round >= 2 {
				times[i] = append(times[i], took.Seconds()*1000)
			}
		}
	}
	for i, w := range ways {
		row := VerdictRow{What: e.name, Way: w.name, MS: median(times[i+1]), RawMS: median(times[0])}
		row.Ratio = ratios(times[i+1], times[0])
		if w.way() != "" {
			row.Way = string(w.way())
		}
		row.judge(e.bars[w.name])
		rows = append(rows, row)
	}
	last := len(rows) - 1
	rows[last].PerCore, rows[last].RawPerCore, err = throughput(ctx, ways[last], raw)
	return rows, err
}

func ratios(of, by []float64) Range {
	each := make([]float64, len(of))
	for i := range of {
		each[i] = of[i] / by[i]
	}
	return Range{Median: median(each), Min: slices.Min(each), Max: slices.Max(each)}
}

// throughputFor is how long each side works at what it can.
const throughputFor = 2 * time.Second

// throughput is how many verdicts, and raw runs, a core gives in a second when
// as many are under way as there are cores. Rooms are built meanwhile.
func throughput(ctx context.Context, sides ...contestant) (judged, raw float64, err error) {
	rates := make([]float64, len(sides))
	for i, side := range sides {
		var done atomic.Int64
		var work errgroup.Group
		begun := time.Now()
		for range runtime.NumCPU() {
			work.Go(func() error {
				for time.Since(begun) < throughputFor {
					if err := side.run(ctx); err != nil {
						return err
					}
					done.Add(1)
				}
				return nil
			})
		}
		if err := work.Wait(); err != nil {
			return 0, 0, err
		}
		rates[i] = float64(done.Load()) / time.Since(begun).Seconds() / float64(runtime.NumCPU())
	}
	return rates[0], rates[1], nil
}

// contestant is one way to come to know whether code is right.
type contestant interface {
	run(ctx context.Context) error
}

func asContestants(ways []*wayOf) []contestant {
	out := make([]contestant, len(ways))
	for i, w := range ways {
		out[i] = w
	}
	return out
}

// wayOf judges an exercise with rooms of one kind.
type wayOf struct {
	name  string
	e     *exercise
	o     *VerdictOptions
	pool  *sandbox.Pool
	seen  *observer
	desc  *judging.Description
	tools map[string]string
}

func (w *wayOf) open(ctx context.Context, o *VerdictOptions, e *exercise) error {
	w.e, w.o = e, o
	w.seen = &observer{runner: o.Runner}
	if w.name != "cold" {
		w.pool = o.Runner.NewPool(sandbox.PoolConfig{Size: 1}) //nolint:contextcheck // close ends it
		w.seen.runner = w.pool
	}
	if e.plugin == "" {
		return nil
	}
	judge, err := o.Host.Validator(e.plugin)
	if err != nil {
		return err
	}
	desc, err := judge.Describe(ctx)
	if err != nil {
		return err
	}
	if w.name == "prepared" {
		d := *desc
		d.Runtimes = slices.Clone(desc.Runtimes)
		for i := range d.Runtimes {
			if w := d.Runtimes[i].WarmUp; w != nil {
				d.Runtimes[i].WarmUp = &judging.WarmUp{Protocol: judging.WarmPrepared, Files: w.Files}
			}
		}
		desc = &d
	}
	w.desc = desc
	w.tools, err = steprun.New(o.Runner, judging.Limits{}).Toolchain(ctx, desc)
	return err
}

func (w *wayOf) close() error {
	if w.pool == nil {
		return nil
	}
	return w.pool.Close()
}

// ready waits until rooms wait for all kinds of steps that were seen.
func (w *wayOf) ready(ctx context.Context) error {
	if w.pool == nil {
		return nil
	}
	for _, step := range w.seen.steps {
		if err := w.pool.Prepare(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func (w *wayOf) way() sandbox.Way { return w.seen.way }

func (w *wayOf) run(ctx context.Context) error {
	if w.e.plugin == "" {
		res, err := w.seen.Run(ctx, w.e.step())
		if err == nil && (res.Outcome != sandbox.Exited || res.Processes[0].ExitCode != 0) {
			err = fmt.Errorf("%s in a room: %+v", w.e.name, res)
		}
		return err
	}
	judge, done, err := w.o.Host.ValidatorRun(ctx, w.e.plugin)
	if err != nil {
		return err
	}
	defer done()
	req := &judging.PlanRequest{Submission: w.e.submission, Task: w.e.task, Toolchain: w.tools, Nonce: rand.Text()}
	r, _, err := judging.Run(ctx, judge, w.desc, steprun.New(w.seen, judging.Limits{}), req, nil)
	if err != nil {
		return err
	}
	if r.Verdict != judging.VerdictPassed {
		return fmt.Errorf("%s was judged %s: %s", w.e.name, r.Verdict, r.Summary.Text["en"])
	}
	return nil
}

// observer remembers one step of each name, to have rooms ready for the next.
type observer struct {
	runner steprun.Runner

	mu    sync.Mutex
	steps map[string]sandbox.Step
	way   sandbox.Way
}

// Run implements steprun.Runner.
func (r *observer) Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error) {
	res, err := r.runner.Run(ctx, step)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.steps == nil {
		r.steps = map[string]sandbox.Step{}
	}
	r.steps[step.Name], r.way = step, res.Way
	return res, err
}
