package ghapp

import (
	"assay/internal/fault"
	"context"
	"time"
)

const (
	maxAttempts = 3
	retryBase   = 250 * time.Millisecond
	// retryCap is the longest wait inside a call. Longer ones belong to the
	// queue.
	retryCap = 10 * time.Second
)

// backoff waits between attempts: full jitter over a doubling bound.
type backoff struct {
	base, limit time.Duration
	now         func() time.Time
	random      func() float64 // in [0, 1)
}

// try makes call up to maxAttempts times while its errors are transient. It
// is for calls that change nothing, or that change the same thing to the same
// value.
func (b backoff) try(ctx context.Context, call func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := call(ctx)
		if fault.KindOf(err) != fault.Transient || attempt == maxAttempts {
			return err
		}
		if !b.pause(ctx, attempt, fault.RetryAt(err)) {
			return err
		}
	}
}

// pause waits before the attempt after the given one, not before notBefore. It
// reports false, without waiting in vain, when the time is not worth waiting
// for here or is beyond the context's.
func (b backoff) pause(ctx context.Context, attempt int, notBefore time.Time) bool {
	bound := min(b.limit, b.base<<attempt)
	wait := time.Duration(b.random() * float64(bound))
	if !notBefore.IsZero() {
		wait = max(wait, notBefore.Sub(b.now()))
	}
	if wait > b.limit {
		return false
	}
	return sleep(ctx, wait) == nil
}

// settle waits for GitHub to catch up with itself: the whole bound, since a
// look at once would see nothing new.
func (b backoff) settle(ctx context.Context, attempt int) bool {
	return sleep(ctx, min(b.limit, b.base<<attempt)) == nil
}

// sleep waits for d, or fails at once when ctx will not last that long.
func sleep(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
