package cache

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Config shapes a Cache. Every zero value stands for the default named at the
// field.
type Config[V any] struct {
	// Name is what statistics call the cache; required.
	Name string
	// TTL is how long a value is served without asking: a minute.
	TTL time.Duration
	// Expires, if set, is asked how long a value is good by itself, as a token
	// is. The time it returns takes the place of the TTL, whether shorter or
	// longer; the zero time leaves it to the TTL. A value is never served
	// beyond that time, and not kept if it has passed.
	Expires func(V) time.Time
	// Size bounds the entries: 1024.
	Size int
	// Bytes bounds the sum of what Weigh says of the values; zero for no such
	// bound. A value heavier than all of it is handed out and not kept. Keys
	// and bookkeeping, about 200 bytes an entry, are not counted.
	Bytes int64
	// Weigh is the size of a value in bytes; required with Bytes.
	Weigh func(V) int
	// LoadTimeout bounds each load: 30 s.
	LoadTimeout time.Duration
	// ErrorTTL is how long the failure of a load is handed to others who ask:
	// a second; negative for not at all.
	ErrorTTL time.Duration
	// StaleFor is how long after its TTL a value stands in for one that cannot
	// be loaded; zero for never. It does so only for failures that say nothing
	// of the value: never for fault.Invalid, Unauthorized and Gone.
	StaleFor time.Duration
}

// Bounds of the fields.
const (
	maxSize  = 10_000_000
	maxBytes = 1 << 40
	shortest = time.Millisecond
	longest  = 30 * 24 * time.Hour
)

func (c Config[V]) withDefaults() Config[V] {
	c.TTL = cmp.Or(c.TTL, time.Minute)
	c.Size = cmp.Or(c.Size, 1024)
	c.LoadTimeout = cmp.Or(c.LoadTimeout, 30*time.Second)
	c.ErrorTTL = max(cmp.Or(c.ErrorTTL, time.Second), 0)
	return c
}

// validate checks a config that has its defaults.
func (c Config[V]) validate() error {
	if c.Name == "" {
		return errors.New("config Name is empty")
	}
	if c.Bytes > 0 && c.Weigh == nil {
		return errors.New("config Bytes is set without Weigh")
	}
	return cmp.Or(
		within("TTL", c.TTL, shortest, longest),
		within("Size", c.Size, 1, maxSize),
		within("Bytes", c.Bytes, 0, maxBytes),
		within("LoadTimeout", c.LoadTimeout, shortest, time.Hour),
		within("ErrorTTL", c.ErrorTTL, 0, time.Hour),
		within("StaleFor", c.StaleFor, 0, longest),
	)
}

func within[T cmp.Ordered](field string, value, least, most T) error {
	if value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s is %v, want from %v to %v", field, value, least, most)
}
