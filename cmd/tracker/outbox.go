package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/goals-tracker/tracker/modules/events"
)

type eventsOutboxCmd struct {
	From string `help:"Publish from here on, this one included, whatever was published before." placeholder:"now|beginning|SEQUENCE"`
}

// Run prints where the publisher stands, after it was moved when that is asked for.
func (c *eventsOutboxCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var log *events.Log
	return withModules(ctx, flags, func(*database) error {
		if c.From != "" {
			sequence, err := c.sequence()
			if err != nil {
				return err
			}
			if err := log.PublishFrom(ctx, sequence); err != nil {
				return err
			}
		}
		p, ok, err := log.Published(ctx)
		if err != nil {
			return err
		}
		if !ok {
			fmt.Println("nothing was published yet: no server has run with RABBITMQ_URL")
			return nil
		}
		holder := p.Holder
		if holder == "" {
			holder = "none"
		}
		fmt.Printf("published up to %d, %d behind; published by %s, %s\n", p.Position, p.Behind, holder, p.UpdatedAt.UTC().Format(time.RFC3339))
		return nil
	}, &log)
}

func (c *eventsOutboxCmd) sequence() (int64, error) {
	switch c.From {
	case "now":
		return events.Now, nil
	case "beginning":
		return 1, nil
	}
	n, err := strconv.ParseInt(c.From, 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("--from is %q: use now, beginning, or a sequence such as 1200", c.From)
	}
	return n, nil
}
