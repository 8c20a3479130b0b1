package queue

import (
	"context"
	"sync"
	"time"

	"assay/internal/store"
)

// watchInterval is how often a worker looks whether its run still stands and
// renews its lane. Within the process it hears of it at once.
const watchInterval = time.Second

// running knows the runs that this process works on.
type running struct {
	mu     sync.Mutex
	cancel map[string]context.CancelCauseFunc
}

func newRunning() *running { return &running{cancel: make(map[string]context.CancelCauseFunc)} }

func (r *running) add(run string, cancel context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel[run] = cancel
}

func (r *running) remove(run string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.cancel, run)
}

func (r *running) interrupt(runs []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range runs {
		if cancel, ok := r.cancel[run]; ok {
			cancel(ErrOvertaken)
		}
	}
}

// active reports whether the run is not final.
func (q *Queue) active(run string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		status, _, err := q.store.RunStatus(ctx, run)
		return err != nil || !status.Final()
	}
}

// watch returns a context for the run that ends with ErrOvertaken when the run
// does not stand any more, here or on another node, and keeps the lane
// meanwhile. done must be called.
func (q *Queue) watch(ctx context.Context, run, lane, owner string, stands func(context.Context) bool) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	q.running.add(run, cancel)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(watchInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				q.look(ctx, cancel, lane, owner, stands)
			}
		}
	})
	return ctx, func() {
		q.running.remove(run)
		cancel(nil)
		wg.Wait()
	}
}

func (q *Queue) look(ctx context.Context, cancel context.CancelCauseFunc, lane, owner string, stands func(context.Context) bool) {
	if got, err := q.store.Acquire(ctx, lane, owner, q.cfg.LaneTTL); err == nil && !got {
		// This process was away for so long that another one took over.
		cancel(errLostLane)
		return
	}
	if !stands(ctx) {
		cancel(ErrOvertaken)
	}
}

// Working reports whether a job is at work on the run's lane, be it on this run
// or on another attempt. One that begins after the answer was false sees all
// that was stored before the question.
func (q *Queue) Working(ctx context.Context, r store.Run) (bool, error) {
	owner := q.cfg.Node + "/" + store.NewRunID()
	got, err := q.store.Acquire(ctx, lane(r), owner, q.cfg.LaneTTL)
	if err != nil || !got {
		return true, err
	}
	return false, q.store.Release(ctx, lane(r), owner)
}
