package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/agents"
	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

// needy is an agent that needs something outside, which is down while err is
// set.
type needy struct {
	name string
	err  error
	runs int
	// partly is found although the dependency is down.
	partly bool
	// found is how many findings it has.
	found int
}

func (a *needy) Name() string { return a.name }

func (a *needy) Run(_ context.Context, in agents.Input) (agents.Result, error) {
	a.runs++
	var r agents.Result
	if a.err != nil && !a.partly {
		return r, a.err
	}
	for _, f := range in.Change.Files {
		r.Coverage = append(r.Coverage, review.Coverage{Path: f.Path, Level: review.Full})
	}
	for i := range a.found {
		r.Findings = append(r.Findings, review.Finding{
			Rule: a.name + "/found", Severity: review.Critical, Category: review.Correctness, Path: "a.go", StartLine: 1, EndLine: 1,
			Message: fmt.Sprint("Found ", i), Evidence: fmt.Sprint(i),
		})
	}
	return r, a.err
}

func down(dependency string) error {
	return fault.From(dependency, fault.New(fault.Transient, errors.New("503")))
}

// watched notes what a check run is given to show.
type watched struct {
	*hub
	shown []string
	// most is the greatest number of annotations in one update.
	most int
}

func (h *watched) Repository(id int64, repo review.Repo) Repository {
	if repo.Name == OrgRepository {
		return h.hub.Repository(id, repo)
	}
	return h
}

func (h *watched) UpdateCheck(ctx context.Context, id int64, c review.CheckRun) error {
	h.most = max(h.most, len(c.Output.Annotations))
	err := h.hub.UpdateCheck(ctx, id, c)
	if err == nil {
		h.shown = append(h.shown, fmt.Sprint(c.Status, c.Conclusion))
	}
	return err
}

// outage is a world of three agents: one that needs nothing and has a finding,
// and two that need something outside.
type outage struct {
	*world
	watched              *watched
	plain, first, second *needy
	now                  time.Time
	ended                []string
	// unreachable says until when what is known to be down.
	unreachable map[string]time.Time
}

func newOutage(t *testing.T) *outage {
	w := newWorld(t)
	o := &outage{
		world: w, watched: &watched{hub: w.hub}, plain: &needy{name: "plain", found: 1}, first: &needy{name: "first", found: 1}, second: &needy{name: "second"},
		now: time.Now().UTC().Truncate(time.Microsecond), unreachable: make(map[string]time.Time),
	}
	w.config = "version: 1\npipelines:\n  review:\n    agents: [plain, first, second]\n    gate: {fail_on: never}\n"
	registry, err := agents.NewRegistry(o.plain, o.first, o.second)
	if err != nil {
		t.Fatal(err)
	}
	w.p.Agents, w.p.GitHub = registry, o.watched
	w.p.layers.github, w.p.layers.vocabulary = o.watched, strategy.Vocabulary{Agents: registry.Names()}
	w.p.Now = func() time.Time { return o.now }
	w.p.OnRun = func(_ context.Context, r review.Run) { o.ended = append(o.ended, string(r.Status)) }
	w.p.Down = func(name string) (time.Time, bool) {
		until := o.unreachable[name]
		return until, o.now.Before(until)
	}
	return o
}

// review reviews a head. With keepOpen the plan keeps the check open for so
// long.
func (o *outage) review(keepOpen time.Duration) store.Run {
	o.t.Helper()
	ctx := o.t.Context()
	delivery := o.deliver("opened", head("a"))
	if err := o.until(func() error { return o.p.Decide(ctx, delivery) }); err != nil {
		o.t.Fatal(err)
	}
	r := o.only()
	plan, err := planOf(r)
	if err != nil {
		o.t.Fatal(err)
	}
	plan.Gate.RetryFor = keepOpen
	stored, err := json.Marshal(plan)
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.store.DB().ExecContext(ctx, `UPDATE runs SET plan = $1`, stored); err != nil {
		o.t.Fatal(err)
	}
	if err := o.until(func() error { return o.p.Run(ctx, r.ID) }); err != nil {
		o.t.Fatal(err)
	}
	return o.only()
}

// only is the one run that there is at the first head.
func (o *outage) only() store.Run {
	o.t.Helper()
	attempts, err := o.store.Attempts(o.t.Context(), 1, head("a"), "review")
	if err != nil || len(attempts) == 0 {
		o.t.Fatalf("%d attempts, %v", len(attempts), err)
	}
	return attempts[0]
}

// heal does the job that completes the run, and returns when it is to be done
// again; zero when it is done.
func (o *outage) heal(id string) time.Time {
	o.t.Helper()
	err := o.until(func() error { return o.p.Heal(o.t.Context(), id) })
	if err != nil && fault.KindOf(err) != fault.Busy {
		o.t.Fatal("heal:", err)
	}
	return fault.RetryAt(err)
}

func (o *outage) remembered(id string) bool {
	o.t.Helper()
	_, ok, err := o.store.Heal(o.t.Context(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return ok
}

// steady holds that the check run never went back from a conclusion.
func (o *outage) steady() {
	o.t.Helper()
	concluded := false
	for _, s := range o.watched.shown {
		open := strings.HasPrefix(s, string(review.CheckInProgress))
		if concluded && open {
			o.t.Errorf("the check run was concluded and went back: %v", o.watched.shown)
		}
		concluded = concluded || !open
	}
}

// TestHeal cuts the healing of a run off at each point. In the end the pull
// request always shows the same: one check run and one comment, with all
// findings, each annotated once, and the agents that were there were not asked
// again.
func TestHeal(t *testing.T) {
	for _, point := range []string{"", "judged", "check-completed", "comment-posted", "ended", "healed", "check-updated", "shown-again"} {
		t.Run("crash at "+point, func(t *testing.T) {
			o := newOutage(t)
			o.first.err = down("openai")
			o.first.partly = true // what it had when it stopped is shown
			first := point
			if point == "healed" || point == "check-updated" || point == "shown-again" {
				first = ""
			}
			o.crashAt = first
			r := o.review(0)
			check, _ := o.onlyCheck()
			if check.Status != review.CheckCompleted || check.Conclusion != review.ConclusionNeutral || r.Outcome.Health != review.Degraded {
				t.Fatalf("while it is down the check is %s, %s, the run %s", check.Status, check.Conclusion, r.Outcome.Health)
			}
			if shown := check.Output.Title + check.Output.Summary; !strings.Contains(shown, "openai") {
				t.Errorf("the check does not say what is missing: %s", shown)
			}
			for range 5 { // it stays down
				next := o.heal(r.ID)
				if next.IsZero() {
					t.Fatal("healed although it is down")
				}
				o.now = next
			}
			if o.plain.runs > 2 || o.first.runs < 5 {
				t.Errorf("the agents ran %d and %d times", o.plain.runs, o.first.runs)
			}
			o.first.err, o.first.found = nil, 3
			plain := o.plain.runs
			if first == "" {
				o.crashAt = point
			}
			if next := o.heal(r.ID); !next.IsZero() {
				t.Fatalf("not healed: next try at %s", next)
			}
			if o.crashAt != "" {
				t.Fatalf("the point %q was not passed", point)
			}
			check, annotations := o.onlyCheck()
			if check.Status != review.CheckCompleted || check.Conclusion != review.ConclusionNeutral || annotations != 4 {
				t.Errorf("check %s, %s with %d annotations, want one for each of 4 findings", check.Status, check.Conclusion, annotations)
			}
			r = o.only()
			if r.Outcome.Health != review.Complete || len(r.Findings) != 4 || len(r.Agents) != 3 || len(r.Coverage) != 3 || o.plain.runs != plain {
				t.Errorf("run %s with %d findings, %d agents, %d receipts; plain ran %d times more", r.Outcome.Health, len(r.Findings), len(r.Agents), len(r.Coverage), o.plain.runs-plain)
			}
			if !strings.Contains(r.Note, "openai") {
				t.Errorf("the note is %q", r.Note)
			}
			for _, body := range o.comments {
				if len(o.comments) != 1 || strings.Count(body, "first/found") < 3 {
					t.Errorf("%d comments, with\n%s", len(o.comments), body)
				}
			}
			if o.remembered(r.ID) {
				t.Error("it is remembered still")
			}
			o.steady()
			if got := strings.Join(o.ended, ","); strings.Trim(got, "done,") != "" || got == "" {
				t.Errorf("told of %q", got)
			}
		})
	}
}

// TestHealManyFindings holds that more annotations than one request takes do
// not take a concluded check back.
func TestHealManyFindings(t *testing.T) {
	o := newOutage(t)
	o.first.err = down("openai")
	r := o.review(0)
	o.now = o.now.Add(time.Hour)
	o.first.err, o.first.found = nil, 90
	before := len(o.watched.shown)
	o.heal(r.ID)
	if _, n := o.onlyCheck(); n < 80 || o.watched.most > annotationsAtOnce {
		t.Errorf("%d annotations, up to %d at once", n, o.watched.most)
	}
	for _, s := range o.watched.shown[before:] {
		if s != "completedneutral" {
			t.Errorf("the check showed %s", s)
		}
	}
}

// TestOvertakenWhileDown holds that a push, a closed pull request and a re-run
// win over healing.
func TestOvertakenWhileDown(t *testing.T) {
	tests := []struct {
		name     string
		overtake func(o *outage)
		left     bool // for good
	}{
		{"push", func(o *outage) { o.work(o.deliver("synchronize", head("c"))) }, true},
		{"closed", func(o *outage) {
			closed := o.pull
			closed.Closed = true
			o.at = o.at.Add(time.Second)
			o.work(o.store1("closed", closed, o.at))
		}, false},
		{"re-run", func(o *outage) {
			body := fmt.Sprintf(`{"action":"rerequested","check_run":{"id":1,"name":"assay / review","head_sha":%q},"repository":{"id":1,"name":"n","owner":{"login":"o"}},"installation":{"id":1}}`, head("a"))
			o.work(o.put(store.Delivery{GUID: "rerun", Event: "check_run", Action: "rerequested", RepoID: 1, Body: []byte(body)}))
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOutage(t)
			o.first.err = down("openai")
			r := o.review(0)
			tt.overtake(o)
			var before review.CheckRun
			for _, c := range o.checks {
				if c.HeadSHA == head("a") {
					before = *c
				}
			}
			runs := o.first.runs
			o.first.err = nil
			o.now = o.now.Add(time.Hour)
			next := o.heal(r.ID)
			if next.IsZero() != tt.left || o.remembered(r.ID) == tt.left || o.first.runs != runs {
				t.Errorf("next try %v, remembered %v, the agent ran %d times more", next, o.remembered(r.ID), o.first.runs-runs)
			}
			for _, c := range o.checks {
				if c.HeadSHA == head("a") && (c.ExternalID != before.ExternalID || c.Output.Title != before.Output.Title) {
					t.Errorf("the check run was written over: %q", c.Output.Title)
				}
			}
		})
	}
}

// TestPushDuringHeal holds that what was found for a head is not kept when the
// head moves while the agents are at it.
func TestPushDuringHeal(t *testing.T) {
	o := newOutage(t)
	o.first.err = down("openai")
	r := o.review(0)
	o.first.err = nil
	o.now = o.now.Add(time.Hour)
	o.afterPull = func() {
		if err := o.p.Decide(t.Context(), o.deliver("synchronize", head("c"))); err != nil {
			t.Error(err)
		}
		o.pull.HeadSHA = head("a") // the API lags behind the event
	}
	o.heal(r.ID)
	if o.remembered(r.ID) || o.only().Outcome.Health != review.Degraded {
		t.Errorf("the overtaken run is %s, remembered %v", o.only().Outcome.Health, o.remembered(r.ID))
	}
}

// TestTwoDependencies holds that one that is back is not kept waiting by
// another.
func TestTwoDependencies(t *testing.T) {
	for _, keepOpen := range []time.Duration{0, 30 * time.Hour} {
		t.Run(fmt.Sprint("open for ", keepOpen), func(t *testing.T) {
			o := newOutage(t)
			o.first.err, o.second.err = down("openai"), down("anthropic")
			r := o.review(keepOpen)
			o.first.err = nil
			o.now = o.now.Add(time.Hour)
			o.unreachable["anthropic"] = o.now.Add(7 * time.Minute)
			o.crashAt = "healed" // what was found is shown although nothing can be tried
			o.heal(r.ID)
			check, _ := o.onlyCheck()
			if o.second.runs != 1 {
				t.Errorf("the agent whose dependency is known to be down ran %d times", o.second.runs)
			}
			if o.only().Outcome.Health != review.Degraded || !strings.Contains(check.Output.Summary, "first/found") || !strings.Contains(check.Output.Summary, "anthropic") {
				t.Errorf("with one back the check says\n%s", check.Output.Summary)
			}
			if next := o.heal(r.ID); next.Before(o.now) {
				t.Errorf("next try %s", next)
			}
			h, _, err := o.store.Heal(t.Context(), r.ID)
			if err != nil || fmt.Sprint(h.Dependencies) != "[anthropic]" {
				t.Errorf("it waits for %v, %v", h.Dependencies, err)
			}
			o.second.err = nil
			o.now = o.now.Add(time.Hour)
			if next := o.heal(r.ID); !next.IsZero() || o.only().Outcome.Health != review.Complete || o.first.runs != 2 {
				t.Errorf("with both back: next try %v, run %s, the first ran %d times", next, o.only().Outcome.Health, o.first.runs)
			}
			if check, n := o.onlyCheck(); check.Status != review.CheckCompleted || n != 2 {
				t.Errorf("check %s with %d annotations", check.Status, n)
			}
			o.steady()
		})
	}
}

// TestNotTriedWhileDown holds that nothing is asked of anybody for a run whose
// dependency is known to be down.
func TestNotTriedWhileDown(t *testing.T) {
	o := newOutage(t)
	o.first.err = down("openai")
	r := o.review(0)
	o.now = o.now.Add(time.Hour)
	until := o.now.Add(5 * time.Minute)
	o.unreachable["openai"] = until
	for _, call := range []string{"Pull", "Change", "UpdateCheck"} {
		o.fail[call] = errors.New("GitHub was asked: " + call)
	}
	if next := o.heal(r.ID); !next.Equal(until) || o.first.runs != 1 {
		t.Errorf("next try %s, the agent ran %d times; want %s", next, o.first.runs, until)
	}
	if h, _, err := o.store.Heal(t.Context(), r.ID); err != nil || h.Tries != 0 {
		t.Errorf("%d tries counted, %v", h.Tries, err)
	}
}

// TestGiveUp holds that the waiting has an end, which the check run shows.
func TestGiveUp(t *testing.T) {
	o := newOutage(t)
	o.first.err = down("openai")
	r := o.review(0)
	start, last, tries := o.now, time.Duration(0), 0
	for {
		next := o.heal(r.ID)
		if next.IsZero() {
			break
		}
		if wait := next.Sub(o.now); wait <= 0 || wait > healMax {
			t.Fatalf("after %d tries the next is in %s", tries, wait)
		} else if tries > 8 && wait < last/4 && next.Sub(start) < healFor {
			t.Errorf("after %d tries the pause has shrunk from %s to %s", tries, last, wait)
		} else {
			last = wait
		}
		o.now = next
		if tries++; tries > 500 {
			t.Fatal("it never ends")
		}
	}
	check, _ := o.onlyCheck()
	t.Logf("given up after %s and %d tries", o.now.Sub(start).Round(time.Minute), tries)
	if d := o.now.Sub(start); d < healFor || d > healFor+time.Minute || o.remembered(r.ID) {
		t.Errorf("it ended after %s", d)
	}
	if check.Conclusion != review.ConclusionNeutral || !strings.Contains(check.Output.Summary, "given up after 24 h") || strings.Contains(check.Output.Summary, "tried again") {
		t.Errorf("check %s:\n%s", check.Conclusion, check.Output.Summary)
	}
}

// TestRateLimit holds that a limit whose end is known is waited for exactly.
func TestRateLimit(t *testing.T) {
	o := newOutage(t)
	end := o.now.Add(17 * time.Minute)
	o.first.err = fault.From("openai", fault.Until(fault.RateLimited, end, errors.New("429")))
	r := o.review(0)
	if check, _ := o.onlyCheck(); !strings.Contains(check.Output.Summary, end.Format("15:04 UTC")) {
		t.Errorf("the check does not say when: %s", check.Output.Summary)
	}
	if next := o.heal(r.ID); !next.Equal(end.Truncate(time.Microsecond)) || o.first.runs != 1 {
		t.Errorf("next try %s, want %s; the agent ran %d times", next, end, o.first.runs)
	}
	o.now, o.first.err = end, nil
	if next := o.heal(r.ID); !next.IsZero() {
		t.Errorf("next try %s", next)
	}
}

// TestNotWorthWaiting holds that only outages are waited for.
func TestNotWorthWaiting(t *testing.T) {
	for name, err := range map[string]error{
		"a defect":             errors.New("nil map"),
		"a missing permission": fault.From("openai", fault.New(fault.Unauthorized, errors.New("401"))),
		"an answer":            fault.From("openai", fault.New(fault.Invalid, errors.New("400"))),
		"nobody knows what":    fault.New(fault.Transient, errors.New("503")),
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutage(t)
			o.first.err = err
			r := o.review(time.Hour)
			if check, _ := o.onlyCheck(); check.Status != review.CheckCompleted || check.Conclusion != review.ConclusionNeutral || o.remembered(r.ID) {
				t.Errorf("check %s, %s, remembered %v", check.Status, check.Conclusion, o.remembered(r.ID))
			}
		})
	}
}

// TestKeptOpen holds that with retry_for the check stays open, says so, and is
// concluded once: by the review, or by the gate when the time is over.
func TestKeptOpen(t *testing.T) {
	const keepOpen = 30 * time.Minute
	for _, point := range []string{"", "judged", "awaited"} {
		t.Run("back in time, crash at "+point, func(t *testing.T) {
			o := newOutage(t)
			o.first.err = down("openai")
			o.crashAt = point
			r := o.review(keepOpen)
			check, n := o.onlyCheck()
			if check.Status != review.CheckInProgress || n != 0 || r.Status != review.StatusRunning || len(o.ended) != 0 || o.crashAt != "" {
				t.Fatalf("check %s with %d annotations, run %s, ended %v", check.Status, n, r.Status, o.ended)
			}
			until := o.now.Add(keepOpen)
			for _, want := range []string{"openai", until.Format("15:04 UTC"), "plain/found"} {
				if !strings.Contains(check.Output.Title+check.Output.Summary, want) {
					t.Errorf("the open check does not say %q:\n%s\n%s", want, check.Output.Title, check.Output.Summary)
				}
			}
			o.now = o.heal(r.ID)
			o.heal(r.ID)
			o.now = o.now.Add(10 * time.Minute)
			o.first.err = nil
			if next := o.heal(r.ID); !next.IsZero() {
				t.Fatalf("next try %s", next)
			}
			check, n = o.onlyCheck()
			if check.Status != review.CheckCompleted || check.Conclusion != review.ConclusionNeutral || n != 2 || len(o.comments) != 1 || o.only().Note != "" {
				t.Errorf("check %s, %s with %d annotations, %d comments, note %q", check.Status, check.Conclusion, n, len(o.comments), o.only().Note)
			}
			if strings.Join(o.ended, ",") != "done" {
				t.Errorf("told of %v", o.ended)
			}
		})
	}
	for _, point := range []string{"", "check-completed", "comment-posted", "ended"} {
		t.Run("not back in time, crash at "+point, func(t *testing.T) {
			o := newOutage(t)
			o.first.err = down("openai")
			r := o.review(keepOpen)
			until := o.now.Add(keepOpen)
			for o.now.Before(until) {
				next := o.heal(r.ID)
				if next.After(until.Add(time.Millisecond)) {
					t.Fatalf("next try %s, after the end of the wait at %s", next, until)
				}
				o.now = next
			}
			o.now = until
			o.crashAt = point
			if next := o.heal(r.ID); next.IsZero() {
				t.Fatal("it is not tried any more")
			}
			check, _ := o.onlyCheck()
			if check.Status != review.CheckCompleted || check.Conclusion != review.ConclusionNeutral || o.only().Status != review.StatusDone || o.crashAt != "" {
				t.Fatalf("check %s, %s; run %s", check.Status, check.Conclusion, o.only().Status)
			}
			o.now = o.now.Add(time.Hour)
			o.first.err = nil
			o.heal(r.ID)
			if check, n := o.onlyCheck(); n != 2 || o.only().Outcome.Health != review.Complete || o.remembered(r.ID) {
				t.Errorf("%d annotations, run %s; %s", n, o.only().Outcome.Health, check.Output.Title)
			}
			o.steady()
		})
	}
	t.Run("pushed to", func(t *testing.T) {
		o := newOutage(t)
		o.first.err = down("openai")
		r := o.review(keepOpen)
		if err := o.p.Decide(t.Context(), o.deliver("synchronize", head("c"))); err != nil {
			t.Fatal(err)
		}
		if next := o.heal(r.ID); !next.IsZero() || o.remembered(r.ID) {
			t.Errorf("next try %s", next)
		}
		for _, c := range o.checks {
			if c.HeadSHA == head("a") && c.Conclusion != review.ConclusionCancelled {
				t.Errorf("the check of the old head is left %s, %s", c.Status, c.Conclusion)
			}
		}
	})
}

// TestHealFailed holds that a check that was kept open does not stay so when
// GitHub refuses for good.
func TestHealFailed(t *testing.T) {
	o := newOutage(t)
	o.first.err = down("openai")
	r := o.review(time.Hour)
	if err := o.p.HealFailed(t.Context(), r.ID, fault.New(fault.Unauthorized, errors.New("403"))); err != nil {
		t.Fatal(err)
	}
	if check, _ := o.onlyCheck(); check.Status != review.CheckCompleted || o.only().Status != review.StatusDead || o.remembered(r.ID) {
		t.Errorf("check %s, run %s, remembered %v", check.Status, o.only().Status, o.remembered(r.ID))
	}
}
