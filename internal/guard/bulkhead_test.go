package guard

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
)

// occupy takes n places until the returned function is called.
func occupy(t *testing.T, d *Dependency, n int) (leave func()) {
	t.Helper()
	end := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			_, _ = Do(t.Context(), d, Call{}, func(context.Context) (int, error) { <-end; return 0, nil })
		})
	}
	synctest.Wait()
	return func() { close(end); all.Wait() }
}

func TestBulkhead(t *testing.T) {
	for name, test := range map[string]struct {
		maxWait, free, patience time.Duration
		waited                  time.Duration
		want                    func(error) bool
	}{
		"a place in time":   {10 * time.Second, 3 * time.Second, time.Hour, 3 * time.Second, func(err error) bool { return err == nil }},
		"no place":          {10 * time.Second, 20 * time.Second, time.Hour, 10 * time.Second, isFull},
		"no waiting":        {-1, 20 * time.Second, time.Hour, 0, isFull},
		"the caller leaves": {10 * time.Second, 20 * time.Second, 2 * time.Second, 2 * time.Second, cutShort},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := dependency(t, Config{MaxConcurrent: 2, MaxWait: test.maxWait})
				leave := occupy(t, d, 2)
				left := make(chan struct{})
				time.AfterFunc(test.free, func() { leave(); close(left) })
				ctx, cancel := context.WithTimeout(t.Context(), test.patience)
				defer cancel()
				start := time.Now()
				_, err := Do(ctx, d, Call{}, func(context.Context) (int, error) { return 0, nil })
				if !test.want(err) || time.Since(start) != test.waited {
					t.Errorf("got %v after %s, want it after %s", err, time.Since(start), test.waited)
				}
				if isFull(err) && (fault.KindOf(err) != fault.Busy || !fault.RetryAt(err).After(time.Now()) || d.Stats().RejectedFull != 1) {
					t.Errorf("%v (%v) until %s, stats %+v", err, fault.KindOf(err), fault.RetryAt(err), d.Stats())
				}
				<-left
				if s := d.Stats(); s.InFlight != 0 || s.Waiting != 0 || s.State != Closed {
					t.Errorf("stats are %+v", s)
				}
			})
		})
	}
}

func isFull(err error) bool {
	_, ok := errors.AsType[*FullError](err)
	return ok
}

func TestNeverMoreThanMaxConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{MaxConcurrent: 3, MaxWait: time.Hour})
		var mu sync.Mutex
		var now, most int
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() {
				_, err := Do(t.Context(), d, Call{}, func(context.Context) (int, error) {
					mu.Lock()
					now++
					most = max(most, now)
					mu.Unlock()
					time.Sleep(time.Second)
					mu.Lock()
					now--
					mu.Unlock()
					return 0, nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		start := time.Now()
		all.Wait()
		if most != 3 || time.Since(start) != 20*time.Second {
			t.Errorf("%d at a time, %s", most, time.Since(start))
		}
	})
}

// With every place taken by hung calls, an open breaker still refuses at once.
func TestAnOpenBreakerRefusesBeforeTheBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{MaxConcurrent: 2})
		leave := occupy(t, d, 1)
		fail(t, d, 5)
		leave2 := occupyOpen(t, d)
		start := time.Now()
		if err := answer(t, d, nil); !isOpen(err) || time.Since(start) != 0 {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
		leave2()
		leave()
	})
}

// occupyOpen fills the bulkhead of a dependency whose breaker is open.
func occupyOpen(t *testing.T, d *Dependency) (leave func()) {
	t.Helper()
	release, err := d.bulkhead.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return release
}
