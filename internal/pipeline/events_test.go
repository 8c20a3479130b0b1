package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/store"
	"assay/review"
	"assay/strategy"
	"assay/webhook"
)

// TestHandlers holds that every event that is accepted is acted on, and that
// none is waited for that is not accepted.
func TestHandlers(t *testing.T) {
	accepted := webhook.Events()
	slices.Sort(accepted)
	if d := cmp.Diff(accepted, slices.Sorted(maps.Keys(handlers))); d != "" {
		t.Error(d)
	}
}

type object = map[string]any

// event stores a delivery of any event; fields are the payload's own.
func (w *world) event(name, action string, fields object) int64 {
	w.t.Helper()
	w.at = w.at.Add(1e9)
	payload := object{
		"action":       action,
		"repository":   object{"id": 1, "name": "n", "full_name": "o/n", "default_branch": "main", "owner": object{"login": "o"}},
		"installation": object{"id": 1},
		"sender":       object{"login": "ada"},
	}
	maps.Copy(payload, fields)
	body, err := json.Marshal(payload)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.put(store.Delivery{
		GUID: fmt.Sprintf("%s-%s-%d", name, action, w.at.Unix()), Event: name, Action: action, Installation: 1, RepoID: 1, ReceivedAt: w.at, Body: body,
	})
}

// told stores a delivery of something new about the pull request.
func (w *world) told(name, action string) int64 {
	w.t.Helper()
	state := map[bool]string{false: "open", true: "closed"}[w.pull.Closed]
	return w.event(name, action, object{
		"label": object{"name": "x"}, "changes": object{"title": object{}},
		"pull_request": object{
			"number": 7, "state": state, "updated_at": w.at.Add(1e9),
			"head": object{"sha": w.pull.HeadSHA, "ref": "f", "repo": object{"id": 1}}, "base": object{"ref": w.pull.BaseRef, "sha": w.pull.BaseSHA, "repo": object{"id": 1}},
		},
	})
}

func (w *world) suite(action, head string, app int64) int64 {
	w.t.Helper()
	return w.event("check_suite", action, object{"check_suite": object{"id": w.at.Unix(), "head_sha": head, "app": object{"id": app}, "updated_at": w.at}})
}

// decide decides on a delivery and works on nothing.
func (w *world) decide(delivery int64) {
	w.t.Helper()
	if err := w.until(func() error { return w.p.Decide(w.t.Context(), delivery) }); err != nil {
		w.t.Fatal("decide:", err)
	}
}

// status is what became of a delivery.
func (w *world) status(delivery int64) (store.DeliveryStatus, string) {
	w.t.Helper()
	d, err := w.store.Delivery(w.t.Context(), delivery)
	if err != nil {
		w.t.Fatal(err)
	}
	return d.Status, d.Reason
}

// attempts says for each pipeline how its runs ended, oldest first.
func (w *world) attempts() map[string]string {
	w.t.Helper()
	runs, err := w.store.Runs(w.t.Context(), "", 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(runs, func(a, b store.Run) int { return int(a.Seq - b.Seq) })
	got := make(map[string][]string)
	for _, r := range runs {
		got[r.Pipeline] = append(got[r.Pipeline], string(r.Status))
	}
	joined := make(map[string]string)
	for name, list := range got {
		joined[name] = strings.Join(list, " ")
	}
	return joined
}

func (w *world) want(what string, want map[string]string) {
	w.t.Helper()
	if d := cmp.Diff(want, w.attempts()); d != "" {
		w.t.Errorf("%s: %s", what, d)
	}
}

// ready is a pipeline that listens to facts beside the one that reviews heads.
const ready = "version: 1\npipelines:\n  review:\n    agents: [finder]\n  ready:\n    on: [%s]\n    agents: [finder]\n    report: {comment: never}\n"

// factEvents are the events that may come again and again for one head.
var factEvents = []string{
	"pull_request.edited", "pull_request.labeled", "pull_request.unlabeled", "pull_request.converted_to_draft",
	"pull_request_review.submitted", "pull_request_review.dismissed", "check_suite.completed",
}

func (w *world) fact(name string) int64 {
	w.t.Helper()
	if name == "check_suite.completed" {
		return w.suite("completed", w.pull.HeadSHA, 77)
	}
	event, action, _ := strings.Cut(name, ".")
	return w.told(event, action)
}

// TestFacts holds that each fact starts the pipelines that listen to it, once
// for each fact, and leaves the review of the head alone.
func TestFacts(t *testing.T) {
	for _, name := range factEvents {
		points := []string{""}
		if name == "pull_request.labeled" { // from here on they are all the same
			points = append(points, "check-created", "judged", "check-completed")
		}
		for _, point := range points {
			t.Run(name+" crash at "+point, func(t *testing.T) {
				w := newWorld(t)
				w.config = fmt.Sprintf(ready, name)
				w.work(w.deliver("opened", head("a")))
				w.want("the head", map[string]string{"review": "done"})
				w.crashAt = point
				w.work(w.fact(name))
				if w.crashAt != "" {
					t.Fatalf("the point %q was not passed", point)
				}
				w.want("a fact", map[string]string{"review": "done", "ready": "done"})
				w.work(w.fact(name))
				w.want("another fact", map[string]string{"review": "done", "ready": "done done"})
				if len(w.checks) != 2 || len(w.comments) != 1 {
					t.Errorf("%d check runs and %d comments, want 2 and 1", len(w.checks), len(w.comments))
				}
				for _, c := range w.checks {
					if c.Status != review.CheckCompleted {
						t.Errorf("check %s is %s", c.Name, c.Status)
					}
				}
			})
		}
	}
}

// TestBurst holds that many facts at once come to one run at work and one that
// waits, which knows the last of them.
func TestBurst(t *testing.T) {
	w := newWorld(t)
	w.config = fmt.Sprintf(ready, "pull_request.labeled, pull_request_review.submitted")
	w.work(w.deliver("opened", head("a")))
	w.decide(w.fact("pull_request.labeled"))
	w.want("the first", map[string]string{"review": "done", "ready": "queued"})
	for range 5 {
		w.decide(w.fact("pull_request.labeled"))
	}
	w.want("while it waits", map[string]string{"review": "done", "ready": "queued"})

	var atWork int
	w.p.Crash = func(point string) {
		if point != "judged" {
			return
		}
		if atWork++; atWork > 1 {
			return
		}
		before, err := json.Marshal(w.checks)
		if err != nil {
			t.Error(err)
		}
		for range 5 {
			w.decide(w.fact("pull_request.labeled"))
		}
		w.decide(w.fact("pull_request_review.submitted"))
		w.want("while one is at work", map[string]string{"review": "done", "ready": "running queued"})
		if after, _ := json.Marshal(w.checks); string(after) != string(before) {
			t.Error("a run that waits shows itself on the check run of the one at work")
		}
	}
	runs, err := w.store.Runs(t.Context(), review.StatusQueued, 10)
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs wait, %v", len(runs), err)
	}
	if err := w.p.Run(t.Context(), runs[0].ID); err != nil {
		t.Fatal(err)
	}
	runs, err = w.store.Runs(t.Context(), review.StatusQueued, 10)
	if err != nil || len(runs) != 1 || runs[0].Event != "pull_request_review.submitted" || !runs[0].Enqueued {
		t.Fatalf("runs that wait %+v, %v; want one that knows the last fact", runs, err)
	}
	if err := w.p.Run(t.Context(), runs[0].ID); err != nil {
		t.Fatal(err)
	}
	w.want("in the end", map[string]string{"review": "done", "ready": "done done"})
	if len(w.checks) != 2 {
		t.Errorf("%d check runs, want 2", len(w.checks))
	}
}

// TestFactThenPush holds that a push supersedes what runs and what waits.
func TestFactThenPush(t *testing.T) {
	w := newWorld(t)
	w.config = fmt.Sprintf(ready, "pull_request.labeled")
	w.work(w.deliver("opened", head("a")))
	w.decide(w.fact("pull_request.labeled"))
	w.work(w.deliver("synchronize", head("c")))
	w.want("after the push", map[string]string{"review": "done done", "ready": "superseded"})
	for _, c := range w.checks {
		if c.Status != review.CheckCompleted {
			t.Errorf("check %s at %.4s is left %s", c.Name, c.HeadSHA, c.Status)
		}
	}
}

// TestFactSkipped holds that a fact for which nothing is to run takes no result
// away.
func TestFactSkipped(t *testing.T) {
	w := newWorld(t)
	w.config = "version: 1\npipelines:\n  review:\n    on: [pull_request.opened, pull_request.labeled]\n    agents: [finder]\n"
	w.work(w.deliver("opened", head("a")))
	id := w.event("pull_request", "labeled", object{"pull_request": object{
		"number": 7, "updated_at": w.at.Add(1e9), "draft": true,
		"head": object{"sha": head("a"), "repo": object{"id": 1}}, "base": object{"ref": "main", "sha": head("b"), "repo": object{"id": 1}},
	}})
	w.work(id)
	w.want("after the fact", map[string]string{"review": "done"})
	if check, _ := w.onlyCheck(); check.Conclusion != review.ConclusionFailure {
		t.Errorf("the fact has made the check %s", check.Conclusion)
	}
}

func TestSuites(t *testing.T) {
	const listens = "check_suite.completed, check_suite.requested, check_run.requested_action"
	tests := []struct {
		name   string
		arrive func(w *world) int64
		status store.DeliveryStatus
		ready  string
	}{
		{"another app's", func(w *world) int64 { return w.suite("completed", head("a"), 77) }, store.DeliveryDone, "done"},
		{"our own", func(w *world) int64 { return w.suite("completed", head("a"), ourApp) }, store.DeliveryIgnored, ""},
		{"ours is requested", func(w *world) int64 { return w.suite("requested", head("a"), ourApp) }, store.DeliveryDone, "done"},
		{"another app's is requested", func(w *world) int64 { return w.suite("requested", head("a"), 77) }, store.DeliveryIgnored, ""},
		{"an older head", func(w *world) int64 {
			id := w.suite("completed", head("a"), 77)
			w.work(w.deliver("synchronize", head("c")))
			return id
		}, store.DeliverySuperseded, ""},
		{"no pull request", func(w *world) int64 { return w.suite("completed", head("e"), 77) }, store.DeliveryIgnored, ""},
		{"closed", func(w *world) int64 {
			w.pull.Closed = true
			return w.suite("completed", head("a"), 77)
		}, store.DeliveryIgnored, ""},
		{"a head that GitHub alone knows", func(w *world) int64 {
			w.pull.HeadSHA = head("d")
			return w.suite("completed", head("d"), 77)
		}, store.DeliveryDone, "done"},
		{"a button of ours", func(w *world) int64 {
			return w.event("check_run", "requested_action", object{"requested_action": object{"identifier": "x"}, "check_run": object{"id": 1, "name": "assay / review", "head_sha": head("a"), "app": object{"id": ourApp}}})
		}, store.DeliveryDone, "done"},
		{"a button of another app's", func(w *world) int64 {
			return w.event("check_run", "requested_action", object{"check_run": object{"id": 1, "name": "assay / review", "head_sha": head("a"), "app": object{"id": 77}}})
		}, store.DeliveryIgnored, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.config = fmt.Sprintf(ready, listens)
			w.work(w.deliver("opened", head("a")))
			id := tt.arrive(w)
			w.work(id)
			if status, reason := w.status(id); status != tt.status {
				t.Errorf("the delivery is %s (%s), want %s", status, reason, tt.status)
			}
			if got := w.attempts()["ready"]; got != tt.ready {
				t.Errorf("runs %q, want %q", got, tt.ready)
			}
		})
	}
}

// TestFork holds that a fork's pull request is found although GitHub names none
// in events of checks.
func TestFork(t *testing.T) {
	w := newWorld(t)
	w.config = fmt.Sprintf(ready, "check_suite.completed")
	w.work(w.deliver("opened", head("a")))
	w.fail["PullsForCommit"] = fmt.Errorf("it must not be asked")
	w.work(w.event("check_suite", "completed", object{"check_suite": object{"id": 1, "head_sha": head("a"), "app": object{"id": 77}, "pull_requests": []object{}}}))
	w.want("the fork's", map[string]string{"review": "done", "ready": "done"})
}

// TestClosed holds that closing cancels what runs, and that only pipelines that
// listen to the closing run then.
func TestClosed(t *testing.T) {
	for _, point := range []string{"", "check-created", "judged"} {
		t.Run("crash at "+point, func(t *testing.T) {
			w := newWorld(t)
			w.config = fmt.Sprintf(ready, "pull_request.closed")
			w.decide(w.deliver("opened", head("a")))
			w.pull.Closed = true
			w.at = w.at.Add(1e9)
			id := w.store1("closed", w.pull, w.at)
			w.crashAt = point
			w.work(id)
			want := map[string]string{"review": "cancelled"}
			if decidesClosed(w) {
				want["ready"] = "done"
			} else {
				w.crashAt = ""
			}
			w.want("closed", want)
			if status, _ := w.status(id); status != store.DeliveryDone {
				t.Errorf("the delivery is %s", status)
			}
			late := w.fact("pull_request.labeled")
			w.work(late)
			if status, reason := w.status(late); status != store.DeliveryIgnored || reason != closedReason {
				t.Errorf("a label on a closed pull request is %s, %s", status, reason)
			}
		})
	}
}

// decidesClosed reports whether strategy starts pipelines on the closing itself.
func decidesClosed(w *world) bool {
	w.t.Helper()
	config, problems := strategy.Parse(ConfigPath, []byte(w.config), w.p.Vocabulary)
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	ev := review.Event{Name: "pull_request", Action: "closed", Pull: &review.Pull{Number: 7, Closed: true}}
	return len(strategy.Decide(ev, strategy.Settings{Config: config}).Plans) > 0
}
