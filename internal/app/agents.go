package app

import (
	"assay/agents"
	"assay/agents/hygiene"
	"assay/agents/pullrequest"
	"assay/agents/secrets"
	"assay/agents/workflows"
	"assay/internal/pipeline"
	"fmt"
	"log/slog"
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
	)
}

// NewReviewer makes what runs all agents of this build.
func NewReviewer(log *slog.Logger) (pipeline.Reviewer, error) {
	registry, err := Agents()
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	runner, err := agents.New(agents.Config{Logger: log})
	if err != nil {
		return pipeline.Reviewer{}, err
	}
	return pipeline.Reviewer{Agents: registry, Runner: runner}, nil
}
