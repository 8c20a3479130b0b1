package ghapp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
	"assay/internal/guard"
)

// patient is an App on transport in virtual time, with the waits of production.
func patient(t *testing.T, transport roundTrip) *App {
	t.Helper()
	a := quick(t, Config{Transport: withTokens(transport)}, func(c *Config) {
		c.WriteInterval, c.WritesPerMinute, c.WritesPerHour = 0, 0, 0
		c.Guards = guard.NewSet(func(string) guard.Config { return guard.Config{Rand: func() float64 { return 0.999 }} })
	})
	a.settling = settling
	return a
}

func TestReadsAreRetried(t *testing.T) {
	broken := errors.New("connection reset by peer")
	tests := []struct {
		name  string
		fails int
		fail  func() (*http.Response, error)
		calls int
		kind  fault.Kind // of the outcome; Internal for none
	}{
		{"one 502", 1, func() (*http.Response, error) { return answer(502, ""), nil }, 2, fault.Internal},
		{"two broken connections", 2, func() (*http.Response, error) { return nil, broken }, 3, fault.Internal},
		{"for ever 500", 9, func() (*http.Response, error) { return answer(500, ""), nil }, 3, fault.Transient},
		{"cut off", 1, func() (*http.Response, error) {
			resp := answer(200, "")
			resp.Body = io.NopCloser(io.MultiReader(answer(200, `{"id":3,`).Body, failing{io.ErrUnexpectedEOF}))
			return resp, nil
		}, 2, fault.Internal},
		{"503 for 5 s", 1, func() (*http.Response, error) { return answer(503, "", "Retry-After", "5"), nil }, 2, fault.Internal},
		{"503 for a minute", 9, func() (*http.Response, error) { return answer(503, "", "Retry-After", "60"), nil }, 1, fault.Transient},
		{"422", 9, func() (*http.Response, error) { return answer(422, "{}"), nil }, 1, fault.Invalid},
		{"404", 9, func() (*http.Response, error) { return answer(404, "{}"), nil }, 1, fault.Gone},
		{"429", 9, func() (*http.Response, error) { return answer(429, "{}"), nil }, 1, fault.RateLimited},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				a := patient(t, func(*http.Request) (*http.Response, error) {
					if calls++; calls <= tt.fails {
						return tt.fail()
					}
					return answer(200, checkRun), nil
				})
				_, err := a.Repository(testInstall, testRepo, ForReview).AnnotationCount(t.Context(), 3)
				if calls != tt.calls || (err == nil) != (tt.kind == fault.Internal) || fault.KindOf(err) != tt.kind {
					t.Errorf("%d calls, %v (%v); want %d, %v", calls, err, fault.KindOf(err), tt.calls, tt.kind)
				}
			})
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestRetryHonoursTheDeadline holds that a caller gets the real error at once
// when there is no time for another attempt.
func TestRetryHonoursTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := patient(t, func(*http.Request) (*http.Response, error) { return answer(502, ""), nil })
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := a.Repository(testInstall, testRepo, ForReview).AnnotationCount(ctx, 3)
		wantKind(t, err, fault.Transient)
		if time.Since(start) != 0 || !hasStatus(err, 502) {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestHungCallEnds is faults G3: no answer at all, and one that drips.
func TestHungCallEnds(t *testing.T) {
	for name, drip := range map[string]bool{"no answer": false, "one byte a second": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := patient(t, func(r *http.Request) (*http.Response, error) {
					if drip {
						resp := answer(200, "")
						resp.Body = io.NopCloser(dripping{r.Context()})
						return resp, nil
					}
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				start := time.Now()
				_, err := a.Repository(testInstall, testRepo, ForReview).AnnotationCount(t.Context(), 3)
				wantKind(t, err, fault.Transient)
				if d := time.Since(start); d < 3*defaultCallTimeout || d > 3*defaultCallTimeout+2*time.Second {
					t.Errorf("gave up after %v, want three calls of %v", d, defaultCallTimeout)
				}
			})
		})
	}
}

type dripping struct{ ctx context.Context }

func (d dripping) Read(p []byte) (int, error) {
	if err := sleep(d.ctx, time.Second); err != nil {
		<-d.ctx.Done()
		return 0, d.ctx.Err()
	}
	p[0] = ' '
	return 1, nil
}
