package ghapp

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
	"assay/review"
)

// wire records when requests begin and end, by installation.
type wire struct {
	mu    sync.Mutex
	spans map[string][]span
}

type span struct{ from, to time.Time }

func (w *wire) roundTrip(took time.Duration) roundTrip {
	w.spans = make(map[string][]span)
	return func(r *http.Request) (*http.Response, error) {
		from := time.Now()
		if err := sleep(r.Context(), took); err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		owner := strings.Split(r.URL.Path, "/")[2]
		w.spans[owner] = append(w.spans[owner], span{from, time.Now()})
		return answer(201, `{"id":1}`), nil
	}
}

func repoOf(owner string) review.Repo { return review.Repo{ID: 1, Owner: owner, Name: "r"} }

func TestWritesArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w wire
		a := patient(t, w.roundTrip(300*time.Millisecond))
		start := time.Now()
		var wg sync.WaitGroup
		for range 5 {
			for i, owner := range []string{"one", "two"} {
				wg.Go(func() {
					r := a.Repository(int64(i+1), repoOf(owner), ForReview)
					if _, err := r.CreateComment(t.Context(), 5, "m", "m"); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		for owner, spans := range w.spans {
			if len(spans) != 5 {
				t.Errorf("%s: %d writes", owner, len(spans))
			}
			for i := 1; i < len(spans); i++ {
				if gap := spans[i].from.Sub(spans[i-1].to); gap != time.Second {
					t.Errorf("%s: write %d began %v after the one before it had ended, want 1s", owner, i, gap)
				}
			}
		}
		// 5 of 300 ms with 4 pauses: neither installation waits for the other.
		if d := time.Since(start); d != 5500*time.Millisecond {
			t.Errorf("took %v", d)
		}
	})
}

// TestCheckUpdatesAreSerial holds that writes which create nothing go one by
// one too, without the pause.
func TestCheckUpdatesAreSerial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w wire
		r := patient(t, w.roundTrip(300*time.Millisecond)).Repository(1, repoOf("one"), ForReview)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := r.UpdateCheck(t.Context(), 1, review.CheckRun{Status: review.CheckInProgress}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := 1; i < len(w.spans["one"]); i++ {
			if gap := w.spans["one"][i].from.Sub(w.spans["one"][i-1].to); gap != 0 {
				t.Errorf("write %d began %v after the one before it", i, gap)
			}
		}
	})
}

func TestWaitingWriterHonoursItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w wire
		r := patient(t, w.roundTrip(10*time.Second)).Repository(1, repoOf("one"), ForReview)
		first := make(chan error, 1)
		go func() { _, err := r.CreateComment(t.Context(), 5, "m", "m"); first <- err }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		_, err := r.CreateComment(ctx, 5, "m", "m")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("left the queue after %v with %v", time.Since(start), err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
		// Now the pause is what there is no time for.
		ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := r.CreateComment(ctx, 5, "m", "m"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("in the pause: %v", err)
		}
		if n := len(w.spans["one"]); n != 1 {
			t.Errorf("%d writes, want 1", n)
		}
		// Those who left hold nothing.
		if _, err := r.CreateComment(t.Context(), 5, "m", "m"); err != nil {
			t.Error(err)
		}
	})
}

// TestRateLimitIsHeard is faults G4, G5 and B6: not one call for the
// installation before the limit ends, and others go on.
func TestRateLimitIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := map[string]int{}
		limitedUntil := time.Now().Add(30 * time.Minute)
		a := patient(t, func(r *http.Request) (*http.Response, error) {
			owner := strings.Split(r.URL.Path, "/")[2]
			calls[owner]++
			if owner == "one" && time.Now().Before(limitedUntil) {
				return answer(429, `{"message":"slow down"}`, "Retry-After", "1800"), nil
			}
			return answer(200, checkRun), nil
		})
		one, two := a.Repository(1, repoOf("one"), ForReview), a.Repository(2, repoOf("two"), ForReview)
		for range 10 {
			_, err := one.AnnotationCount(t.Context(), 3)
			wantKind(t, err, fault.RateLimited)
			if got := fault.RetryAt(err); !got.Equal(limitedUntil) {
				t.Fatalf("retry at %v, want %v", got, limitedUntil)
			}
			start := time.Now()
			for range 3 {
				if _, err := one.CreateComment(t.Context(), 5, "m", "m"); fault.KindOf(err) != fault.RateLimited {
					t.Fatalf("write: %v", err)
				}
			}
			if d := time.Since(start); d != 0 {
				t.Fatalf("writers waited %v to be refused", d)
			}
			if _, err := two.AnnotationCount(t.Context(), 3); err != nil {
				t.Fatalf("the other installation: %v", err)
			}
			time.Sleep(2 * time.Minute)
		}
		if calls["one"] != 1 || calls["two"] != 10 {
			t.Errorf("calls %v, want 1 and 10", calls)
		}
		time.Sleep(time.Until(limitedUntil))
		if _, err := one.AnnotationCount(t.Context(), 3); err != nil {
			t.Errorf("after the limit: %v", err)
		}
	})
}

func TestUntimedLimitDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		a := patient(t, func(*http.Request) (*http.Response, error) {
			if down {
				return answer(403, `{"message":"You have exceeded a secondary rate limit."}`), nil
			}
			return answer(200, checkRun), nil
		})
		r := a.Repository(1, repoOf("one"), ForReview)
		wait := func() time.Duration {
			_, err := r.AnnotationCount(t.Context(), 3)
			wantKind(t, err, fault.RateLimited)
			return time.Until(fault.RetryAt(err))
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			got := wait()
			if got != want*time.Minute {
				t.Errorf("limit %d: wait %v, want %v", i, got, want*time.Minute)
			}
			time.Sleep(got)
		}
		down = false
		if _, err := r.AnnotationCount(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		down = true
		if got := wait(); got != time.Minute {
			t.Errorf("after a success: wait %v, want 1m", got)
		}
	})
}

// TestEchoesOfALimitDoNotDouble holds that calls under way when the limit came
// count as the one limit they hit.
func TestEchoesOfALimitDoNotDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := patient(t, func(r *http.Request) (*http.Response, error) {
			if err := sleep(r.Context(), time.Second); err != nil {
				return nil, err
			}
			return answer(403, `{"message":"You have exceeded a secondary rate limit."}`), nil
		})
		start := time.Now()
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() {
				_, err := a.Repository(1, repoOf("one"), ForReview).AnnotationCount(t.Context(), 3)
				if at := fault.RetryAt(err).Sub(start); fault.KindOf(err) != fault.RateLimited || at != time.Minute+time.Second {
					t.Errorf("retry after %v: %v", at, err)
				}
			})
		}
		calls.Wait()
	})
}

func TestInstallationsAreForgotten(t *testing.T) {
	now := time.Now()
	s := newInstallations(pace{interval: time.Second, perHour: 500}, func() time.Time { return now })
	busy, _ := s.use(1)
	paced, done := s.use(3)
	end, err := paced.writer.begin(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	end()
	done()
	churn := func() {
		for id := range int64(5 * maxIdle) {
			_, done := s.use(100 + id)
			done()
		}
		if n := len(s.byID); n > maxIdle {
			t.Errorf("%d installations remembered, want at most %d", n, maxIdle)
		}
	}
	now = now.Add(59 * time.Minute)
	churn()
	for id, want := range map[int64]*installation{1: busy, 3: paced} {
		got, done := s.use(id)
		if got != want {
			t.Errorf("installation %d was forgotten in the middle of it", id)
		}
		done()
	}
	now = now.Add(time.Minute)
	churn()
	if _, ok := s.byID[3]; ok {
		t.Error("an installation that wrote an hour ago is remembered")
	}
}
