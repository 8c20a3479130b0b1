package cache

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Stats is what a cache holds, and what it has been through since it was made.
// Each Get is one of Hits, Stale, ErrorHits and Misses; a miss that a stale
// value stood in for is counted under Stale as well.
type Stats struct {
	Name string
	TTL  time.Duration
	// Size and Bytes are what it holds, values beyond their time that were not
	// asked for since among them; MaxSize and MaxBytes their bounds, the
	// latter zero for none.
	Size, MaxSize   int
	Bytes, MaxBytes int64
	// Loading is the number of loads under way.
	Loading int

	Hits, Misses uint64
	// Loads is the number of loads begun, Errors of those that failed, Shared
	// of callers who joined one that was under way.
	Loads, Errors, Shared uint64
	// Confirmed is the number of Refresh's loads that found the kept value to
	// stand.
	Confirmed uint64
	// ErrorHits is the number of callers who were handed a remembered failure,
	// Stale of those who got an old value because of one.
	ErrorHits, Stale uint64
	// Evictions is the number of entries that left for want of room, Oversize
	// of values that were too heavy to be kept at all.
	Evictions, Oversize uint64
}

// Source is a cache as a Set sees it.
type Source interface{ Stats() Stats }

// Set holds caches by name, for the pages that show them. Its zero value is
// empty and ready. It is safe for concurrent use.
type Set struct {
	mu      sync.Mutex
	sources map[string]Source
}

// Add adds a cache. Two of one name are an error.
func (s *Set) Add(source Source) error {
	name := source.Stats().Name
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sources[name]; ok {
		return fmt.Errorf("there are two caches named %q", name)
	}
	if s.sources == nil {
		s.sources = make(map[string]Source)
	}
	s.sources[name] = source
	return nil
}

// Stats returns the statistics of all, in the order of their names.
func (s *Set) Stats() []Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := make([]Stats, 0, len(s.sources))
	for _, source := range s.sources {
		stats = append(stats, source.Stats())
	}
	slices.SortFunc(stats, func(a, b Stats) int { return cmp.Compare(a.Name, b.Name) })
	return stats
}
