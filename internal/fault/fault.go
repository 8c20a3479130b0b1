// Package fault classifies errors by what a caller should do about them.
//
// Errors are classified where the knowledge is (ghapp, webhook, llm) and acted
// upon elsewhere: the HTTP status of an answer, whether a job is retried,
// snoozed or given up, whether a breaker counts it, and what the pull request
// is told. A kind exists only because one of those differs.
package fault

import (
	"context"
	"errors"
	"time"
)

// Kind says what a caller should do about an error.
type Kind int

// The kinds.
const (
	// Internal is a defect of ours, or unknown: retried a few times, then dead.
	Internal Kind = iota
	// Invalid is input that will never work: not retried.
	Invalid
	// Unauthorized is a missing permission or a bad credential: not retried.
	Unauthorized
	// Gone is something that no longer exists (an uninstalled app, a deleted
	// repository): the work ends quietly.
	Gone
	// RateLimited is asked to wait until RetryAt: snoozed, no attempt burnt.
	RateLimited
	// Transient is the other side's trouble: retried with backoff.
	Transient
	// Busy is work of our own that must end first, or a dependency that is
	// being left alone: snoozed until RetryAt, no attempt burnt.
	Busy
)

var names = [...]string{"internal", "invalid", "unauthorized", "gone", "rate_limited", "transient", "busy"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(names) {
		return "internal"
	}
	return names[k]
}

// Error is an error with its kind.
type Error struct {
	Kind Kind
	// RetryAt is the time a RateLimited, Transient or Busy error is expected to have
	// passed; zero when not known.
	RetryAt time.Time
	// Dependency names what outside was in trouble, as "openai"; empty when
	// not known.
	Dependency string
	Err        error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// New gives err a kind. A nil err stays nil.
func New(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// Until gives err a kind and the time it is expected to have passed.
func Until(kind Kind, retryAt time.Time, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, RetryAt: retryAt, Err: err}
}

// KindOf returns the kind of the outermost classified error in err's chain. A
// deadline that passed is Transient; anything else unclassified is Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Transient
	}
	return Internal
}

// RetryAt returns the time from which err is worth a new try; zero when not
// known.
func RetryAt(err error) time.Time {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAt
	}
	return time.Time{}
}
