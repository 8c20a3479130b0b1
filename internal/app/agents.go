package app

import (
	"fmt"
	"log/slog"

	"assay/agents"
	"assay/agents/dependencies"
	"assay/agents/hygiene"
	"assay/agents/pullrequest"
	"assay/agents/secrets"
	"assay/agents/workflows"
	"assay/internal/pipeline"
)

// Agents are all agents of this build. A new agent is registered here.
// advisories may be nil: then known vulnerabilities are not looked up.
func Agents(advisories dependencies.Source) (*agents.Registry, error) {
	secretsAgent, err := secrets.New()
	if err != nil {
		return nil, fmt.Errorf("make agent secrets: %w", err)
	}
	return agents.NewRegistry(
		secretsAgent,
		workflows.New(),
		hygiene.New(),
		pullrequest.New(),
		dependencies.New(advisories),
	)
}

// NewReviewer makes what runs all agents of this build. wrap, if not nil, is
// put around each of them; advisories is as for Agents.
func NewReviewer(log *slog.Logger, advisories dependencies.Source, wrap func(agents.Agent) agents.Agent) (pipeline.Reviewer, error) {
	registry, err := Agents(advisories)
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	if wrap != nil {
		if registry, err = wrapped(registry, wrap); err != nil {
			return pipeline.Reviewer{}, err
		}
	}
	runner, err := agents.New(agents.Config{Logger: log})
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	return pipeline.Reviewer{Agents: registry, Runner: runner}, nil
}

func wrapped(registry *agents.Registry, wrap func(agents.Agent) agents.Agent) (*agents.Registry, error) {
	var all []agents.Agent
	for _, name := range registry.Names() {
		agent, _ := registry.Get(name)
		all = append(all, wrap(agent))
	}
	return agents.NewRegistry(all...)
}
