package llm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay/internal/fault"
)

// Models are the models that the operator has configured, by their aliases. It
// is safe for concurrent use.
type Models struct {
	aliases map[string]Model
	chains  map[string][]string
	closers []func()
}

// New makes the models of cfg; with no alias there are none, which is a fine
// way to run. It asks nobody anything. Its error names what is wrong with cfg.
func New(cfg Config) (*Models, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("llm: %w", err)
	}
	m := &Models{aliases: make(map[string]Model), chains: make(map[string][]string)}
	providers := make(map[string]*provider)
	for _, name := range slices.Sorted(maps.Keys(cfg.Providers)) {
		p, err := newProvider(name, cfg.Providers[name], &cfg)
		if err != nil {
			return nil, fmt.Errorf("llm: provider %s: %w", name, err)
		}
		providers[name] = p
		m.closers = append(m.closers, p.client.CloseIdleConnections)
	}
	endpoints := make(map[Ref]*endpoint) // one for each model, whichever aliases name it
	for _, alias := range slices.Sorted(maps.Keys(cfg.Aliases)) {
		c := &chain{alias: alias, cfg: &cfg}
		for _, ref := range cfg.Aliases[alias] {
			e, ok := endpoints[ref]
			if !ok {
				var err error
				if e, err = newEndpoint(ref, providers[ref.Provider], &cfg); err != nil {
					return nil, fmt.Errorf("llm: %w", err)
				}
				endpoints[ref] = e
			}
			c.endpoints = append(c.endpoints, e)
			m.chains[alias] = append(m.chains[alias], e.name)
		}
		m.aliases[alias] = c
		if cfg.Recorder != nil {
			m.aliases[alias] = Record(c, cfg.Recorder, cfg.Mask)
		}
	}
	return m, nil
}

// Alias returns the model of that name. It is false for a name that the
// operator has not configured.
func (m *Models) Alias(name string) (Model, bool) {
	model, ok := m.aliases[name]
	return model, ok
}

// Aliases are the names there are, sorted.
func (m *Models) Aliases() []string { return slices.Sorted(maps.Keys(m.aliases)) }

// Chain is what stands behind an alias, as "provider/model"; nil if there is
// no such alias. An answer of an alias depends on it: it belongs in the keys of
// caches.
func (m *Models) Chain(alias string) []string { return slices.Clone(m.chains[alias]) }

// Close lets go of idle connections. Calls under way end as they would.
func (m *Models) Close() {
	for _, closer := range m.closers {
		closer()
	}
}

// Missing is the error of an alias that is not configured, for callers who need
// one.
func (m *Models) Missing(alias string) error {
	if len(m.aliases) == 0 {
		return fault.New(fault.Unauthorized, fmt.Errorf("no model is configured"))
	}
	return fault.New(fault.Invalid, fmt.Errorf("there is no model %q; there are %s", alias, strings.Join(m.Aliases(), ", ")))
}
