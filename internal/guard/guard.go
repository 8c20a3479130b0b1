// Package guard stands in front of outside calls, so that an outage or a rate
// limit of the other side is quiet, cheap and over by itself.
//
// There is one [Dependency] for each thing that can fail on its own: a REST
// API, a token endpoint, one model of one provider. Every call to it goes
// through [Do], and meets in this order
//
//  1. the rate limit of its key (an installation, an account): while the other
//     side asks for silence, calls for that key fail at once, others pass;
//  2. the bulkhead: so many calls at a time, and a bounded wait for a place;
//  3. retries, with full jitter and out of a budget;
//  4. the circuit breaker, which sees every attempt;
//  5. the deadline of the attempt.
//
// What an error means is read from its [fault.Kind]; giving it one is left to
// whoever knows the dependency. Refusals of the guard itself are fault.Busy or
// fault.RateLimited with the time to come back, so that the queue puts the job
// off without burning an attempt. Spacing of writes and remembering of answers
// are left to the callers and to package cache.
package guard

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"assay/internal/fault"
)

// Call describes one call to a dependency.
type Call struct {
	// Key is what the other side counts its rate limit by, as
	// "installation/42"; calls with the same key share their limit. Empty is a
	// key like any other.
	Key string
	// Idempotent allows retries: the call changes nothing, or the same thing
	// to the same value.
	Idempotent bool
	// Deadline bounds each attempt. Zero, or more than Config.Deadline, means
	// Config.Deadline.
	Deadline time.Duration
}

// Dependency is something outside that calls are made to. It is safe for
// concurrent use.
type Dependency struct {
	name     string
	cfg      Config
	limits   *limits
	bulkhead *bulkhead
	budget   *budget
	breaker  *breaker
	counters counters
}

// namePattern keeps names fit for logs, metrics' labels and pages:
// "github.rest", "llm.openai.gpt-5:mini".
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$`)

// New makes a dependency. Its error names the field of cfg that is out of
// bounds, and the bounds.
func New(name string, cfg Config) (*Dependency, error) {
	if !namePattern.MatchString(name) {
		return nil, fmt.Errorf("guard: the name %q does not match %s", name, namePattern)
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("guard %s: %w", name, err)
	}
	d := &Dependency{
		name:     name,
		cfg:      cfg,
		limits:   newLimits(name, cfg.MaxKeys),
		bulkhead: &bulkhead{name: name, slots: make(chan struct{}, cfg.MaxConcurrent), maxWait: cfg.MaxWait, random: cfg.Rand},
		budget:   &budget{ratio: cfg.RetryRatio, burst: float64(cfg.RetryBurst), tokens: float64(cfg.RetryBurst)},
	}
	d.breaker = newBreaker(name, &d.cfg)
	return d, nil
}

// Name is the dependency's name.
func (d *Dependency) Name() string { return d.name }

// Do makes a call to d: it runs fn with a context that ends at the attempt's
// deadline, more than once if the call allows it, or not at all while d is to
// be left alone. fn runs on the caller's goroutine. With an error the value is
// T's zero.
//
// Errors of fn come back as they are, with three exceptions: one that d's own
// deadline caused is made fault.Transient if it has no kind, a rate limit
// without a time gets one, and an error that passes by waiting gets d's name
// (fault.DependencyOf). Refusals of d itself are an *[OpenError], a
// *[FullError] or a *[LimitedError].
//
// fn must classify its errors. What they do to the breaker:
//
//   - fault.Transient, the attempt's own deadline, and errors without any kind
//     are failures: the other side's fault, as far as anybody knows;
//   - fault.Invalid, Unauthorized, Gone, Busy and Internal count as neither
//     success nor failure: they say nothing of the other side's health, and so
//     does an attempt that the caller's own context cut short;
//   - fault.RateLimited silences the key and never counts.
func Do[T any](ctx context.Context, d *Dependency, call Call, fn func(context.Context) (T, error)) (T, error) {
	var value T
	err := d.run(ctx, call, func(ctx context.Context) (err error) {
		value, err = fn(ctx)
		return err
	})
	if err != nil {
		var none T
		return none, fault.From(d.name, err)
	}
	return value, nil
}

// Check returns the refusal that a call with the key would meet now, by its
// rate limit or the breaker, and nil if it would meet none. It changes and
// counts nothing. It is for callers who have to wait for something else before
// they can make the call.
func (d *Dependency) Check(key string) error {
	if err := d.limits.check(key); err != nil {
		return err
	}
	return d.breaker.check()
}

// run takes a call through everything that comes before the attempts.
func (d *Dependency) run(ctx context.Context, call Call, fn func(context.Context) error) error {
	d.counters.total.Add(1)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.limits.check(call.Key); err != nil {
		d.counters.rejectedLimited.Add(1)
		return err
	}
	// Calls that the breaker would refuse must not queue for a place first.
	if err := d.breaker.check(); err != nil {
		d.counters.rejectedOpen.Add(1)
		return err
	}
	release, err := d.bulkhead.enter(ctx)
	if err != nil {
		if fault.KindOf(err) == fault.Busy {
			d.counters.rejectedFull.Add(1)
		}
		return err
	}
	defer release()
	d.budget.deposit()
	return d.retry(ctx, call, fn)
}

// attempt makes one attempt, if the rate limit and the breaker still allow it.
// worthwhile says that another one might succeed.
func (d *Dependency) attempt(ctx context.Context, call Call, fn func(context.Context) error) (worthwhile bool, err error) {
	if err := d.limits.check(call.Key); err != nil { // it may have come while we waited
		d.counters.rejectedLimited.Add(1)
		return false, err
	}
	pass, err := d.breaker.admit()
	if err != nil {
		d.counters.rejectedOpen.Add(1)
		return false, err
	}
	deadline := d.cfg.Deadline
	if call.Deadline > 0 {
		deadline = min(deadline, call.Deadline)
	}
	attempt, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	// An fn that overlooks its deadline may keep its caller waiting, but not
	// the breaker: a probe that never ends would block it for ever.
	watchdog := time.AfterFunc(deadline, func() {
		if ctx.Err() != nil {
			d.report(pass, neither, nil)
			return
		}
		d.report(pass, failure, errDeadline)
	})
	defer watchdog.Stop()
	defer d.report(pass, neither, nil) // for an fn that panics; otherwise too late to count

	err = d.named(ctx, attempt, deadline, fn(attempt))
	result := classify(ctx, err)
	if result == limited {
		err = d.limits.note(call.Key, err)
	}
	d.report(pass, result, err)
	if result == success {
		d.limits.ended(call.Key)
	}
	return result == failure && fault.KindOf(err) == fault.Transient, err
}

var errDeadline = errors.New("no answer by the deadline")

// named gives an error that the attempt's own deadline caused its kind, and
// says how long that deadline was.
func (d *Dependency) named(caller, attempt context.Context, deadline time.Duration, err error) error {
	if err == nil || caller.Err() != nil || !errors.Is(attempt.Err(), context.DeadlineExceeded) || !cutShort(err) {
		return err
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.New(fault.Transient, fmt.Errorf("%s: no answer within %s: %w", d.name, deadline, err))
}

// report tells the breaker and the counters how an attempt went. Only the
// first report of a pass counts; the others wait until it has been made.
func (d *Dependency) report(pass *pass, result outcome, err error) {
	pass.once.Do(func() {
		d.counters.count(result, err)
		d.breaker.report(pass, result)
	})
}
