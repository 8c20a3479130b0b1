package app

import (
	"fmt"
	"log/slog"
	"slices"

	"assay/agents"
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
	"assay/internal/pipeline"
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
	if a.opts.Extra != nil {
		if cfg.Extra, err = a.opts.Extra(a.guards); err != nil {
			return pipeline.Reviewer{}, err
		}
	}
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
