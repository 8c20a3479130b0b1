package llm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
	"assay/internal/llmfake"
)

func half() float64 { return 0.5 }

// TestTurns serves accounts in turn, not in the order of arrival.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &places{name: "p", maxWait: time.Hour, random: half, size: 1, free: 1}
		leave, err := p.enter(t.Context(), "busy")
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []string
		for _, who := range []string{"a1", "a2", "a3", "b1", "c1", "b2"} {
			go func() {
				leave, err := p.enter(t.Context(), who[:1])
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, who)
				mu.Unlock()
				leave()
			}()
			synctest.Wait() // so that they stand in this order
		}
		leave()
		synctest.Wait()
		if want := []string{"a1", "b1", "c1", "a2", "b2", "a3"}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
		if p.free != 1 || len(p.lines) != 0 {
			t.Errorf("%d places free of 1, %d lines", p.free, len(p.lines))
		}
	})
}

// TestNoPlace gives up after a while, or with its caller, and leaves the line.
func TestNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &places{name: "p", maxWait: time.Minute, random: half, size: 1, free: 1}
		leave, err := p.enter(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = p.enter(t.Context(), "a")
		if fault.KindOf(err) != fault.Busy || time.Since(began) != time.Minute || !fault.RetryAt(err).After(time.Now()) {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err = p.enter(ctx, "a"); err != context.DeadlineExceeded { //nolint:errorlint // as it is
			t.Errorf("error %v", err)
		}
		leave()
		if p.free != 1 || len(p.lines) != 0 {
			t.Errorf("%d places free of 1, %d lines", p.free, len(p.lines))
		}
	})
}

// TestPlacesRace passes places among many who leave at any moment; none is
// lost.
func TestPlacesRace(t *testing.T) {
	p := &places{name: "p", maxWait: time.Minute, random: half, size: 3, free: 3}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*100*time.Microsecond)
			defer cancel()
			if leave, err := p.enter(ctx, fmt.Sprint(i%5)); err == nil {
				leave()
			}
		})
	}
	wg.Wait()
	if p.free != 3 || len(p.lines) != 0 {
		t.Errorf("%d places free of 3, %d lines", p.free, len(p.lines))
	}
}

// TestBulkhead keeps 50 calls at 4 at a time.
func TestBulkhead(t *testing.T) {
	fake, models := world(t, func(c *Config) {
		p := c.Providers["openai"]
		p.Concurrent = 4
		c.Providers["openai"] = p
	})
	gate := make(chan struct{})
	fake.Otherwise(llmfake.Step{Hold: gate})
	m := alias(t, models, "openai")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if _, err := m.Complete(t.Context(), Request{Messages: []Message{Say("go")}, Account: fmt.Sprint(i % 3)}); err != nil {
				t.Error(err)
			}
		})
	}
	fake.Wait(t.Context().Done(), 4)
	close(gate)
	wg.Wait()
	if high, n := fake.HighWater(), len(fake.Requests()); high != 4 || n != 50 {
		t.Errorf("%d at a time, %d in all; want 4 and 50", high, n)
	}
}

// TestDownCostsNoWait refuses a call to a model that is down, though all places
// are taken by others.
func TestDownCostsNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		models, err := New(Config{
			Providers: map[string]Provider{"p": {Dialect: OpenAI, BaseURL: "http://127.0.0.1:1", Concurrent: 1}},
			Aliases:   map[string][]Ref{"dead": {{"p", "dead"}}, "slow": {{"p", "slow"}}},
			Wrap: func(http.RoundTripper) http.RoundTripper {
				return roundTrip(func(r *http.Request) (*http.Response, error) {
					if bodyHas(r, `"model":"slow"`) {
						<-release
						return answerOf(`{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`), nil
					}
					return nil, fmt.Errorf("down")
				})
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		dead, _ := models.Alias("dead")
		slow, _ := models.Alias("slow")
		for range 5 {
			if _, err := dead.Complete(t.Context(), Request{Messages: []Message{Say("go")}}); fault.KindOf(err) != fault.Transient {
				t.Fatal(err)
			}
		}
		go func() { _, _ = slow.Complete(t.Context(), Request{Messages: []Message{Say("go")}}) }()
		synctest.Wait()
		began := time.Now()
		if _, err := dead.Complete(t.Context(), Request{Messages: []Message{Say("go")}}); fault.KindOf(err) != fault.Busy || time.Since(began) != 0 {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		close(release)
		synctest.Wait()
	})
}

func bodyHas(r *http.Request, text string) bool {
	body, err := r.GetBody()
	if err != nil {
		return false
	}
	data, err := io.ReadAll(body)
	return err == nil && strings.Contains(string(data), text)
}
