package agents_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/internal/fault"
	"assay/review"
)

// counted is a Versioned agent that counts how often it is asked.
type counted struct {
	version string
	asked   *int
	err     error
	level   review.Level
}

func (counted) Name() string      { return "counted" }
func (c counted) Version() string { return c.version }

func (c counted) Run(_ context.Context, in agents.Input) (agents.Result, error) {
	*c.asked++
	r := agents.Result{Coverage: receiptFor(in.Change), Usage: review.Usage{Calls: 1}, Findings: []review.Finding{
		{Rule: "counted/a", Severity: review.Low, Path: "a.go", StartLine: 1, EndLine: 1, Message: "Seen."},
	}}
	for i := range r.Coverage {
		r.Coverage[i].Level = c.level
	}
	return r, c.err
}

// wrapper hides what the agent can do beside Run, and says what it wraps.
type wrapper struct{ agents.Agent }

func (w wrapper) Unwrap() agents.Agent { return w.Agent }

// shelf is a plain map of results.
type shelf struct {
	mu sync.Mutex
	m  map[string]agents.Result
}

func (s *shelf) Lookup(key string) (agents.Result, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.m[key]
	return r, ok
}

func (s *shelf) Put(key string, r agents.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[key] = r
}

// TestSameContent holds that the same content is not looked at twice, and that
// anything an answer may depend on makes it another content.
func TestSameContent(t *testing.T) {
	type world struct {
		agent  counted
		plan   agents.Plan
		change *review.Change
	}
	tests := []struct {
		name   string
		differ func(w *world)
		asked  int
	}{
		{"the same", func(*world) {}, 1},
		{"another head with the same diff", func(w *world) { w.change.Pull.HeadSHA = "h2" }, 2},
		{"another base", func(w *world) { w.change.Pull.BaseSHA = "b2" }, 2},
		{"another line", func(w *world) { w.change.Files[0].Hunks[0].Lines[0].Text = "package b" }, 2},
		{"another title", func(w *world) { w.change.Pull.Title = "New" }, 2},
		{"fewer files", func(w *world) { w.change.Files = w.change.Files[:1] }, 2},
		{"another repository", func(w *world) { w.change.Repo.Name = "fork" }, 2},
		{"another policy", func(w *world) { w.plan.Policies = map[string]review.Policy{"counted": {Profile: review.ProfileStrict}} }, 2},
		{"a policy of another agent", func(w *world) { w.plan.Policies = map[string]review.Policy{"other": {Profile: review.ProfileStrict}} }, 1},
		{"another version", func(w *world) { w.agent.version = "2" }, 2},
		{"other findings before it", func(w *world) {
			w.plan.Stages = [][]agents.Agent{{finder("before", review.Finding{Rule: "before/x", Severity: review.Low, Path: "a.go", StartLine: 1, EndLine: 1, Message: "M."})}}
		}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			r := newRunner(t, agents.Config{Results: &shelf{m: make(map[string]agents.Result)}})
			run := func(differ func(*world)) agents.Outcome {
				w := world{counted{version: "1", asked: &asked, level: review.Full}, agents.Plan{}, change()}
				w.change.Repo = review.Repo{Owner: "o", Name: "n"}
				w.change.Pull = review.Pull{Number: 1, Title: "T", BaseSHA: "b", HeadSHA: "h"}
				differ(&w)
				w.plan.Stages = append(w.plan.Stages, []agents.Agent{wrapper{w.agent}})
				return r.Run(t.Context(), w.plan, w.change, nil)
			}
			first, second := run(func(*world) {}), run(tt.differ)
			if asked != tt.asked {
				t.Errorf("asked %d times, want %d", asked, tt.asked)
			}
			last := second.Agents[len(second.Agents)-1]
			if last.Cached != (tt.asked == 1) || last.Status != review.AgentDone || (last.Usage.Calls == 0) != last.Cached {
				t.Errorf("the agent is told of as %+v", last)
			}
			if tt.name == "the same" {
				if d := cmp.Diff(first.Findings, second.Findings); d != "" || cmp.Diff(first.Coverage, second.Coverage) != "" {
					t.Errorf("the kept answer is another one: %s", d)
				}
			}
		})
	}
}

// TestNotKept holds that only whole answers of agents that allow it are kept.
func TestNotKept(t *testing.T) {
	full := counted{version: "1", level: review.Full}
	gap, failed, plain := full, full, full
	gap.level, failed.err, plain.version = review.Partial, errors.New("no"), ""
	for name, agent := range map[string]counted{"a gap": gap, "an error": failed, "no version": plain} {
		asked := 0
		agent.asked = &asked
		r := newRunner(t, agents.Config{Results: &shelf{m: make(map[string]agents.Result)}})
		c := change()
		c.Pull = review.Pull{BaseSHA: "b", HeadSHA: "h"}
		for range 2 {
			r.Run(t.Context(), agents.Parallel(agent), c, nil)
		}
		if asked != 2 {
			t.Errorf("%s: asked %d times, want 2", name, asked)
		}
	}
	asked := 0
	full.asked = &asked
	r := newRunner(t, agents.Config{Results: &shelf{m: make(map[string]agents.Result)}})
	for range 2 {
		r.Run(t.Context(), agents.Parallel(full), change(), nil) // of commits without a name
	}
	if asked != 2 {
		t.Errorf("a change without commits: asked %d times, want 2", asked)
	}
}

// TestDependency holds what is said of an agent whose dependency is in trouble,
// and that nothing of the kind is said of other errors.
func TestDependency(t *testing.T) {
	at := time.Date(2026, 3, 4, 14, 32, 0, 0, time.UTC)
	tests := []struct {
		err                error
		dependency, reason string
		at                 time.Time
	}{
		{fault.From("openai", fault.New(fault.Transient, errors.New("503"))), "openai", "openai is unavailable: 503", time.Time{}},
		{fmt.Errorf("ask: %w", fault.From("openai", fault.Until(fault.RateLimited, at, errors.New("429")))), "openai", "openai is rate limited", at},
		{fault.From("openai", fault.Until(fault.Busy, at, errors.New("open"))), "openai", "openai is unavailable", at},
		{fault.From("openai", fault.New(fault.Unauthorized, errors.New("401"))), "", "failed: 401", time.Time{}},
		{fault.New(fault.Busy, errors.New("later")), "", "unavailable: later", time.Time{}},
		{errors.New("nil map"), "", "failed: nil map", time.Time{}},
	}
	for _, tt := range tests {
		agent := fake{"a", func(context.Context, agents.Input) (agents.Result, error) { return agents.Result{}, tt.err }}
		a := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(agent), change(), nil).Agents[0]
		if a.Dependency != tt.dependency || a.Reason != tt.reason || !a.RetryAt.Equal(tt.at) || a.Awaited() != (tt.dependency != "") {
			t.Errorf("%v: %+v, want %q, %q, %s", tt.err, a, tt.dependency, tt.reason, tt.at)
		}
	}
}

// TestKept holds that only what was dropped runs again, in its place in the
// plan, and sees what the stages before it have found.
func TestKept(t *testing.T) {
	var prior, ran []string
	step := func(name string, err error) fake {
		return fake{name, func(_ context.Context, in agents.Input) (agents.Result, error) {
			ran = append(ran, name)
			prior = nil
			for _, f := range in.Prior {
				prior = append(prior, f.Rule)
			}
			return agents.Result{Coverage: receiptFor(in.Change), Findings: []review.Finding{
				{Rule: name + "/x", Severity: review.Low, Path: "a.go", StartLine: 1, EndLine: 1, Message: "From " + name + "."},
			}}, err
		}}
	}
	r := newRunner(t, agents.Config{})
	down := fault.From("openai", fault.New(fault.Transient, errors.New("503")))
	first := r.Run(t.Context(), agents.Sequential(step("one", nil), step("two", down), step("three", nil)), change(), nil)
	if len(first.Findings) != 3 { // what it had when it stopped is shown
		t.Fatalf("findings %+v", first.Findings)
	}
	ran = nil
	plan := agents.Sequential(step("one", nil), step("two", nil), step("three", nil))
	plan.Kept = first.Without(review.AgentRun.Awaited)
	second := r.Run(t.Context(), plan, change(), nil)
	if d := cmp.Diff([]string{"two"}, ran); d != "" {
		t.Error("ran:", d)
	}
	if d := cmp.Diff([]string{"one/x"}, prior); d != "" {
		t.Error("findings before it:", d)
	}
	var names []string
	for _, a := range second.Agents {
		names = append(names, fmt.Sprint(a.Name, a.Status, a.Examined))
	}
	if d := cmp.Diff([]string{"onedone3", "twodone3", "threedone3"}, names); d != "" {
		t.Error(d)
	}
	if len(second.Findings) != 3 || len(second.Coverage) != 9 {
		t.Errorf("%d findings, %d receipts; want 3 and 9", len(second.Findings), len(second.Coverage))
	}
	ids := make(map[string]bool)
	for _, f := range second.Findings {
		ids[f.ID] = true
	}
	for _, f := range first.Findings {
		if !ids[f.ID] {
			t.Errorf("the finding %s has another ID now", f.Rule)
		}
	}
}
