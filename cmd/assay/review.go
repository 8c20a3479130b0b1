package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"

	"assay/internal/app"
	"assay/internal/checkout"
	"assay/internal/pipeline"
	"assay/reports"
	"assay/review"
	"assay/strategy"
)

type reviewCmd struct {
	Dir            string `arg:"" optional:"" default:"." help:"The git checkout."`
	Base           string `help:"The revision that the change is to be merged into. Found by itself when left out." placeholder:"REV"`
	Head           string `help:"The commit to review. The working tree, uncommitted changes included, when left out." placeholder:"REV"`
	Format         string `help:"${enum}." enum:"text,markdown,json,sarif,rdjson" default:"text" short:"f"`
	Pipeline       string `help:"Run this pipeline alone. All that a new pull request would start, when left out." placeholder:"NAME"`
	Config         string `help:"Use this config file instead of the base's .github/assay.yml." type:"existingfile" placeholder:"FILE"`
	OperatorConfig string `help:"The operator's config file, which is below the repository's." type:"existingfile" placeholder:"FILE"`
	Output         string `help:"Write the report to a file." short:"o" placeholder:"FILE"`
	Color          string `help:"auto, always or never." enum:"auto,always,never" default:"auto"`
}

// Help is shown by assay review --help.
func (reviewCmd) Help() string {
	return `Runs the pipelines that a pull request of this change would start, without GitHub.
The config is read from the base, as for a pull request.

Examples:
  assay review
  assay review --base main --format sarif --output assay.sarif

Exit codes: 0 the gate passes, 1 the gate fails, 2 the review could not be done.`
}

func (c reviewCmd) Run(cmd command) error {
	repo, err := checkout.Open(cmd.ctx, c.Dir)
	if err != nil {
		return err
	}
	defer repo.Close()
	change, err := repo.Change(cmd.ctx, checkout.Options{Base: c.Base, Head: c.Head})
	if errors.Is(err, checkout.ErrNoChange) && c.Base != "" {
		return c.nothing(cmd, err)
	}
	if err != nil {
		// That there is no change to a base that was found by itself may be the
		// wrong base: green must mean reviewed.
		return err
	}
	run, err := c.review(cmd, change)
	if err != nil {
		return err
	}
	if err := c.write(cmd, run); err != nil {
		return err
	}
	if run.Outcome.Conclusion == review.ConclusionFailure {
		return gateError{} // the report says why
	}
	return nil
}

// nothing reports that there is no change to the base that was named.
func (c reviewCmd) nothing(cmd command, reason error) error {
	fmt.Fprintln(cmd.stderr, "assay:", reason)
	return c.write(cmd, review.Run{
		Event: "pull_request.opened", Attempt: 1, Status: review.StatusSkipped, Reason: "there is no change",
		Outcome: review.Outcome{Verdict: review.Comment, Health: review.Complete, Conclusion: review.ConclusionSkipped, Reason: "There is no change."},
	})
}

func (c reviewCmd) review(cmd command, change *review.Change) (review.Run, error) {
	reviewer, err := app.NewReviewer(app.ReviewerConfig{})
	if err != nil {
		return review.Run{}, err
	}
	plans, err := c.plans(cmd, change)
	if err != nil {
		return review.Run{}, err
	}
	bar := newProgress(cmd.stderr, change)
	defer bar.clear()
	var runs []review.Run
	for _, plan := range plans {
		run := review.Run{Pipeline: plan.Pipeline, Event: plan.Event, Repo: change.Repo, Pull: change.Pull, Attempt: 1, Status: review.StatusDone}
		if err := reviewer.Review(cmd.ctx, plan, change, &run, bar.show); err != nil {
			return review.Run{}, fmt.Errorf("review by pipeline %s: %w", plan.Pipeline, err)
		}
		runs = append(runs, run)
	}
	return pipeline.Join(runs), nil
}

// plans are those that a new pull request with this change would start.
func (c reviewCmd) plans(cmd command, change *review.Change) ([]strategy.Plan, error) {
	v, err := vocabulary(cmd)
	if err != nil {
		return nil, err
	}
	settings, err := c.settings(cmd, change, v)
	if err != nil {
		return nil, err
	}
	decision := strategy.Decide(review.Event{Name: "pull_request", Action: "opened", Repo: change.Repo, Pull: &change.Pull}, settings)
	plans := decision.Plans
	if c.Pipeline != "" {
		plans = slices.DeleteFunc(slices.Clone(plans), func(p strategy.Plan) bool { return p.Pipeline != c.Pipeline })
	}
	if len(plans) > 0 {
		return plans, nil
	}
	var names []string
	for _, p := range decision.Plans {
		names = append(names, p.Pipeline)
	}
	for _, s := range decision.Skips {
		names = append(names, s.Pipeline+" (skipped: "+s.Reason+")")
	}
	if c.Pipeline != "" {
		return nil, fmt.Errorf("a new pull request starts no pipeline %q; it would start: %s", c.Pipeline, strings.Join(names, ", "))
	}
	return nil, errors.New("the config starts no pipeline for a new pull request: give one `on: [pull_request.opened]`")
}

func (c reviewCmd) settings(cmd command, change *review.Change, v strategy.Vocabulary) (strategy.Settings, error) {
	layers, err := layerFlags{Config: c.Config, OperatorConfig: c.OperatorConfig}.layers(cmd.stdin, false)
	if err != nil {
		return strategy.Settings{}, err
	}
	if c.Config == "" {
		text, err := change.Contents.Read(cmd.ctx, review.Base, pipeline.ConfigPath)
		switch {
		case err == nil:
			layers = append(layers, strategy.Layer{Kind: strategy.Repository, Path: pipeline.ConfigPath, Data: text})
		case !errors.Is(err, review.ErrNotExist):
			return strategy.Settings{}, fmt.Errorf("read config: %w", err)
		}
	}
	s := strategy.Load(v, layers...)
	s.Files, s.Truncated = append([]review.File{}, change.Files...), change.Truncated != ""
	return s, nil
}

func (c reviewCmd) write(cmd command, run review.Run) (err error) {
	out := cmd.stdout
	if c.Output != "" {
		file, err := os.Create(c.Output)
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	o := reports.Options{Version: buildVersion(), Terminal: reports.TerminalOptions{Color: c.colored(cmd, out), Width: 100}}
	return reports.Write(out, c.Format, run, o)
}

// colored follows https://no-color.org.
func (c reviewCmd) colored(cmd command, out io.Writer) bool {
	switch c.Color {
	case "always":
		return true
	case "never":
		return false
	}
	if v, ok := cmd.env("NO_COLOR"); ok && v != "" {
		return false
	}
	return isTerminal(out)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
