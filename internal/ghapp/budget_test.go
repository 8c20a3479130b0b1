package ghapp

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
)

// TestBudgets holds that what GitHub says of each installation is known, from
// good answers, from unchanged ones and from refusals.
func TestBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		headers := func(remaining int, reset time.Duration, more ...string) []string {
			return append([]string{
				"X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", strconv.Itoa(remaining),
				"X-RateLimit-Reset", strconv.FormatInt(start.Add(reset).Unix(), 10), "X-RateLimit-Resource", "core",
			}, more...)
		}
		answers := map[string]*http.Response{
			"one":   answer(200, checkRun, headers(4000, 30*time.Minute)...),
			"two":   answer(403, `{"message":"API rate limit exceeded"}`, headers(0, 10*time.Minute)...),
			"three": answer(429, `{"message":"slow down"}`, "Retry-After", "60"),
			// Its clock is an hour ahead of ours.
			"four": answer(200, checkRun, headers(7, 80*time.Minute, "Date", start.Add(time.Hour).UTC().Format(http.TimeFormat))...),
			"five": answer(200, checkRun, "X-RateLimit-Limit", "30", "X-RateLimit-Remaining", "1", "X-RateLimit-Reset", "1", "X-RateLimit-Resource", "search"),
			"six":  answer(200, checkRun, "X-RateLimit-Limit", "odd"),
		}
		a := patient(t, func(r *http.Request) (*http.Response, error) {
			return answers[strings.Split(r.URL.Path, "/")[2]], nil
		})
		for i, owner := range []string{"one", "two", "three", "four", "five", "six"} {
			_, _ = a.Repository(int64(i+1), repoOf(owner), ForReview).AnnotationCount(t.Context(), 3)
		}
		want := []Budget{
			{Installation: 1, Limit: 5000, Remaining: 4000, Reset: start.Add(30 * time.Minute), At: start},
			{Installation: 2, Limit: 5000, Remaining: 0, Reset: start.Add(10 * time.Minute), At: start, LimitedUntil: start.Add(10 * time.Minute)},
			{Installation: 3, LimitedUntil: start.Add(time.Minute)},
			{Installation: 4, Limit: 5000, Remaining: 7, Reset: start.Add(20 * time.Minute), At: start},
		}
		if d := cmp.Diff(want, a.Budgets()); d != "" {
			t.Error(d)
		}
		time.Sleep(25 * time.Minute)
		if got := a.Budgets(); len(got) != 1 || got[0].Installation != 1 {
			t.Errorf("after their hours: %+v", got)
		}
	})
}

// TestBudgetsOvertakeEachOther holds that the answer which is read last is not
// taken for the last that was given.
func TestBudgetsOvertakeEachOther(t *testing.T) {
	now := time.Now()
	said := func(remaining int, window int64) rate { return rate{remaining: remaining, window: window, at: now} }
	var r rate
	for _, step := range []struct {
		next          rate
		wantRemaining int
	}{{said(10, 1), 10}, {said(8, 1), 8}, {said(9, 1), 8}, {rate{}, 8}, {said(50, 2), 50}, {said(7, 1), 50}} {
		if r = r.later(step.next); r.remaining != step.wantRemaining {
			t.Errorf("after %+v: %d remain, want %d", step.next, r.remaining, step.wantRemaining)
		}
	}
}

// TestWritesKeepToGitHubsBounds holds 80 a minute and 500 an hour: the next
// writer is told when to come back and holds nobody up.
func TestWritesKeepToGitHubsBounds(t *testing.T) {
	tests := []struct {
		interval time.Duration
		minute   int // written in the first minute
		hour     int // in the first hour
	}{
		{time.Nanosecond, 80, 500},
		{time.Second, 60, 500},
	}
	for _, tt := range tests {
		t.Run(tt.interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var at []time.Duration
				a := patient(t, func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						at = append(at, time.Since(start))
					}
					return answer(201, `{"id":1}`), nil
				})
				a.installations.pace.interval = tt.interval
				r := a.Repository(testInstall, testRepo, ForReview)
				for len(at) < 520 {
					_, err := r.CreateComment(t.Context(), 5, "m", "m")
					if err == nil {
						continue
					}
					if fault.KindOf(err) != fault.RateLimited || !fault.RetryAt(err).After(time.Now().Add(writerPatience)) {
						t.Fatalf("refused with %v until %v", err, fault.RetryAt(err))
					}
					before := time.Now()
					if err := r.UpdateComment(t.Context(), 1, "m"); err != nil || time.Since(before) != 0 {
						t.Fatalf("an edit meanwhile: %v after %v", err, time.Since(before))
					}
					time.Sleep(time.Until(fault.RetryAt(err)))
				}
				for _, bound := range []struct {
					span time.Duration
					most int
				}{{time.Minute, 80}, {time.Hour, 500}} {
					for i := bound.most; i < len(at); i++ {
						if gap := at[i] - at[i-bound.most]; gap < bound.span {
							t.Fatalf("writes %d and %d are %v apart", i-bound.most, i, gap)
						}
					}
				}
				within := func(span time.Duration) (n int) {
					for ; n < len(at) && at[n] < span; n++ {
					}
					return n
				}
				if m, h := within(time.Minute), within(time.Hour); m != tt.minute || h != tt.hour {
					t.Errorf("%d in a minute, %d in an hour; want %d and %d", m, h, tt.minute, tt.hour)
				}
			})
		})
	}
}
