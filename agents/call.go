package agents

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"assay/internal/fault"
)

// maxStuck is how many abandoned calls of one agent may still be going before
// the agent is not called any more. It bounds what a hanging agent can leak.
const maxStuck = 4

var (
	errPanic     = errors.New("the agent crashed")
	errAbandoned = errors.New("the agent did not stop at its deadline")
	errNoAnswer  = errors.New("the agent ended without an answer")
	errStuck     = errors.New("the agent is still stuck in earlier runs")
)

type returned struct {
	result Result
	err    error
}

// call runs the agent with its own deadline and returns when it has answered
// or, at the latest, a grace after its context ended. What an abandoned agent
// still answers is dropped; nobody waits for it, but its end is logged, and
// maxStuck bounds how many there can be.
func (r *Runner) call(ctx context.Context, name string, agent Agent, in Input, timeout time.Duration) (Result, error) {
	if r.stuck.count(name) >= maxStuck {
		return Result{}, errStuck
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	done := make(chan returned, 1)
	var state atomic.Int32
	go func() {
		out := returned{err: errNoAnswer}
		// Deferred, for the agent may end its goroutine (runtime.Goexit).
		defer func() {
			done <- out
			if !state.CompareAndSwap(going, ended) {
				r.stuck.add(name, -1)
				r.log.Warn("abandoned agent has ended", "agent", name)
			}
		}()
		out = r.recovering(ctx, name, agent, in)
	}()

	select {
	case out := <-done:
		return out.result, out.err
	case <-ctx.Done():
	}
	grace := time.NewTimer(r.grace)
	defer grace.Stop()
	select {
	case out := <-done:
		return out.result, out.err
	case <-grace.C:
	}
	r.stuck.add(name, 1)
	if !state.CompareAndSwap(going, abandoned) { // it answered just now
		r.stuck.add(name, -1)
		out := <-done
		return out.result, out.err
	}
	r.log.Error("agent abandoned: it goes on after its deadline", "agent", name, "grace", r.grace)
	return Result{}, errAbandoned
}

// The states of a call.
const (
	going int32 = iota
	ended
	abandoned
)

// recovering calls the agent and makes an error of a panic.
func (r *Runner) recovering(ctx context.Context, name string, agent Agent, in Input) (out returned) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("agent panicked", "agent", name, "panic", p, "stack", string(debug.Stack()))
			out = returned{err: errPanic}
		}
	}()
	out.result, out.err = agent.Run(ctx, in)
	return out
}

// reasonOf puts an agent's error in words for people.
func reasonOf(run context.Context, err error, timeout time.Duration) string {
	switch {
	case errors.Is(err, errPanic), errors.Is(err, errStuck):
		return err.Error()
	case run.Err() != nil:
		return endReason(run)
	case errors.Is(err, errAbandoned), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("timed out after %s", timeout)
	}
	text := clean(err.Error(), maxReason)
	dependency := clean(fault.DependencyOf(err), maxName)
	switch kind := fault.KindOf(err); kind {
	case fault.RateLimited, fault.Busy:
		if dependency == "" {
			return waitWords[kind] + ": " + text
		}
		return dependency + " is " + waitWords[kind] // when it ends is said by RetryAt
	case fault.Transient:
		if dependency != "" {
			return dependency + " is unavailable: " + text
		}
		return "a service it needs is not available: " + text
	default:
		return "failed: " + text
	}
}

// waitWords say how something is that must be waited for.
var waitWords = map[fault.Kind]string{fault.RateLimited: "rate limited", fault.Busy: "unavailable"}

// stuck counts, by agent, the abandoned calls that have not ended. The zero
// value is ready.
type stuck struct {
	mu sync.Mutex
	n  map[string]int
}

func (s *stuck) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n[name]
}

func (s *stuck) add(name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == nil {
		s.n = make(map[string]int)
	}
	s.n[name] += n
}
