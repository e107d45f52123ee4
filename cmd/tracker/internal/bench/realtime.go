package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
)

// RealtimeOptions say how to measure pushes.
type RealtimeOptions struct {
	// Clients are how many sockets are open while latency is measured, half of them
	// at each of two replicas. Defaults to 1,000.
	Clients int
	// Rate is how many events a second are made meanwhile, each of them for two
	// sockets. Defaults to 100.
	Rate int
	// Round is for how long. Defaults to 10 s.
	Round time.Duration
	// Stalled is how many more people never read what they get. Defaults to 10.
	Stalled int
	// Idle is how many connections one replica then holds. Defaults to 10,000,
	// less where the system lets a process have fewer.
	Idle int
	// Hold is for how long; longer than a heartbeat tells more. Defaults to 20 s.
	Hold time.Duration
	// DatabaseURL, Binaries, Client and Progress are those of Options.
	DatabaseURL, Binaries string
	Client                []string
	Progress              io.Writer
}

func (o RealtimeOptions) withDefaults() RealtimeOptions {
	set := func(n *int, fallback int) {
		if *n == 0 {
			*n = fallback
		}
	}
	set(&o.Clients, 1000)
	set(&o.Rate, 100)
	set(&o.Stalled, 10)
	set(&o.Idle, 10_000)
	if o.Round == 0 {
		o.Round = 10 * time.Second
	}
	if o.Hold == 0 {
		o.Hold = 20 * time.Second
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	// Clients and replica are a process each, with a descriptor a connection.
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		o.Idle = min(o.Idle, int(min(files.Max, 1<<20))-200)
	}
	return o
}

// Realtime measures how long events take to the sockets of two replicas, with
// and without clients that don't read, and what idle connections cost. It fails
// when a client misses an event, or gets one twice or out of order.
func Realtime(ctx context.Context, o RealtimeOptions) (report *RealtimeReport, err error) {
	if len(o.Client) == 0 {
		return nil, errors.New("bench: no command for replicas and clients")
	}
	o = o.withDefaults()
	db, err := openDatabase(ctx, Options{DatabaseURL: o.DatabaseURL, Binaries: o.Binaries})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.drop(context.WithoutCancel(ctx))) }()
	writer, err := startServer(ctx, db.DB)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, writer.stop(context.WithoutCancel(ctx))) }()
	b := &pushBench{RealtimeOptions: o, db: db, writer: writer, secret: rand.Text()}
	b.report = RealtimeReport{Machine: machine(ctx, db.pool()), Clients: o.Clients, Rate: o.Rate, Seconds: o.Round.Seconds()}
	if b.sockets, err = startClients(ctx, o.Client, roleSockets); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.sockets.stop()) }()
	if err := b.latency(ctx); err != nil {
		return nil, err
	}
	if err := b.idle(ctx); err != nil {
		return nil, err
	}
	return &b.report, nil
}

type pushBench struct {
	RealtimeOptions
	db      *database
	writer  *server
	sockets *clients
	secret  string
	report  RealtimeReport
}

// replicas starts some, each a process.
func (b *pushBench) replicas(ctx context.Context, n int) (all []*clients, addresses []string, stop func() error, err error) {
	stop = func() (err error) {
		for _, r := range all {
			err = errors.Join(err, r.stop())
		}
		return err
	}
	for range n {
		r, err := startClients(ctx, b.Client, roleReplica)
		if err != nil {
			return nil, nil, nil, errors.Join(err, stop())
		}
		all = append(all, r)
		a, err := ask[fromReplica](r, toReplica{Start: b.db.url, Secret: b.secret})
		if err != nil {
			return nil, nil, nil, errors.Join(err, stop())
		}
		addresses = append(addresses, a.Address)
	}
	return all, addresses, stop, nil
}

func (b *pushBench) latency(ctx context.Context) (err error) {
	_, addresses, stop, err := b.replicas(ctx, 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	users := b.Clients / 2
	fmt.Fprintf(b.Progress, "pushes: %d clients\n", 2*users)
	if _, err := ask[fromSockets](b.sockets, toSockets{Open: addresses, Secret: b.secret, Users: users, PerUser: 1}); err != nil {
		return err
	}
	if _, err := b.measure(ctx, users, min(time.Second, b.Round), 0); err != nil { // to warm up
		return err
	}
	if b.report.Alone, err = b.measure(ctx, users, b.Round, 0); err != nil {
		return err
	}
	fmt.Fprintf(b.Progress, "pushes: and %d that don't read\n", 2*b.Stalled)
	b.report.Stalled = 2 * b.Stalled
	if _, err := ask[fromSockets](b.sockets, toSockets{Open: addresses, Secret: b.secret, Stalled: b.Stalled, PerUser: 1}); err != nil {
		return err
	}
	if b.report.Beside, err = b.measure(ctx, users, b.Round, b.Stalled); err != nil {
		return err
	}
	_, err = ask[fromSockets](b.sockets, toSockets{Close: true})
	return err
}

// measure makes events for a while, and compares when they were committed with
// when they arrived.
func (b *pushBench) measure(ctx context.Context, users int, d time.Duration, stalled int) (Latency, error) {
	var mu sync.Mutex
	committed := map[string]time.Time{}
	note := func(id string, at time.Time) { mu.Lock(); defer mu.Unlock(); committed[id] = at }
	every := time.NewTicker(time.Second / time.Duration(b.Rate))
	defer every.Stop()
	var group errgroup.Group
	group.SetLimit(16)
	until := time.Now().Add(d)
	for n := 0; time.Now().Before(until) && ctx.Err() == nil; n++ {
		<-every.C
		group.Go(func() error {
			id, at, err := b.create(ctx, userName(n*7919%users), "A goal of the bench")
			note(id, at)
			return err
		})
		if stalled > 0 && n%5 == 0 { // big ones, for those who don't read
			group.Go(func() error {
				_, _, err := b.create(ctx, stalledName(n/5%stalled), strings.Repeat("x", 15000))
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return Latency{}, err
	}
	var arrivals []arrival
	for wait := 0; len(arrivals) < 2*len(committed); wait++ {
		got, err := ask[fromSockets](b.sockets, toSockets{Collect: true})
		if err != nil {
			return Latency{}, err
		}
		arrivals = append(arrivals, got.Arrivals...)
		if wait > 200 {
			return Latency{}, fmt.Errorf("of %d events for two clients each, %d arrived", len(committed), len(arrivals))
		}
		sleep(ctx, 50*time.Millisecond)
	}
	return latencyOf(arrivals, committed)
}

// create makes a goal and says when it was known to be committed.
func (b *pushBench) create(ctx context.Context, user, description string) (id string, at time.Time, err error) {
	call := postgres.Call{
		Actor: auth.Actor{UserID: user, Roles: []auth.Role{auth.Student}},
		Key:   uuid.Must(uuid.NewV7()).String(), Procedure: "bench", Hash: []byte("bench"), RequestID: "bench",
	}
	err = b.db.InTx(ctx, call, func(ctx context.Context, tx *postgres.Tx) error {
		tx.Seal([]byte("bench"))
		goal, err := b.writer.goals.CreateTx(ctx, tx, goals.New{Details: goals.Details{Title: title, Description: description, Priority: "high"}})
		id = goal.ID
		return err
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make a goal: %w", err)
	}
	return id, time.Now(), nil
}

func latencyOf(arrivals []arrival, committed map[string]time.Time) (Latency, error) {
	var since, whole []float64
	times := map[string]int{}
	for _, a := range arrivals {
		at, ours := committed[a.Goal]
		if times[a.Goal]++; !ours || times[a.Goal] > 2 {
			return Latency{}, fmt.Errorf("event of goal %s arrived %d times", a.Goal, times[a.Goal])
		}
		since = append(since, max(0, float64(a.At-at.UnixNano())/1e6))
		whole = append(whole, float64(a.At-a.Began)/1e6)
	}
	slices.Sort(since)
	slices.Sort(whole)
	return Latency{
		Arrivals: len(arrivals), Median: percentile(since, 50), P99: percentile(since, 99), Max: percentile(since, 100),
		WholeP99: percentile(whole, 99),
	}, nil
}

func percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// perIdleUser is how many connections an idle person has.
const perIdleUser = 10

// idle opens many connections at one replica and looks at its memory.
func (b *pushBench) idle(ctx context.Context) (err error) {
	all, addresses, stop, err := b.replicas(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	replica := all[0]
	// A few first: what the first of them takes is not a connection's.
	if _, err := ask[fromSockets](b.sockets, toSockets{Open: addresses, Secret: b.secret, Stalled: 2, PerUser: perIdleUser}); err != nil {
		return err
	}
	before, err := ask[fromReplica](replica, toReplica{Memory: true, Collected: true})
	if err != nil {
		return err
	}
	fmt.Fprintf(b.Progress, "pushes: %d idle clients\n", b.Idle)
	began := time.Now()
	opened, err := ask[fromSockets](b.sockets, toSockets{Open: addresses, Secret: b.secret, Users: b.Idle / perIdleUser, PerUser: perIdleUser})
	if err != nil {
		return err
	}
	b.report.Idle, b.report.OpenSeconds = opened.Opened, time.Since(began).Seconds()
	sleep(ctx, b.Hold)
	b.report.HeldSeconds = b.Hold.Seconds()
	held, err := ask[fromSockets](b.sockets, toSockets{Collect: true})
	if err != nil {
		return err
	}
	if held.Held != opened.Opened {
		return fmt.Errorf("of %d connections, %d are open after %s", opened.Opened, held.Held, b.Hold)
	}
	resident, err := ask[fromReplica](replica, toReplica{Memory: true})
	if err != nil {
		return err
	}
	live, err := ask[fromReplica](replica, toReplica{Memory: true, Collected: true})
	if err != nil {
		return err
	}
	each := func(now, was int64) float64 { return float64(now-was) / 1024 / float64(opened.Opened) }
	b.report.ResidentKB = each(resident.Memory.Resident, before.Memory.Resident)
	b.report.CollectedKB = each(live.Memory.Resident, before.Memory.Resident)
	b.report.LiveKB = each(live.Memory.Live, before.Memory.Live)
	b.report.StacksKB = each(live.Memory.Stacks, before.Memory.Stacks)
	b.report.Goroutines = float64(live.Memory.Goroutines-before.Memory.Goroutines) / float64(opened.Opened)
	return b.alive(ctx, min(20, b.Idle/perIdleUser))
}

// alive has some of the idle get an event.
func (b *pushBench) alive(ctx context.Context, people int) error {
	const each = perIdleUser
	for i := range people {
		if _, _, err := b.create(ctx, userName(i), "for idle ones"); err != nil {
			return err
		}
	}
	arrived := 0
	for wait := 0; arrived < people*each; wait++ {
		got, err := ask[fromSockets](b.sockets, toSockets{Collect: true})
		if err != nil {
			return err
		}
		if arrived += len(got.Arrivals); wait > 200 {
			return fmt.Errorf("of %d events for idle clients, %d arrived", people*each, arrived)
		}
		sleep(ctx, 50*time.Millisecond)
	}
	_, err := ask[fromSockets](b.sockets, toSockets{Close: true})
	return err
}
