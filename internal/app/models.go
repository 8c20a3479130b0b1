package app

import (
	"context"
	"net/http"
	"strings"

	"assay/agents"
	"assay/agents/reviewer"
	"assay/agents/secrets"
	"assay/internal/config"
	"assay/internal/guard"
	"assay/internal/llm"
)

// modelAgents are the agents that use models; none where the operator has
// configured no default.
func (a *App) modelAgents() ([]agents.Agent, error) {
	cfg := a.opts.Config.Models
	if len(cfg.Default) == 0 {
		return nil, nil
	}
	models, err := newModels(cfg, llm.Config{
		Guards: a.guards, Logger: a.log,
		Wrap: func(t http.RoundTripper) http.RoundTripper { return a.traces.Transport(t) },
	})
	if err != nil {
		return nil, err
	}
	a.onStop("models", func(context.Context) error { models.Close(); return nil })
	answers, err := a.newAnswers()
	if err != nil {
		return nil, err
	}
	return newModelAgents(models, a.censor.Text, answers)
}

func newModelAgents(models *llm.Models, censor func(string) string, answers reviewer.Answers) ([]agents.Agent, error) {
	scan, err := secrets.New()
	if err != nil {
		return nil, err
	}
	r, err := reviewer.New(reviewer.Config{
		Models: models, Answers: answers,
		Mask: func(text string) string { return scan.Mask(censor(text)) },
	})
	if err != nil {
		return nil, err
	}
	return []agents.Agent{r}, nil
}

// newModels makes the models of the operator's settings; cfg has the rest.
func newModels(m config.Models, cfg llm.Config) (*llm.Models, error) {
	cfg.FirstByte, cfg.Idle, cfg.CallTimeout = m.FirstToken, m.Idle, m.Timeout
	if m.Proxy {
		cfg.Proxy = http.ProxyFromEnvironment
	}
	dialects := map[string]llm.Dialect{"anthropic": llm.Anthropic, "gemini": llm.Gemini}
	cfg.Providers = make(map[string]llm.Provider)
	for _, name := range config.ModelProviders() {
		p := m.Provider(name)
		dialect, ok := dialects[name]
		if !ok {
			dialect = llm.OpenAI
		}
		cfg.Providers[name] = llm.Provider{Dialect: dialect, BaseURL: p.URL, Key: p.Key, Concurrent: m.Concurrent}
	}
	cfg.Aliases = make(map[string][]llm.Ref)
	for alias, chain := range map[string][]config.Model{"default": m.Default, "fast": m.Fast, "deep": m.Deep} {
		for _, model := range chain {
			cfg.Aliases[alias] = append(cfg.Aliases[alias], llm.Ref{Provider: model.Provider, Model: model.Name})
		}
	}
	return llm.New(cfg)
}

// modelBreaker are the settings of the breaker in front of a model, by the name
// of its dependency: "provider/model".
func modelBreaker(cfg config.Config, dependency string) (config.Breaker, bool) {
	provider, _, ok := strings.Cut(dependency, "/")
	if !ok {
		return config.Breaker{}, false
	}
	b := &cfg.Breakers
	switch provider {
	case "openai":
		return b.OpenAI, true
	case "anthropic":
		return b.Anthropic, true
	case "gemini":
		return b.Gemini, true
	case "ollama":
		return b.Ollama, true
	}
	return config.Breaker{}, false
}

// modelGuard is how a model is guarded.
func (a *App) modelGuard(cfg guard.Config) guard.Config {
	return llm.GuardConfig(cfg, a.opts.Config.Models.Timeout)
}
