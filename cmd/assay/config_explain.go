package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"assay/review"
	"assay/strategy"
	"assay/webhook"
)

type explainCmd struct {
	layerFlags

	Event   string   `help:"A file with a webhook's payload, or - for standard input." placeholder:"FILE" xor:"what" required:""`
	Name    string   `help:"The payload's event (X-GitHub-Event), where it cannot be told." placeholder:"NAME"`
	Changed []string `help:"With --event: the paths of the changed files, for conditions and filters on them." placeholder:"PATH"`
	PR      string   `name:"pr" help:"The URL of a pull request, read through the GitHub App of the environment." placeholder:"URL" xor:"what" required:""`
	As      string   `help:"With --pr: the event to try." default:"pull_request.opened" placeholder:"EVENT"`
	Format  string   `help:"${enum}." enum:"text,json" default:"text" short:"f"`
	Values  bool     `help:"Print each pipeline's values too, with where they are from." short:"v"`
}

// Help is shown by assay config explain --help.
func (explainCmd) Help() string {
	return `Nothing is run, and nothing is written on GitHub. With --pr the organisation's
and the repository's files are read from GitHub, unless they are named here; the
app's settings are read as by the service (GITHUB_APP_ID and its private key).
With --event nothing is asked of GitHub.

Examples:
  assay config explain --event opened.json --config .github/assay.yml
  assay config explain --event push.json --name push --changed go.mod --changed go.sum
  assay config explain --pr https://github.com/octo-org/shop/pull/12 --values`
}

func (c explainCmd) Run(cmd command) error {
	settings, ev, err := c.prepare(cmd)
	if err != nil {
		return err
	}
	x := strategy.Explain(ev, settings)
	if x.NeedsFiles {
		return fmt.Errorf("a pipeline asks for the changed files: name them with --changed PATH, or give --pr URL")
	}
	if c.Format == "json" {
		return writeJSON(cmd.stdout, x)
	}
	c.print(cmd.stdout, x)
	return nil
}

// prepare is the event, and what is in force for it.
func (c explainCmd) prepare(cmd command) (strategy.Settings, review.Event, error) {
	if c.PR != "" {
		return c.fromGitHub(cmd)
	}
	ev, err := c.event(cmd.stdin)
	if err != nil {
		return strategy.Settings{}, ev, err
	}
	v, err := serviceVocabulary(cmd)
	if err != nil {
		return strategy.Settings{}, ev, err
	}
	layers, err := c.layers(cmd.stdin, true)
	if err != nil {
		return strategy.Settings{}, ev, err
	}
	settings := strategy.Load(v, layers...)
	for _, path := range c.Changed {
		settings.Files = append(settings.Files, review.File{Path: path, Status: review.Modified})
	}
	if ev.Pull.Number == 0 && ev.Pull.BaseSHA == "" {
		settings.Files = []review.File{}
	}
	return settings, ev, nil
}

// event reads the payload.
func (c explainCmd) event(stdin io.Reader) (review.Event, error) {
	body, err := c.body(stdin)
	if err != nil {
		return review.Event{}, fmt.Errorf("read payload: %w", err)
	}
	name := cmp.Or(c.Name, webhook.NameOf(body))
	if name == "" {
		return review.Event{}, fmt.Errorf("what event %s is of cannot be told: give --name, as pull_request", c.Event)
	}
	ev, err := webhook.Parse(name, body)
	if err != nil {
		return ev, fmt.Errorf("read payload as %s: %w", name, err)
	}
	if ev.Pull == nil {
		ev.Pull = commitsOf(ev)
	}
	if ev.Pull == nil {
		return ev, fmt.Errorf("the payload of %s says too little of what it is about: give --pr URL --as %s", ev, ev)
	}
	return ev, nil
}

func (c explainCmd) body(stdin io.Reader) ([]byte, error) {
	if c.Event == "-" {
		return io.ReadAll(io.LimitReader(stdin, webhook.MaxBody))
	}
	return os.ReadFile(c.Event)
}

// commitsOf is what an event without a pull request is decided on, as by the
// service; nil where the payload does not tell.
func commitsOf(ev review.Event) *review.Pull {
	branch := ev.Repo.DefaultBranch
	switch c := ev.Commits; {
	case c != nil:
		base := strings.TrimPrefix(cmp.Or(c.BaseRef, c.Ref), "refs/heads/")
		return &review.Pull{Title: "Commits of " + base, Author: ev.Sender, BaseRef: base, BaseSHA: c.BaseSHA, HeadRef: strings.TrimPrefix(c.Ref, "refs/heads/"), HeadSHA: c.HeadSHA}
	case ev.Issue != nil:
		return &review.Pull{Title: ev.Issue.Title, Body: ev.Issue.Body, Author: ev.Issue.Author, Labels: ev.Issue.Labels, BaseRef: branch, HeadRef: branch}
	case ev.Schedule != "", ev.Asked != nil && ev.Asked.Number == 0:
		return &review.Pull{BaseRef: branch, HeadRef: branch}
	}
	return nil
}

var fates = map[strategy.Fate]string{
	strategy.Runs: "runs", strategy.Skipped: "is skipped", strategy.Idle: "is not asked", strategy.Disabled: "is disabled",
}

func (c explainCmd) print(w io.Writer, x strategy.Explanation) {
	fmt.Fprintf(w, "%s\n", x.Event)
	for _, p := range x.Problems {
		printProblem(w, "problem, the file is left out: ", p)
	}
	for _, p := range x.Notices {
		printProblem(w, "note: ", p)
	}
	for _, p := range x.Pipelines {
		fmt.Fprintf(w, "\n%s %s", p.Pipeline, fates[p.Fate])
		if p.Reason != "" {
			fmt.Fprintf(w, ": %s", p.Reason)
		}
		fmt.Fprintf(w, "\n  from %s\n", p.Origin)
		if p.Problem != "" {
			fmt.Fprintf(w, "  problem: %s\n", p.Problem)
		}
		if p.Plan != nil {
			fmt.Fprintf(w, "  agents, %s: %s\n", p.Plan.Strategy, stagesOf(*p.Plan))
		}
		if c.Values {
			for _, v := range p.Values {
				fmt.Fprintf(w, "  %s = %s  (%s)\n", strings.TrimPrefix(v.Key, "pipelines."+p.Pipeline+"."), v.Text, v.Origin)
			}
		}
	}
}

func stagesOf(plan strategy.Plan) string {
	stages := make([]string, len(plan.Stages))
	for i, names := range plan.Stages {
		stages[i] = strings.Join(names, ", ")
	}
	return strings.Join(stages, " → ")
}
