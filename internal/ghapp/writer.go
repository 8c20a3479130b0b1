package ghapp

import (
	"assay/internal/fault"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// writer lets one write of an installation through at a time, and keeps those
// that create content an interval apart.
type writer struct {
	slot     chan struct{} // holds one token while a write is under way
	interval time.Duration
	now      func() time.Time

	mu      sync.Mutex
	created time.Time // the end of the last write that created content
}

// begin waits for its turn as long as ctx allows; the write may then be made,
// and end must be called after it.
func (w *writer) begin(ctx context.Context, creates bool) (end func(), err error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case w.slot <- struct{}{}:
	}
	if creates {
		if err := w.pace(ctx); err != nil {
			<-w.slot
			return nil, err
		}
	}
	return func() {
		if creates {
			w.mu.Lock()
			w.created = w.now()
			w.mu.Unlock()
		}
		<-w.slot
	}, nil
}

func (w *writer) pace(ctx context.Context) error {
	w.mu.Lock()
	wait := w.interval - w.now().Sub(w.created)
	w.mu.Unlock()
	if wait <= 0 {
		return ctx.Err()
	}
	// A clock that was set back may not stop the writer.
	return sleep(ctx, min(wait, w.interval))
}

func (w *writer) rested() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now().Sub(w.created) >= w.interval
}

// limit remembers until when GitHub wants to hear nothing from an
// installation, so that it does not: calls before then fail at once.
type limit struct {
	now func() time.Time

	mu     sync.Mutex
	until  time.Time
	streak int // of limits that named no time
}

// check fails while the limit lasts.
func (l *limit) check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now().Before(l.until) {
		return fault.Until(fault.RateLimited, l.until, fmt.Errorf("rate limited by GitHub until %s", l.until.UTC().Format(time.RFC3339)))
	}
	return nil
}

// note learns from the outcome of a call, and returns its error with the time
// that is right in the light of those before it.
func (l *limit) note(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.streak = 0
		return nil
	}
	if fault.KindOf(err) != fault.RateLimited {
		return err
	}
	at := fault.RetryAt(err)
	if answer, ok := errors.AsType[*answerError](err); ok && answer.untimed {
		if now := l.now(); !now.Before(l.until) {
			at = now.Add(min(limitDefault<<l.streak, limitLongest))
			l.streak = min(l.streak+1, 6)
		} else { // an echo of the limit we know, for a call that was under way
			at = l.until
		}
	}
	if at.After(l.until) {
		l.until = at
	}
	return fault.Until(fault.RateLimited, at, err)
}

func (l *limit) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.now().Before(l.until)
}
