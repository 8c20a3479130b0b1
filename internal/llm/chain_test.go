package llm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
	"assay/internal/guard"
	"assay/internal/llmfake"
	"assay/internal/secret"
)

// two are an alias "default" of a model at each of two servers, of different
// dialects.
func two(t *testing.T, tweak func(*Config)) (first, second *llmfake.Server, m Model) {
	t.Helper()
	first, firstURL := fakeServer(t)
	second, secondURL := fakeServer(t)
	cfg := Config{
		Providers: map[string]Provider{
			"one": {Dialect: OpenAI, BaseURL: firstURL, Key: secret.New(keyCanary)}, "two": {Dialect: Anthropic, BaseURL: secondURL},
		},
		Aliases: map[string][]Ref{"default": {{"one", "m"}, {"two", "m"}}},
	}
	if tweak != nil {
		tweak(&cfg)
	}
	models, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(models.Close)
	return first, second, alias(t, models, "default")
}

// TestFallback is which failures another model stands in for.
func TestFallback(t *testing.T) {
	tests := []struct {
		mode  llmfake.Mode
		stand bool
	}{
		{llmfake.Reset, true}, {llmfake.Cut, true}, {llmfake.Truncated, true}, {llmfake.RateLimited, true}, {llmfake.Overloaded, true}, {llmfake.Quota, true},
		{llmfake.BadKey, true}, {llmfake.NoModel, true}, {llmfake.Garbage, true}, {llmfake.HTML, true}, {llmfake.Huge, true}, {llmfake.Redirect, true},
		{llmfake.TooLong, false}, {llmfake.Length, false}, {llmfake.Refusal, false}, {llmfake.Filtered, false},
	}
	for _, tt := range tests {
		first, second, m := two(t, nil)
		first.Script(llmfake.Step{Mode: tt.mode, Location: "/"})
		resp, err := m.Complete(t.Context(), Request{Messages: []Message{Say(diffPrompt)}})
		noCanary(t, err)
		if stood := len(second.Requests()) == 1; stood != tt.stand || (err == nil) != tt.stand {
			t.Errorf("mode %d: stood in %v, error %v", tt.mode, stood, err)
		}
		if tt.stand && (resp.Model != "two/m" || len(resp.Failed) != 1 || resp.Failed[0].Model != "one/m" || resp.Failed[0].Reason == "") {
			t.Errorf("mode %d: response %+v", tt.mode, resp)
		}
		if second.Saw(keyCanary) {
			t.Errorf("mode %d: the second provider got the first one's key", tt.mode)
		}
	}
}

// TestFirstHangs gives the second model its share of the time.
func TestFirstHangs(t *testing.T) {
	first, _, m := two(t, nil)
	first.Otherwise(llmfake.Step{Mode: llmfake.HangHeaders})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	began := time.Now()
	resp, err := m.Complete(ctx, Request{Messages: []Message{Say("go")}})
	if err != nil || resp.Model != "two/m" {
		t.Fatalf("response %+v, error %v", resp, err)
	}
	if took := time.Since(began); took < 1500*time.Millisecond || took > 3500*time.Millisecond {
		t.Errorf("took %v, want about half of 4 s", took)
	}
}

// hung never answers.
type hung struct{}

func (hung) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestShares looks at the time that each of three hung models gets, and whether
// it is held against them.
func TestShares(t *testing.T) {
	for _, tt := range []struct {
		deadline time.Duration
		failures uint64
	}{{10 * time.Minute, 1}, {30 * time.Second, 0}} {
		synctest.Test(t, func(t *testing.T) {
			guards := guard.NewSet(func(string) guard.Config { return GuardConfig(guard.Config{}, 30*time.Minute) })
			models, err := New(Config{
				Providers: map[string]Provider{"p": {Dialect: OpenAI, BaseURL: "http://127.0.0.1:1"}},
				Aliases:   map[string][]Ref{"default": {{"p", "a"}, {"p", "b"}, {"p", "c"}}},
				FirstByte: time.Hour, Guards: guards,
				Wrap: func(http.RoundTripper) http.RoundTripper { return hung{} },
			})
			if err != nil {
				t.Fatal(err)
			}
			m, _ := models.Alias("default")
			ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
			defer cancel()
			began := time.Now()
			_, err = m.Complete(ctx, Request{Messages: []Message{Say("go")}})
			if took := time.Since(began); took != tt.deadline || fault.KindOf(err) != fault.Transient {
				t.Errorf("took %v of %v, error %v", took, tt.deadline, err)
			}
			for _, s := range guards.Stats()[:2] {
				if s.Total != 1 || s.Failures != tt.failures {
					t.Errorf("deadline %v: %s has %d calls, %d failures; want 1 and %d", tt.deadline, s.Name, s.Total, s.Failures, tt.failures)
				}
			}
		})
	}
}

// TestAllDown says so of each, and when to come back.
func TestAllDown(t *testing.T) {
	first, second, m := two(t, nil)
	first.Otherwise(llmfake.Step{Mode: llmfake.RateLimited, RetryAfter: "600"})
	second.Otherwise(llmfake.Step{Mode: llmfake.Quota})
	_, err := m.Complete(t.Context(), Request{Messages: []Message{Say("go")}})
	e, ok := errors.AsType[*ChainError](err)
	if !ok || len(e.Failed) != 2 || e.Alias != "default" {
		t.Fatalf("error %v", err)
	}
	if kind, in := fault.KindOf(err), time.Until(fault.RetryAt(err)); kind != fault.RateLimited || in > 10*time.Minute || in < 9*time.Minute {
		t.Errorf("kind %v in %v, want the first one's 10 minutes", kind, in)
	}
}

// TestBreaker leaves a dead provider alone, without a request, and comes back.
func TestBreaker(t *testing.T) {
	fake, models := world(t, func(c *Config) {
		c.Guards = guard.NewSet(func(string) guard.Config {
			return GuardConfig(guard.Config{FailureThreshold: 3, ResetTimeout: 50 * time.Millisecond}, 0)
		})
	})
	m := alias(t, models, "openai")
	ask := func() error {
		_, err := m.Complete(t.Context(), Request{Messages: []Message{Say("go")}})
		return err
	}
	fake.Down(true)
	for range 3 {
		if err := ask(); fault.KindOf(err) != fault.Transient {
			t.Fatal(err)
		}
	}
	err := ask()
	open, ok := errors.AsType[*guard.OpenError](err)
	if !ok || open.Dependency != "openai/m" || len(fake.Requests()) != 3 {
		t.Fatalf("error %v after %d requests", err, len(fake.Requests()))
	}
	fake.Down(false)
	<-time.After(time.Until(open.Until))
	if err := ask(); err != nil {
		t.Error(err)
	}
}

// TestQuotaIsNoOutage keeps an account without money from opening the breaker,
// and from being asked again.
func TestQuotaIsNoOutage(t *testing.T) {
	for _, d := range dialects {
		if d == Gemini {
			continue // says the same of a minute's quota; then it names the wait
		}
		guards := guard.NewSet(func(string) guard.Config { return GuardConfig(guard.Config{}, 0) })
		fake, models := world(t, func(c *Config) { c.Guards = guards })
		fake.Otherwise(llmfake.Step{Mode: llmfake.Quota})
		for range 20 {
			_, err := alias(t, models, string(d)).Complete(t.Context(), Request{Messages: []Message{Say("go")}})
			if fault.KindOf(err) != fault.RateLimited || time.Until(fault.RetryAt(err)) < 59*time.Minute {
				t.Fatal(err)
			}
		}
		dep, err := guards.Get(string(d) + "/m")
		if err != nil {
			t.Fatal(err)
		}
		if s := dep.Stats(); s.State != guard.Closed || s.Failures != 0 || len(fake.Requests()) != 1 {
			t.Errorf("%s: %d requests, state %v, %d failures", d, len(fake.Requests()), s.State, s.Failures)
		}
	}
}

// TestBadRequestsAreNoOutage is row B4.
func TestBadRequestsAreNoOutage(t *testing.T) {
	guards := guard.NewSet(func(string) guard.Config { return GuardConfig(guard.Config{}, 0) })
	fake, models := world(t, func(c *Config) { c.Guards = guards })
	for _, mode := range []llmfake.Mode{llmfake.TooLong, llmfake.BadKey, llmfake.NoModel, llmfake.Length, llmfake.Filtered} {
		fake.Otherwise(llmfake.Step{Mode: mode})
		for range 10 {
			if _, err := alias(t, models, "openai").Complete(t.Context(), Request{Messages: []Message{Say("go")}}); err == nil {
				t.Fatal("no error")
			}
		}
	}
	dep, err := guards.Get("openai/m")
	if err != nil {
		t.Fatal(err)
	}
	if s := dep.Stats(); s.State != guard.Closed || s.Failures != 0 {
		t.Errorf("state %v, %d failures", s.State, s.Failures)
	}
}

// TestCallerLeaves gives the place back, and holds nothing against the model.
func TestCallerLeaves(t *testing.T) {
	fake, models := world(t, func(c *Config) {
		p := c.Providers["openai"]
		p.Concurrent = 1
		c.Providers["openai"] = p
	})
	m := alias(t, models, "openai")
	for range 10 {
		fake.Script(llmfake.Step{Mode: llmfake.HangStream})
		ctx, cancel := context.WithCancel(t.Context())
		asked := make(chan struct{})
		go func() {
			fake.Wait(ctx.Done(), len(fake.Requests())+1)
			close(asked)
		}()
		failed := make(chan error, 1)
		go func() {
			_, err := m.Complete(ctx, Request{Messages: []Message{Say("go")}})
			failed <- err
		}()
		<-asked
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if _, err := m.Complete(t.Context(), Request{Messages: []Message{Say("go")}}); err != nil {
		t.Error(err)
	}
}

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answerOf(text string) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text))}
}
