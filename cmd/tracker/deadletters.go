package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
)

type deadLettersCmd struct {
	List   deadLettersListCmd   `cmd:"" default:"withargs" help:"List dead letters, oldest first."`
	Replay deadLettersReplayCmd `cmd:"" help:"Put dead letters back into their queue."`
	Drop   deadLettersDropCmd   `cmd:"" help:"Throw dead letters away."`
}

// deadQueue names the queue; each subcommand has it.
type deadQueue struct {
	Queue   string        `help:"The queue that they died in. Defaults to the one of the academy's events." placeholder:"NAME"`
	Timeout time.Duration `default:"30s" help:"How long RabbitMQ may take."`
}

// with runs fn on a connection to RabbitMQ.
func (q deadQueue) with(ctx context.Context, flags *ConfigFlags, fn func(ctx context.Context, b *broker.Broker, queue string) error) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	cfg.Telemetry.LogLevel = "error"
	logger, err := cfg.logger(os.Stderr)
	if err != nil {
		return err
	}
	b, err := broker.New(cfg.RabbitMQ, logger)
	if err != nil {
		return err
	}
	if q.Queue == "" {
		q.Queue = cfg.Academy.Queue
	}
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	running, stop := context.WithCancel(ctx)
	var connected sync.WaitGroup
	connected.Go(func() { _ = b.Run(running) })
	defer connected.Wait()
	defer stop()
	return fn(ctx, b, q.Queue)
}

type deadLettersListCmd struct {
	deadQueue
	Limit int  `default:"100" help:"How many at most."`
	JSON  bool `help:"Print JSON lines with the messages themselves, which may hold personal data."`
}

// Run lists dead letters.
func (c *deadLettersListCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	return c.with(ctx, flags, func(ctx context.Context, b *broker.Broker, queue string) error {
		letters, err := b.DeadLetters(ctx, queue, c.Limit)
		if err != nil {
			return err
		}
		return printLetters(letters, c.JSON)
	})
}

type deadLettersReplayCmd struct {
	deadQueue
	ID  []string `arg:"" optional:"" help:"Ids that list prints."`
	All bool     `help:"All of them."`
}

// Run puts dead letters back.
func (c *deadLettersReplayCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	if err := someOrAll(c.ID, c.All); err != nil {
		return err
	}
	return c.with(ctx, flags, func(ctx context.Context, b *broker.Broker, queue string) error {
		return done("put back", c.ID)(b.ReplayDead(ctx, queue, c.ID...))
	})
}

type deadLettersDropCmd struct {
	deadQueue
	ID  []string `arg:"" optional:"" help:"Ids that list prints."`
	All bool     `help:"All of them."`
}

// Run throws dead letters away.
func (c *deadLettersDropCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	if err := someOrAll(c.ID, c.All); err != nil {
		return err
	}
	return c.with(ctx, flags, func(ctx context.Context, b *broker.Broker, queue string) error {
		return done("thrown away", c.ID)(b.DropDead(ctx, queue, c.ID...))
	})
}

func someOrAll(ids []string, all bool) error {
	if (len(ids) > 0) == all {
		return errors.New("name the ids that `tracker events deadletters list` prints, or say --all")
	}
	return nil
}

// done prints what was done; ids that are not there are an error.
func done(what string, ids []string) func([]broker.DeadLetter, error) error {
	return func(letters []broker.DeadLetter, err error) error {
		for _, l := range letters {
			fmt.Println(what, l.ID, l.Type)
		}
		if err == nil && len(letters) < len(ids) {
			return fmt.Errorf("%d of %d are not among the dead letters", len(ids)-len(letters), len(ids))
		}
		if err == nil && len(letters) == 0 {
			fmt.Println("there are no dead letters")
		}
		return err
	}
}

func printLetters(letters []broker.DeadLetter, asJSON bool) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, l := range letters {
		if asJSON {
			line, err := json.Marshal(map[string]any{
				"id": l.ID, "queue": l.Queue, "exchange": l.Exchange, "key": l.Key, "type": l.Type, "reason": l.Reason,
				"died_at": l.DiedAt, "deaths": l.Deaths, "body": string(l.Body),
			})
			if err != nil {
				return err
			}
			fmt.Println(string(line))
			continue
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d bytes\n", l.ID, l.Type, l.Reason, l.DiedAt.UTC().Format(time.RFC3339), len(l.Body))
	}
	return out.Flush()
}
