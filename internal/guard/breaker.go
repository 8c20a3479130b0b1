package guard

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// buckets is the number of steps in which the window moves on.
	buckets = 10
	// spread is how far open periods vary, up or down.
	spread = 0.2
	// probeWait is when to come back, at the latest, to a breaker whose probes
	// are under way.
	probeWait = 5 * time.Second
)

// breaker is gobreaker's state machine (states, generations, rolling counts)
// with what it lacks around it: a gate in front that lets an open period grow,
// and a view of the state that can be looked at without changing it.
//
// Locks: inner's callbacks run under inner's mutex, so nothing they do may call
// inner. They publish a view and leave the change in pending; mu is taken
// inside inner's mutex, never the other way round.
type breaker struct {
	name  string
	cfg   *Config
	inner *gobreaker.TwoStepCircuitBreaker[struct{}]
	view  atomic.Pointer[view] // written under inner's mutex
	// inARow counts failures since the last success. gobreaker's own count of
	// them leaves with the window: a call an hour that always fails would
	// never open it. Written under inner's mutex.
	inARow atomic.Int64

	mu         sync.Mutex
	pending    []Change
	announcing bool
}

// view is a state of the breaker; it does not change.
type view struct {
	state State
	// generation numbers the views, to know calls of an earlier one.
	generation uint64
	since      time.Time
	// nextProbe is the end of the last open period.
	nextProbe time.Time
	// period is the length of the last open period; streak the number of them
	// since the breaker was last closed.
	period time.Duration
	streak int
	// outage is when the breaker was last closed; down the time before that in
	// which it was not.
	outage time.Time
	down   time.Duration
}

func newBreaker(name string, cfg *Config) *breaker {
	b := &breaker{name: name, cfg: cfg}
	b.view.Store(&view{since: time.Now()})
	b.inner = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         name,
		MaxRequests:  uint32(cfg.Probes), //nolint:gosec // bounded by maxProbes
		Interval:     cfg.Window,
		BucketPeriod: max(cfg.Window/buckets, 1),
		// Always over when our own gate opens.
		Timeout:       cfg.ResetTimeout / 2,
		ReadyToTrip:   b.ready,
		OnStateChange: b.changed,
		IsSuccessful:  b.successful,
		IsExcluded:    excluded,
	})
	return b
}

// pass is the leave to make one attempt.
type pass struct {
	generation uint64
	done       func(error)
	once       sync.Once
}

// check refuses what an open breaker would, without changing anything.
func (b *breaker) check() error {
	v := b.view.Load()
	if v.state == Closed {
		return nil
	}
	if now := time.Now(); now.Before(v.nextProbe) {
		return b.refusal(v, now)
	}
	return nil
}

// admit lets an attempt through or refuses it. Its pass must be reported.
func (b *breaker) admit() (*pass, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	done, err := b.inner.Allow()
	b.announce()
	if err != nil { // open for us by a hair, or with all its probes under way
		return nil, b.refusal(b.view.Load(), time.Now())
	}
	return &pass{generation: b.view.Load().generation, done: done}, nil
}

// report tells how an attempt went.
func (b *breaker) report(p *pass, result outcome) {
	// gobreaker ignores calls of an earlier generation as well, but only after
	// it has moved an open breaker whose Timeout is over to half-open.
	if b.view.Load().generation != p.generation {
		return
	}
	p.done(result)
	b.announce()
}

func excluded(err error) bool {
	return errors.Is(err, neither) || errors.Is(err, limited)
}

// successful is asked once for each outcome that counts, and keeps the count
// of failures in a row.
func (b *breaker) successful(err error) bool {
	if errors.Is(err, success) {
		b.inARow.Store(0)
		return true
	}
	b.inARow.Add(1)
	return false
}

// ready says whether a closed breaker opens.
func (b *breaker) ready(counts gobreaker.Counts) bool {
	if b.inARow.Load() >= int64(b.cfg.FailureThreshold) {
		return true
	}
	failed, all := float64(counts.TotalFailures), float64(counts.TotalFailures)+float64(counts.TotalSuccesses)
	return all >= float64(b.cfg.MinCalls) && failed >= b.cfg.FailureRatio*all
}

// changed publishes a new state.
func (b *breaker) changed(_ string, _, to gobreaker.State) {
	now, old := time.Now(), b.view.Load()
	next := *old
	next.generation++
	next.since = now
	switch to {
	case gobreaker.StateClosed:
		next.state, next.streak, next.period, next.nextProbe = Closed, 0, 0, time.Time{}
		next.down += now.Sub(old.outage)
	case gobreaker.StateHalfOpen:
		next.state = HalfOpen
	case gobreaker.StateOpen:
		next.state = Open
		next.streak++
		next.period = b.period(next.streak)
		next.nextProbe = now.Add(next.period)
		if old.state == Closed {
			next.outage = now
		}
	}
	b.view.Store(&next)
	if b.cfg.OnChange == nil {
		return
	}
	change := Change{Dependency: b.name, From: old.state, To: next.state, At: now}
	if next.state == Open {
		change.NextProbe = next.nextProbe
	}
	b.mu.Lock()
	b.pending = append(b.pending, change)
	b.mu.Unlock()
}

// period is how long the breaker stays open for the streak's nth time.
func (b *breaker) period(n int) time.Duration {
	period := b.cfg.ResetTimeout
	for ; n > 1 && period < b.cfg.MaxResetTimeout; n-- {
		period *= 2
	}
	period = min(period, b.cfg.MaxResetTimeout)
	return time.Duration(float64(period) * (1 - spread + 2*spread*b.cfg.Rand()))
}

// announce hands pending changes to OnChange, one at a time. A goroutine that
// finds another at it, or itself further up its stack, leaves the rest to it.
func (b *breaker) announce() {
	if b.cfg.OnChange == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.announcing {
		return
	}
	b.announcing = true
	defer func() { b.announcing = false }()
	for len(b.pending) > 0 {
		change := b.pending[0]
		b.pending = b.pending[1:]
		b.tell(change)
	}
}

// tell calls OnChange with mu released.
func (b *breaker) tell(change Change) {
	b.mu.Unlock()
	defer b.mu.Lock()
	b.cfg.OnChange(change)
}

// refusal is the error of a call that the breaker does not let through. The
// times to come back are spread over a tenth of the open period.
func (b *breaker) refusal(v *view, now time.Time) error {
	until, over := v.nextProbe, v.period/10
	if !now.Before(until) {
		wait := min(probeWait, b.cfg.ResetTimeout)
		until, over = now.Add(wait), wait/2
	}
	until = until.Add(time.Duration(b.cfg.Rand() * float64(over)))
	return refuse(&OpenError{Dependency: b.name, Until: until})
}
