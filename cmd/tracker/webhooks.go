package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
)

type webhooksCmd struct {
	List       webhooksListCmd       `cmd:"" help:"List a course's webhooks."`
	Create     webhooksCreateCmd     `cmd:"" help:"Send a course's events to an address, and print the secret that they are signed with."`
	Enable     webhooksEnableCmd     `cmd:"" help:"Enable a webhook again, or disable it."`
	Rotate     webhooksRotateCmd     `cmd:"" help:"Make a new secret; the old one signs for another day."`
	Delete     webhooksDeleteCmd     `cmd:"" help:"End a webhook, with its delivery log."`
	Deliveries webhooksDeliveriesCmd `cmd:"" help:"Print the delivery log, newest first."`
}

// byOperator is who works on the command line.
var byOperator = auth.System("operator")

// withWebhooks runs fn with the service; change runs it in a unit of work.
func withWebhooks(ctx context.Context, flags *ConfigFlags, fn func(service events.Webhooks) error) error {
	var service events.Webhooks
	return withModules(ctx, flags, func(*database) error { return fn(service) }, &service)
}

func changeWebhooks(ctx context.Context, flags *ConfigFlags, fn func(ctx context.Context, tx *postgres.Tx, service events.Webhooks) error) error {
	var service events.Webhooks
	return withModules(ctx, flags, func(d *database) error {
		return d.InTx(ctx, postgres.As(byOperator), func(ctx context.Context, tx *postgres.Tx) error { return fn(ctx, tx, service) })
	}, &service)
}

type webhooksListCmd struct {
	Course externalID `arg:"" help:"The course's id."`
}

// Run lists webhooks.
func (c *webhooksListCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	return withWebhooks(ctx, flags, func(service events.Webhooks) error {
		all, err := service.List(ctx, byOperator, string(c.Course))
		if err != nil {
			return err
		}
		if len(all) == 0 {
			fmt.Fprintf(os.Stderr, "course %s has no webhooks\n", c.Course)
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		for _, w := range all {
			state := "enabled"
			switch {
			case !w.Enabled:
				state = "disabled " + w.DisabledReason
			case !w.FailingSince.IsZero():
				state = "failing since " + w.FailingSince.UTC().Format(time.RFC3339)
			}
			types := "all types"
			if len(w.Types) > 0 {
				types = strings.Join(w.Types, ",")
			}
			_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", w.ID, w.URL, types, state)
		}
		return out.Flush()
	})
}

type webhooksCreateCmd struct {
	Course      externalID `arg:"" help:"The course's id."`
	URL         string     `arg:"" help:"Where events are sent to."`
	Type        []string   `help:"Only events of these types."`
	Description string     `help:"What it is for."`
}

// Run makes a webhook.
func (c *webhooksCreateCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var made events.Webhook
	var secret string
	err := changeWebhooks(ctx, flags, func(ctx context.Context, tx *postgres.Tx, service events.Webhooks) (err error) {
		made, secret, err = service.CreateTx(ctx, tx, events.Webhook{CourseID: string(c.Course), URL: c.URL, Types: c.Type, Description: c.Description})
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\nThe secret is not shown again.\n", made.ID, secret)
	return nil
}

type webhooksEnableCmd struct {
	ID  uuid.UUID `arg:"" help:"The webhook's id."`
	Off bool      `help:"Disable it instead."`
}

// Run enables or disables a webhook.
func (c *webhooksEnableCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	enabled := !c.Off
	return changeWebhooks(ctx, flags, func(ctx context.Context, tx *postgres.Tx, service events.Webhooks) error {
		_, err := service.UpdateTx(ctx, tx, c.ID, events.WebhookChange{Enabled: &enabled})
		return err
	})
}

type webhooksRotateCmd struct {
	ID uuid.UUID `arg:"" help:"The webhook's id."`
}

// Run makes a new secret.
func (c *webhooksRotateCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var secret string
	err := changeWebhooks(ctx, flags, func(ctx context.Context, tx *postgres.Tx, service events.Webhooks) (err error) {
		_, secret, err = service.RotateTx(ctx, tx, c.ID)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s\nThe secret is not shown again; the old one signs for another day.\n", secret)
	return nil
}

type webhooksDeleteCmd struct {
	ID uuid.UUID `arg:"" help:"The webhook's id."`
}

// Run ends a webhook.
func (c *webhooksDeleteCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	return changeWebhooks(ctx, flags, func(ctx context.Context, tx *postgres.Tx, service events.Webhooks) error {
		return service.DeleteTx(ctx, tx, c.ID)
	})
}

type webhooksDeliveriesCmd struct {
	ID    uuid.UUID `arg:"" help:"The webhook's id."`
	Limit int       `default:"50" help:"How many at most."`
}

// Run prints the delivery log.
func (c *webhooksDeliveriesCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	return withWebhooks(ctx, flags, func(service events.Webhooks) error {
		all, err := service.Deliveries(ctx, byOperator, c.ID, time.Time{}, uuid.UUID{}, c.Limit)
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		for _, d := range all {
			_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d tries\t%d\t%s\n", d.CreatedAt.UTC().Format(time.RFC3339), d.EventType, d.EventID, d.Status, d.Attempts, d.LastCode, d.LastError)
		}
		return out.Flush()
	})
}
