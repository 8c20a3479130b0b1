package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"assay/internal/fault"
)

// grace is how long a load that overlooks the end of its context is waited
// for. After that it is on its own, and its key free for another.
const grace = time.Second

// renewPatience is how long a Refresh lets a load end that began before it.
const renewPatience = time.Second

// flight is a load under way, and then its result.
type flight[V any] struct {
	done chan struct{} // closed when value and err are set

	// All below are guarded by the cache's mutex until done is closed.
	value   V
	err     error
	ended   bool
	renews  bool // begun by Refresh
	waiting int
}

// loaded is what came out of a load.
type loaded[V any] struct {
	value   V
	expires time.Time // as the value itself says; zero if it does not
	weight  int64
	err     error
}

// PanicError is a panic in a load. Its kind is fault.Internal.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

var (
	errGone = errors.New("the load ended its goroutine")
	errHung = errors.New("the load did not end in time")
)

// begin starts the key's load. It is called with mu held.
func (c *Cache[K, V]) begin(ctx context.Context, key K, load func(context.Context) (V, error)) *flight[V] {
	f := &flight[V]{done: make(chan struct{}), waiting: 1}
	c.flights[key] = f
	c.stats.Loads++
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.LoadTimeout)
		defer cancel()
		watchdog := time.AfterFunc(c.cfg.LoadTimeout+grace, func() {
			c.end(key, f, loaded[V]{err: fault.New(fault.Transient, fmt.Errorf("%w of %s", errHung, c.cfg.LoadTimeout))})
		})
		defer watchdog.Stop()
		// runtime.Goexit in load runs the deferred calls and nothing else.
		result := loaded[V]{err: fault.New(fault.Internal, errGone)}
		defer func() { c.end(key, f, result) }()
		result = c.call(ctx, load)
	}()
	return f
}

// call runs load and asks what it brought for its weight and its end. A panic
// in any of them is an error.
func (c *Cache[K, V]) call(ctx context.Context, load func(context.Context) (V, error)) (result loaded[V]) {
	defer func() {
		if p := recover(); p != nil {
			result = loaded[V]{err: fault.New(fault.Internal, &PanicError{Value: p, Stack: debug.Stack()})}
		}
	}()
	value, err := load(ctx)
	if err != nil {
		return loaded[V]{err: err}
	}
	result.value = value
	if c.cfg.Weigh != nil {
		result.weight = int64(max(c.cfg.Weigh(value), 0))
	}
	if c.cfg.Expires != nil {
		result.expires = c.cfg.Expires(value)
	}
	return result
}

// end settles a load and wakes those who wait for it. Only the first end of a
// flight counts.
func (c *Cache[K, V]) end(key K, f *flight[V], result loaded[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.ended {
		return
	}
	f.ended = true
	f.value, f.err = result.value, result.err
	if result.err != nil {
		c.stats.Errors++
	}
	if c.flights[key] == f { // otherwise forgotten meanwhile
		delete(c.flights, key)
		now := time.Now()
		if result.err == nil {
			c.keep(key, result, now)
		} else {
			c.failed(key, f, now)
		}
	}
	close(f.done)
}

// keep stores a value.
func (c *Cache[K, V]) keep(key K, result loaded[V], now time.Time) {
	c.entries.Remove(key)
	e := &entry[V]{value: result.value, weight: result.weight, fresh: now.Add(c.cfg.TTL)}
	if !result.expires.IsZero() {
		e.fresh = result.expires
		e.stale = result.expires // never served beyond what it says itself
	} else {
		e.stale = e.fresh.Add(c.cfg.StaleFor)
	}
	if !now.Before(e.fresh) {
		return
	}
	if c.cfg.Bytes > 0 && e.weight > c.cfg.Bytes {
		c.stats.Oversize++
		return
	}
	c.add(key, e)
}

// failed remembers an error, and lets an old value stand in for it where that
// is allowed.
func (c *Cache[K, V]) failed(key K, f *flight[V], now time.Time) {
	if f.renews && outage(f.err) {
		return
	}
	e, known := c.entries.Peek(key)
	if known && now.Before(e.stale) && outage(f.err) {
		c.stats.Stale += uint64(f.waiting)
		f.value, f.err = e.value, nil
		e.retry = now.Add(c.cfg.ErrorTTL)
		return
	}
	c.entries.Remove(key)
	if c.cfg.ErrorTTL > 0 && !f.renews {
		c.add(key, &entry[V]{err: f.err, retry: now.Add(c.cfg.ErrorTTL)})
	}
}

// outage reports whether err leaves open what the value is now. A definite
// answer (it is gone, it is forbidden, it cannot be) must not be covered up by
// an old value.
func outage(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Unauthorized, fault.Gone:
		return false
	}
	return true
}

// add stores an entry, at the cost of those not used for longest.
func (c *Cache[K, V]) add(key K, e *entry[V]) {
	c.stats.Bytes += e.weight
	if c.entries.Add(key, e) {
		c.stats.Evictions++
	}
	for c.cfg.Bytes > 0 && c.stats.Bytes > c.cfg.Bytes {
		c.entries.RemoveOldest()
		c.stats.Evictions++
	}
}
