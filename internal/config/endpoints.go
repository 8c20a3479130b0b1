package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"assay/internal/secret"
	"assay/strategy"
)

// Endpoint is a provider of models that the operator's file adds to the
// built-in ones.
type Endpoint struct {
	Name string
	// Dialect is "openai" or "anthropic".
	Dialect string
	ModelProvider
}

// Price is what a million tokens cost in US dollars; 0 where that is not known.
type Price struct{ Input, Cached, Output float64 }

// dialects are what the built-in providers speak.
var dialects = map[string]string{"openai": "openai", "anthropic": "anthropic", "gemini": "gemini", "ollama": "openai"}

// aliasForm is what package llm takes for an alias.
var aliasForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Providers are the names of all providers that can be reached: the built-in
// ones, then those of the operator's file.
func (m *Models) Providers() (names []string) {
	for _, name := range ModelProviders() {
		if m.reachable(name) {
			names = append(names, name)
		}
	}
	for _, e := range m.Endpoints {
		names = append(names, e.Name)
	}
	return names
}

// Dialect is the wire format that a provider speaks: "openai", "anthropic" or
// "gemini".
func (m *Models) Dialect(provider string) string {
	for _, e := range m.Endpoints {
		if e.Name == provider {
			return e.Dialect
		}
	}
	return dialects[provider]
}

// Chains are the models behind each alias; none without a default.
func (m *Models) Chains() map[string][]Model {
	chains := maps.Clone(m.Aliases)
	if chains == nil {
		chains = make(map[string][]Model)
	}
	for alias, chain := range map[string][]Model{"default": m.Default, "fast": m.Fast, "deep": m.Deep} {
		if chain != nil {
			chains[alias] = chain
		}
	}
	return chains
}

// addEndpoints takes the endpoints of the operator's file. It comes before the
// environment's variables, which may say otherwise of the built-in providers.
func (c *Config) addEndpoints(f File, env Lookup) error {
	var errs []error
	for _, e := range f.Says.Endpoints {
		p, err := providerOf(e, env)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: operator.endpoints.%s%w", f.Path, e.Name, err))
			continue
		}
		if builtin := c.Models.Provider(e.Name); builtin != nil {
			*builtin = p
			continue
		}
		c.Models.Endpoints = append(c.Models.Endpoints, Endpoint{Name: e.Name, Dialect: e.Dialect, ModelProvider: p})
		c.Breakers.addEndpoint(e.Name, f)
	}
	return errors.Join(errs...)
}

// providerOf checks an endpoint and gets its key. Like the other errors here its
// own begin right after what they are about.
func providerOf(e strategy.Endpoint, env Lookup) (p ModelProvider, err error) {
	if spoken, builtin := dialects[e.Name]; builtin && spoken != e.Dialect {
		return p, fmt.Errorf(".dialect: the provider %s speaks %s: give the endpoint another name", e.Name, spoken)
	}
	if e.Key != "" {
		text, _, err := Variable{Name: e.Key, Secret: true}.find(env)
		switch {
		case err != nil:
			return p, fmt.Errorf(".key: %w", err)
		case text == "":
			return p, fmt.Errorf(".key: %s is not set: set it (or %s_FILE), or remove the key", e.Key, e.Key)
		case !sendable(text):
			return p, fmt.Errorf(".key: %s has characters in it that a header cannot carry", e.Key)
		}
		p.Key = secret.New(text)
	}
	if p.URL, err = endpointURL(e.URL, e.Key != ""); err != nil {
		return p, fmt.Errorf(".url %w; want %s", err, wantModelURL)
	}
	return p, nil
}

// addAliases takes the models of the operator's file. It comes after the
// environment's variables, whose aliases go before the file's.
func (m *Models) addAliases(f File) error {
	var errs []error
	for _, a := range f.Says.Models {
		switch {
		case !aliasForm.MatchString(a.Name):
			errs = append(errs, fmt.Errorf("%s: operator.models.%s: an alias has lower-case letters, digits and -, at most 40, the first a letter", f.Path, a.Name))
			continue
		case !modelName.MatchString(a.Model):
			errs = append(errs, fmt.Errorf("%s: operator.models.%s.model: %q cannot be the name of a model", f.Path, a.Name, a.Model))
			continue
		}
		m.addAlias(a)
	}
	if m.Default == nil && len(m.Aliases) > 0 {
		errs = append(errs, fmt.Errorf("%s: operator.models has no default: add the alias default, or set ASSAY_MODEL_DEFAULT", f.Path))
	}
	return errors.Join(errs...)
}

func (m *Models) addAlias(a strategy.Model) {
	model := Model{Provider: a.Endpoint, Name: a.Model}
	if price := (Price{a.Input, a.Cached, a.Output}); price != (Price{}) {
		if m.Prices == nil {
			m.Prices = make(map[Model]Price)
		}
		m.Prices[model] = price
	}
	fixed := map[string]*[]Model{"default": &m.Default, "fast": &m.Fast, "deep": &m.Deep}
	if chain, ok := fixed[a.Name]; ok {
		if *chain == nil {
			*chain = []Model{model}
		}
		return
	}
	if m.Aliases == nil {
		m.Aliases = make(map[string][]Model)
	}
	m.Aliases[a.Name] = []Model{model}
}

// addEndpoint keeps how the breakers of an endpoint's models behave.
func (b *Breakers) addEndpoint(name string, f File) {
	own := Breaker{FailureThreshold: defaultThreshold, ResetTimeout: defaultReset}
	if i := slices.IndexFunc(f.Says.Breakers, func(s strategy.Breaker) bool { return s.Name == name }); i >= 0 {
		says := f.Says.Breakers[i]
		own.FailureThreshold = cmp.Or(says.FailureThreshold, own.FailureThreshold)
		own.ResetTimeout = cmp.Or(says.ResetTimeout, own.ResetTimeout)
		own.MaxResetTimeout = says.MaxResetTimeout
	}
	own.MaxResetTimeout = cmp.Or(own.MaxResetTimeout, max(defaultMaxReset, own.ResetTimeout))
	if b.Endpoints == nil {
		b.Endpoints = make(map[string]Breaker)
	}
	b.Endpoints[name] = own
}
