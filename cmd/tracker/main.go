// Command tracker is the whole product: the server, and the commands with which
// an operator, a teacher or a plugin author works on it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/goals-tracker/tracker/sandbox"
)

// version is set by the linker for releases.
var version = "0.1.0-dev"

// cli is every command; its help is the reference.
type cli struct {
	ConfigFlags
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve    serveCmd    `cmd:"" help:"Run the server."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database to this program's schema, or look at it."`
	Token    tokenCmd    `cmd:"" help:"Make a token for development, signed with SECRET_KEY."`
	Validate validateCmd `cmd:"" help:"Judge a folder with tests, without server and database."`
	Plugin   pluginCmd   `cmd:"" help:"Write, check, install and list plugins."`
	Events   eventsCmd   `cmd:"" help:"Read, verify and rebuild from the event log."`
	Webhooks webhooksCmd `cmd:"" help:"Send a course's events to addresses of its team."`
	Rag      ragCmd      `cmd:"" help:"Index a course's material, or measure the search."`
	Model    modelCmd    `cmd:"" help:"Fetch and list the models that run on this machine."`
	Agents   agentsCmd   `cmd:"" help:"Look at the runs of agents."`
	Doctor   doctorCmd   `cmd:"" help:"Check that this machine can run the tracker."`
	Config   configCmd   `cmd:"" help:"Print the settings that hold, without secrets."`
	Demo     demoCmd     `cmd:"" help:"Walk through the product on a running server."`
	Bench    benchCmd    `cmd:"" help:"Measure requests and the log against plain PostgreSQL in the same run."`
}

func main() {
	sandbox.Init() // the first process of a sandbox is this program started again
	os.Exit(run(os.Args[1:]))
}

// chosen are the commands that were understood before something was not.
func chosen(err error) (names []string) {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		for _, step := range parse.Context.Path {
			if step.Command != nil {
				names = append(names, step.Command.Name)
			}
		}
	}
	return names
}

// exitError ends the program with a code of a command's own.
type exitError int

func (c exitError) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("tracker"),
		kong.Description("Goals Tracker: goals, tasks and judged code for people who learn to program."),
		kong.Vars{"version": version},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tracker:", err)
		return 2
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:len(args):len(args)], "--help")
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "tracker: %v\nRun `%s --help` to see what there is.\n", err, strings.Join(append([]string{"tracker"}, chosen(err)...), " "))
		return 2
	}
	err = command.Run(&c.ConfigFlags)
	var code exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	default:
		fmt.Fprintln(os.Stderr, "tracker:", err)
		return 1
	}
}
