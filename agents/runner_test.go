package agents_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/internal/fault"
	"assay/review"
)

// fake is an agent made of a function.
type fake struct {
	name string
	run  func(ctx context.Context, in agents.Input) (agents.Result, error)
}

func (f fake) Name() string { return f.name }
func (f fake) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	return f.run(ctx, in)
}

// receiptFor is a full receipt.
func receiptFor(c *review.Change) []review.Coverage {
	var all []review.Coverage
	for _, f := range c.Files {
		all = append(all, review.Coverage{Path: f.Path, Level: review.Full})
	}
	return all
}

// finder examines everything and makes the findings given.
func finder(name string, findings ...review.Finding) fake {
	return fake{name, func(_ context.Context, in agents.Input) (agents.Result, error) {
		return agents.Result{Findings: findings, Coverage: receiptFor(in.Change)}, nil
	}}
}

// answering answers what it is given.
func answering(name string, result agents.Result) fake {
	return fake{name, func(context.Context, agents.Input) (agents.Result, error) { return result, nil }}
}

func change() *review.Change {
	return &review.Change{Files: []review.File{
		{Path: "a.go", Status: review.Added, Additions: 2, Hunks: []review.Hunk{{NewStart: 1, NewLines: 2, Lines: []review.Line{
			{Op: review.Add, New: 1, Text: "package a"}, {Op: review.Add, New: 2, Text: "// b"},
		}}}},
		{Path: "b.go", Status: review.Modified, Hunks: []review.Hunk{{OldStart: 10, OldLines: 1, NewStart: 10, NewLines: 1}}},
		{Path: "gone.go", Status: review.Removed},
	}}
}

func newRunner(t *testing.T, cfg agents.Config) *agents.Runner {
	t.Helper()
	r, err := agents.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var states [][]review.AgentRun
		slow := func(name string, f review.Finding) fake {
			return fake{name, func(_ context.Context, in agents.Input) (agents.Result, error) {
				time.Sleep(time.Second)
				return agents.Result{Findings: []review.Finding{f}, Coverage: receiptFor(in.Change)}, nil
			}}
		}
		start := time.Now()
		out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(
			slow("one", review.Finding{Rule: "one/x", Severity: review.Low, Path: "b.go", StartLine: 10, EndLine: 10, Message: "m"}),
			slow("two", review.Finding{Rule: "two/x", Severity: review.High, Path: "a.go", StartLine: 1, EndLine: 2, Message: "m"}),
		), change(), func(s []review.AgentRun) { states = append(states, s) })

		if took := time.Since(start); took != time.Second {
			t.Errorf("two agents of a second each took %s", took)
		}
		var rules, ids []string
		for _, f := range out.Findings {
			rules, ids = append(rules, f.Agent+" "+f.Rule), append(ids, f.ID)
		}
		if d := cmp.Diff([]string{"two two/x", "one one/x"}, rules); d != "" {
			t.Error("findings are not sorted or attributed:", d)
		}
		if len(ids[0]) != 16 || ids[0] == ids[1] {
			t.Errorf("findings are not fingerprinted: %q", ids)
		}
		want := []review.AgentRun{
			{Name: "one", Status: review.AgentDone, Findings: 1, Examined: 3, StartedAt: start, FinishedAt: start.Add(time.Second)},
			{Name: "two", Status: review.AgentDone, Findings: 1, Examined: 3, StartedAt: start, FinishedAt: start.Add(time.Second)},
		}
		if d := cmp.Diff(want, out.Agents); d != "" {
			t.Error(d)
		}
		if len(out.Coverage) != 6 || out.Coverage[0].Agent != "one" || out.Coverage[3].Agent != "two" {
			t.Errorf("coverage: %v", out.Coverage)
		}
		if len(states) != 5 { // all waiting, two started, two done
			t.Errorf("progress was told %d times, want 5", len(states))
		}
		if states[0][0].Status != review.AgentWaiting || states[4][1].Status != review.AgentDone {
			t.Errorf("progress: first %v, last %v", states[0], states[4])
		}
	})
}

func TestRunSequentialSeesPrior(t *testing.T) {
	var prior []review.Finding
	second := fake{"second", func(_ context.Context, in agents.Input) (agents.Result, error) {
		prior = in.Prior
		return agents.Result{Coverage: receiptFor(in.Change)}, nil
	}}
	first := finder("first", review.Finding{Rule: "first/x", Severity: review.Low, Message: "m"})
	newRunner(t, agents.Config{}).Run(t.Context(), agents.Sequential(first, second), change(), nil)
	if len(prior) != 1 || prior[0].Rule != "first/x" {
		t.Errorf("second agent was given %v", prior)
	}
}

func TestRunStopOn(t *testing.T) {
	plan := agents.Sequential(
		finder("a", review.Finding{Rule: "a/x", Severity: review.High, Message: "m"}),
		finder("b"))
	plan.StopOn = review.High
	out := newRunner(t, agents.Config{}).Run(t.Context(), plan, change(), nil)
	if a := out.Agents[1]; a.Status != review.AgentUnavailable || !strings.Contains(a.Reason, "high finding") {
		t.Errorf("agent after the stop: %+v", a)
	}
	plan.StopOn = review.Critical
	out = newRunner(t, agents.Config{}).Run(t.Context(), plan, change(), nil)
	if a := out.Agents[1]; a.Status != review.AgentDone {
		t.Errorf("agent below the threshold: %+v", a)
	}
}

func TestUnavailable(t *testing.T) {
	fail := func(err error) func(context.Context, agents.Input) (agents.Result, error) {
		return func(context.Context, agents.Input) (agents.Result, error) { return agents.Result{}, err }
	}
	tests := []struct {
		name, reason string
		run          func(context.Context, agents.Input) (agents.Result, error)
	}{
		{"error", "failed: model \uFFFD says no", fail(errors.New("model \x00 says no"))},
		{"rate limit", "rate limited: slow down", fail(fault.New(fault.RateLimited, errors.New("slow down")))},
		{"outage", "a service it needs is not available: 503", fail(fault.New(fault.Transient, errors.New("503")))},
		{"panic", "the agent crashed", func(context.Context, agents.Input) (agents.Result, error) { panic("boom") }},
		{"nil result", "the agent gave no receipt of what it examined", fail(nil)},
		{"findings without a receipt", "the agent gave no receipt of what it examined", func(context.Context, agents.Input) (agents.Result, error) {
			return agents.Result{Findings: []review.Finding{{Rule: "x/y", Severity: review.Low, Message: "m"}}}, nil
		}},
		{"deadline", "timed out after 3s", func(ctx context.Context, _ agents.Input) (agents.Result, error) {
			<-ctx.Done()
			return agents.Result{}, fmt.Errorf("ask: %w", ctx.Err())
		}},
		{"only malformed findings", "none of the agent's 1 findings was well formed", func(_ context.Context, in agents.Input) (agents.Result, error) {
			return agents.Result{Findings: []review.Finding{{Rule: "other/y", Severity: review.Low, Message: "m"}}, Coverage: receiptFor(in.Change)}, nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				r := newRunner(t, agents.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				plan := agents.Parallel(fake{"x", tt.run}, finder("healthy"))
				plan.AgentTimeout = 3 * time.Second
				out := r.Run(t.Context(), plan, change(), nil)
				if a := out.Agents[0]; a.Status != review.AgentUnavailable || a.Reason != tt.reason {
					t.Errorf("got %s %q, want unavailable %q", a.Status, a.Reason, tt.reason)
				}
				if a := out.Agents[1]; a.Status != review.AgentDone {
					t.Errorf("the other agent: %+v", a)
				}
				if len(out.Coverage) != 6 {
					t.Errorf("coverage has %d entries, want 6", len(out.Coverage))
				}
				if tt.name == "panic" && !strings.Contains(log.String(), "runner_test.go") {
					t.Error("the stack is not in the log")
				}
			})
		})
	}
}

func TestErrorKeepsWhatThereIs(t *testing.T) {
	agent := fake{"x", func(_ context.Context, in agents.Input) (agents.Result, error) {
		return agents.Result{
			Findings: []review.Finding{{Rule: "x/y", Severity: review.Low, Message: "m"}},
			Coverage: receiptFor(in.Change)[:1],
		}, errors.New("broke half way")
	}}
	out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(agent), change(), nil)
	if out.Agents[0].Status != review.AgentUnavailable || len(out.Findings) != 1 {
		t.Errorf("agent %+v with findings %v", out.Agents[0], out.Findings)
	}
	want := []review.Coverage{
		{Agent: "x", Path: "a.go", Level: review.Full},
		{Agent: "x", Path: "b.go", Level: review.Skipped, Reason: "the agent was unavailable: failed: broke half way"},
		{Agent: "x", Path: "gone.go", Level: review.Skipped, Reason: "the agent was unavailable: failed: broke half way"},
	}
	if d := cmp.Diff(want, out.Coverage); d != "" {
		t.Error(d)
	}
}

func TestAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		deaf := fake{"deaf", func(_ context.Context, in agents.Input) (agents.Result, error) {
			<-release
			return agents.Result{
				Findings: []review.Finding{{Rule: "deaf/late", Severity: review.High, Message: "too late"}},
				Coverage: receiptFor(in.Change),
			}, nil
		}}
		r := newRunner(t, agents.Config{Grace: time.Second})
		plan := agents.Parallel(deaf)
		plan.AgentTimeout = time.Minute

		var last review.AgentRun
		for range 4 {
			start := time.Now()
			out := r.Run(t.Context(), plan, change(), nil)
			if took := time.Since(start); took != 61*time.Second {
				t.Fatalf("returned after %s, want deadline and grace", took)
			}
			last = out.Agents[0]
			if last.Status != review.AgentUnavailable || last.Reason != "timed out after 1m0s" || len(out.Findings) != 0 {
				t.Fatalf("abandoned agent: %+v, findings %v", last, out.Findings)
			}
		}
		start := time.Now()
		out := r.Run(t.Context(), plan, change(), nil)
		if out.Agents[0].Reason != "the agent is still stuck in earlier runs" || time.Since(start) != 0 {
			t.Errorf("fifth call: %+v after %s", out.Agents[0], time.Since(start))
		}

		close(release)
		synctest.Wait()
		if out := r.Run(t.Context(), plan, change(), nil); out.Agents[0].Status != review.AgentDone {
			t.Errorf("after the stuck calls ended: %+v", out.Agents[0])
		}
	})
}

func TestGraceIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tidy := fake{"tidy", func(ctx context.Context, in agents.Input) (agents.Result, error) {
			<-ctx.Done()
			time.Sleep(time.Second)
			return agents.Result{Coverage: receiptFor(in.Change)[:1]}, ctx.Err()
		}}
		out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(tidy), change(), nil)
		if out.Agents[0].Reason != "timed out after 2m0s" || out.Agents[0].Examined != 1 {
			t.Errorf("agent: %+v", out.Agents[0])
		}
	})
}

func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		waits := fake{"waits", func(ctx context.Context, _ agents.Input) (agents.Result, error) {
			<-ctx.Done()
			return agents.Result{}, ctx.Err()
		}}
		plan := agents.Plan{Stages: [][]agents.Agent{
			{finder("early", review.Finding{Rule: "early/x", Severity: review.Low, Message: "m"})}, {waits}, {finder("never")},
		}}
		time.AfterFunc(time.Second, cancel)
		out := newRunner(t, agents.Config{}).Run(ctx, plan, change(), nil)
		var got []string
		for _, a := range out.Agents {
			got = append(got, fmt.Sprintf("%s %s %s", a.Name, a.Status, a.Reason))
		}
		want := []string{"early done ", "waits unavailable cancelled", "never unavailable cancelled"}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if len(out.Findings) != 1 || len(out.Coverage) != 9 {
			t.Errorf("findings %v, %d receipts", out.Findings, len(out.Coverage))
		}
	})
}

func TestRunDeadlineIsNotTheAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		waits := fake{"waits", func(ctx context.Context, _ agents.Input) (agents.Result, error) {
			<-ctx.Done()
			return agents.Result{}, ctx.Err()
		}}
		out := newRunner(t, agents.Config{}).Run(ctx, agents.Parallel(waits), change(), nil)
		if out.Agents[0].Reason != "the run's time was up" {
			t.Errorf("agent: %+v", out.Agents[0])
		}
	})
}

func TestMaxParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var now, peak int
		var all []agents.Agent
		for i := range 7 {
			all = append(all, fake{fmt.Sprintf("a%d", i), func(_ context.Context, in agents.Input) (agents.Result, error) {
				mu.Lock()
				now++
				peak = max(peak, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				return agents.Result{Coverage: receiptFor(in.Change)}, nil
			}})
		}
		newRunner(t, agents.Config{MaxParallel: 3}).Run(t.Context(), agents.Parallel(all...), change(), nil)
		if peak != 3 {
			t.Errorf("%d agents at the same time, want 3", peak)
		}
	})
}

func TestEmptyChangeNeedsNoReceipt(t *testing.T) {
	out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(finder("x")), &review.Change{}, nil)
	if out.Agents[0].Status != review.AgentDone {
		t.Errorf("agent: %+v", out.Agents[0])
	}
}

func TestGoexitIsAnAnswer(t *testing.T) {
	exits := fake{"x", func(context.Context, agents.Input) (agents.Result, error) { runtime.Goexit(); panic("unreachable") }}
	out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(exits), change(), nil)
	if a := out.Agents[0]; a.Status != review.AgentUnavailable || a.Reason != "failed: the agent ended without an answer" {
		t.Errorf("agent: %+v", a)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []agents.Config{{MaxParallel: -1}, {Grace: -1}} {
		if _, err := agents.New(cfg); err == nil {
			t.Errorf("New(%+v) was accepted", cfg)
		}
	}
}

func TestRegistry(t *testing.T) {
	r, err := agents.NewRegistry(finder("b"), finder("a"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "b"}, r.Names()); d != "" {
		t.Error(d)
	}
	if a, ok := r.Get("b"); !ok || a.Name() != "b" {
		t.Error("b is not found")
	}
	if _, ok := r.Get("c"); ok {
		t.Error("c is found")
	}
	for _, bad := range [][]agents.Agent{{finder("a"), finder("a")}, {nil}, {finder("")}, {finder("A")}, {finder("a/b")}} {
		if _, err := agents.NewRegistry(bad...); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}
