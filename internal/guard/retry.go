package guard

import (
	"context"
	"errors"
	"sync"
	"time"

	"assay/internal/fault"
)

const (
	retryBase = 250 * time.Millisecond
	// retryCap is the longest wait inside a call. Longer ones belong to the
	// queue.
	retryCap = 10 * time.Second
)

// retry makes the attempts of a call.
func (d *Dependency) retry(ctx context.Context, call Call, fn func(context.Context) error) error {
	var last error // of the attempts before
	for n := 1; ; n++ {
		worthwhile, err := d.attempt(ctx, call, fn)
		if open, ok := errors.AsType[*OpenError](err); ok && open.Dependency == d.name {
			return refusedAfter(open, last)
		}
		if !worthwhile || !call.Idempotent {
			return err
		}
		if giveUp := d.Again(ctx, n, err); giveUp != nil {
			return giveUp
		}
		last = err
	}
}

// Again waits until a call that has failed with err n times may be made once
// more, and returns nil then. It is for calls that are not idempotent, whose
// callers find out in between whether they were done: such a retry waits as
// the others do, and comes out of the same budget. When there is to be none,
// Again returns what to give up with: err, or a refusal that holds it.
func (d *Dependency) Again(ctx context.Context, n int, err error) error {
	if fault.KindOf(err) != fault.Transient || n >= d.cfg.MaxAttempts {
		return err
	}
	if open, ok := errors.AsType[*OpenError](d.breaker.check()); ok {
		return refusedAfter(open, err) // that failure opened it
	}
	wait, ok := d.pause(ctx, n, fault.RetryAt(err))
	if !ok {
		return err
	}
	if !d.budget.withdraw() {
		d.counters.retriesDenied.Add(1)
		return err
	}
	if !sleep(ctx, wait) {
		return err
	}
	d.counters.retries.Add(1)
	return nil
}

// refusedAfter is a refusal of the breaker with the failure that came before.
func refusedAfter(open *OpenError, cause error) error {
	return refuse(&OpenError{Dependency: open.Dependency, Until: open.Until, Cause: cause})
}

// pause is the wait after the nth attempt: full jitter over a bound that
// doubles (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/),
// and not before notBefore. It is false when the wait is too long to be held
// here, or outlasts ctx.
func (d *Dependency) pause(ctx context.Context, n int, notBefore time.Time) (time.Duration, bool) {
	wait := time.Duration(d.cfg.Rand() * float64(min(retryCap, retryBase<<n)))
	if !notBefore.IsZero() {
		wait = max(wait, time.Until(notBefore))
	}
	deadline, bounded := ctx.Deadline()
	return wait, wait <= retryCap && (!bounded || wait < time.Until(deadline))
}

func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// budget bounds retries to a share of the calls, so that they cannot multiply
// the load of a dependency that is going down. It is a token bucket which
// calls fill and retries empty; it starts full, and at burst it overflows.
type budget struct {
	ratio, burst float64

	mu     sync.Mutex
	tokens float64
}

func (b *budget) deposit() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+b.ratio, b.burst)
}

func (b *budget) withdraw() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
