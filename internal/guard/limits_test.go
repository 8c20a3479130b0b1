package guard

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
)

// limitKey makes a call for key that is answered with a rate limit until at.
func limitKey(t *testing.T, d *Dependency, key string, at time.Time) error {
	t.Helper()
	_, err := Do(t.Context(), d, Call{Key: key, Idempotent: true}, func(context.Context) (int, error) {
		return 0, fault.Until(fault.RateLimited, at, errors.New("429"))
	})
	return err
}

// reaches reports whether a call for key reaches the dependency.
func reaches(t *testing.T, d *Dependency, key string) bool {
	t.Helper()
	reached := false
	_, err := Do(t.Context(), d, Call{Key: key}, func(context.Context) (int, error) { reached = true; return 0, nil })
	if reached != (err == nil) {
		t.Fatalf("reached %v, error %v", reached, err)
	}
	return reached
}

// B6: one key's limit is felt by that key alone, and by no breaker.
func TestALimitSilencesItsKeyAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: 1})
		until := time.Now().Add(10 * time.Minute)
		if err := limitKey(t, d, "installation/1", until); !fault.RetryAt(err).Equal(until) {
			t.Fatalf("got %v", err)
		}
		for range 100 {
			_, err := Do(t.Context(), d, Call{Key: "installation/1"}, func(context.Context) (int, error) { t.Error("reached"); return 0, nil })
			if e, ok := errors.AsType[*LimitedError](err); !ok || e.Key != "installation/1" || fault.KindOf(err) != fault.RateLimited || !fault.RetryAt(err).Equal(until) {
				t.Fatalf("got %v", err)
			}
			if !reaches(t, d, "installation/2") || !reaches(t, d, "") {
				t.Fatal("other keys are limited too")
			}
		}
		want := []Limit{{Key: "installation/1", Until: until}}
		if diff := cmp.Diff(want, d.Limits()); diff != "" {
			t.Errorf("limits (-want +got):\n%s", diff)
		}
		if s := d.Stats(); s.State != Closed || s.Limited != 1 || s.RejectedLimited != 100 || s.Failures != 0 || s.Retries != 0 {
			t.Errorf("stats are %+v", s)
		}
		time.Sleep(10 * time.Minute)
		if len(d.Limits()) != 0 || !reaches(t, d, "installation/1") {
			t.Error("the limit did not end")
		}
	})
}

// A thousand limits do not open a breaker, and a probe that meets one leaves it
// half-open, for callers with another key.
func TestLimitsNeverOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: 5})
		for i := range 1000 {
			_ = limitKey(t, d, fmt.Sprint(i), time.Now().Add(time.Hour))
		}
		wantState(t, d, Closed)
		fail(t, d, 5)
		time.Sleep(30 * time.Second)
		_ = limitKey(t, d, "probe", time.Now().Add(time.Hour))
		wantState(t, d, HalfOpen)
		if !reaches(t, d, "other") {
			t.Error("the probe's place was not freed")
		}
		wantState(t, d, Closed)
	})
}

func TestLimitsWithoutATimeDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		for _, minutes := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			err := limitKey(t, d, "a", time.Time{})
			if wait := time.Until(fault.RetryAt(err)); wait != minutes*time.Minute {
				t.Fatalf("wait %s, want %d min", wait, minutes)
			}
			time.Sleep(minutes * time.Minute)
		}
		if !reaches(t, d, "a") { // a success starts over
			t.Fatal("still limited")
		}
		if wait := time.Until(fault.RetryAt(limitKey(t, d, "a", time.Time{}))); wait != time.Minute {
			t.Errorf("after a success the wait is %s", wait)
		}
	})
}

func TestAnAbsurdLimitIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		err := limitKey(t, d, "a", time.Now().Add(1000*time.Hour))
		if wait := time.Until(fault.RetryAt(err)); wait != time.Hour {
			t.Errorf("wait %s", wait)
		}
	})
}

// Answers to calls that were under way when the limit came.
func TestAnswersToCallsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		answers, errs := make(chan error), make(chan error, 1)
		for range 4 {
			go func() {
				_, err := Do(t.Context(), d, Call{Key: "a"}, func(context.Context) (int, error) { return 0, <-answers })
				errs <- err
			}()
		}
		synctest.Wait()
		until := time.Now().Add(10 * time.Minute)
		for _, late := range []error{
			fault.Until(fault.RateLimited, until, errors.New("429")),
			fault.New(fault.RateLimited, errors.New("429, untimed")),                            // an echo
			fault.Until(fault.RateLimited, until.Add(-time.Minute), errors.New("429, shorter")), // the longer one stands
			nil, // a success does not lift it
		} {
			answers <- late
			if err := <-errs; fault.RetryAt(late).IsZero() && late != nil && !fault.RetryAt(err).Equal(until) {
				t.Errorf("the echo ends at %s, want %s", fault.RetryAt(err), until)
			}
			synctest.Wait()
			if diff := cmp.Diff([]Limit{{"a", until}}, d.Limits()); diff != "" {
				t.Errorf("after %v the limits are (-want +got):\n%s", late, diff)
			}
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{MaxKeys: 10})
		for i := range 1000 {
			_ = limitKey(t, d, fmt.Sprint(i), time.Now().Add(time.Minute))
		}
		if n := len(d.Limits()); n != 10 {
			t.Errorf("%d keys are remembered", n)
		}
		if reaches(t, d, "999") || !reaches(t, d, "0") {
			t.Error("it was not the oldest that were forgotten")
		}
	})
}

// A limit that comes while a call waits for a place holds for that call too.
func TestALimitReachesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{MaxConcurrent: 1})
		limit := make(chan struct{})
		go func() {
			_, _ = Do(t.Context(), d, Call{Key: "a"}, func(context.Context) (int, error) {
				<-limit
				return 0, fault.Until(fault.RateLimited, time.Now().Add(time.Hour), errors.New("429"))
			})
		}()
		synctest.Wait()
		time.AfterFunc(time.Second, func() { close(limit) })
		if reaches(t, d, "a") {
			t.Error("it reached the dependency")
		}
	})
}
