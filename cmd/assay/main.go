// Command assay reviews pull requests: as a service behind a GitHub App, or on
// a local checkout.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"assay/internal/config"
	"assay/internal/sandbox"
)

// Exit codes. They are part of the interface: scripts depend on them.
const (
	exitOK = iota
	// exitGate is a review whose gate fails, or a config with problems.
	exitGate
	// exitError is anything that kept the command from doing its work.
	exitError
)

// gateError ends a command with exitGate: its work is done, and the answer is no.
type gateError struct{ reason string }

func (e gateError) Error() string { return e.reason }

type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the service: take webhooks, review pull requests."`
	Demo    demoCmd    `cmd:"" help:"Watch pull requests being reviewed, on a GitHub of its own. Needs no credentials."`
	Review  reviewCmd  `cmd:"" help:"Review the current git checkout in the terminal."`
	Run     runCmd     `cmd:"" help:"Have the service review a pull request, or a branch as a whole, now."`
	Runs    runsCmd    `cmd:"" help:"List the latest runs and what became of them, dead letters included."`
	Replay  replayCmd  `cmd:"" help:"Work on a stored delivery again, or on a payload from a file."`
	SARIF   sarifCmd   `cmd:"" name:"sarif" help:"Set up uploads of a CI's results."`
	Config  configCmd  `cmd:"" help:"Check, try and show configs."`
	Eval    evalCmd    `cmd:"" help:"Measure agents on real history."`
	Version versionCmd `cmd:"" help:"Print the version."`

	VersionFlag versionFlag `name:"version" help:"Print the version."`
}

// command is what every command is run with.
type command struct {
	ctx    context.Context
	env    config.Lookup
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

func main() {
	sandbox.Main() // where this process is the stage of a sandbox, it ends there
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(command{ctx: ctx, env: os.LookupEnv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:]))
}

// exit is how kong asks for the end, as after --help.
type exit int

func run(cmd command, args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			status, ok := p.(exit)
			if !ok {
				panic(p)
			}
			code = int(status)
		}
	}()
	parser, err := kong.New(&cli{},
		kong.Name("assay"),
		kong.Description("Assay reviews pull requests with pipelines of agents. Exit codes: 0 fine, 1 the gate fails or the config has problems, 2 an error."),
		kong.Writers(cmd.stdout, cmd.stderr),
		kong.Exit(func(status int) { panic(exit(status)) }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(cmd.stderr, "assay:", err)
		return exitError
	}
	parsed, err := parser.Parse(args)
	if err == nil {
		err = parsed.Run(cmd)
	}
	return report(cmd, err)
}

func report(cmd command, err error) int {
	if err == nil {
		return exitOK
	}
	if gate, ok := errors.AsType[gateError](err); ok {
		if gate.reason != "" {
			fmt.Fprintln(cmd.stderr, "assay:", gate.reason)
		}
		return exitGate
	}
	fmt.Fprintln(cmd.stderr, "assay:", err)
	if usage, ok := errors.AsType[*kong.ParseError](err); ok {
		fmt.Fprintf(cmd.stderr, "Run `%s --help`.\n", usage.Context.Model.Name)
	}
	return exitError
}
