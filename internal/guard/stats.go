package guard

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// State is the state of a breaker.
type State int

// The states.
const (
	// Closed lets calls through.
	Closed State = iota
	// Open lets none through until its next probe.
	Open
	// HalfOpen has let its probes through and waits for what they say.
	HalfOpen
)

// String is the state as health pages show it: CLOSED, OPEN or HALF_OPEN.
func (s State) String() string {
	switch s {
	case Open:
		return "OPEN"
	case HalfOpen:
		return "HALF_OPEN"
	default:
		return "CLOSED"
	}
}

// MarshalText makes a state its String in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Stats is what a dependency has been through since it was made. Its numbers
// are read one after another, not at one instant.
type Stats struct {
	Name  string
	State State
	// Since is when the breaker came into its state.
	Since time.Time
	// NextProbe is when an open breaker lets a call through, or has been ready
	// to: the next call makes it half-open, looking does not. Zero when closed.
	NextProbe time.Time
	// Openings is how often the breaker has opened since it was last closed.
	Openings int
	// FailuresInARow is the number of failures since the last success.
	FailuresInARow int64
	// Unavailable is for how long the breaker was not closed, all in all.
	Unavailable time.Duration

	// Total is the number of calls, refused ones among them.
	Total uint64
	// Successes, Failures, Excluded and Limited sort the attempts that were
	// made and have ended: Excluded are those that count as neither success
	// nor failure, Limited the answers that asked for silence.
	Successes, Failures, Excluded, Limited uint64
	// RejectedOpen, RejectedLimited and RejectedFull are the calls that were
	// refused, before the first attempt or between two: by the breaker, the
	// limit of their key, the bulkhead.
	RejectedOpen, RejectedLimited, RejectedFull uint64
	// Retries are the attempts beyond calls' first; RetriesDenied those that
	// the budget did not allow.
	Retries, RetriesDenied uint64
	// InFlight is the number of calls that hold a place now, Waiting of those
	// that wait for one.
	InFlight, Waiting int
	// LastFailure is what the last failure said; empty when there was none.
	// For the operator alone: it may speak of any repository.
	LastFailure string
}

// Rejections is the number of calls that were refused.
func (s Stats) Rejections() uint64 { return s.RejectedOpen + s.RejectedLimited + s.RejectedFull }

// Limit is a key that the other side has asked to hear nothing of.
type Limit struct {
	Key   string
	Until time.Time
}

type counters struct {
	total, successes, failures, excluded, limited atomic.Uint64
	rejectedOpen, rejectedLimited, rejectedFull   atomic.Uint64
	retries, retriesDenied                        atomic.Uint64
	lastFailure                                   atomic.Pointer[string]
}

func (c *counters) count(result outcome, err error) {
	switch result {
	case success:
		c.successes.Add(1)
	case failure:
		c.failures.Add(1)
		text := err.Error()
		c.lastFailure.Store(&text)
	case limited:
		c.limited.Add(1)
	default:
		c.excluded.Add(1)
	}
}

// Stats returns the dependency's statistics. It takes no lock and changes
// nothing.
func (d *Dependency) Stats() Stats {
	v, c := d.breaker.view.Load(), &d.counters
	s := Stats{
		Name: d.name, State: v.state, Since: v.since, NextProbe: v.nextProbe, Openings: v.streak,
		FailuresInARow: d.breaker.inARow.Load(), Unavailable: v.down,
		Total: c.total.Load(), Successes: c.successes.Load(), Failures: c.failures.Load(),
		Excluded: c.excluded.Load(), Limited: c.limited.Load(),
		RejectedOpen: c.rejectedOpen.Load(), RejectedLimited: c.rejectedLimited.Load(), RejectedFull: c.rejectedFull.Load(),
		Retries: c.retries.Load(), RetriesDenied: c.retriesDenied.Load(),
		InFlight: len(d.bulkhead.slots), Waiting: int(d.bulkhead.waiting.Load()),
	}
	if v.state != Closed {
		s.Unavailable += time.Since(v.outage)
	}
	if text := c.lastFailure.Load(); text != nil {
		s.LastFailure = *text
	}
	return s
}

// Limits returns the rate limits that have not ended, the last to end first.
func (d *Dependency) Limits() []Limit {
	list := d.limits.list()
	slices.SortFunc(list, func(a, b Limit) int {
		return cmp.Or(b.Until.Compare(a.Until), cmp.Compare(a.Key, b.Key))
	})
	return list
}
