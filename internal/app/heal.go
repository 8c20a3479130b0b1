package app

import (
	"context"
	"sync"
	"time"
)

// wakeTimeout bounds the waking of the runs that waited for a dependency. Those
// that are not woken come by their own time.
const wakeTimeout = 30 * time.Second

// healing are the wakings under way.
type healing struct {
	mu      sync.Mutex
	stopped bool
	group   sync.WaitGroup
}

// heal has the runs tried again that wait for a dependency that is back. It is
// called in the middle of a call to that dependency, so it does not wait.
func (a *App) heal(dependency string) {
	h := &a.healing
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped || a.queue == nil {
		return
	}
	h.group.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), wakeTimeout)
		defer cancel()
		n, err := a.queue.Wake(ctx, dependency)
		switch {
		case err != nil:
			a.log.Warn("runs that wait for a dependency not woken, they come by their own time", "dependency", dependency, "error", err)
		case n > 0:
			a.log.Info("runs that waited for a dependency are completed", "dependency", dependency, "runs", n)
		}
	})
}

func (a *App) stopHealing(context.Context) error {
	a.healing.mu.Lock()
	a.healing.stopped = true
	a.healing.mu.Unlock()
	a.healing.group.Wait()
	return nil
}
