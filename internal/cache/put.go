package cache

import "time"

// Lookup returns the key's value if it is known and fresh. It loads nothing: it
// is for callers who make values themselves, and Put them.
func (c *Cache[K, V]) Lookup(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries.Get(key); ok && time.Now().Before(e.fresh) {
		c.stats.Hits++
		return e.value, true
	}
	c.stats.Misses++
	var none V
	return none, false
}

// Put keeps a value that the caller has made, as one that was loaded.
func (c *Cache[K, V]) Put(key K, value V) {
	result := loaded[V]{value: value}
	if c.cfg.Weigh != nil {
		result.weight = int64(max(c.cfg.Weigh(value), 0))
	}
	if c.cfg.Expires != nil {
		result.expires = c.cfg.Expires(value)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(key, result, time.Now())
}
