package ghapp

import (
	"context"
	"fmt"
	"sync"
	"time"

	"assay/internal/fault"
)

// GitHub asks for a second between requests that create content, and for no
// more than 80 of them a minute and 500 an hour
// (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api,
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
const (
	defaultWriteInterval   = time.Second
	defaultWritesPerMinute = 80
	defaultWritesPerHour   = 500
)

// writerPatience is the longest a writer waits in its turn, where all of its
// installation's writers wait behind it. Longer waits belong to the queue.
const writerPatience = 5 * time.Second

// pace is how fast an installation creates content. Bounds below one are none.
type pace struct {
	interval           time.Duration
	perMinute, perHour int
}

// writer lets one write of an installation through at a time, and keeps those
// that create content to the pace.
type writer struct {
	slot chan struct{} // holds one token while a write is under way
	pace pace
	now  func() time.Time

	mu sync.Mutex
	// created are the ends of the last writes that created content, the oldest
	// first: no more than the bounds ask for.
	created []time.Time
}

// begin waits for its turn as long as ctx allows; the write may then be made,
// and end must be called after it. It is fault.RateLimited when the turn is
// too far off.
func (w *writer) begin(ctx context.Context, creates bool) (end func(), err error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case w.slot <- struct{}{}:
	}
	if creates {
		if err := w.hold(ctx); err != nil {
			<-w.slot
			return nil, err
		}
	}
	return func() {
		if creates {
			w.note()
		}
		<-w.slot
	}, nil
}

// hold waits until the pace allows another write.
func (w *writer) hold(ctx context.Context) error {
	now := w.now()
	next := w.next()
	wait := next.Sub(now)
	switch {
	case wait <= 0:
		return ctx.Err()
	case wait > max(writerPatience, w.pace.interval):
		return fault.Until(fault.RateLimited, next, fmt.Errorf("the installation has written as much as GitHub allows, until %s", next.UTC().Format(time.RFC3339)))
	}
	return sleep(ctx, wait)
}

// next is when the pace allows another write; a time past for now.
func (w *writer) next() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var next time.Time
	for _, bound := range []struct {
		writes int
		span   time.Duration
	}{{1, w.pace.interval}, {w.pace.perMinute, time.Minute}, {w.pace.perHour, time.Hour}} {
		if bound.writes < 1 || len(w.created) < bound.writes {
			continue
		}
		if at := w.created[len(w.created)-bound.writes].Add(bound.span); at.After(next) {
			next = at
		}
	}
	return next
}

func (w *writer) note() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.created = append(w.created, w.now())
	if keep := max(1, w.pace.perMinute, w.pace.perHour); len(w.created) > keep {
		w.created = append(w.created[:0], w.created[len(w.created)-keep:]...)
	}
}

// rested reports whether the writer may be forgotten: a new one would let
// through no more than it.
func (w *writer) rested() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.created) == 0 {
		return true
	}
	return w.now().Sub(w.created[len(w.created)-1]) >= max(w.pace.interval, time.Hour)
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
