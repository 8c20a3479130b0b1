package guard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"assay/internal/fault"
)

// maxDependencies bounds a Set: each is a row of health pages and a label of
// metrics. Far more than a deployment has models.
const maxDependencies = 256

// Set holds dependencies by name. It is safe for concurrent use.
type Set struct {
	config func(name string) Config

	mu     sync.Mutex
	byName map[string]*Dependency
}

// NewSet makes an empty set. config says how the dependency of a name is to
// be; nil gives all of them the defaults.
func NewSet(config func(name string) Config) *Set {
	if config == nil {
		config = func(string) Config { return Config{} }
	}
	return &Set{config: config, byName: make(map[string]*Dependency)}
}

// Get returns the dependency of that name, made when it is first asked for.
// Names come from the operator's settings, never from strangers: a set refuses
// to grow beyond 256.
func (s *Set) Get(name string) (*Dependency, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.byName[name]; ok {
		return d, nil
	}
	if len(s.byName) >= maxDependencies {
		return nil, fmt.Errorf("guard: no place for %q among %d dependencies", name, maxDependencies)
	}
	d, err := New(name, s.config(name))
	if err != nil {
		return nil, err
	}
	s.byName[name] = d
	return d, nil
}

// Down returns until when the breaker of the dependency of that name refuses
// calls; ok is false when it would let one through, or nobody has asked for
// such a dependency yet. It changes and counts nothing.
func (s *Set) Down(name string) (until time.Time, ok bool) {
	s.mu.Lock()
	d, known := s.byName[name]
	s.mu.Unlock()
	if !known {
		return time.Time{}, false
	}
	err := d.breaker.check()
	return fault.RetryAt(err), err != nil
}

// All returns the dependencies in the order of their names.
func (s *Set) All() []*Dependency {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.byName), func(a, b *Dependency) int {
		return strings.Compare(a.name, b.name)
	})
}

// Stats returns the statistics of all, in the order of their names.
func (s *Set) Stats() []Stats {
	all := s.All()
	stats := make([]Stats, len(all))
	for i, d := range all {
		stats[i] = d.Stats()
	}
	return stats
}
