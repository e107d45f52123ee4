// Package bench measures requests and the log against plain PostgreSQL: the
// same statements sent by pgbench, the same row written by a plain INSERT, the
// rows of an erased person by a plain DELETE.
//
// Machines drift, and shared ones most, so no time is worth much by itself.
// What is compared is measured in turns, round after round in one run, and the
// figures are ratios of a round: their median, with the smallest and largest.
//
// Everything happens in a database of its own, which is dropped at the end.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"time"
)

// Options say how to measure.
type Options struct {
	// Round is how long each side works in a round. Defaults to 3 s; pgbench
	// counts in whole seconds.
	Round time.Duration
	// Rounds is how often the sides take turns. Defaults to 5.
	Rounds int
	// Clients is how many requests are under way at a time. Defaults to 4.
	Clients int
	// Writers are the numbers of concurrent writers to the log. Default to 1, 4
	// and 16.
	Writers []int
	// DatabaseURL names a PostgreSQL server where the login may make a database.
	// Empty: a throw-away server with durable settings, in TMPDIR.
	DatabaseURL string
	// Binaries is the folder of PostgreSQL's programs. Defaults to the newest
	// installed.
	Binaries string
	// Client is the command that runs Client: this program again. Required.
	Client []string
	// Profile is a folder for CPU profiles of the server, one per comparison;
	// they cost a little. Defaults to none.
	Profile string
	// Progress hears what is being measured. Defaults to nobody.
	Progress io.Writer
}

func (o Options) withDefaults() Options {
	if o.Round == 0 {
		o.Round = 3 * time.Second
	}
	o.Rounds = max(o.Rounds, 0)
	if o.Rounds == 0 {
		o.Rounds = 5
	}
	if o.Clients <= 0 {
		o.Clients = 4
	}
	if len(o.Writers) == 0 {
		o.Writers = []int{1, 4, 16}
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	return o
}

// Run measures everything; with the defaults that takes four minutes.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	if len(o.Client) == 0 {
		return nil, errors.New("bench: no command for the clients")
	}
	o = o.withDefaults()
	db, err := openDatabase(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.drop(context.WithoutCancel(ctx))) }()
	b := &bench{Options: o, db: db}
	if b.postgres, err = findCluster(ctx, db.pool()); err != nil {
		return nil, err
	}
	if b.program, err = findPgbench(ctx, db.pool(), o.Binaries); err != nil {
		return nil, err
	}
	if b.clients, err = startClients(ctx, o.Client, roleRequests); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.clients.stop()) }()
	if err := b.measure(ctx); err != nil {
		return nil, err
	}
	return &b.report, nil
}

// bench is one run.
type bench struct {
	Options
	db       *database
	postgres cluster
	program  string
	clients  *clients
	report   Report
}

func (b *bench) measure(ctx context.Context) (err error) {
	b.report = Report{Clients: b.Clients, Rounds: b.Rounds, Seconds: b.Round.Seconds(), Machine: machine(ctx, b.db.pool())}
	s, err := startServer(ctx, b.db.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop(context.WithoutCancel(ctx))) }()
	if err := s.seed(ctx); err != nil {
		return err
	}
	for _, measure := range []func(context.Context, *server) error{b.createGoal, b.listGoals, b.appends, b.erasures} {
		if err := b.db.settle(ctx); err != nil {
			return err
		}
		if err := measure(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// side is one of the things that are compared.
type side struct {
	name string
	// run works for a round and says how often it did its work, in how many
	// seconds, with how much CPU time of its own client (0: not told apart).
	run func(context.Context) (work, error)
}

type work struct {
	count       int
	seconds     float64
	clientsCPU  float64
	server, sql float64 // CPU seconds of this process and of PostgreSQL
}

// compare lets the sides take turns. The last is what the others are measured
// against; who begins changes from round to round.
func (b *bench) compare(ctx context.Context, title string, sides ...side) error {
	stop, err := b.profile(title)
	if err != nil {
		return err
	}
	defer stop()
	works := make([][]work, len(sides))
	for round := range b.Rounds {
		fmt.Fprintf(b.Progress, "%s: round %d of %d\n", title, round+1, b.Rounds)
		for i := range sides {
			n := (i + round) % len(sides)
			w, err := b.timed(ctx, sides[n])
			if err != nil {
				return fmt.Errorf("measure %s by %s: %w", title, sides[n].name, err)
			}
			works[n] = append(works[n], w)
		}
	}
	last := len(sides) - 1
	for i, s := range sides[:last] {
		b.report.Rows = append(b.report.Rows, newRow(title, s.name, sides[last].name, works[i], works[last]))
	}
	return nil
}

func (b *bench) timed(ctx context.Context, s side) (work, error) {
	server, sql, err := b.cpu()
	if err != nil {
		return work{}, err
	}
	w, err := s.run(ctx)
	if err != nil {
		return work{}, err
	}
	if w.count == 0 {
		return work{}, errors.New("nothing was done")
	}
	serverAfter, sqlAfter, err := b.cpu()
	w.server, w.sql = serverAfter-server, sqlAfter-sql
	return w, err
}

// cpu is the CPU seconds so far of this process and of PostgreSQL.
func (b *bench) cpu() (server, sql float64, err error) {
	if server, err = ownCPU(); err != nil {
		return 0, 0, err
	}
	sql, err = b.postgres.cpu()
	return server, sql, err
}

func (b *bench) profile(title string) (stop func(), err error) {
	if b.Profile == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(b.Profile, 0o755); err != nil {
		return nil, fmt.Errorf("make folder for profiles: %w", err)
	}
	f, err := os.Create(filepath.Join(b.Profile, slug(title)+".pprof"))
	if err != nil {
		return nil, fmt.Errorf("make profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("make profile: %w", err), f.Close())
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

func slug(title string) string {
	text := []rune(title)
	for i, c := range text {
		if !slices.Contains([]rune("abcdefghijklmnopqrstuvwxyz0123456789"), c) {
			text[i] = '-'
		}
	}
	return string(text)
}
