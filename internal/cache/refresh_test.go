package cache

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
)

// source is something that changes, and is asked whether it has.
type source struct {
	mu      sync.Mutex // of loads beside each other
	version int
	err     error
	asked   int
	kept    []int // what each load was handed; 0 for nothing
}

func (s *source) load(took time.Duration) func(context.Context, int, bool) (int, bool, error) {
	return func(_ context.Context, kept int, known bool) (int, bool, error) {
		s.mu.Lock()
		s.asked++
		if known != (kept != 0) {
			panic("a value that is not known")
		}
		s.kept = append(s.kept, kept)
		version, err := s.version, s.err
		s.mu.Unlock()
		time.Sleep(took)
		return version, version == kept, err
	}
}

func TestRefreshAsksEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int](t, Config[int]{TTL: time.Hour})
		s := &source{version: 1}
		for _, step := range []struct{ version, want int }{{1, 1}, {1, 1}, {2, 2}, {2, 2}} {
			s.version = step.version
			if got, err := c.Refresh(t.Context(), "a", s.load(0)); err != nil || got != step.want {
				t.Errorf("got %d, %v; want %d", got, err, step.want)
			}
		}
		time.Sleep(time.Hour)
		_, _ = c.Refresh(t.Context(), "a", s.load(0))
		if want := [5]int{0, 1, 1, 2, 0}; [5]int(s.kept) != want {
			t.Errorf("loads were handed %v, want %v", s.kept, want)
		}
		if st := c.Stats(); st.Loads != 5 || st.Confirmed != 2 || st.Misses != 5 || st.Hits != 0 {
			t.Errorf("stats are %+v", st)
		}
	})
}

// TestRefreshKeepsItsValueThroughAnOutage holds that a failure is nobody's
// answer but its own callers', and costs the kept value only if it is definite.
func TestRefreshKeepsItsValueThroughAnOutage(t *testing.T) {
	for kind, kept := range map[fault.Kind]int{fault.Transient: 1, fault.Busy: 1, fault.RateLimited: 1, fault.Gone: 0, fault.Unauthorized: 0} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := create[string, int](t, Config[int]{TTL: time.Hour, StaleFor: time.Hour, ErrorTTL: time.Minute})
				s := &source{version: 1}
				_, _ = c.Refresh(t.Context(), "a", s.load(0))
				s.err = fault.New(kind, errors.New("no"))
				if _, err := c.Refresh(t.Context(), "a", s.load(0)); fault.KindOf(err) != kind {
					t.Errorf("error %v", err)
				}
				s.err = nil
				if got, err := c.Refresh(t.Context(), "a", s.load(0)); got != 1 || err != nil {
					t.Errorf("afterwards: %d, %v", got, err)
				}
				if want := [3]int{0, 1, kept}; [3]int(s.kept) != want {
					t.Errorf("loads were handed %v, want %v", s.kept, want)
				}
			})
		})
	}
}

// TestRefreshIsNeverOlderThanItsCall holds both halves: those who come together
// share a load, and one that is under way answers nobody who came after it
// began.
func TestRefreshIsNeverOlderThanItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int](t, Config[int]{TTL: time.Hour})
		s := &source{version: 1}
		var callers sync.WaitGroup
		ask := func(want int) {
			callers.Go(func() {
				if got, err := c.Refresh(t.Context(), "a", s.load(time.Second)); err != nil || got != want {
					t.Errorf("got %d, %v; want %d", got, err, want)
				}
			})
		}
		ask(1)
		synctest.Wait() // it has read version 1, and is on its way back
		s.version = 2
		for range 100 {
			ask(2)
		}
		callers.Wait()
		if s.asked != 2 {
			t.Errorf("asked %d times, want 2", s.asked)
		}
		if st := c.Stats(); st.Loads != 2 || st.Shared != 99 {
			t.Errorf("stats are %+v", st)
		}
	})
}

// TestRefreshPassesALoadThatHangs holds that a load which does not end keeps up
// those who wait for it and nobody else, and that what it brings in the end
// does not take the place of what is newer.
func TestRefreshPassesALoadThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int](t, Config[int]{TTL: time.Hour})
		s := &source{version: 1}
		var hung sync.WaitGroup
		hung.Go(func() {
			if got, err := c.Refresh(t.Context(), "a", s.load(20*time.Second)); got != 1 || err != nil {
				t.Errorf("who waits for it got %d, %v", got, err)
			}
		})
		synctest.Wait()
		s.version = 2
		start := time.Now()
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				if got, err := c.Refresh(t.Context(), "a", s.load(time.Second)); got != 2 || err != nil {
					t.Errorf("who came later got %d, %v", got, err)
				}
			})
		}
		callers.Wait()
		if took := time.Since(start); took != renewPatience+time.Second || s.asked != 2 {
			t.Errorf("they waited %v, and asked %d times", took, s.asked-1)
		}
		hung.Wait()
		_, _ = c.Refresh(t.Context(), "a", s.load(0))
		if kept := s.kept[len(s.kept)-1]; kept != 2 {
			t.Errorf("version %d was kept", kept)
		}
	})
}

func TestCallersOfRefreshMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := create[string, int](t, Config[int]{TTL: time.Hour})
		s := &source{version: 1}
		leave := func(patience time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start := time.Now()
			if _, err := c.Refresh(ctx, "a", s.load(10*time.Second)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != patience {
				t.Errorf("left after %v with %v", time.Since(start), err)
			}
		}
		leave(2 * time.Second)        // in its own load
		leave(500 * time.Millisecond) // while another's has to end first
		leave(5 * time.Second)        // in its own, which passed the other
		if got, err := c.Refresh(t.Context(), "a", s.load(0)); got != 1 || err != nil || s.asked != 3 {
			t.Errorf("got %d, %v after %d loads", got, err, s.asked)
		}
		time.Sleep(10 * time.Second) // for the loads that everybody has left
	})
}
