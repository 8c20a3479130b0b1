package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
)

var (
	errDown    = fault.New(fault.Transient, errors.New("503"))
	errInvalid = fault.New(fault.Invalid, errors.New("400"))
)

// middle takes the chance out of jitter: open periods are exactly as
// configured, and other waits half their bound.
func middle() float64 { return 0.5 }

func dependency(t testing.TB, cfg Config) *Dependency {
	t.Helper()
	if cfg.Rand == nil {
		cfg.Rand = middle
	}
	d, err := New("test", cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answer makes a call that answers at once.
func answer(t testing.TB, d *Dependency, err error) error {
	t.Helper()
	_, got := Do(t.Context(), d, Call{}, func(context.Context) (string, error) { return "value", err })
	return got
}

// fail makes n calls that fail.
func fail(t testing.TB, d *Dependency, n int) {
	t.Helper()
	for range n {
		_ = answer(t, d, errDown)
	}
}

func wantState(t testing.TB, d *Dependency, want State) {
	t.Helper()
	if got := d.Stats().State; got != want {
		t.Fatalf("the breaker is %s, want %s", got, want)
	}
}

func isOpen(err error) bool {
	_, ok := errors.AsType[*OpenError](err)
	return ok
}

func TestDoReturnsWhatTheCallReturns(t *testing.T) {
	d := dependency(t, Config{})
	got, err := Do(t.Context(), d, Call{}, func(context.Context) (int, error) { return 7, nil })
	if got != 7 || err != nil {
		t.Fatalf("got %d, %v", got, err)
	}
	got, err = Do(t.Context(), d, Call{}, func(context.Context) (int, error) { return 7, errInvalid })
	if got != 0 || err != errInvalid { //nolint:errorlint // the very error
		t.Fatalf("with an error got %d, %v", got, err)
	}
}

// What each error does to a breaker that one failure opens.
func TestOutcomes(t *testing.T) {
	kind := func(k fault.Kind) func(context.Context) error {
		return func(context.Context) error { return fault.New(k, errors.New("from upstream")) }
	}
	for name, test := range map[string]struct {
		call  func(context.Context) error
		state State
		kind  fault.Kind
		want  Stats
	}{
		"transient":                       {kind(fault.Transient), Open, fault.Transient, Stats{Failures: 1}},
		"without a kind":                  {func(context.Context) error { return errors.New("odd") }, Open, fault.Internal, Stats{Failures: 1}},
		"own deadline":                    {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, Open, fault.Transient, Stats{Failures: 1}},
		"own deadline, as a cancellation": {func(ctx context.Context) error { <-ctx.Done(); return context.Canceled }, Open, fault.Transient, Stats{Failures: 1}},
		"wrapped":                         {func(context.Context) error { return fmt.Errorf("list: %w", errDown) }, Open, fault.Transient, Stats{Failures: 1}},
		"invalid":                         {kind(fault.Invalid), Closed, fault.Invalid, Stats{Excluded: 1}},
		"unauthorized":                    {kind(fault.Unauthorized), Closed, fault.Unauthorized, Stats{Excluded: 1}},
		"gone":                            {kind(fault.Gone), Closed, fault.Gone, Stats{Excluded: 1}},
		"busy":                            {kind(fault.Busy), Closed, fault.Busy, Stats{Excluded: 1}},
		"a defect of ours":                {kind(fault.Internal), Closed, fault.Internal, Stats{Excluded: 1}},
		"rate limited":                    {kind(fault.RateLimited), Closed, fault.RateLimited, Stats{Limited: 1}},
		"inner cancelled":                 {func(context.Context) error { return context.Canceled }, Closed, fault.Internal, Stats{Excluded: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := dependency(t, Config{FailureThreshold: 1})
				_, err := Do(t.Context(), d, Call{}, func(ctx context.Context) (int, error) { return 0, test.call(ctx) })
				if fault.KindOf(err) != test.kind {
					t.Errorf("the error is %v (%v), want %v", fault.KindOf(err), err, test.kind)
				}
				wantState(t, d, test.state)
				got := d.Stats()
				if got.Failures != test.want.Failures || got.Excluded != test.want.Excluded || got.Limited != test.want.Limited || got.Successes != 0 {
					t.Errorf("stats are %+v, want %+v", got, test.want)
				}
			})
		})
	}
}

// B5: callers who leave, or run out of a time of their own, say nothing of the
// dependency, however the client in between wraps it.
func TestCallersWhoLeaveCountAsNeither(t *testing.T) {
	for name, wrap := range map[string]func(error) error{
		"plain":                   func(err error) error { return err },
		"classified as transient": func(err error) error { return fault.New(fault.Transient, err) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := dependency(t, Config{FailureThreshold: 2})
				fail(t, d, 1)
				for i := range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					if i%2 == 0 {
						time.AfterFunc(500*time.Millisecond, cancel)
					}
					_, err := Do(ctx, d, Call{Idempotent: true}, func(ctx context.Context) (int, error) {
						<-ctx.Done()
						return 0, wrap(ctx.Err())
					})
					cancel()
					if !cutShort(err) {
						t.Fatalf("got %v", err)
					}
				}
				if s := d.Stats(); s.Excluded != 20 || s.Failures != 1 || s.Successes != 0 || s.FailuresInARow != 1 {
					t.Errorf("stats are %+v", s)
				}
				wantState(t, d, Closed)
				fail(t, d, 1) // the row of failures was not broken either
				wantState(t, d, Open)
			})
		})
	}
}

// Nor does an attempt that overlooks both ends of its context.
func TestACallerWhoLeftAnAttemptThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: 1, Deadline: 10 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		end, ended := make(chan struct{}), make(chan struct{})
		go func() {
			_, _ = Do(ctx, d, Call{}, func(context.Context) (int, error) { <-end; return 0, nil })
			close(ended)
		}()
		time.Sleep(11 * time.Second)
		if s := d.Stats(); s.State != Closed || s.Excluded != 1 || s.Failures != 0 {
			t.Errorf("stats are %+v", s)
		}
		close(end)
		<-ended
	})
}

// A deadline's error that has a kind already keeps it, and its time.
func TestTheClientsOwnKindStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		at := time.Now().Add(time.Hour)
		_, err := Do(t.Context(), d, Call{}, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, fault.Until(fault.Transient, at, ctx.Err())
		})
		if !fault.RetryAt(err).Equal(at) {
			t.Errorf("got %v until %s", err, fault.RetryAt(err))
		}
	})
}

// A dependency within a dependency, as a token for a request: that the inner
// one is left alone says nothing of the outer.
func TestARefusalFromWithin(t *testing.T) {
	inner, err := New("inner", Config{FailureThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	fail(t, inner, 1)
	d := dependency(t, Config{FailureThreshold: 1})
	var refusal error
	got := func() error {
		_, err := Do(t.Context(), d, Call{Idempotent: true}, func(context.Context) (int, error) {
			refusal = fmt.Errorf("get a token: %w", answer(t, inner, nil))
			return 0, refusal
		})
		return err
	}()
	if got != refusal || !isOpen(got) || fault.KindOf(got) != fault.Busy { //nolint:errorlint // the very error
		t.Errorf("got %v", got)
	}
	if s := d.Stats(); s.State != Closed || s.Excluded != 1 || s.RejectedOpen != 0 {
		t.Errorf("stats are %+v", s)
	}
}

func TestACallerWhoHasLeftIsNotServed(t *testing.T) {
	d := dependency(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Do(ctx, d, Call{}, func(context.Context) (int, error) { t.Error("called"); return 0, nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestDeadlineIsTheSmallerOne(t *testing.T) {
	for _, test := range []struct{ call, want time.Duration }{
		{0, 10 * time.Second}, {3 * time.Second, 3 * time.Second}, {time.Minute, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := dependency(t, Config{Deadline: 10 * time.Second})
			start := time.Now()
			_, err := Do(t.Context(), d, Call{Deadline: test.call}, func(ctx context.Context) (int, error) {
				<-ctx.Done()
				return 0, ctx.Err()
			})
			if took := time.Since(start); took != test.want {
				t.Errorf("Call.Deadline %s: ended after %s, want %s", test.call, took, test.want)
			}
			if !strings.Contains(err.Error(), test.want.String()) {
				t.Errorf("the error does not say the deadline: %v", err)
			}
		})
	}
}

func TestAPanicPassesAndLeavesNothingBehind(t *testing.T) {
	d := dependency(t, Config{MaxConcurrent: 1, MaxWait: -1, FailureThreshold: 1})
	for range 3 {
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic did not reach the caller")
				}
			}()
			_, _ = Do(t.Context(), d, Call{}, func(context.Context) (int, error) { panic("boom") })
		}()
	}
	if s := d.Stats(); s.InFlight != 0 || s.Excluded != 3 || s.State != Closed {
		t.Errorf("stats are %+v", s)
	}
	if err := answer(t, d, nil); err != nil {
		t.Error(err)
	}
}

// TestErrorsNameTheirDependency holds that whoever gets an error which passes by
// waiting can tell what to wait for; of other errors nothing is said.
func TestErrorsNameTheirDependency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := NewSet(func(string) Config { return Config{FailureThreshold: 1, MaxAttempts: 1, ResetTimeout: time.Minute} })
		d, err := set.Get("openai")
		if err != nil {
			t.Fatal(err)
		}
		call := func(key string, answer error) error {
			_, err := Do(t.Context(), d, Call{Key: key}, func(context.Context) (int, error) { return 0, answer })
			return err
		}
		if got := fault.DependencyOf(call("", fault.New(fault.Invalid, errors.New("400")))); got != "" {
			t.Errorf("a definite answer names %q", got)
		}
		for what, err := range map[string]error{
			"a rate limit":            call("k", fault.New(fault.RateLimited, errors.New("429"))),
			"a refusal for its limit": call("k", nil),
		} {
			if got := fault.DependencyOf(err); got != "openai" || fault.RetryAt(err).IsZero() {
				t.Errorf("%s names %q, until %s", what, got, fault.RetryAt(err))
			}
		}
		if _, down := set.Down("openai"); down {
			t.Error("it counts as down before it failed")
		}
		if got := fault.DependencyOf(call("", fault.New(fault.Transient, errors.New("503")))); got != "openai" {
			t.Errorf("an outage names %q", got)
		}
		if got := fault.DependencyOf(call("", nil)); got != "openai" {
			t.Errorf("a refusal of the breaker names %q", got)
		}
		if until, down := set.Down("openai"); !down || !until.After(time.Now()) {
			t.Errorf("while its breaker is open: down %v, until %s", down, until)
		}
		time.Sleep(2 * time.Minute) // virtual: a probe may pass
		if _, down := set.Down("openai"); down {
			t.Error("it counts as down although a probe may pass")
		}
		if _, down := set.Down("unheard-of"); down {
			t.Error("what nobody has asked for counts as down")
		}
	})
}
