package guard

import (
	"context"
	"sync/atomic"
	"time"
)

// fullWait is when to come back to a dependency that was busy all the time a
// call waited for it.
const fullWait = 5 * time.Second

// bulkhead bounds the calls under way, so that a slow dependency does not hold
// every worker.
type bulkhead struct {
	name    string
	slots   chan struct{} // holds one token for each call under way
	maxWait time.Duration
	random  func() float64
	waiting atomic.Int64
}

// enter waits for a place, no longer than maxWait and ctx allow. release must
// be called once.
func (b *bulkhead) enter(ctx context.Context) (release func(), err error) {
	select {
	case b.slots <- struct{}{}:
		return b.release, nil
	default:
	}
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	timer := time.NewTimer(b.maxWait)
	defer timer.Stop()
	select {
	case b.slots <- struct{}{}:
		return b.release, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, b.full()
	}
}

func (b *bulkhead) release() { <-b.slots }

func (b *bulkhead) full() error {
	until := time.Now().Add(fullWait + time.Duration(b.random()*float64(fullWait)))
	return refuse(&FullError{Dependency: b.name, Until: until, MaxConcurrent: cap(b.slots), Waited: max(b.maxWait, 0)})
}
