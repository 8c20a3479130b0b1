package guard

import (
	"context"
	"errors"

	"assay/internal/fault"
)

// outcome is what an attempt says about the other side's health.
type outcome int

const (
	success outcome = iota
	failure         // the other side's fault
	neither         // says nothing: ours, the caller's, or a definite answer
	limited         // asked for silence; says nothing either
)

// Error makes an outcome what gobreaker takes: it judges by errors alone.
func (o outcome) Error() string {
	return [...]string{"success", "failure", "neither", "limited"}[o]
}

// classify is the one place where an error's kind becomes an outcome. ctx is
// the caller's own context, without the attempt's deadline.
func classify(ctx context.Context, err error) outcome {
	if err == nil {
		return success
	}
	// The caller left, or ran out of a time of its own: however the client in
	// between has wrapped that, it is not the other side's doing.
	if ctx.Err() != nil && cutShort(err) {
		return neither
	}
	e, ok := errors.AsType[*fault.Error](err)
	switch {
	case !ok && errors.Is(err, context.Canceled):
		return neither
	case !ok:
		// Nobody said what it is. A breaker that ignored the unknown would
		// never open in front of a client that classifies nothing.
		return failure
	case e.Kind == fault.Transient:
		return failure
	case e.Kind == fault.RateLimited:
		return limited
	default:
		return neither
	}
}

// cutShort reports whether err is the end of some context.
func cutShort(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
