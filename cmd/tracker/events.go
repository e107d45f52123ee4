package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/goals-tracker/tracker/modules/events"
)

type eventsCmd struct {
	Verify  eventsVerifyCmd  `cmd:"" help:"Prove that what is stored is what the events say. Exit code 1 when it is not."`
	Rebuild eventsRebuildCmd `cmd:"" help:"Restore the stored rows from the events."`
	Tail    eventsTailCmd    `cmd:"" help:"Print events as they happen."`
	Show    eventsShowCmd    `cmd:"" help:"Print the history of one thing: tracker events show goal:0190…"`
	Outbox  eventsOutboxCmd  `cmd:"" help:"Say up to where events were published to RabbitMQ, or publish from elsewhere on."`

	Deadletters deadLettersCmd `cmd:"" help:"List messages that could not be handled, or have them tried again."`

	Erase   eventsEraseCmd   `cmd:"" help:"Erase a person, with a receipt. Exit code 1 when something is left."`
	Receipt eventsReceiptCmd `cmd:"" help:"Verify receipts of erasures."`

	Parked eventsParkedCmd `cmd:"" help:"List streams that a subscription could not handle, or try one again."`
}

type eventsVerifyCmd struct {
	Type []string `help:"Only streams of these types (goal, task, run, …)."`
}

// Run compares rows with events.
func (c *eventsVerifyCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var log *events.Log
	return withModules(ctx, flags, func(*database) error {
		report, err := log.Verify(ctx, events.VerifyOptions{StreamTypes: c.Type})
		if err != nil {
			return err
		}
		for _, d := range report.Differences {
			fmt.Println(d)
		}
		fmt.Printf("%d streams and %d rows compared, %d differences\n", report.Streams, report.Rows, len(report.Differences))
		if report.Incomplete {
			fmt.Println("there may be more: the search ended here")
		}
		if !report.OK() {
			return exitError(1)
		}
		return nil
	}, &log)
}

type eventsRebuildCmd struct {
	Type []string `help:"Only streams of these types."`
}

// Run restores rows.
func (c *eventsRebuildCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var log *events.Log
	return withModules(ctx, flags, func(*database) error {
		done, err := log.Rebuild(ctx, c.Type...)
		if err != nil {
			return err
		}
		fmt.Printf("%d streams restored, %d rows without events removed\n", done.Streams, done.Orphans)
		return nil
	}, &log)
}

type eventsTailCmd struct {
	After int64 `default:"-1" help:"Start after this position instead of with what is new."`
	JSON  bool  `help:"Print JSON lines with the payload."`
}

// Run prints events until it is interrupted.
func (c *eventsTailCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var log *events.Log
	return withModules(ctx, flags, func(*database) error {
		following, stop := context.WithCancel(ctx)
		tailing := make(chan error, 1)
		go func() { tailing <- log.RunTailer(following) }()
		defer func() {
			stop()
			<-tailing
		}()
		tail := log.Tail(c.After)
		for {
			batch, err := tail.Next(ctx)
			if err != nil {
				if errors.Is(err, context.Canceled) {
					return nil
				}
				return err
			}
			for _, e := range batch {
				printEvent(e, c.JSON)
			}
		}
	}, &log)
}

type eventsShowCmd struct {
	Stream string `arg:"" help:"goal:<id>, task:<id>, run:<id>, …"`
	JSON   bool   `help:"Print JSON lines with the payload."`
}

// Run prints a stream's history.
func (c *eventsShowCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var log *events.Log
	return withModules(ctx, flags, func(*database) error {
		history, err := log.Show(ctx, c.Stream)
		if err != nil {
			return err
		}
		if len(history) == 0 {
			return fmt.Errorf("there is no stream %q; streams are named type:id, as `tracker events tail` prints them", c.Stream)
		}
		for _, e := range history {
			printEvent(e, c.JSON)
		}
		return nil
	}, &log)
}

type eventsParkedCmd struct {
	Retry string `help:"Try this stream again now." placeholder:"STREAM"`
	Skip  string `help:"Give up the event that fails and go on with this stream." placeholder:"STREAM"`
	Of    string `help:"The subscription of the stream." placeholder:"SUBSCRIPTION"`
}

// Run lists, resumes or skips parked streams.
func (c *eventsParkedCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var log *events.Log
	return withModules(ctx, flags, func(*database) error {
		switch {
		case (c.Retry != "" || c.Skip != "") && c.Of == "":
			return errors.New("name the subscription with --of")
		case c.Retry != "":
			return log.Resume(ctx, c.Of, c.Retry)
		case c.Skip != "":
			return log.Skip(ctx, c.Of, c.Skip)
		}
		parked, err := log.Parked(ctx)
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		for _, p := range parked {
			_, _ = fmt.Fprintf(out, "%s\t%s\t%d\t%d tries\tnext %s\t%s\n", p.Subscription, p.StreamName, p.Position,
				p.Attempts, p.NextTryAt.Format(time.RFC3339), p.Error)
		}
		return out.Flush()
	}, &log)
}

func printEvent(e events.Event, asJSON bool) {
	if !asJSON {
		fmt.Printf("%8d  %s  %-24s %s v%d  %s\n", e.Position, e.OccurredAt.Format(time.RFC3339), e.Type, e.Stream.Name(), e.Version, e.Meta.Actor)
		return
	}
	line, err := json.Marshal(map[string]any{
		"position": e.Position, "id": e.ID, "type": e.Type, "stream_id": e.Stream.Name(), "version": e.Version,
		"user_id": e.Stream.SubjectID, "course_id": e.Stream.CourseID, "occurred_at": e.OccurredAt,
		"actor": e.Meta.Actor, "data": json.RawMessage(e.Raw),
	})
	if err == nil {
		fmt.Println(string(line))
	}
}
