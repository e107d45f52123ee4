package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
)

// erasing has whom the academy deletes erased here: the tombstone is set when the
// message is taken in, the rest is a job of its own.
var erasing = fx.Provide(fx.Annotate(func(e *eventsfx.Erasure) academy.Reaction {
	return academy.Reaction{
		Name: "erasure", Types: []string{academy.UserDeleted},
		Accept: func(ctx context.Context, tx *postgres.Tx, change academy.Change) error {
			return e.BeginTx(ctx, tx, change.UserID, "academy")
		},
		// Nothing is left to do here: what Accept began goes on whatever happens.
		Work: func(context.Context, *postgres.Tx, academy.Change) (bool, error) { return false, nil },
	}
}, fx.ResultTags(`group:"academy.reactions"`)))

type eventsEraseCmd struct {
	User         string `help:"Erase the person with this user id, and print the receipt." placeholder:"ID"`
	ReplayLedger bool   `help:"Erase again whoever is in the ledger and back in the database, after a restore."`
	Yes          bool   `help:"Don't ask; what is erased does not come back."`
}

// Run erases people.
func (c *eventsEraseCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	if (c.User == "") != c.ReplayLedger {
		return errors.New("say whom to erase with --user, or erase again after a restore with --replay-ledger")
	}
	if c.User != "" && !c.Yes && !confirmed(fmt.Sprintf("Everything of %s will be erased for good. Type the user id to go on: ", c.User), c.User) {
		return errors.New("nothing was erased: the user id was not repeated; --yes does without")
	}
	var erasure *eventsfx.Erasure
	return withModules(ctx, flags, func(*database) error {
		if c.ReplayLedger {
			return replayLedger(ctx, erasure)
		}
		if err := erasure.Load(ctx); err != nil {
			return err
		}
		receipt, file, err := erasure.Erase(ctx, c.User, "operator")
		if err != nil {
			return err
		}
		printReceipt(receipt)
		fmt.Printf("receipt: %s\n", file)
		if !receipt.Complete {
			return exitError(1)
		}
		return nil
	}, &erasure)
}

func replayLedger(ctx context.Context, erasure *eventsfx.Erasure) error {
	n, err := erasure.Replay(ctx)
	if err != nil {
		return err
	}
	if err := erasure.Work(ctx); err != nil {
		return err
	}
	fmt.Printf("%d people of the ledger were back and are erased again\n", n)
	return nil
}

// confirmed reports whether somebody at the keyboard repeats the word.
func confirmed(question, word string) bool {
	fmt.Fprint(os.Stderr, question)
	said, _ := bufio.NewReader(os.Stdin).ReadString('\n') // an id may have spaces
	return strings.TrimRight(said, "\r\n") == word
}

type eventsReceiptCmd struct {
	Verify eventsReceiptVerifyCmd `cmd:"" help:"Prove that a receipt is as it was signed."`
	Key    eventsReceiptKeyCmd    `cmd:"" help:"Print the public key with which others verify this server's receipts."`
}

type eventsReceiptVerifyCmd struct {
	File string `arg:"" help:"The receipt." type:"existingfile"`
	Key  string `help:"The public key of the server that signed it. Defaults to this server's."`
}

// Run verifies a receipt.
func (c *eventsReceiptVerifyCmd) Run(flags *ConfigFlags) error {
	file, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	key := c.Key
	if key == "" {
		cfg, err := flags.Load()
		if err != nil {
			return err
		}
		if key, err = eventsfx.ReceiptKey(cfg.Events.Erasure.Dir); err != nil {
			return err
		}
	}
	receipt, err := eventsfx.VerifyReceipt(file, key)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.File, err)
		return exitError(1)
	}
	printReceipt(receipt)
	if key == "" {
		fmt.Println("the signature fits the key in the receipt; there is no key here that says whose it is (--key)")
		return nil
	}
	fmt.Println("the signature is this key's: " + key)
	return nil
}

type eventsReceiptKeyCmd struct{}

// Run prints the key.
func (eventsReceiptKeyCmd) Run(flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	key, err := eventsfx.ReceiptKey(cfg.Events.Erasure.Dir)
	if err == nil && key == "" {
		err = fmt.Errorf("there is no key in %s yet: a server makes it when it starts", cfg.Events.Erasure.Dir)
	}
	if err != nil {
		return err
	}
	fmt.Println(key)
	return nil
}

func printReceipt(r eventsfx.Receipt) {
	fmt.Printf("erasure %s of %s…, asked for by %s, finished %s\n", r.ID, r.SubjectHash[:16], r.Source, r.FinishedAt.Format("2006-01-02 15:04:05Z07:00"))
	names := make([]string, 0, len(r.Tables))
	for name := range r.Tables {
		names = append(names, name)
	}
	slices.Sort(names)
	nothing := true
	for _, name := range names {
		if c := r.Tables[name]; c.Before+c.Erased+c.Replaced+c.After > 0 {
			nothing = false
			fmt.Printf("  %-32s %7d before, %7d erased, %7d others' changed, %d after\n", name, c.Before, c.Erased, c.Replaced, c.After)
		}
	}
	if nothing {
		fmt.Println("  no table had anything of this id: is it the right one? It is refused from now on")
	}
	fmt.Printf("scan: %d columns of %d tables\n", r.Scan.Columns, r.Scan.Tables)
	for _, l := range r.Scan.Left {
		fmt.Printf("  the id is still in %d rows of %s\n", l.Rows, l.Column)
	}
	for _, b := range r.Beyond {
		fmt.Printf("beyond our reach: %s: %s\n", b.Who, b.What)
	}
}
