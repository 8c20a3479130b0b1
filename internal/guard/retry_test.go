package guard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
)

func TestRetries(t *testing.T) {
	after := func(d time.Duration) func() error {
		return func() error { return fault.Until(fault.Transient, time.Now().Add(d), errors.New("503")) }
	}
	const patient = time.Hour
	for name, test := range map[string]struct {
		idempotent bool
		answers    []func() error
		patience   time.Duration // of the caller
		want       []time.Duration
		ok         bool
	}{
		"success":                {true, nil, patient, []time.Duration{0}, true},
		"one failure":            {true, []func() error{down}, patient, []time.Duration{0, 250 * time.Millisecond}, true},
		"two failures":           {true, []func() error{down, down}, patient, []time.Duration{0, 250 * time.Millisecond, 750 * time.Millisecond}, true},
		"three failures":         {true, []func() error{down, down, down}, patient, []time.Duration{0, 250 * time.Millisecond, 750 * time.Millisecond}, false},
		"not idempotent":         {false, []func() error{down}, patient, []time.Duration{0}, false},
		"a definite answer":      {true, []func() error{func() error { return errInvalid }}, patient, []time.Duration{0}, false},
		"of no kind":             {true, []func() error{func() error { return errors.New("odd") }}, patient, []time.Duration{0}, false},
		"asked to wait a little": {true, []func() error{after(3 * time.Second)}, patient, []time.Duration{0, 3 * time.Second}, true},
		"asked to wait too long": {true, []func() error{after(11 * time.Second)}, patient, []time.Duration{0}, false},
		"the caller has no time": {true, []func() error{down}, 200 * time.Millisecond, []time.Duration{0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := dependency(t, Config{})
				ctx, cancel := context.WithTimeout(t.Context(), test.patience)
				defer cancel()
				start := time.Now()
				var at []time.Duration
				got, err := Do(ctx, d, Call{Idempotent: test.idempotent}, func(context.Context) (int, error) {
					at = append(at, time.Since(start))
					if len(at) <= len(test.answers) {
						return 0, test.answers[len(at)-1]()
					}
					return 7, nil
				})
				if test.ok != (err == nil) || test.ok != (got == 7) {
					t.Errorf("got %d, %v", got, err)
				}
				if diff := cmp.Diff(test.want, at); diff != "" {
					t.Errorf("attempts (-want +got):\n%s", diff)
				}
				if last := at[len(at)-1]; time.Since(start) != last {
					t.Errorf("it waited in vain: %s after the last attempt", time.Since(start)-last)
				}
				if s := d.Stats(); s.Retries != uint64(len(at)-1) || s.Total != 1 {
					t.Errorf("stats are %+v", s)
				}
			})
		})
	}
}

func down() error { return errDown }

// Full jitter: anything from nothing to the bound.
func TestRetriesUseFullJitter(t *testing.T) {
	for random, want := range map[float64]time.Duration{0: 0, 0.25: 125 * time.Millisecond, 0.9999999: 500 * time.Millisecond} {
		d := dependency(t, Config{Rand: func() float64 { return random }})
		wait, ok := d.pause(t.Context(), 1, time.Time{})
		if !ok || wait.Round(time.Microsecond) != want {
			t.Errorf("with %v the wait is %s, want %s", random, wait, want)
		}
	}
}

func TestACallerWhoLeavesEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		start := time.Now()
		_, err := Do(ctx, d, Call{Idempotent: true}, func(context.Context) (int, error) { return 0, errDown })
		if !errors.Is(err, errDown) || time.Since(start) != 100*time.Millisecond || d.Stats().Retries != 0 {
			t.Errorf("got %v after %s, stats %+v", err, time.Since(start), d.Stats())
		}
	})
}

// With the budget spent, a tenth of the calls is retried and no more.
func TestRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: maxThreshold, MinCalls: maxThreshold, MaxAttempts: 2, RetryBurst: 10})
		reached := 0
		call := func() {
			_, _ = Do(t.Context(), d, Call{Idempotent: true}, func(context.Context) (int, error) { reached++; return 0, errDown })
		}
		const calls = 1000
		for range calls {
			call()
		}
		retries := reached - calls
		// The burst, and a tenth of the calls; sums of tenths are not exact.
		if retries < 10+98 || retries > 10+100 {
			t.Errorf("%d retries of %d calls, want about 110", retries, calls)
		}
		if s := d.Stats(); s.Retries != uint64(retries) || s.RetriesDenied != uint64(calls-retries) {
			t.Errorf("stats are %+v", s)
		}
	})
}

// Good times do not save up retries without bound.
func TestTheBudgetOverflows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: maxThreshold, MinCalls: maxThreshold, MaxAttempts: 2, RetryBurst: 5})
		for range 1000 {
			_ = answer(t, d, nil)
		}
		for range 10 {
			_, _ = Do(t.Context(), d, Call{Idempotent: true}, func(context.Context) (int, error) { return 0, errDown })
		}
		if s := d.Stats(); s.Retries != 5 || s.RetriesDenied != 5 {
			t.Errorf("stats are %+v", s)
		}
	})
}

// Every attempt counts, and the one that opens the breaker is the last.
func TestTheBreakerSeesEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: 2})
		reached := 0
		start := time.Now()
		_, err := Do(t.Context(), d, Call{Idempotent: true}, func(context.Context) (int, error) { reached++; return 0, errDown })
		open, ok := errors.AsType[*OpenError](err)
		if !ok || !errors.Is(open.Cause, errDown) || fault.KindOf(err) != fault.Busy || fault.RetryAt(err).Before(d.Stats().NextProbe) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); reached != 2 || took != 250*time.Millisecond {
			t.Errorf("%d attempts in %s", reached, took)
		}
		wantState(t, d, Open)
	})
}

// A breaker that others open during the wait for a retry ends the call, and the
// error keeps what this call itself has seen.
func TestOpenedDuringTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		time.AfterFunc(100*time.Millisecond, func() { fail(t, d, 4) })
		reached := 0
		_, err := Do(t.Context(), d, Call{Idempotent: true}, func(context.Context) (int, error) { reached++; return 0, errDown })
		if reached != 1 || !isOpen(err) || !errors.Is(err, errDown) {
			t.Errorf("%d attempts, %v", reached, err)
		}
	})
}

// TestAgain holds that retries which callers make themselves wait like the
// others, come out of the same budget, and end with the breaker.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: 3, RetryBurst: 2, RetryRatio: 0.01, Rand: middle})
		start := time.Now()
		for n, want := range []time.Duration{250 * time.Millisecond, 750 * time.Millisecond} {
			if err := d.Again(t.Context(), n+1, errDown); err != nil || time.Since(start) != want {
				t.Fatalf("after attempt %d: %v at %v, want none at %v", n+1, err, time.Since(start), want)
			}
		}
		if err := d.Again(t.Context(), 1, errDown); !errors.Is(err, errDown) || d.Stats().RetriesDenied != 1 {
			t.Errorf("beyond the budget: %v", err)
		}
		if err := d.Again(t.Context(), 3, errDown); !errors.Is(err, errDown) {
			t.Errorf("beyond the attempts: %v", err)
		}
		definite := fault.New(fault.Gone, errors.New("gone"))
		if err := d.Again(t.Context(), 1, definite); !errors.Is(err, definite) {
			t.Errorf("after a definite answer: %v", err)
		}
		fail(t, d, 3)
		if err := d.Again(t.Context(), 1, errDown); !isOpen(err) || !errors.Is(err, errDown) || fault.KindOf(err) != fault.Busy {
			t.Errorf("with the breaker open: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: 1})
		if err := d.Check("k"); err != nil {
			t.Error(err)
		}
		_ = limitKey(t, d, "k", time.Now().Add(time.Minute))
		before := d.Stats()
		if err := d.Check("k"); fault.KindOf(err) != fault.RateLimited {
			t.Errorf("a limited key: %v", err)
		}
		if err := d.Check("other"); err != nil {
			t.Errorf("another key: %v", err)
		}
		if d.Stats() != before {
			t.Error("looking was counted")
		}
		fail(t, d, 1)
		if err := d.Check("other"); !isOpen(err) {
			t.Errorf("with the breaker open: %v", err)
		}
	})
}
