package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"assay/agents"
	"assay/internal/app"
	"assay/internal/eval"
	"assay/review"
	"assay/strategy"
)

type evalCmd struct {
	Analysers evalAnalysersCmd `cmd:"" help:"Measure the deterministic agents on the history of git repositories."`
}

type evalAnalysersCmd struct {
	Dirs     []string `arg:"" name:"dir" help:"Git repositories, bare or not." type:"existingdir"`
	Agents   []string `help:"Measure these agents alone. Those of the built-in pipeline, when left out." placeholder:"NAME"`
	Profile  string   `help:"${enum}." enum:"quiet,standard,strict" default:"quiet"`
	Commits  int      `help:"How many commits of each repository, the newest first. All when 0." default:"0" placeholder:"N"`
	MaxFiles int      `help:"Leave out commits that change more files. No bound when 0." default:"0" placeholder:"N"`
	MaxLines int      `help:"Leave out commits that add more lines. No bound when 0." default:"0" placeholder:"N"`
	Sample   int      `help:"How many findings of each rule to print for judging." default:"5" placeholder:"N"`
	Seed     uint64   `help:"Draws another sample." default:"1"`
	Judged   string   `help:"Judgements of findings, as JSON lines: those of the sample with \"right\": true or false." type:"existingfile" placeholder:"FILE"`
	Format   string   `help:"${enum}. jsonl is the sample alone, ready to be judged." enum:"text,json,jsonl" default:"text" short:"f"`
}

// Help is shown by assay eval analysers --help.
func (evalAnalysersCmd) Help() string {
	return `Reviews each commit of the branch that is checked out (along first parents) as if
it were a pull request, and counts what the agents say, by rule and for each 100
commits. To judge a sample: print it with --format jsonl, add "right": true or
false to each line, and give the file to --judged.`
}

func (c evalAnalysersCmd) Run(cmd command) error {
	reviewer, err := app.NewReviewer(app.ReviewerConfig{})
	if err != nil {
		return err
	}
	cfg := eval.Config{
		Runner: reviewer.Runner, Policy: review.Policy{Profile: review.Profile(c.Profile)},
		MaxCommits: c.Commits, MaxFiles: c.MaxFiles, MaxLines: c.MaxLines, SamplePerRule: c.Sample, Seed: c.Seed,
	}
	if cfg.Agents, err = c.agents(reviewer.Agents); err != nil {
		return err
	}
	judged, err := c.judgements()
	if err != nil {
		return err
	}
	if isTerminal(cmd.stderr) {
		cfg.Progress = func(done int, dir string) { fmt.Fprintf(cmd.stderr, "\r\x1b[K%d commits, %s", done, dir) }
		defer fmt.Fprint(cmd.stderr, "\r\x1b[K")
	}
	result, err := eval.Analysers(cmd.ctx, cfg, c.Dirs)
	if result == nil {
		return err
	}
	return errors.Join(err, c.write(cmd.stdout, result, judged))
}

func (c evalAnalysersCmd) agents(registry *agents.Registry) ([]agents.Agent, error) {
	names := c.Agents
	if len(names) == 0 {
		names = strategy.Default(strategy.Vocabulary{Agents: registry.Names()}).Pipelines[0].Agents
	}
	var list []agents.Agent
	for _, name := range names {
		agent, ok := registry.Get(name)
		if !ok {
			return nil, fmt.Errorf("there is no agent %q; there are %s", name, strings.Join(registry.Names(), ", "))
		}
		list = append(list, agent)
	}
	return list, nil
}

func (c evalAnalysersCmd) judgements() (_ []eval.Judgement, err error) {
	if c.Judged == "" {
		return nil, nil
	}
	file, err := os.Open(c.Judged)
	if err != nil {
		return nil, fmt.Errorf("read judgements: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	judged, err := eval.ReadJudgements(file)
	if err != nil {
		return nil, fmt.Errorf("read judgements: %s: %w", c.Judged, err)
	}
	return judged, nil
}

func (c evalAnalysersCmd) write(w io.Writer, r *eval.Result, judged []eval.Judgement) error {
	encoder := json.NewEncoder(w)
	switch c.Format {
	case "json":
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	case "jsonl":
		for _, s := range r.Sample {
			if err := encoder.Encode(s); err != nil {
				return err
			}
		}
		return nil
	}
	return writeEvaluation(w, r, judged)
}

func writeEvaluation(out io.Writer, r *eval.Result, judged []eval.Judgement) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s of %s (%d left out as too large), %d files, %d added lines\n",
		count(r.Commits, "commit"), many(r.Repositories, "repository", "repositories"), r.Skipped, r.Files, r.Added)
	fmt.Fprintf(w, "%s, %.2f for each 100 commits and %.3f for each 1,000 added lines; %.2f %% of the commits have one\n",
		count(r.Findings, "finding"), r.Per100(r.Findings), r.Per1000(r.Findings), r.Per100(r.Hit))
	if judged != nil {
		right, n := eval.Precision(r.Sample, judged)
		share, low, high := eval.Interval(right, n)
		fmt.Fprintf(w, "%d of the sample's %d are judged: %d right, %.1f %% (95 %% sure: %.1f to %.1f %%)\n", n, len(r.Sample), right, 100*share, 100*low, 100*high)
	}
	fmt.Fprint(w, "\nRULE\tFINDINGS\tPER 100 COMMITS\tCOMMITS\n")
	for _, rule := range r.Rules {
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%d\n", rule.ID, rule.Findings, r.Per100(rule.Findings), rule.Commits)
	}
	fmt.Fprint(w, "\nAGENT\tTIME\tPER COMMIT\tLONGEST\tUNAVAILABLE\n")
	for _, a := range r.Agents {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d %s\n", a.Name, a.Total.Round(time.Millisecond), (a.Total / time.Duration(max(1, r.Commits))).Round(time.Microsecond), a.Worst.Round(time.Millisecond), a.Unavailable, a.Reason)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	rule := ""
	for _, s := range r.Sample {
		if s.Rule != rule {
			rule = s.Rule
			fmt.Fprintf(out, "\n%s\n", rule)
		}
		fmt.Fprintf(out, "  %s %s (%s)\n    %s\n", s.ID, s.Location, s.Severity, s.Message)
	}
	return nil
}

func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
