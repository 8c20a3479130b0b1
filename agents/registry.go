package agents

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Registry finds agents by name. It does not change once built.
type Registry struct {
	byName map[string]Agent
	names  []string
}

// NewRegistry builds a registry of the agents given. It refuses nil agents,
// bad names and names that are taken.
func NewRegistry(agents ...Agent) (*Registry, error) {
	r := &Registry{byName: make(map[string]Agent, len(agents))}
	for i, a := range agents {
		if a == nil {
			return nil, fmt.Errorf("agent %d is nil", i)
		}
		name := a.Name()
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("agent %d: %w", i, err)
		}
		if _, taken := r.byName[name]; taken {
			return nil, fmt.Errorf("two agents are named %q", name)
		}
		r.byName[name] = a
		r.names = append(r.names, name)
	}
	slices.Sort(r.names)
	return r, nil
}

// Get returns the agent of that name.
func (r *Registry) Get(name string) (Agent, bool) {
	a, ok := r.byName[name]
	return a, ok
}

// Names lists the names of the agents, sorted.
func (r *Registry) Names() []string { return slices.Clone(r.names) }

// Rules lists the rules that the agents describe, sorted by ID.
func (r *Registry) Rules() []Rule {
	var rules []Rule
	for _, name := range r.names {
		rules = append(rules, RulesOf(r.byName[name])...)
	}
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return rules
}

func checkName(name string) error {
	if name == "" {
		return errors.New("name is empty")
	}
	if !nameForm.MatchString(name) {
		return fmt.Errorf("name %q: use lower-case letters, digits and hyphens, at most 64", name)
	}
	return nil
}

var nameForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
