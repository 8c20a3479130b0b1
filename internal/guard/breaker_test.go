package guard

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
)

func TestOpensAfterFailuresInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		fail(t, d, 4)
		if err := answer(t, d, nil); err != nil { // breaks the row
			t.Fatal(err)
		}
		fail(t, d, 4)
		wantState(t, d, Closed)
		fail(t, d, 1)
		wantState(t, d, Open)
		reached := false
		_, err := Do(t.Context(), d, Call{}, func(context.Context) (int, error) { reached = true; return 0, nil })
		if reached || !isOpen(err) {
			t.Fatalf("an open breaker let a call through: %v", err)
		}
	})
}

// gobreaker's own count of failures in a row leaves with the window.
func TestFailuresInARowCountHoweverFarApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{Window: time.Minute})
		for range 5 {
			wantState(t, d, Closed)
			fail(t, d, 1)
			time.Sleep(time.Hour)
		}
		if s := d.Stats(); s.State != Open || s.FailuresInARow != 5 {
			t.Errorf("stats are %+v", s)
		}
	})
}

// Calls that take their whole deadline are the ones that matter most in a hang.
func TestCallsAsLongAsTheirDeadlineCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: 1000, MinCalls: 10, Deadline: 10 * time.Minute, MaxConcurrent: 10})
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() {
				_, _ = Do(t.Context(), d, Call{}, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
			})
		}
		calls.Wait()
		wantState(t, d, Open)
	})
}

func TestOpensByRatio(t *testing.T) {
	for name, test := range map[string]struct {
		ok, failed int
		apart      time.Duration
		want       State
	}{
		"half of enough":      {10, 10, 0, Open},
		"less than half":      {11, 10, 0, Closed},
		"too few":             {9, 9, 0, Closed},
		"half, but long ago":  {10, 10, 7 * time.Second, Closed}, // 20 calls take 140 s
		"half, in the window": {10, 10, 2 * time.Second, Open},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := dependency(t, Config{FailureThreshold: 1000, Window: time.Minute})
				for i := range test.ok + test.failed {
					time.Sleep(test.apart)
					// Successes first, then one failure after another.
					if i < test.ok {
						_ = answer(t, d, nil)
					} else {
						_ = answer(t, d, errDown)
					}
				}
				if test.apart > 6*time.Second && d.Stats().Failures != uint64(test.failed) {
					t.Fatal("the calls were not made")
				}
				wantState(t, d, test.want)
			})
		})
	}
}

// A window that rolls, not one that starts over each minute.
func TestTheWindowRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{FailureThreshold: 1000, Window: time.Minute})
		time.Sleep(50 * time.Second)
		for range 10 {
			_ = answer(t, d, nil)
		}
		fail(t, d, 9)
		time.Sleep(20 * time.Second)
		wantState(t, d, Closed)
		fail(t, d, 1)
		wantState(t, d, Open)
	})
}

// B4: what the caller did wrong is no fault of the dependency.
func TestFourHundredsDoNotOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		for range 10_000 {
			if err := answer(t, d, errInvalid); isOpen(err) {
				t.Fatal("refused")
			}
		}
		wantState(t, d, Closed)
	})
}

// B3: of 1,000 callers who come together to a half-open breaker exactly as
// many as configured reach the dependency.
func TestExactlyTheProbesReachADependency(t *testing.T) {
	for _, probes := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			d := dependency(t, Config{Probes: probes, MaxConcurrent: 1000})
			fail(t, d, 5)
			time.Sleep(30 * time.Second)
			wantState(t, d, Open) // looking changes nothing

			var reached, refused atomic.Int64
			var callers sync.WaitGroup
			release := make(chan struct{})
			for range 1000 {
				callers.Go(func() {
					_, err := Do(t.Context(), d, Call{}, func(context.Context) (int, error) {
						reached.Add(1)
						<-release
						return 0, nil
					})
					if !isOpen(err) && err != nil {
						t.Error(err)
					} else if err != nil {
						refused.Add(1)
					}
				})
			}
			synctest.Wait()
			if reached.Load() != int64(probes) || refused.Load() != int64(1000-probes) {
				t.Errorf("%d reached the dependency and %d were refused, want %d and %d", reached.Load(), refused.Load(), probes, 1000-probes)
			}
			wantState(t, d, HalfOpen)
			close(release)
			callers.Wait()
			wantState(t, d, Closed)
		})
	}
}

func TestOneFailedProbeOpensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{Probes: 3})
		fail(t, d, 5)
		time.Sleep(30 * time.Second)
		_ = answer(t, d, nil)
		_ = answer(t, d, nil)
		wantState(t, d, HalfOpen)
		fail(t, d, 1)
		wantState(t, d, Open)
		if err := answer(t, d, nil); !isOpen(err) {
			t.Errorf("got %v", err)
		}
	})
}

// Open periods double up to their bound, and start over once it was closed.
func TestOpenPeriods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{ResetTimeout: 5 * time.Second, MaxResetTimeout: 60 * time.Second})
		fail(t, d, 5)
		periods := func(n int) (list []time.Duration) {
			for range n {
				s := d.Stats()
				list = append(list, s.NextProbe.Sub(s.Since))
				time.Sleep(time.Until(s.NextProbe) - 1)
				if err := answer(t, d, nil); !isOpen(err) {
					t.Fatalf("let through before the end of %s: %v", list[len(list)-1], err)
				}
				time.Sleep(1)
				fail(t, d, 1)
			}
			return list
		}
		want := []time.Duration{5, 10, 20, 40, 60, 60}
		for i := range want {
			want[i] *= time.Second
		}
		if diff := cmp.Diff(want, periods(6)); diff != "" {
			t.Errorf("open periods (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute)
		if err := answer(t, d, nil); err != nil {
			t.Fatal(err)
		}
		if s := d.Stats(); s.State != Closed || s.Openings != 0 || !s.NextProbe.IsZero() {
			t.Fatalf("stats are %+v", s)
		}
		fail(t, d, 5)
		if diff := cmp.Diff(want[:2], periods(2)); diff != "" {
			t.Errorf("open periods after it was closed (-want +got):\n%s", diff)
		}
	})
}

func TestOpenPeriodsVaryByAFifth(t *testing.T) {
	for random, want := range map[float64]time.Duration{0: 24 * time.Second, 0.5: 30 * time.Second, 0.9999999: 36 * time.Second} {
		b := newBreaker("test", &Config{ResetTimeout: 30 * time.Second, MaxResetTimeout: time.Minute, Rand: func() float64 { return random }})
		if got := b.period(1).Round(time.Millisecond); got != want {
			t.Errorf("with %v the period is %s, want %s", random, got, want)
		}
	}
}

// Refusals say when to come back, not before the next probe and not all at the
// same moment, and as a kind that burns no attempt.
func TestRefusalsSayWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{Rand: rand.New(rand.NewPCG(1, 2)).Float64})
		fail(t, d, 5)
		next := d.Stats().NextProbe
		times := make(map[time.Time]bool)
		for range 100 {
			err := answer(t, d, nil)
			at := fault.RetryAt(err)
			if fault.KindOf(err) != fault.Busy || at.Before(next) || at.Sub(next) > 4*time.Second {
				t.Fatalf("got %v (%v) at %s, the next probe is at %s", err, fault.KindOf(err), at, next)
			}
			times[at] = true
		}
		if len(times) < 90 {
			t.Errorf("only %d different times for 100 refusals", len(times))
		}
	})
}

// During a probe callers are told to come back soon, as fits the dependency.
func TestRefusalsDuringAProbe(t *testing.T) {
	for reset, soon := range map[time.Duration]time.Duration{30 * time.Second: probeWait, time.Second: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			d := dependency(t, Config{ResetTimeout: reset})
			fail(t, d, 5)
			time.Sleep(reset)
			hang := make(chan struct{})
			defer close(hang)
			go func() {
				_, _ = Do(t.Context(), d, Call{}, func(context.Context) (int, error) { <-hang; return 0, nil })
			}()
			synctest.Wait()
			err := answer(t, d, nil)
			if wait := time.Until(fault.RetryAt(err)); !isOpen(err) || wait < soon || wait > soon*3/2 {
				t.Errorf("got %v, come back in %s", err, wait)
			}
		})
	}
}

// A call that began before the outage neither closes the breaker, nor opens
// it, nor moves it on, whenever it ends.
func TestCallsFromBeforeTheOutageSayNothing(t *testing.T) {
	for name, result := range map[string]error{"success": nil, "failure": errDown} {
		for _, state := range []State{Open, HalfOpen, Closed} {
			t.Run(name+" while "+state.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := dependency(t, Config{FailureThreshold: 1, Deadline: time.Hour, Probes: 2})
					end, ended := make(chan struct{}), make(chan struct{})
					go func() {
						_, _ = Do(t.Context(), d, Call{}, func(context.Context) (int, error) { <-end; return 0, result })
						close(ended)
					}()
					synctest.Wait()
					fail(t, d, 1)
					time.Sleep(20 * time.Second) // gobreaker's own Timeout is over, ours is not
					if state != Open {
						time.Sleep(10 * time.Second)
						_ = answer(t, d, nil)
					}
					if state == Closed {
						_ = answer(t, d, nil)
					}
					wantState(t, d, state)
					before := d.Stats()
					close(end)
					<-ended
					wantState(t, d, state)
					if after := d.Stats(); after.Since != before.Since || after.FailuresInARow != before.FailuresInARow {
						t.Errorf("it went from %+v to %+v", before, after)
					}
				})
			})
		}
	}
}

// B2: a hung probe is a failed one at its deadline, even if it never returns.
func TestAHungProbeFreesItsSlot(t *testing.T) {
	for name, obedient := range map[string]bool{"that heeds its deadline": true, "that does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := dependency(t, Config{Deadline: 10 * time.Second})
				fail(t, d, 5)
				time.Sleep(30 * time.Second)
				end, ended := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(ended)
					_, _ = Do(t.Context(), d, Call{}, func(ctx context.Context) (int, error) {
						if obedient {
							<-ctx.Done()
							return 0, ctx.Err()
						}
						<-end
						return 0, nil
					})
				}()
				synctest.Wait()
				wantState(t, d, HalfOpen)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if s := d.Stats(); s.State != Open || s.Openings != 2 || s.NextProbe.Sub(s.Since) != time.Minute {
					t.Fatalf("stats are %+v", s)
				}
				time.Sleep(time.Minute)
				if err := answer(t, d, nil); err != nil {
					t.Fatalf("the next probe: %v", err)
				}
				wantState(t, d, Closed)
				close(end)
				<-ended
				wantState(t, d, Closed)
			})
		})
	}
}

// A probe whose caller leaves, or that gets a definite answer, makes room for
// another; neither closes the breaker.
func TestAProbeThatSaysNothingMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		fail(t, d, 5)
		time.Sleep(30 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = Do(ctx, d, Call{}, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		wantState(t, d, HalfOpen)
		if err := answer(t, d, errInvalid); !errors.Is(err, errInvalid) {
			t.Fatalf("got %v", err)
		}
		wantState(t, d, HalfOpen)
		if err := answer(t, d, nil); err != nil {
			t.Fatal(err)
		}
		wantState(t, d, Closed)
	})
}

// The figure the design asks for: a dependency that is dead is left alone.
func TestADeadDependencyIsLeftAlone(t *testing.T) {
	for name, cfg := range map[string]Config{
		"defaults":                {},
		"GitHub (5 s to 5 min)":   {ResetTimeout: 5 * time.Second, MaxResetTimeout: 5 * time.Minute, Probes: 2},
		"models (15 s to 10 min)": {ResetTimeout: 15 * time.Second, MaxResetTimeout: 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg.Rand = func() float64 { return 0 } // the shortest waits there are
				d := dependency(t, cfg)
				reached := 0
				for range 3 * 60 * 10 {
					_, _ = Do(t.Context(), d, Call{Idempotent: true}, func(context.Context) (int, error) { reached++; return 0, errDown })
					time.Sleep(100 * time.Millisecond)
				}
				t.Logf("of 1800 calls in 3 minutes %d reached the dead dependency", reached)
				if reached > 15 || reached < 5 {
					t.Errorf("%d calls reached the dead dependency, want at most 15", reached)
				}
			})
		})
	}
}

// B1: a dependency that comes and goes every 5 seconds for a day.
func TestFlappingForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes, probes, failures int
		d := dependency(t, Config{Rand: rand.New(rand.NewPCG(3, 4)).Float64, OnChange: func(c Change) {
			changes++
			if c.To == HalfOpen {
				probes++
			}
		}})
		start := time.Now()
		for time.Since(start) < 24*time.Hour {
			_, err := Do(t.Context(), d, Call{}, func(context.Context) (int, error) {
				if time.Since(start)/(5*time.Second)%2 == 0 {
					return 0, nil
				}
				return 0, errDown
			})
			if errors.Is(err, errDown) {
				failures++
			}
			time.Sleep(500 * time.Millisecond)
		}
		t.Logf("24 h of flapping: %d changes of state, %d probes, %d failed calls of %d", changes, probes, failures, d.Stats().Total)
		// Every half-open period follows an open one of 24 s at the least.
		if most := int(24 * time.Hour / (24 * time.Second)); probes > most || changes > 3*most {
			t.Errorf("%d probes and %d changes of state, want at most %d and %d", probes, changes, most, 3*most)
		}
		if probes < 500 {
			t.Errorf("only %d probes: it did not flap", probes)
		}
	})
}

// OnChange hears of every change, in order, and may use the dependency.
func TestOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		var d *Dependency
		telling := false
		d = dependency(t, Config{OnChange: func(c Change) {
			got = append(got, c.From.String()+" to "+c.To.String())
			if telling {
				t.Error("told of a change while it was being told of another")
			}
			telling = true
			defer func() { telling = false }()
			if c.Dependency != "test" || !c.At.Equal(time.Now()) || c.NextProbe.IsZero() == (c.To == Open) {
				t.Errorf("odd change %+v", c)
			}
			if d.Stats().State != c.To {
				t.Errorf("the state is not %s when its change is told", c.To)
			}
			if c.To == Closed {
				fail(t, d, 5) // opens it again, from within
			}
		}})
		fail(t, d, 5)
		time.Sleep(30 * time.Second)
		if err := answer(t, d, nil); err != nil {
			t.Fatal(err)
		}
		want := []string{"CLOSED to OPEN", "OPEN to HALF_OPEN", "HALF_OPEN to CLOSED", "CLOSED to OPEN"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
	})
}

func TestUnavailableIsTheTimeNotClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dependency(t, Config{})
		time.Sleep(time.Hour)
		fail(t, d, 5)
		time.Sleep(30 * time.Second)
		fail(t, d, 1)
		time.Sleep(70 * time.Second)
		if got := d.Stats().Unavailable; got != 100*time.Second {
			t.Errorf("during the outage %s", got)
		}
		_ = answer(t, d, nil)
		time.Sleep(time.Hour)
		fail(t, d, 5)
		time.Sleep(5 * time.Second)
		if got := d.Stats().Unavailable; got != 105*time.Second {
			t.Errorf("during the second outage %s", got)
		}
	})
}

// Under the race detector: callers, lookers and an upstream that comes and
// goes. What reached the dependency must be what was counted.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reached, changes atomic.Int64
		d := dependency(t, Config{
			FailureThreshold: 3, ResetTimeout: 50 * time.Millisecond, MaxResetTimeout: 200 * time.Millisecond, Probes: 2,
			MaxConcurrent: 8, MaxWait: time.Second, Rand: rand.Float64, OnChange: func(Change) { changes.Add(1) },
		})
		start := time.Now()
		var all sync.WaitGroup
		for n := range 32 {
			all.Go(func() {
				for range 300 {
					_, _ = Do(t.Context(), d, Call{Idempotent: n%2 == 0}, func(context.Context) (int, error) {
						reached.Add(1)
						time.Sleep(time.Millisecond)
						if time.Since(start)/(100*time.Millisecond)%2 == 0 {
							return 0, nil
						}
						return 0, errDown
					})
					_ = d.Stats()
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
		s := d.Stats()
		if int64(s.Successes+s.Failures) != reached.Load() || s.Total != 32*300 || s.InFlight != 0 || s.Waiting != 0 {
			t.Errorf("%d reached the dependency, stats are %+v", reached.Load(), s)
		}
		if changes.Load() < 6 {
			t.Errorf("only %d changes of state", changes.Load())
		}
	})
}
