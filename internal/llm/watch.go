package llm

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// watch ends a request whose answer does not begin, or stops coming. The whole
// of it is bounded by the context's deadline: a server that keeps saying that
// it is alive, or drips, is only stopped by that.
type watch struct {
	idle   time.Duration
	timer  *time.Timer
	began  atomic.Bool
	cancel context.CancelCauseFunc
}

// silenceError is a watch's end of a request.
type silenceError struct {
	began bool
	after time.Duration
}

func (e *silenceError) Error() string {
	if e.began {
		return fmt.Sprintf("the answer stopped coming for %s", e.after)
	}
	return fmt.Sprintf("no answer began within %s", e.after)
}

func newWatch(ctx context.Context, first, idle time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{idle: idle, cancel: cancel}
	w.timer = time.AfterFunc(first, func() {
		if w.began.Load() {
			cancel(&silenceError{began: true, after: idle})
			return
		}
		cancel(&silenceError{after: first})
	})
	return ctx, w
}

// alive notes that something has come.
func (w *watch) alive() {
	w.began.Store(true)
	w.timer.Reset(w.idle)
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}
