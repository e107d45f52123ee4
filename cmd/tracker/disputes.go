package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

type disputesCmd struct {
	List   disputesListCmd   `cmd:"" help:"List the disputes of a course, newest first."`
	Settle disputesSettleCmd `cmd:"" help:"Settle a dispute by hand."`
	Export disputesExportCmd `cmd:"" help:"Write settled disputes into a folder as cases of the evaluations (reviews, safety, plans, figures), without names and ids of people. TRACKER_EVAL_DISPUTES=DIR make eval runs them."`
}

type disputesListCmd struct {
	Course externalID `arg:"" help:"The course's id."`
	Status string     `help:"Only these: open, upheld, withdrawn, corrected or unclear." enum:",open,upheld,withdrawn,corrected,unclear" default:""`
}

// Run lists disputes.
func (c *disputesListCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var disputes agents.Disputes
	return withModules(ctx, flags, func(*database) error {
		q := agents.DisputeQuery{Size: 100, CourseID: string(c.Course), Status: agents.Dispute(c.Status)}
		page, err := disputes.ListDisputes(ctx, auth.System("operator"), q)
		if err != nil {
			return err
		}
		if len(page.Disputes) == 0 {
			fmt.Fprintf(os.Stderr, "course %s has no such disputes\n", c.Course)
			return nil
		}
		showDisputes(os.Stdout, page)
		return nil
	}, &disputes)
}

func showDisputes(to io.Writer, page agents.DisputePage) {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DISPUTE\tKIND\tPART\tBY\tSTATUS\tSETTLED BY\tMADE BY\tREASON")
	for _, d := range page.Disputes {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.60q\n", d.ID, d.Kind, orDash(d.Part), d.By, d.Status, orDash(d.SettledBy), d.Said.Label, d.Reason)
	}
	_ = table.Flush()
	if page.Next != "" {
		fmt.Fprintln(to, "There are more, older ones; narrow with --status.")
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

type disputesSettleCmd struct {
	Dispute    string `arg:"" help:"The dispute's id."`
	Outcome    string `arg:"" help:"upheld, withdrawn, corrected or unclear." enum:"upheld,withdrawn,corrected,unclear"`
	Note       string `required:"" help:"Why, for the learner."`
	Why        string `help:"What is wrong: leak, unbacked, wrong or outdated." enum:",leak,unbacked,wrong,outdated" default:""`
	Correction string `help:"What it should say."`
}

// Run settles a dispute.
func (c *disputesSettleCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var disputes agents.Disputes
	return withModules(ctx, flags, func(db *database) error {
		return db.InTx(ctx, postgres.As(auth.System("operator")), func(ctx context.Context, tx *postgres.Tx) error {
			d, err := disputes.SettleTx(ctx, tx, c.Dispute, agents.Settlement{
				Outcome: agents.Dispute(c.Outcome), Why: c.Why, Note: c.Note, Correction: c.Correction,
			})
			if err == nil {
				fmt.Printf("%s: %s\n", d.ID, d.Status)
			}
			return err
		})
	}, &disputes)
}

type disputesExportCmd struct {
	Dir          string `arg:"" help:"The folder; it is made where there is none." type:"path"`
	WithoutNames bool   `help:"Don't ask the academy what learners are called: only their ids and mail addresses are taken out of texts."`
}

// Run exports settled disputes.
func (c *disputesExportCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	var disputes agents.Disputes
	var people academy.Service
	return withModules(ctx, flags, func(*database) error {
		e := agents.DisputeExport{Dir: c.Dir}
		if !c.WithoutNames {
			e.Names = namesFrom(people)
		}
		out, err := disputes.ExportDisputes(ctx, e)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d cases of reviews, %d of safety, %d of plans, %d of figures; %d disputes make no case\n", c.Dir, out.Reviews, out.Safety, out.Plans, out.Figures, out.Left)
		return nil
	}, &disputes, &people)
}

// namesFrom asks the academy what somebody may be called, to leave it out.
func namesFrom(people academy.Service) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, id string) ([]string, error) {
		user, err := people.User(ctx, id)
		switch {
		case academy.ErrUserNotFound.Is(err):
			return nil, nil // gone there: nobody knows their name any more
		case err != nil:
			return nil, errors.Join(err, errors.New("with --without-names only ids and mail addresses are taken out; read the files before you share them"))
		}
		return []string{user.FullName, user.Email}, nil
	}
}
