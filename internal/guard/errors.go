package guard

import (
	"fmt"
	"time"

	"assay/internal/fault"
)

// OpenError refuses a call because the dependency's breaker is open. Its kind
// is fault.Busy, not Transient: nothing was tried, so a job that meets it is
// put off until then and loses no attempt.
type OpenError struct {
	Dependency string
	// Until is when a call may be let through again.
	Until time.Time
	// Cause is the failure of this call's own attempts before the breaker
	// opened; nil if there was none. It is never another caller's error, which
	// may speak of things this caller must not see.
	Cause error
}

func (e *OpenError) Error() string {
	text := fmt.Sprintf("%s is unavailable, next try at %s", e.Dependency, e.Until.UTC().Format(time.RFC3339))
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

func (e *OpenError) Unwrap() error { return e.Cause }

// FullError refuses a call because as many as the dependency may have were
// under way all the time it waited. Its kind is fault.Busy.
type FullError struct {
	Dependency string
	// Until is when to come back; a guess.
	Until time.Time
	// MaxConcurrent is the number of calls under way.
	MaxConcurrent int
	// Waited is how long the call waited for a place.
	Waited time.Duration
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%s is busy: %d calls under way, none ended within %s", e.Dependency, e.MaxConcurrent, e.Waited)
}

// LimitedError refuses a call because the dependency has asked for silence for
// its key. Its kind is fault.RateLimited.
type LimitedError struct {
	Dependency, Key string
	// Until is when the limit ends.
	Until time.Time
}

func (e *LimitedError) Error() string {
	text := e.Dependency + " is rate limited until " + e.Until.UTC().Format(time.RFC3339)
	if e.Key != "" {
		text += " for " + e.Key
	}
	return text
}

// refuse gives a refusal its kind and its time.
func refuse(err error) error {
	switch e := err.(type) { //nolint:errorlint // made here, never wrapped
	case *OpenError:
		return &fault.Error{Kind: fault.Busy, RetryAt: e.Until, Dependency: e.Dependency, Err: e}
	case *FullError:
		return &fault.Error{Kind: fault.Busy, RetryAt: e.Until, Dependency: e.Dependency, Err: e}
	case *LimitedError:
		return &fault.Error{Kind: fault.RateLimited, RetryAt: e.Until, Dependency: e.Dependency, Err: e}
	}
	return err
}
