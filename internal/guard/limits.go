package guard

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"assay/internal/fault"
)

const (
	// limitDefault is the wait after a rate limit that names no time; it
	// doubles with each in a row. GitHub asks for exactly that
	// (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api),
	// and it does no harm elsewhere.
	limitDefault = time.Minute
	// limitLongest caps any wait, against a header gone wrong.
	limitLongest = time.Hour
)

// limits remembers which keys the other side wants to hear nothing of, and
// until when.
type limits struct {
	name string
	// known is the number of keys in ends, so that the usual call, with
	// nothing limited, takes no lock.
	known atomic.Int64

	mu   sync.Mutex
	ends *simplelru.LRU[string, limit]
}

type limit struct {
	until  time.Time
	streak int // of limits that named no time
}

func newLimits(name string, maxKeys int) *limits {
	ends, err := simplelru.NewLRU[string, limit](maxKeys, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &limits{name: name, ends: ends}
}

// check fails while the key's limit lasts.
func (l *limits) check(key string) error {
	if l.known.Load() == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	end, ok := l.ends.Get(key)
	if !ok || !time.Now().Before(end.until) {
		return nil
	}
	return refuse(&LimitedError{Dependency: l.name, Key: key, Until: end.until})
}

// note remembers a rate limit, and returns its error with the time that was
// found for it. An earlier, later-ending limit stands.
func (l *limits) note(key string, err error) error {
	now, at := time.Now(), fault.RetryAt(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	end, _ := l.ends.Get(key)
	switch {
	case !at.IsZero():
		at = earlier(at, now.Add(limitLongest))
	case now.Before(end.until):
		at = end.until // an echo of the limit we know, for a call that was under way
	default:
		at = now.Add(min(limitDefault<<end.streak, limitLongest))
		end.streak = min(end.streak+1, 6) // a minute doubled six times is an hour
	}
	if at.After(end.until) {
		end.until = at
	}
	l.ends.Add(key, end)
	l.known.Store(int64(l.ends.Len()))
	if at.Equal(fault.RetryAt(err)) {
		return err
	}
	return fault.Until(fault.RateLimited, at, err)
}

// ended forgets the key's limit after a success, unless it has come since that
// call began.
func (l *limits) ended(key string) {
	if l.known.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if end, ok := l.ends.Peek(key); ok && !time.Now().Before(end.until) {
		l.ends.Remove(key)
		l.known.Store(int64(l.ends.Len()))
	}
}

// list returns the limits that have not ended.
func (l *limits) list() []Limit {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Limit
	now := time.Now()
	for _, key := range l.ends.Keys() {
		if end, _ := l.ends.Peek(key); now.Before(end.until) {
			list = append(list, Limit{Key: key, Until: end.until})
		}
	}
	return list
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
