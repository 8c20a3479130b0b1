package guard

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"
)

// Config shapes a Dependency. Every zero value stands for the default named at
// the field.
type Config struct {
	// FailureThreshold is the number of failures in a row that open the
	// breaker, however far apart they are: 5.
	FailureThreshold int
	// FailureRatio is the share of failures among the calls of Window that
	// opens the breaker, once there are MinCalls of them: 0.5 of at least 20.
	FailureRatio float64
	MinCalls     int
	// Window is the time the ratio looks back: a minute, or twice Deadline if
	// that is longer. A call that takes longer than the window would never
	// count.
	Window time.Duration
	// ResetTimeout is how long the breaker stays open before it lets probes
	// through: 30 s. It doubles with each opening that follows a failed probe,
	// up to MaxResetTimeout (10 min, or ResetTimeout if that is longer). Both
	// are varied by a fifth up or down, so that many processes do not probe
	// together.
	ResetTimeout    time.Duration
	MaxResetTimeout time.Duration
	// Probes is the number of calls that a half-open breaker lets through, and
	// of successes that close it: 1.
	Probes int
	// Deadline bounds each attempt: 30 s. Callers should have more time than
	// that: an attempt which their own context cuts short counts as neither
	// success nor failure.
	Deadline time.Duration
	// MaxConcurrent is the number of calls at a time: 32. A call keeps its
	// place while it waits for a retry.
	MaxConcurrent int
	// MaxWait is how long a call waits for a place: 10 s; negative for not at
	// all.
	MaxWait time.Duration
	// MaxAttempts bounds the attempts of an idempotent call, the first among
	// them: 3.
	MaxAttempts int
	// RetryRatio is the share of calls that may be retried over the long run,
	// and RetryBurst the number of retries that may be saved up: 0.1 and 10.
	RetryRatio float64
	RetryBurst int
	// MaxKeys bounds the keys whose rate limits are remembered: 1024. The one
	// asked for longest ago is forgotten first; its next call is then the one
	// that learns of the limit again.
	MaxKeys int
	// OnChange, if set, is told of each change of the breaker's state, one at
	// a time and in order, on the goroutine of a call, with no lock held: it
	// may use the Dependency, and should be quick.
	OnChange func(Change)
	// Rand returns numbers in [0, 1) for all jitter and must be safe for
	// concurrent use; math/rand/v2 if nil.
	Rand func() float64
}

// Change is a change of a breaker's state.
type Change struct {
	Dependency string
	From, To   State
	At         time.Time
	// NextProbe is when an open breaker will let a call through; zero for the
	// other states.
	NextProbe time.Time
}

// Bounds of the fields, against typos that would turn the guard off or the
// service deaf.
const (
	maxThreshold   = 10_000
	maxProbes      = 100
	maxConcurrency = 10_000
	maxAttempts    = 10
	maxBurst       = 10_000
	maxKeys        = 1_000_000
	shortest       = time.Millisecond
	longest        = 24 * time.Hour
	longestCall    = time.Hour
)

func (c Config) withDefaults() Config {
	c.FailureThreshold = cmp.Or(c.FailureThreshold, 5)
	c.FailureRatio = cmp.Or(c.FailureRatio, 0.5)
	c.MinCalls = cmp.Or(c.MinCalls, 20)
	c.Deadline = cmp.Or(c.Deadline, 30*time.Second)
	c.Window = cmp.Or(c.Window, max(time.Minute, 2*c.Deadline))
	c.ResetTimeout = cmp.Or(c.ResetTimeout, 30*time.Second)
	c.MaxResetTimeout = cmp.Or(c.MaxResetTimeout, max(10*time.Minute, c.ResetTimeout))
	c.Probes = cmp.Or(c.Probes, 1)
	c.MaxConcurrent = cmp.Or(c.MaxConcurrent, 32)
	c.MaxWait = cmp.Or(c.MaxWait, 10*time.Second)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 3)
	c.RetryRatio = cmp.Or(c.RetryRatio, 0.1)
	c.RetryBurst = cmp.Or(c.RetryBurst, 10)
	c.MaxKeys = cmp.Or(c.MaxKeys, 1024)
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c
}

// validate checks a config that has its defaults.
func (c Config) validate() error {
	return cmp.Or(
		within("FailureThreshold", c.FailureThreshold, 1, maxThreshold),
		within("FailureRatio", c.FailureRatio, 0.01, 1),
		within("MinCalls", c.MinCalls, 1, maxThreshold),
		within("Deadline", c.Deadline, shortest, longestCall),
		within("Window", c.Window, 2*c.Deadline, longest),
		within("ResetTimeout", c.ResetTimeout, shortest, longest),
		within("MaxResetTimeout", c.MaxResetTimeout, c.ResetTimeout, longest),
		within("Probes", c.Probes, 1, maxProbes),
		within("MaxConcurrent", c.MaxConcurrent, 1, maxConcurrency),
		within("MaxWait", max(c.MaxWait, 0), 0, longestCall),
		within("MaxAttempts", c.MaxAttempts, 1, maxAttempts),
		within("RetryRatio", c.RetryRatio, 0, 1),
		within("RetryBurst", c.RetryBurst, 1, maxBurst),
		within("MaxKeys", c.MaxKeys, 1, maxKeys),
	)
}

func within[T cmp.Ordered](field string, value, least, most T) error {
	// Written so that NaN, which compares with nothing, is out of bounds.
	if value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s is %v, want from %v to %v", field, value, least, most)
}
