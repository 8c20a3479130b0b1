package app

import (
	"fmt"
	"log/slog"
	"slices"

	"assay/agents"
	"assay/agents/command"
	"assay/agents/dependencies"
	"assay/agents/hygiene"
	"assay/agents/mergereadiness"
	"assay/agents/pullrequest"
	"assay/agents/repohealth"
	teamrules "assay/agents/rules"
	"assay/agents/sarif"
	"assay/agents/secrets"
	"assay/agents/workflows"
	"assay/internal/cache"
	"assay/internal/config"
	"assay/internal/pipeline"
	"assay/review"
	"assay/strategy"
)

// Agents are all agents of this build. A new agent is registered here.
// advisories may be nil: then known vulnerabilities are not looked up; and so
// may uploads: then no results of CI are read.
func Agents(advisories dependencies.Source, uploads sarif.Source) (*agents.Registry, error) {
	secretsAgent, err := secrets.New()
	if err != nil {
		return nil, fmt.Errorf("make agent secrets: %w", err)
	}
	return agents.NewRegistry(
		secretsAgent,
		workflows.New(),
		hygiene.New(),
		pullrequest.New(),
		mergereadiness.New(nil),
		repohealth.New(),
		dependencies.New(advisories),
		teamrules.New(),
		sarif.New(uploads),
	)
}

// ReviewerConfig is what the agents of this build are made with; every zero
// value does.
type ReviewerConfig struct {
	// Logger takes what people on pull requests are not told.
	Logger *slog.Logger
	// Advisories is as for Agents.
	Advisories dependencies.Source
	// Uploads is as for Agents.
	Uploads sarif.Source
	// Results keeps what agents answered, by content.
	Results agents.Results
	// Commands are the operator's; with none, no command is ever run, and
	// configs cannot ask for one. CommandDir is where checkouts are unpacked.
	Commands   []command.Command
	CommandDir string
	// Makers make the other agents that configs ask for.
	Makers []agents.Maker
	// Extra run beside the agents of this build.
	Extra []agents.Agent
	// Wrap is put around each agent.
	Wrap func(agents.Agent) agents.Agent
}

// NewReviewer makes what runs the agents.
func NewReviewer(cfg ReviewerConfig) (pipeline.Reviewer, error) {
	registry, err := Agents(cfg.Advisories, cfg.Uploads)
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	if cfg.Wrap != nil || len(cfg.Extra) > 0 {
		if registry, err = wrapped(registry, cfg.Wrap, cfg.Extra); err != nil {
			return pipeline.Reviewer{}, err
		}
	}
	makers, err := cfg.makers()
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	if registry, err = registry.With(wrappedMakers(makers, cfg.Wrap)...); err != nil {
		return pipeline.Reviewer{}, err
	}
	runner, err := agents.New(agents.Config{Logger: cfg.Logger, Results: cfg.Results})
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	return pipeline.Reviewer{Agents: registry, Runner: runner}, nil
}

func wrapped(registry *agents.Registry, wrap func(agents.Agent) agents.Agent, all []agents.Agent) (*agents.Registry, error) {
	all = slices.Clone(all)
	for _, name := range registry.Names() {
		agent, _ := registry.Get(name)
		all = append(all, agent)
	}
	if wrap != nil {
		for i, agent := range all {
			all[i] = wrap(agent)
		}
	}
	return agents.NewRegistry(all...)
}

func (cfg ReviewerConfig) makers() ([]agents.Maker, error) {
	if len(cfg.Commands) == 0 {
		return cfg.Makers, nil
	}
	commands, err := command.NewMaker(cfg.Commands, cfg.CommandDir)
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(cfg.Makers), commands), nil
}

// operatorCommands are the commands of the operator's file. What is wrong with
// the file is found, and said, when its settings are read.
func operatorCommands(reviewer pipeline.Reviewer, cfg config.Config) []command.Command {
	layer := OperatorLayer(cfg)
	if layer == nil {
		return nil
	}
	v := Vocabulary(reviewer, cfg)
	v.Kinds = append(slices.Clone(v.Kinds), strategy.KindCommand)
	var commands []command.Command
	for _, c := range strategy.Load(v, *layer).Config.Operator.Commands {
		commands = append(commands, command.Command{Name: c.Name, Run: c.Run})
	}
	return commands
}

func wrappedMakers(makers []agents.Maker, wrap func(agents.Agent) agents.Agent) []agents.Maker {
	if wrap == nil {
		return makers
	}
	makers = slices.Clone(makers)
	for i, m := range makers {
		makers[i] = wrappedMaker{m, wrap}
	}
	return makers
}

// wrappedMaker puts wrap around each agent it makes.
type wrappedMaker struct {
	agents.Maker
	wrap func(agents.Agent) agents.Agent
}

func (m wrappedMaker) Make(name string, policy review.Policy, uses string) (agents.Agent, error) {
	agent, err := m.Maker.Make(name, policy, uses)
	if err != nil {
		return nil, err
	}
	return m.wrap(agent), nil
}

func (a *App) newReviewer() (pipeline.Reviewer, error) {
	cfg := ReviewerConfig{Logger: a.log, Wrap: a.traces.Agent}
	var err error
	if cfg.Results, err = a.newResults(); err != nil {
		return pipeline.Reviewer{}, err
	}
	if cfg.Advisories, err = a.advisories(); err != nil {
		return pipeline.Reviewer{}, err
	}
	if !a.opts.Config.Server.SARIFSecret.IsZero() {
		cfg.Uploads = uploads{a}
	}
	if cfg.Extra, err = a.modelAgents(); err != nil {
		return pipeline.Reviewer{}, err
	}
	if a.opts.Extra != nil {
		extra, err := a.opts.Extra(a.guards)
		if err != nil {
			return pipeline.Reviewer{}, err
		}
		cfg.Extra = append(cfg.Extra, extra...)
	}
	reviewer, err := NewReviewer(cfg)
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	if cfg.Commands = operatorCommands(reviewer, a.opts.Config); len(cfg.Commands) == 0 {
		return reviewer, nil
	}
	cfg.CommandDir = a.opts.Config.Storage.DataDir
	return NewReviewer(cfg)
}

const (
	// maxResults bounds the memory that answers of agents take.
	maxResults = 32 << 20
	// findingSize is what a finding or a receipt takes beside its text.
	findingSize = 256
)

// newResults makes the cache of agents' answers by content.
func (a *App) newResults() (agents.Results, error) {
	cfg := a.opts.Config.Caches.Results
	results, err := cache.New[string, agents.Result](cache.Config[agents.Result]{
		Name: "results", TTL: cfg.TTL, Size: cfg.Size, Bytes: maxResults, Weigh: weigh,
	})
	if err != nil {
		return nil, err
	}
	return results, a.caches.Add(results)
}

// weigh is about how much memory an answer takes.
func weigh(r agents.Result) (bytes int) {
	for _, f := range r.Findings {
		bytes += findingSize + len(f.Path) + len(f.Message) + len(f.Evidence) + len(f.HelpURL)
		if f.Fix != nil {
			bytes += len(f.Fix.Replacement)
		}
	}
	for _, c := range r.Coverage {
		bytes += findingSize/4 + len(c.Path) + len(c.Reason)
	}
	return bytes
}
