// Package cache remembers what was expensive to get.
//
// One generic [Cache] does it for all of them: installation tokens, settings
// of repositories, contents of blobs, results of agents. It keeps a bounded
// number of entries and bytes, the least recently used leave first; loads each
// missing key once, however many ask for it; remembers failures for a moment;
// and may serve an old value while the source is down. What a key means, and
// when a value is wrong before its time, is left to the callers.
//
// The bookkeeping stands on golang-lru's simple LRU and on a table of loads by
// key. golang-lru's expirable cache is not used: it has one TTL for all
// values, and its goroutine cannot be stopped. Nor is x/sync's singleflight:
// its keys are strings, and two keys must never become one by their spelling.
package cache

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache holds values of V by K. It is safe for concurrent use. Values are
// shared among callers, who must not change them.
type Cache[K comparable, V any] struct {
	cfg Config[V]

	mu      sync.Mutex
	entries *simplelru.LRU[K, *entry[V]]
	flights map[K]*flight[V]
	stats   Stats
}

// entry is what is known of a key: a value, or the failure to load it, or
// both.
type entry[V any] struct {
	value V
	// fresh is until when the value is served without asking; stale until when
	// it stands in for one that cannot be loaded. Both are zero for an entry
	// without a value.
	fresh, stale time.Time
	// err is the last load's, served until retry.
	err    error
	retry  time.Time
	weight int64
}

// New makes a cache. Its error names the field of cfg that is out of bounds,
// and the bounds.
func New[K comparable, V any](cfg Config[V]) (*Cache[K, V], error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("cache %q: %w", cfg.Name, err)
	}
	c := &Cache[K, V]{cfg: cfg, flights: make(map[K]*flight[V])}
	entries, err := simplelru.NewLRU[K, *entry[V]](cfg.Size, func(_ K, e *entry[V]) { c.stats.Bytes -= e.weight })
	if err != nil {
		return nil, fmt.Errorf("cache %q: %w", cfg.Name, err)
	}
	c.entries = entries
	return c, nil
}

// Get returns the key's value, loading it if it is not there or no longer
// good. Callers who want the same key wait for one load together, each no
// longer than its own ctx allows; one who leaves hurts nobody.
//
// load is called on a goroutine of its own, with a context that has ctx's
// values but not its end: it ends after Config.LoadTimeout. A panic in load
// becomes a *[PanicError] to all who wait. The error of a load goes to all who
// wait for it, and for Config.ErrorTTL to all who come.
func (c *Cache[K, V]) Get(ctx context.Context, key K, load func(context.Context) (V, error)) (V, error) {
	f, value, err := c.look(ctx, key, load)
	if f == nil {
		return value, err
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// Refresh asks for the key's value anew, however fresh the one that is kept,
// and keeps what comes. load is handed the kept value, if known, so that it
// can ask whether that still stands; it then returns it with same.
//
// Callers who come together share a load, but nobody is answered by one that
// began before he came: what Refresh returns was true after it was called. A
// load that fails by an outage leaves the kept value for the next; no old
// value or failure is ever handed out. In all else Refresh is as Get.
func (c *Cache[K, V]) Refresh(ctx context.Context, key K, load func(ctx context.Context, kept V, known bool) (value V, same bool, err error)) (V, error) {
	var none V
	before := c.underWay(key)
	if before != nil {
		timer := time.NewTimer(renewPatience)
		defer timer.Stop()
		select {
		case <-before.done:
		case <-timer.C: // it may hang; nobody else has to wait for that
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
	f, err := c.renewal(ctx, key, load, before)
	if err != nil {
		return none, err
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

func (c *Cache[K, V]) underWay(key K) *flight[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flights[key]
}

// renewal joins a load, unless it is the one that was under way before, or
// begins one.
func (c *Cache[K, V]) renewal(ctx context.Context, key K, load func(context.Context, V, bool) (V, bool, error), before *flight[V]) (*flight[V], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Misses++
	if f, ok := c.flights[key]; ok && f != before {
		c.stats.Shared++
		f.waiting++
		return f, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var kept V
	e, known := c.entries.Get(key)
	if known = known && time.Now().Before(e.fresh); known {
		kept = e.value
	}
	f := c.begin(ctx, key, func(ctx context.Context) (V, error) {
		value, same, err := load(ctx, kept, known)
		if err == nil && same {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.stats.Confirmed++
		}
		return value, err
	})
	f.renews = true
	return f, nil
}

// look answers from what is known, or else returns the load to wait for.
func (c *Cache[K, V]) look(ctx context.Context, key K, load func(context.Context) (V, error)) (*flight[V], V, error) {
	var none V
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries.Get(key); ok {
		now := time.Now()
		switch {
		case now.Before(e.fresh):
			c.stats.Hits++
			return nil, e.value, nil
		case now.Before(e.retry) && now.Before(e.stale):
			c.stats.Stale++
			return nil, e.value, nil
		case now.Before(e.retry):
			c.stats.ErrorHits++
			return nil, none, e.err
		}
	}
	c.stats.Misses++
	if f, ok := c.flights[key]; ok {
		c.stats.Shared++
		f.waiting++
		return f, none, nil
	}
	if err := ctx.Err(); err != nil { // nobody would wait for it
		return nil, none, err
	}
	return c.begin(ctx, key, load), none, nil
}

// Forget removes what is known of the key. A load under way is not lost to
// those who wait for it, but its value is not kept: it may be as old as what
// was to be forgotten. Callers who come after Forget start another.
func (c *Cache[K, V]) Forget(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Remove(key)
	delete(c.flights, key)
}

// ForgetIf removes the key's value if it matches, as a token that was refused
// and may have been replaced meanwhile. A load under way is left alone: what
// it brings is newer than what the caller has seen. match must not use the
// cache.
func (c *Cache[K, V]) ForgetIf(key K, match func(V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries.Peek(key); ok && !e.fresh.IsZero() && match(e.value) {
		c.entries.Remove(key)
	}
}

// Clear forgets all keys, as Forget does.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Purge()
	clear(c.flights)
}

// Stats returns the cache's statistics.
func (c *Cache[K, V]) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Name, s.TTL, s.MaxSize, s.MaxBytes = c.cfg.Name, c.cfg.TTL, c.cfg.Size, c.cfg.Bytes
	s.Size, s.Loading = c.entries.Len(), len(c.flights)
	return s
}
