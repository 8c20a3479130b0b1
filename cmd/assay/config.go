package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"assay/internal/app"
	"assay/internal/pipeline"
	"assay/review"
	"assay/strategy"
)

type configCmd struct {
	Validate validateCmd `cmd:"" help:"Check a repository's config file."`
}

type validateCmd struct {
	File string `arg:"" optional:"" help:"The config file, or - for standard input." default:".github/assay.yml"`
}

// Help is shown by assay config validate --help.
func (validateCmd) Help() string {
	return `Prints each problem as FILE:LINE:COLUMN: MESSAGE. Exit codes: 0 the file is
valid, 1 it has problems, 2 it could not be read.`
}

func (c validateCmd) Run(cmd command) error {
	var text []byte
	var err error
	if c.File == "-" {
		text, err = io.ReadAll(io.LimitReader(cmd.stdin, strategy.MaxConfigBytes+1))
	} else {
		text, err = os.ReadFile(c.File)
	}
	if errors.Is(err, fs.ErrNotExist) && c.File == pipeline.ConfigPath {
		_, err := fmt.Fprintf(cmd.stdout, "%s does not exist: the built-in config is in force\n", c.File)
		return err
	}
	if err != nil {
		return fmt.Errorf("read config: %w", err)
	}
	registry, err := app.Agents(nil, nil)
	if err != nil {
		return err
	}
	cfg, problems := strategy.Parse(c.File, text, strategy.Vocabulary{Agents: registry.Names()})
	for _, p := range problems {
		printProblem(cmd.stdout, "", p)
	}
	if len(problems) > 0 {
		return gateError{fmt.Sprintf("%s has %s; the built-in config would be in force", c.name(), count(len(problems), "problem"))}
	}
	for _, n := range cfg.Notices {
		printProblem(cmd.stdout, "note: ", n)
	}
	_, err = fmt.Fprintf(cmd.stdout, "%s is valid: %s\n", c.name(), count(len(cfg.Pipelines), "pipeline"))
	return err
}

func printProblem(w io.Writer, kind string, p review.Problem) {
	fmt.Fprintf(w, "%s:%d:%d: %s%s\n", p.Path, p.Line, p.Column, kind, p.Message)
}

// name is how sentences call the file.
func (c validateCmd) name() string {
	if c.File == "-" {
		return "standard input"
	}
	return c.File
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
