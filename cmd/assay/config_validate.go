package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"assay/internal/pipeline"
	"assay/reports"
	"assay/review"
	"assay/strategy"
)

type validateCmd struct {
	File   string `arg:"" optional:"" help:"The config file, or - for standard input." default:".github/assay.yml"`
	Layer  string `help:"Whose file it is: ${enum}. What only an operator may say is refused to the others." enum:"repository,organisation,operator" default:"repository"`
	Format string `help:"${enum}." enum:"text,json,sarif" default:"text" short:"f"`
}

// Help is shown by assay config validate --help.
func (validateCmd) Help() string {
	return `Prints each problem as FILE:LINE:COLUMN: MESSAGE, with what is allowed there.
Exit codes: 0 the file is valid, 1 it has problems, 2 it could not be read.

Examples:
  assay config validate
  assay config validate --layer operator /etc/assay/operator.yml
  assay config validate --format sarif > config.sarif`
}

func (c validateCmd) Run(cmd command) error {
	text, err := readFile(c.File, cmd.stdin)
	missing := errors.Is(err, fs.ErrNotExist) && c.File == pipeline.ConfigPath
	if err != nil && !missing {
		return fmt.Errorf("read config: %w", err)
	}
	v, err := serviceVocabulary(cmd)
	if err != nil {
		return err
	}
	if missing && c.Format == "text" {
		_, err := fmt.Fprintf(cmd.stdout, "%s does not exist: the built-in config is in force\n", c.File)
		return err
	}
	var layers []strategy.Layer
	if !missing {
		var kind strategy.LayerKind
		if err := kind.UnmarshalText([]byte(c.Layer)); err != nil {
			return err
		}
		layers = append(layers, strategy.Layer{Kind: kind, Path: c.File, Data: text})
	}
	settings := strategy.Load(v, layers...)
	if err := c.write(cmd.stdout, settings); err != nil {
		return err
	}
	if n := len(settings.Problems); n > 0 {
		return gateError{fmt.Sprintf("%s has %s; what is below it would be in force in its place", c.name(), count(n, "problem"))}
	}
	return nil
}

func (c validateCmd) write(w io.Writer, s strategy.Settings) error {
	switch c.Format {
	case "json":
		return writeJSON(w, validated{Valid: len(s.Problems) == 0, Problems: orEmpty(s.Problems), Notices: orEmpty(s.Config.Notices)})
	case "sarif":
		return reports.Write(w, "sarif", asRun(s), reports.Options{Version: buildVersion()})
	}
	for _, p := range s.Problems {
		printProblem(w, "", p)
	}
	if len(s.Problems) > 0 {
		return nil
	}
	for _, n := range s.Config.Notices {
		printProblem(w, "note: ", n)
	}
	_, err := fmt.Fprintf(w, "%s is valid: %s\n", c.name(), count(len(s.Config.Pipelines), "pipeline"))
	return err
}

// validated is what --format json prints.
type validated struct {
	Valid    bool             `json:"valid"`
	Problems []review.Problem `json:"problems"`
	Notices  []review.Problem `json:"notices"`
}

// asRun has the problems as findings, for formats that know those alone.
func asRun(s strategy.Settings) review.Run {
	run := review.Run{Pipeline: "config", Event: "manual.run", Attempt: 1, Status: review.StatusDone}
	add := func(rule string, severity review.Severity, problems []review.Problem) {
		for _, p := range problems {
			run.Findings = append(run.Findings, review.Finding{
				Agent: "config", Rule: rule, Severity: severity, Category: review.Process,
				Path: p.Path, StartLine: p.Line, EndLine: p.Line, Message: p.Message, Evidence: p.Message,
			})
		}
	}
	add("config/problem", review.High, s.Problems)
	add("config/notice", review.Info, s.Config.Notices)
	review.Fingerprint(run.Findings)
	return run
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

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
