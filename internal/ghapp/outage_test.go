package ghapp

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
	"assay/internal/guard"
)

// guarded is an App of which the test sees the guards; its breakers open for
// exactly 30 s at first.
func guarded(t *testing.T, transport roundTrip) (*App, *guard.Set) {
	set := guard.NewSet(func(string) guard.Config { return guard.Config{Rand: func() float64 { return 0.5 }} })
	return quick(t, Config{Transport: transport}, func(c *Config) { c.Guards = set }), set
}

func state(t *testing.T, set *guard.Set, name string) guard.Stats {
	t.Helper()
	d, err := set.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return d.Stats()
}

// anything makes calls of each kind.
var anything = map[string]func(*testing.T, *Repository) error{
	"a direct read":      func(t *testing.T, r *Repository) error { _, err := r.AnnotationCount(t.Context(), 3); return err },
	"a remembered read":  func(t *testing.T, r *Repository) error { _, err := r.Pull(t.Context(), 5); return err },
	"a file of a commit": func(t *testing.T, r *Repository) error { _, err := r.File(t.Context(), headSHA, "f"); return err },
	"a creating write": func(t *testing.T, r *Repository) error {
		_, err := r.CreateComment(t.Context(), 5, "m", "m")
		return err
	},
	"another write": func(t *testing.T, r *Repository) error { return r.UpdateComment(t.Context(), 5, "m") },
}

// TestOutageIsQuietAndHeals holds that a dead GitHub is left alone by calls of
// every kind, and tried again by one call only.
func TestOutageIsQuietAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var calls atomic.Int32
		github := withTokens(func(*http.Request) (*http.Response, error) {
			if down.Load() {
				return answer(503, "down"), nil
			}
			return answer(200, checkRun), nil
		})
		a, set := guarded(t, func(r *http.Request) (*http.Response, error) {
			calls.Add(1)
			return github(r)
		})
		r := a.Repository(testInstall, testRepo, ForReview)
		down.Store(true)
		for range 2 {
			_, _ = r.AnnotationCount(t.Context(), 3)
		}
		opened := calls.Load()
		if s := state(t, set, RESTDependency); s.State != guard.Open || opened != 1+5 {
			t.Fatalf("after a token and %d failures the breaker is %s", opened-1, s.State)
		}
		until := state(t, set, RESTDependency).NextProbe
		start := time.Now()
		for name, call := range anything {
			for _, r := range []*Repository{r, a.Repository(testInstall+1, testRepo, ForReview)} { // the latter without a token
				err := call(t, r)
				if fault.KindOf(err) != fault.Busy || fault.RetryAt(err).Before(until) {
					t.Errorf("%s: %v (%v, until %v)", name, err, fault.KindOf(err), fault.RetryAt(err))
				}
			}
		}
		if calls.Load() != opened || time.Since(start) != 0 {
			t.Errorf("%d calls reached a dead GitHub in %v", calls.Load()-opened, time.Since(start))
		}

		down.Store(false)
		time.Sleep(time.Until(until))
		var passed atomic.Int32
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				if _, err := r.AnnotationCount(t.Context(), 3); err == nil {
					passed.Add(1)
				} else if fault.KindOf(err) != fault.Busy {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if s := state(t, set, RESTDependency); s.State != guard.Closed || passed.Load() < 1 {
			t.Errorf("after a good probe the breaker is %s; %d calls passed", s.State, passed.Load())
		}
		if _, err := r.AnnotationCount(t.Context(), 3); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestOpenBreakerFailsFast measures in real time. The bound is loose, for busy
// machines and the race detector; a network would still not fit into it.
func TestOpenBreakerFailsFast(t *testing.T) {
	a, set := guarded(t, withTokens(func(*http.Request) (*http.Response, error) { return answer(503, ""), nil }))
	r := a.Repository(testInstall, testRepo, ForReview)
	for state(t, set, RESTDependency).State != guard.Open {
		_ = r.UpdateComment(within(t), 5, "m")
	}
	for name, call := range anything {
		const calls = 200
		start := time.Now()
		for range calls {
			if err := call(t, r); fault.KindOf(err) != fault.Busy {
				t.Fatalf("%s: %v", name, err)
			}
		}
		took := time.Since(start) / calls
		t.Logf("%s: %v", name, took)
		if took > time.Millisecond {
			t.Errorf("%s took %v with the breaker open", name, took)
		}
	}
}

// TestTokensFailOnTheirOwn holds that trouble with making tokens opens no
// breaker but its own: who has a token goes on.
func TestTokensFailOnTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var mints atomic.Int32
		tokens := withTokens(func(*http.Request) (*http.Response, error) { return answer(200, checkRun), nil })
		a, set := guarded(t, func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/access_tokens") {
				if mints.Add(1); down.Load() {
					return answer(502, ""), nil
				}
			}
			return tokens(r)
		})
		has := a.Repository(1, testRepo, ForReview)
		if _, err := has.AnnotationCount(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		down.Store(true)
		for i := range 20 {
			_, err := a.Repository(int64(2+i), testRepo, ForReview).AnnotationCount(t.Context(), 3)
			if kind := fault.KindOf(err); kind != fault.Transient && kind != fault.Busy {
				t.Errorf("without a token: %v", err)
			}
			if _, err := has.AnnotationCount(t.Context(), 3); err != nil {
				t.Errorf("with a token: %v", err)
			}
		}
		if s := state(t, set, TokenDependency); s.State != guard.Open || mints.Load() != 1+5 {
			t.Errorf("the tokens' breaker is %s after %d requests", s.State, mints.Load())
		}
		if s := state(t, set, RESTDependency); s.State != guard.Closed || s.Failures != 0 {
			t.Errorf("the API's breaker is %s, with %d failures", s.State, s.Failures)
		}
	})
}

// TestLimitsAndRefusalsOpenNothing is faults B4 and B6: whatever GitHub says
// about single installations says nothing of its health.
func TestLimitsAndRefusalsOpenNothing(t *testing.T) {
	refusals := []int{403, 429, 400, 401, 404, 410, 422, 451}
	synctest.Test(t, func(t *testing.T) {
		a, set := guarded(t, withTokens(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, "/repos/well/") {
				return answer(200, checkRun), nil
			}
			return answer(refusals[len(r.URL.Path)%len(refusals)], `{"message":"rate limit"}`), nil
		}))
		for i := range 200 {
			sick := repoOf("sick" + strings.Repeat("k", i%len(refusals)))
			if _, err := a.Repository(int64(100+i), sick, ForReview).AnnotationCount(t.Context(), 3); err == nil {
				t.Fatal("a refusal was no error")
			}
			if _, err := a.Repository(1, repoOf("well"), ForReview).AnnotationCount(t.Context(), 3); err != nil {
				t.Fatalf("the other installation: %v", err)
			}
		}
		s := state(t, set, RESTDependency)
		if s.State != guard.Closed || s.Failures != 0 || s.Limited != 50 {
			t.Errorf("the breaker is %s with %d failures, %d limits; want CLOSED, 0, 50", s.State, s.Failures, s.Limited)
		}
	})
}

// TestUnknownWriteBehindAnOpenBreaker holds that a write whose answer was lost
// when GitHub went down is put off, and neither repeated nor given up.
func TestUnknownWriteBehindAnOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a, _ := guarded(t, withTokens(func(*http.Request) (*http.Response, error) {
			calls++
			return nil, errors.New("connection reset by peer")
		}))
		r := a.Repository(testInstall, testRepo, ForReview)
		_, _ = r.AnnotationCount(t.Context(), 3)
		_ = r.UpdateComment(t.Context(), 5, "m") // three failures before it, and its own two
		before := calls
		_, err := r.CreateComment(t.Context(), 5, "m", "m")
		if wantKind(t, err, fault.Busy); fault.RetryAt(err).IsZero() || calls != before {
			t.Errorf("%d calls; %v", calls-before, err)
		}
	})
}
