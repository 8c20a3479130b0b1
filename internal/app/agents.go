package app

import (
	"fmt"
	"log/slog"

	"assay/agents"
	"assay/agents/hygiene"
	"assay/agents/mergereadiness"
	"assay/agents/pullrequest"
	"assay/agents/repohealth"
	"assay/agents/secrets"
	"assay/agents/workflows"
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

// NewReviewer makes what runs all agents of this build. wrap, if not nil, is
// put around each of them.
func NewReviewer(log *slog.Logger, wrap func(agents.Agent) agents.Agent) (pipeline.Reviewer, error) {
	registry, err := Agents()
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
