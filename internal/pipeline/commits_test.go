package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"assay/internal/store"
	"assay/review"
)

const onPush = "version: 1\npipelines:\n  review:\n    agents: [finder]\n  main:\n    on: [push, merge_group.checks_requested]\n    agents: [finder]\n"

func (w *world) push(ref, before, after string) int64 {
	w.t.Helper()
	return w.event("push", "", object{"ref": ref, "before": before, "after": after})
}

func zeros() string { return strings.Repeat("0", 40) }

// TestPush cuts the review of a push off at each point; in the end there is one
// finished check run, and no comment anywhere.
func TestPush(t *testing.T) {
	for _, point := range []string{"", "check-created", "judged", "check-completed"} {
		t.Run("crash at "+point, func(t *testing.T) {
			w := newWorld(t)
			w.config = onPush
			w.crashAt = point
			w.work(w.push("refs/heads/main", head("a"), head("c")))
			if w.crashAt != "" {
				t.Fatalf("the point %q was not passed", point)
			}
			check, annotations := w.onlyCheck()
			if check.Name != "assay / main" || check.HeadSHA != head("c") || check.Conclusion != review.ConclusionFailure || annotations != 1 || len(w.comments) != 0 {
				t.Errorf("check %s at %.4s is %s with %d annotations, %d comments", check.Name, check.HeadSHA, check.Conclusion, annotations, len(w.comments))
			}
			if _, known, err := w.store.Subject(t.Context(), 1, 0); known || err != nil {
				t.Errorf("a push is kept as a pull request, %v", err)
			}
			if c := w.changes[len(w.changes)-1]; c.Number != 0 || c.BaseSHA != head("a") || c.HeadRef != "main" {
				t.Errorf("the change asked for is %+v", c)
			}
		})
	}
}

func TestPushIgnored(t *testing.T) {
	tests := []struct {
		name, ref, before, after string
		status                   store.DeliveryStatus
		base                     string
	}{
		{"another branch", "refs/heads/dev", head("a"), head("c"), store.DeliveryIgnored, ""},
		{"a tag", "refs/tags/main", head("a"), head("c"), store.DeliveryIgnored, ""},
		{"deleted", "refs/heads/main", head("a"), zeros(), store.DeliveryIgnored, ""},
		{"the first", "refs/heads/main", zeros(), head("c"), store.DeliveryDone, ""},
		{"the default branch", "refs/heads/main", head("a"), head("c"), store.DeliveryDone, head("a")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.config = onPush
			id := w.push(tt.ref, tt.before, tt.after)
			w.work(id)
			if status, reason := w.status(id); status != tt.status {
				t.Errorf("the delivery is %s (%s), want %s", status, reason, tt.status)
			}
			if tt.status == store.DeliveryDone && (len(w.changes) != 1 || w.changes[0].BaseSHA != tt.base) {
				t.Errorf("changes asked for %+v, want one from %q", w.changes, tt.base)
			}
		})
	}
}

// TestPushes holds that the next push takes the run of the one before over with
// its commits, and that nothing else does.
func TestPushes(t *testing.T) {
	w := newWorld(t)
	w.config = onPush
	w.decide(w.push("refs/heads/main", head("a"), head("c")))
	w.decide(w.push("refs/heads/main", head("1"), head("2")))
	w.want("pushes that are not next to each other", map[string]string{"main": "queued queued"})
	w.decide(w.push("refs/heads/main", head("c"), head("d")))
	w.want("the next push", map[string]string{"main": "superseded queued queued"})
	w.decide(w.push("refs/heads/main", head("0"), head("a")))
	w.want("an older push that comes late", map[string]string{"main": "superseded queued queued queued"})
	w.work(w.deliver("opened", head("e")))
	runs, err := w.store.Runs(t.Context(), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if r.Pull.HeadSHA == head("d") && r.Pull.BaseSHA != head("a") {
			t.Errorf("the next push is reviewed from %.4s, want from before the one it took over", r.Pull.BaseSHA)
		}
		if r.Status != review.StatusDone && r.Status != review.StatusSuperseded {
			t.Errorf("the run of %.4s is %s", r.Pull.HeadSHA, r.Status)
		}
	}
	for _, c := range w.checks {
		if c.Status != review.CheckCompleted {
			t.Errorf("the check at %.4s is left %s", c.HeadSHA, c.Status)
		}
	}
}

// TestMergeGroup holds that every required check concludes on a merge group.
func TestMergeGroup(t *testing.T) {
	for _, point := range []string{"", "check-created", "judged"} {
		t.Run("crash at "+point, func(t *testing.T) {
			w := newWorld(t)
			w.config = onPush
			w.work(w.deliver("opened", head("a")))
			w.crashAt = point
			w.work(w.event("merge_group", "checks_requested", object{"merge_group": object{
				"head_sha": head("d"), "head_ref": "refs/heads/gh-readonly-queue/main/pr-7", "base_sha": head("b"), "base_ref": "refs/heads/main",
			}}))
			got := make(map[string]string)
			for _, c := range w.checks {
				if c.HeadSHA == head("d") {
					got[c.Name] = fmt.Sprint(c.Status, " ", c.Conclusion)
				}
			}
			if len(got) != 2 || got["assay / main"] != "completed failure" || got["assay / review"] != "completed skipped" {
				t.Errorf("checks on the group: %v", got)
			}
			if last := w.changes[len(w.changes)-1]; last.BaseRef != "main" || last.BaseSHA != head("b") || last.HeadRef != "gh-readonly-queue/main/pr-7" {
				t.Errorf("the change asked for is %+v", last)
			}
			if number, err := w.store.PullOfHead(t.Context(), 1, head("d")); number != 0 || err != nil {
				t.Errorf("the group counts as pull request %d, %v", number, err)
			}
		})
	}
}

// TestIssue holds that a run about an issue comes to its end and shows itself
// nowhere but on its page, and that issues do not wait for each other.
func TestIssue(t *testing.T) {
	for _, point := range []string{"", "judged"} {
		t.Run("crash at "+point, func(t *testing.T) {
			w := newWorld(t)
			w.config = "version: 1\npipelines:\n  triage:\n    on: [issues.opened]\n    agents: [finder]\n"
			w.heads["main"] = head("a")
			opened := func(n int) int64 {
				return w.event("issues", "opened", object{"issue": object{"number": n, "title": "T", "user": object{"login": "u"}}})
			}
			first := opened(4)
			w.decide(first)
			w.crashAt = point
			w.work(opened(5))
			w.want("two issues", map[string]string{"triage": "done done"})
			if len(w.checks) != 0 || len(w.comments) != 0 {
				t.Errorf("%d check runs and %d comments, want none", len(w.checks), len(w.comments))
			}
			runs, err := w.store.Runs(t.Context(), "", 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range runs {
				if r.Issue == nil || r.Pull.HeadSHA != head("a") || r.CheckShows != review.CheckCompleted {
					t.Errorf("run %+v", r)
				}
			}
		})
	}
	w := newWorld(t)
	id := w.event("issues", "opened", object{"issue": object{"number": 4}})
	w.work(id)
	if status, _ := w.status(id); status != store.DeliveryIgnored {
		t.Errorf("an issue that no pipeline is for is %s", status)
	}
}
