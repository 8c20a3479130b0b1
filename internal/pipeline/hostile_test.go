package pipeline

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
)

// TestLaggingAPI holds that a head is reviewed although GitHub's API shows the
// one before it for a moment longer than its webhooks do.
func TestLaggingAPI(t *testing.T) {
	for _, at := range []string{"when the change is read", "when the result is published"} {
		t.Run(at, func(t *testing.T) {
			w := newWorld(t)
			id := w.deliver("opened", head("a"))
			if err := w.p.Decide(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			runs, err := w.store.Runs(t.Context(), "", 1)
			if err != nil {
				t.Fatal(err)
			}
			lag := func() { w.pull.HeadSHA = head("0") }
			if at == "when the change is read" {
				lag()
			} else {
				w.p.Crash = func(point string) {
					if point == "judged" {
						lag()
					}
				}
			}
			if err := w.p.Run(t.Context(), runs[0].ID); fault.KindOf(err) != fault.Busy {
				t.Fatalf("run: %v, want busy", err)
			}
			w.pull.HeadSHA = head("a")
			if err := w.p.Run(t.Context(), runs[0].ID); err != nil {
				t.Fatal(err)
			}
			if check, n := w.onlyCheck(); check.Conclusion != review.ConclusionFailure || n != 1 {
				t.Errorf("check %s with %d annotations, want the review's", check.Conclusion, n)
			}
		})
	}
}

// TestRerunBesidePush holds that a re-run that was asked for at the old head
// does not supersede a push that comes while it is looked into.
func TestRerunBesidePush(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	body, err := json.Marshal(map[string]any{
		"action": "rerequested", "check_run": map[string]any{"id": 1, "name": "assay / review", "head_sha": head("a")},
		"repository":   map[string]any{"id": 1, "name": "n", "owner": map[string]any{"login": "o"}},
		"installation": map[string]any{"id": 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	rerun := w.put(store.Delivery{GUID: "rerun", Event: "check_run", Action: "rerequested", RepoID: 1, Body: body})
	w.afterPull = func() {
		if err := w.p.Decide(t.Context(), w.deliver("synchronize", head("c"))); err != nil {
			t.Error(err)
		}
	}
	if err := w.p.Decide(t.Context(), rerun); fault.KindOf(err) != fault.Busy {
		t.Errorf("the re-run is decided with %v, want busy", err)
	}
	w.work(rerun)
	for _, c := range w.checks {
		if c.HeadSHA == head("c") && c.Conclusion != review.ConclusionFailure {
			t.Errorf("the pushed head's check is %s, want its review", c.Conclusion)
		}
	}
}

// TestSharedHead holds that a check run, which all pull requests with that head
// share, does not turn green by the review of the one with the milder base.
func TestSharedHead(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	shared := func(action string, draft bool) review.CheckRun {
		w.at = w.at.Add(time.Second)
		w.pull.BaseRef = "mild"
		pull := w.pull
		pull.Number, pull.Draft = 8, draft
		w.finder.severity = 0
		w.work(w.store1(action, pull, w.at))
		check, _ := w.onlyCheck()
		return check
	}
	if check := shared("opened", false); check.Conclusion != review.ConclusionFailure || !strings.Contains(check.Output.Title, "#7") {
		t.Errorf("with another pull request the check is %s, %q", check.Conclusion, check.Output.Title)
	}
	if len(w.comments) != 1 {
		t.Errorf("%d comments, want that of the first pull request alone", len(w.comments))
	}
}

// TestSharedHeadDead holds that a review which failed for good, and whose config
// says that this blocks, is not painted over by that of another pull request
// with the head.
func TestSharedHeadDead(t *testing.T) {
	w := newWorld(t)
	w.config += "    gate: {on_unavailable: fail}\n"
	id := w.deliver("opened", head("a"))
	w.decide(id)
	runs, err := w.store.Runs(t.Context(), "", 1)
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	if err := w.p.RunFailed(t.Context(), runs[0].ID, errors.New("broken")); err != nil {
		t.Fatal(err)
	}
	w.at = w.at.Add(time.Second)
	pull := w.pull
	pull.Number, pull.BaseRef = 8, "mild"
	w.pull.BaseRef, w.finder.severity = "mild", 0
	w.work(w.store1("opened", pull, w.at))
	if check, _ := w.onlyCheck(); check.Conclusion != review.ConclusionFailure || !strings.Contains(check.Output.Title, "#7") {
		t.Errorf("with another pull request the check is %s, %q", check.Conclusion, check.Output.Title)
	}
}

// TestDeadDeliveryTellsNothing holds that the text of an error that ends a
// delivery is for the operator, and not shown on the pull request.
func TestDeadDeliveryTellsNothing(t *testing.T) {
	w := newWorld(t)
	id := w.deliver("opened", head("a"))
	w.crashAt = "check-created"
	func() {
		defer func() { _ = recover() }()
		_ = w.p.Decide(t.Context(), id)
	}()
	if err := w.p.DecideFailed(t.Context(), id, errors.New("panic: secret-host\n\x00stack")); err != nil {
		t.Fatal(err)
	}
	w.work(id)
	check, _ := w.onlyCheck()
	if shown := check.Output.Title + check.Output.Summary + check.Output.Text; check.Status != review.CheckCompleted || strings.Contains(shown, "secret-host") {
		t.Errorf("check %s shows %q", check.Status, shown)
	}
	if d, err := w.store.Delivery(t.Context(), id); err != nil || d.Status != store.DeliveryDead || d.Reason != "panic: secret-host" {
		t.Errorf("delivery %s, %q, %v", d.Status, d.Reason, err)
	}
}

// TestReopenedWithinASecond holds that the order in which two events of one
// second are decided does not matter.
func TestReopenedWithinASecond(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	reopened := w.deliver("reopened", head("a"))
	gone := w.pull
	gone.Closed = true
	w.work(reopened)
	w.work(w.store1("closed", gone, w.at))
	if sub, _, err := w.store.Subject(t.Context(), 1, 7); err != nil || sub.Closed {
		t.Errorf("the reopened pull request counts as closed, %v", err)
	}
}

// TestLateEventOfAnotherBase holds that an event from before the pull request
// had its present base does not bring the old base's config back.
func TestLateEventOfAnotherBase(t *testing.T) {
	w := newWorld(t)
	first := w.deliver("opened", head("a"))
	old := w.pull
	old.BaseRef = "mild"
	late := w.store1("ready_for_review", old, w.at)
	w.work(first)
	w.work(late)
	runs, err := w.store.Runs(t.Context(), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if r.Pull.BaseRef != "main" {
			t.Errorf("attempt %d is for the base %s", r.Attempt, r.Pull.BaseRef)
		}
	}
}
