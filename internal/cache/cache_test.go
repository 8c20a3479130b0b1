package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
)

var errDown = fault.New(fault.Transient, errors.New("503"))

func create[K comparable, V any](t testing.TB, cfg Config[V]) *Cache[K, V] {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "test"
	}
	c, err := New[K](cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func value[V any](v V) func(context.Context) (V, error) {
	return func(context.Context) (V, error) { return v, nil }
}

func failure[V any](err error) func(context.Context) (V, error) {
	return func(context.Context) (v V, _ error) { return v, err }
}

// want gets key and compares; load is what a miss would bring.
func want[K comparable, V comparable](t *testing.T, c *Cache[K, V], key K, load, want V) {
	t.Helper()
	got, err := c.Get(t.Context(), key, value(load))
	if err != nil || got != want {
		t.Fatalf("got %v, %v, want %v", got, err, want)
	}
}

func TestServesUntilTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int](t, Config[int]{TTL: time.Minute})
		want(t, c, "a", 1, 1)
		time.Sleep(time.Minute - 1)
		want(t, c, "a", 2, 1)
		time.Sleep(1)
		want(t, c, "a", 3, 3)
		got := c.Stats()
		if diff := cmp.Diff(Stats{Name: "test", TTL: time.Minute, Size: 1, MaxSize: 1024, Hits: 1, Misses: 2, Loads: 2}, got); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}

// C1: a thousand callers for a key that has expired cause one load.
func TestOneLoadForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int64](t, Config[int64]{TTL: time.Minute})
		want(t, c, "a", 0, 0)
		time.Sleep(time.Minute)
		var loads atomic.Int64
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				got, err := c.Get(t.Context(), "a", func(context.Context) (int64, error) {
					time.Sleep(time.Second)
					return loads.Add(1), nil
				})
				if got != 1 || err != nil {
					t.Errorf("got %d, %v", got, err)
				}
			})
		}
		callers.Wait()
		if s := c.Stats(); loads.Load() != 1 || s.Loads != 2 || s.Shared != 999 || s.Misses != 1001 || s.Loading != 0 {
			t.Errorf("%d loads, stats %+v", loads.Load(), s)
		}
	})
}

// Keys that look alike when written out are different keys.
func TestKeysAreNotTheirSpelling(t *testing.T) {
	type key struct{ owner, name string }
	synctest.Test(t, func(t *testing.T) {
		c := create[any, string](t, Config[string]{})
		keys := []any{key{"a b", "c"}, key{"a", "b c"}, 1, int64(1), "1"}
		var callers sync.WaitGroup
		for i, k := range keys {
			callers.Go(func() {
				got, err := c.Get(t.Context(), k, func(context.Context) (string, error) {
					time.Sleep(time.Second)
					return fmt.Sprint(i), nil
				})
				if got != fmt.Sprint(i) || err != nil {
					t.Errorf("%#v: got %s, %v", k, got, err)
				}
			})
		}
		callers.Wait()
	})
}

// C1: a leader who leaves, and a follower, hurt nobody.
func TestCallersMayLeave(t *testing.T) {
	type traceKey struct{}
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int](t, Config[int]{})
		load := func(ctx context.Context) (int, error) {
			if ctx.Value(traceKey{}) != "trace" {
				t.Error("the load does not have the values of its caller's context")
			}
			select {
			case <-time.After(10 * time.Second):
				return 7, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		start := time.Now()
		var callers sync.WaitGroup
		for i, patience := range []time.Duration{time.Second, 2 * time.Second, time.Minute, time.Minute} {
			callers.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), traceKey{}, "trace"), patience)
				defer cancel()
				got, err := c.Get(ctx, "a", load)
				took := time.Since(start).Round(time.Second)
				if patience < time.Minute && (!errors.Is(err, context.DeadlineExceeded) || took != patience) {
					t.Errorf("the impatient caller got %d, %v after %s", got, err, took)
				}
				if patience == time.Minute && (got != 7 || err != nil || took != 10*time.Second) {
					t.Errorf("the patient caller got %d, %v after %s", got, err, took)
				}
			})
		}
		callers.Wait()
		if s := c.Stats(); s.Loads != 1 || s.Shared != 3 {
			t.Errorf("stats are %+v", s)
		}
	})
}

// What everybody has left is still kept for those who come.
func TestALoadOutlivesItsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int](t, Config[int]{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Get(ctx, "a", func(context.Context) (int, error) { time.Sleep(5 * time.Second); return 7, nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		want(t, c, "a", 8, 7)
	})
}

func TestACallerWhoHasLeftStartsNoLoad(t *testing.T) {
	c := create[string, int](t, Config[int]{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(ctx, "a", value(1)); !errors.Is(err, context.Canceled) || c.Stats().Loads != 0 {
		t.Errorf("got %v, stats %+v", err, c.Stats())
	}
}

// C1: an error goes to all who wait, is remembered for a moment, and then
// forgotten.
func TestErrorsAreSharedAndForgottenSoon(t *testing.T) {
	for _, test := range []struct{ ttl, remembered time.Duration }{{0, time.Second}, {10 * time.Second, 10 * time.Second}, {-1, 0}} {
		t.Run(test.remembered.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := create[string, int](t, Config[int]{ErrorTTL: test.ttl})
				var callers sync.WaitGroup
				for range 100 {
					callers.Go(func() {
						_, err := c.Get(t.Context(), "a", func(context.Context) (int, error) { time.Sleep(time.Second); return 0, errDown })
						if err != errDown { //nolint:errorlint // the very error
							t.Errorf("got %v", err)
						}
					})
				}
				callers.Wait()
				if s := c.Stats(); s.Loads != 1 || s.Errors != 1 {
					t.Errorf("stats are %+v", s)
				}
				if test.remembered > 0 {
					time.Sleep(test.remembered - 1)
					if _, err := c.Get(t.Context(), "a", value(1)); !errors.Is(err, errDown) || c.Stats().ErrorHits != 1 {
						t.Errorf("got %v, stats %+v", err, c.Stats())
					}
					time.Sleep(1)
				}
				want(t, c, "a", 1, 1)
			})
		})
	}
}

// C1: a load that panics, or ends its goroutine, is an error to all.
func TestALoadThatDoesNotReturn(t *testing.T) {
	for name, test := range map[string]struct {
		load func(context.Context) (int, error)
		want string
	}{
		"panic":  {func(context.Context) (int, error) { time.Sleep(time.Second); panic("boom") }, "panic: boom"},
		"goexit": {func(context.Context) (int, error) { time.Sleep(time.Second); goexit(); return 0, nil }, errGone.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := create[string, int](t, Config[int]{})
				var callers sync.WaitGroup
				for range 100 {
					callers.Go(func() {
						_, err := c.Get(t.Context(), "a", test.load)
						if err == nil || err.Error() != test.want || fault.KindOf(err) != fault.Internal {
							t.Errorf("got %v (%v)", err, fault.KindOf(err))
						}
						if p, ok := errors.AsType[*PanicError](err); ok && !strings.Contains(string(p.Stack), "cache_test.go") {
							t.Errorf("the stack does not show the load:\n%s", p.Stack)
						}
					})
				}
				callers.Wait()
				time.Sleep(time.Second)
				want(t, c, "a", 1, 1)
			})
		})
	}
}

// A panic in what is asked of the value is one of the load.
func TestAPanicInTheConfigsFunctions(t *testing.T) {
	c := create[string, int](t, Config[int]{Bytes: 10, Weigh: func(int) int { panic("no scales") }})
	if _, err := c.Get(t.Context(), "a", value(1)); err == nil || err.Error() != "panic: no scales" {
		t.Errorf("got %v", err)
	}
}

func TestLoadTimeout(t *testing.T) {
	for name, test := range map[string]struct {
		obedient bool
		took     time.Duration
	}{"heeded": {true, 5 * time.Second}, "overlooked": {false, 5*time.Second + grace}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := create[string, int](t, Config[int]{LoadTimeout: 5 * time.Second})
				end, ended := make(chan struct{}), make(chan struct{})
				start := time.Now()
				_, err := c.Get(t.Context(), "a", func(ctx context.Context) (int, error) {
					defer close(ended)
					if test.obedient {
						<-ctx.Done()
						return 0, ctx.Err()
					}
					<-end
					return 1, nil
				})
				if fault.KindOf(err) != fault.Transient || time.Since(start) != test.took {
					t.Errorf("got %v (%v) after %s", err, fault.KindOf(err), time.Since(start))
				}
				time.Sleep(2 * time.Second)
				want(t, c, "a", 2, 2)
				close(end)
				<-ended
				synctest.Wait()
				want(t, c, "a", 3, 2) // what came too late is not kept
			})
		})
	}
}

// A Forget during a load is not lost: what was loading may be as old as what
// was to be forgotten.
func TestForgetDuringALoad(t *testing.T) {
	for name, forget := range map[string]func(c *Cache[string, int]){
		"Forget": func(c *Cache[string, int]) { c.Forget("a") },
		"Clear":  func(c *Cache[string, int]) { c.Clear() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := create[string, int](t, Config[int]{})
				slow := func(v int, err error) func(context.Context) (int, error) {
					return func(context.Context) (int, error) { time.Sleep(10 * time.Second); return v, err }
				}
				first := make(chan int, 1)
				go func() {
					got, _ := c.Get(t.Context(), "a", slow(1, nil))
					first <- got
				}()
				time.Sleep(time.Second)
				forget(c)
				second := make(chan int, 1)
				go func() {
					got, _ := c.Get(t.Context(), "a", slow(2, nil))
					second <- got
				}()
				if got := <-first; got != 1 {
					t.Errorf("the one who waited got %d", got)
				}
				if s := c.Stats(); s.Size != 0 || s.Loading != 1 || s.Loads != 2 {
					t.Errorf("after the first load the stats are %+v", s)
				}
				if got := <-second; got != 2 {
					t.Errorf("the one who came after got %d", got)
				}
				want(t, c, "a", 3, 2)

				// An error that is late does not disturb either.
				forget(c)
				go func() { _, _ = c.Get(t.Context(), "a", slow(0, errDown)) }()
				time.Sleep(time.Second)
				forget(c)
				want(t, c, "a", 4, 4)
				time.Sleep(10 * time.Second)
				want(t, c, "a", 5, 4)
			})
		})
	}
}

func TestForgetIf(t *testing.T) {
	c := create[string, string](t, Config[string]{})
	want(t, c, "token", "old", "old")
	is := func(s string) func(string) bool { return func(v string) bool { return v == s } }
	c.ForgetIf("token", is("older"))
	want(t, c, "token", "new", "old")
	c.ForgetIf("token", is("old"))
	want(t, c, "token", "new", "new")
	c.ForgetIf("other", func(string) bool { t.Error("asked about a value that is not there"); return true })
	_, _ = c.Get(t.Context(), "failed", failure[string](errDown))
	c.ForgetIf("failed", func(string) bool { t.Error("asked about a failure"); return true })
}

func TestValuesThatKnowTheirEnd(t *testing.T) {
	type token struct {
		name  string
		until time.Time
	}
	synctest.Test(t, func(t *testing.T) {
		c := create[string, token](t, Config[token]{TTL: 10 * time.Minute, StaleFor: time.Hour, Expires: func(v token) time.Time { return v.until }})
		start := time.Now()
		short, long := token{"short", start.Add(time.Minute)}, token{"long", start.Add(time.Hour)}
		plain, past := token{"plain", time.Time{}}, token{"past", start}
		for _, v := range []token{short, long, plain, past} {
			want(t, c, v.name, v, v)
		}
		next := token{name: "next"}
		if got := c.Stats().Size; got != 3 {
			t.Errorf("%d values are kept, one of them past its end", got)
		}
		want(t, c, "past", next, next)
		time.Sleep(time.Minute - 1)
		want(t, c, "short", next, short)
		time.Sleep(1)
		// No failure makes a token good again.
		if _, err := c.Get(t.Context(), "short", failure[token](errDown)); !errors.Is(err, errDown) {
			t.Errorf("got %v", err)
		}
		time.Sleep(9*time.Minute - 1)
		want(t, c, "plain", next, plain)
		time.Sleep(1)
		want(t, c, "plain", next, next)
		time.Sleep(50*time.Minute - 1)
		want(t, c, "long", next, long)
		time.Sleep(1)
		want(t, c, "long", next, next)
	})
}

func TestAnOldValueStandsInForAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int](t, Config[int]{TTL: time.Minute, StaleFor: 10 * time.Minute, ErrorTTL: 5 * time.Second})
		want(t, c, "a", 1, 1)
		time.Sleep(time.Minute)
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				got, err := c.Get(t.Context(), "a", func(context.Context) (int, error) { time.Sleep(time.Second); return 0, errDown })
				if got != 1 || err != nil {
					t.Errorf("got %d, %v", got, err)
				}
			})
		}
		callers.Wait()
		if s := c.Stats(); s.Stale != 10 || s.Loads != 2 || s.Errors != 1 {
			t.Errorf("stats are %+v", s)
		}
		want(t, c, "a", 2, 1) // for ErrorTTL the source is left alone
		if s := c.Stats(); s.Stale != 11 || s.Loads != 2 {
			t.Errorf("stats are %+v", s)
		}
		time.Sleep(5 * time.Second)
		want(t, c, "a", 3, 3) // it is back

		time.Sleep(11*time.Minute - 1)
		if got, err := c.Get(t.Context(), "a", failure[int](errDown)); got != 3 || err != nil {
			t.Errorf("at the very end got %d, %v", got, err)
		}
		time.Sleep(5 * time.Second)
		if _, err := c.Get(t.Context(), "a", failure[int](errDown)); !errors.Is(err, errDown) {
			t.Errorf("beyond StaleFor got %v", err)
		}
	})
}

// What is gone, forbidden or impossible is not covered up by what was.
func TestADefiniteAnswerIsNotCoveredUp(t *testing.T) {
	for kind, covered := range map[fault.Kind]bool{
		fault.Invalid: false, fault.Unauthorized: false, fault.Gone: false,
		fault.Transient: true, fault.RateLimited: true, fault.Busy: true, fault.Internal: true,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := create[string, int](t, Config[int]{TTL: time.Minute, StaleFor: time.Hour})
			want(t, c, "a", 1, 1)
			time.Sleep(time.Minute)
			_, err := c.Get(t.Context(), "a", failure[int](fault.New(kind, errors.New("answer"))))
			if (err == nil) != covered {
				t.Errorf("%s: got %v", kind, err)
			}
			time.Sleep(2 * time.Second)
			// Once answered for good, the old value is not there for a later outage.
			_, err = c.Get(t.Context(), "a", failure[int](errDown))
			if (err == nil) != covered {
				t.Errorf("outage after %s: got %v", kind, err)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	for name, test := range map[string]struct {
		cfg       Config[string]
		kept      string
		evictions uint64
		oversize  uint64
	}{
		"all fit":        {Config[string]{Size: 5, Bytes: 15}, "abcde", 0, 0},
		"entries":        {Config[string]{Size: 3}, "cde", 2, 0},
		"bytes":          {Config[string]{Bytes: 9}, "de", 3, 0},
		"bytes, exactly": {Config[string]{Bytes: 12}, "cde", 2, 0},
		"one too heavy":  {Config[string]{Bytes: 4}, "d", 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			test.cfg.Weigh = func(s string) int { return len(s) }
			c := create[string, string](t, test.cfg)
			var want int64
			for i, key := range []string{"a", "b", "c", "d", "e"} {
				if _, err := c.Get(t.Context(), key, value(strings.Repeat("x", i+1))); err != nil {
					t.Fatal(err)
				}
			}
			var kept string
			for i, key := range []string{"a", "b", "c", "d", "e"} {
				if c.entries.Contains(key) {
					kept += key
					want += int64(i + 1)
				}
			}
			s := c.Stats()
			if kept != test.kept || s.Evictions != test.evictions || s.Oversize != test.oversize || s.Bytes != want || s.Size != len(kept) {
				t.Errorf("kept %q, stats %+v", kept, s)
			}
			c.Clear()
			if s := c.Stats(); s.Bytes != 0 || s.Size != 0 || s.Evictions != test.evictions {
				t.Errorf("cleared, the stats are %+v", s)
			}
		})
	}
}

func TestTheLeastRecentlyUsedLeaves(t *testing.T) {
	c := create[string, int](t, Config[int]{Size: 2})
	want(t, c, "a", 1, 1)
	want(t, c, "b", 1, 1)
	want(t, c, "a", 2, 1)
	want(t, c, "c", 1, 1)
	want(t, c, "a", 2, 1)
	want(t, c, "b", 2, 2)
}

// A replaced value's weight goes with it.
func TestWeightsOfReplacedValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, string](t, Config[string]{Bytes: 100, Weigh: func(s string) int { return len(s) }})
		for _, v := range []string{"xxxxxxxxxx", "x", "xxxx"} {
			want(t, c, "a", v, v)
			if got := c.Stats().Bytes; got != int64(len(v)) {
				t.Errorf("%d bytes are counted for %q", got, v)
			}
			time.Sleep(time.Minute)
		}
		_, _ = c.Get(t.Context(), "a", failure[string](errDown))
		if got := c.Stats().Bytes; got != 0 {
			t.Errorf("%d bytes are counted for a failure", got)
		}
	})
}

// Under the race detector: callers, leavers, forgetters and failures.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[int, int](t, Config[int]{
			Size: 20, Bytes: 100, Weigh: func(v int) int { return v % 10 }, TTL: 5 * time.Millisecond, ErrorTTL: time.Millisecond, StaleFor: 5 * time.Millisecond,
		})
		var all sync.WaitGroup
		for n := range 32 {
			all.Go(func() {
				for range 300 {
					key := rand.IntN(40)
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(4))*time.Millisecond+time.Microsecond)
					got, err := c.Get(ctx, key, func(context.Context) (int, error) {
						time.Sleep(time.Millisecond)
						switch rand.IntN(8) {
						case 0:
							return 0, errDown
						case 1:
							panic("boom")
						}
						return key, nil
					})
					if err == nil && got != key {
						t.Errorf("key %d got %d", key, got)
					}
					cancel()
					switch {
					case n == 0:
						c.Clear()
					case n < 4:
						c.Forget(key)
					case n < 8:
						_ = c.Stats()
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Second)
		s := c.Stats()
		if s.Hits+s.Misses+s.ErrorHits == 0 || s.Size > 20 || s.Bytes > 100 || s.Bytes < 0 || s.Loading != 0 || s.Hits == 0 || s.Shared == 0 || s.Evictions == 0 {
			t.Errorf("stats are %+v", s)
		}
		c.Clear()
		if s := c.Stats(); s.Bytes != 0 {
			t.Errorf("%d bytes are left of nothing", s.Bytes)
		}
	})
}
