package agents

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"assay/internal/fault"
	"assay/review"
)

// Registry finds agents by name, and makes those that configs ask for. It does
// not change once built.
type Registry struct {
	byName map[string]Agent
	names  []string
	makers map[string]Maker
}

// Maker makes the agents of one kind, which configs name and set up. It is safe
// for concurrent use.
type Maker interface {
	// Kind is what configs call the kind, as "llm".
	Kind() string
	// Make makes an agent of that name. uses is what the config says that it
	// uses: the kind, or the path of its file. It is called for each run and
	// should be cheap. The error is for whoever wrote the config, and says what
	// to change there.
	Make(name string, policy review.Policy, uses string) (Agent, error)
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

// With is the registry with makers. It refuses nil makers and kinds that are
// taken.
func (r *Registry) With(makers ...Maker) (*Registry, error) {
	with := *r
	with.makers = make(map[string]Maker, len(r.makers)+len(makers))
	maps.Copy(with.makers, r.makers)
	for i, m := range makers {
		if m == nil {
			return nil, fmt.Errorf("maker %d is nil", i)
		}
		kind := m.Kind()
		if err := checkName(kind); err != nil {
			return nil, fmt.Errorf("maker %d: %w", i, err)
		}
		if _, taken := with.makers[kind]; taken {
			return nil, fmt.Errorf("two makers make agents of the kind %q", kind)
		}
		with.makers[kind] = m
	}
	return &with, nil
}

// Kinds lists the kinds of agents that can be made, sorted.
func (r *Registry) Kinds() []string { return slices.Sorted(maps.Keys(r.makers)) }

// Maker returns the maker of agents of that kind.
func (r *Registry) Maker(kind string) (Maker, bool) {
	m, ok := r.makers[kind]
	return m, ok
}

// Make makes an agent that a config asks for. One that cannot be made is an
// agent too, unavailable for that reason: the others still do their work.
func (r *Registry) Make(kind, name string, policy review.Policy, uses string) Agent {
	m, ok := r.makers[kind]
	if !ok {
		return unmade{name, fmt.Errorf("this service does not run agents of the kind %q", kind)}
	}
	agent, err := m.Make(name, policy, uses)
	switch {
	case err != nil:
		return unmade{name, err}
	case agent == nil || agent.Name() != name:
		return unmade{name, fmt.Errorf("an agent of the kind %q could not be made", kind)}
	}
	return agent
}

// unmade stands for an agent that could not be made.
type unmade struct {
	name string
	err  error
}

func (u unmade) Name() string { return u.name }

func (u unmade) Run(context.Context, Input) (Result, error) {
	return Result{}, fault.New(fault.Invalid, u.err)
}

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
