package app

import (
	"fmt"
	"log/slog"
	"slices"

	"assay/agents"
	"assay/agents/hygiene"
	"assay/agents/mergereadiness"
	"assay/agents/pullrequest"
	"assay/agents/repohealth"
	"assay/agents/secrets"
	"assay/agents/workflows"
	"assay/internal/cache"
	"assay/internal/pipeline"
)

// Agents are all agents of this build. A new agent is registered here.
func Agents() (*agents.Registry, error) {
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
	)
}

// NewReviewer makes what runs all agents of this build. Agents that it is given
// run beside them. wrap, if not nil, is put around each; results, if not nil,
// keeps what they answered.
func NewReviewer(log *slog.Logger, wrap func(agents.Agent) agents.Agent, results agents.Results, extra ...agents.Agent) (pipeline.Reviewer, error) {
	registry, err := Agents()
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	if wrap != nil || len(extra) > 0 {
		if registry, err = wrapped(registry, wrap, extra); err != nil {
			return pipeline.Reviewer{}, err
		}
	}
	runner, err := agents.New(agents.Config{Logger: log, Results: results})
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
	results, err := a.newResults()
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	var extra []agents.Agent
	if a.opts.Extra != nil {
		if extra, err = a.opts.Extra(a.guards); err != nil {
			return pipeline.Reviewer{}, err
		}
	}
	return NewReviewer(a.log, a.traces.Agent, results, extra...)
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
