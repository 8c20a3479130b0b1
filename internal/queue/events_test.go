package queue

import (
	"fmt"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
)

// TestFact holds what becomes of a new fact about a head, by where the last
// attempt at it is.
func TestFact(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		q := start(t, st, nil, Config{})
		now := time.Now()
		n := 0
		fact := func(change func(*Opening)) ([]store.Run, error) {
			t.Helper()
			n++
			now = now.Add(time.Second)
			o := opening(t, q, fmt.Sprint("f", n), review.Pull{Number: 2, HeadSHA: "aaa"}, now)
			o.Fact = true
			if change != nil {
				change(&o)
			}
			runs, err := q.Open(t.Context(), o)
			if err == nil {
				err = q.Commit(t.Context(), o.Delivery, runs)
			}
			return runs, err
		}
		opened := func(what string, wants int, change func(*Opening)) []store.Run {
			t.Helper()
			runs, err := fact(change)
			if err != nil || len(runs) != wants {
				t.Fatalf("%s: %d runs, %v; want %d", what, len(runs), err, wants)
			}
			return runs
		}
		first := opened("nothing has run", 1, nil)[0]
		opened("one waits", 0, func(o *Opening) { o.Runs[0].Event = "the news" })
		if r, err := st.Run(t.Context(), first.ID); err != nil || r.Event != "the news" || r.Delivery != first.Delivery || r.Attempt != 1 {
			t.Errorf("the run that waits is %+v, %v", r, err)
		}
		if _, err := st.StartRun(t.Context(), first.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := fact(func(o *Opening) { o.Runs[0].Status = review.StatusSkipped }); err != nil {
			t.Error(err)
		}
		second := opened("one is at work", 1, nil)[0]
		if !second.Waits || second.Attempt != 2 {
			t.Errorf("behind the one at work comes %+v", second)
		}
		opened("one is at work and one waits", 0, nil)
		finish := func(id string) {
			t.Helper()
			if ok, err := st.FinishRun(t.Context(), id, review.StatusDone, ""); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		finish(first.ID)
		opened("the first is done and one waits", 0, nil)
		finish(second.ID)
		opened("a skip after a result", 0, func(o *Opening) { o.Runs[0].Status = review.StatusSkipped })
		if third := opened("all are done", 1, nil)[0]; third.Waits || third.Attempt != 3 {
			t.Errorf("after those that are done comes %+v", third)
		}

		// A run whose delivery is not finished may never be enqueued.
		o := opening(t, q, "open", review.Pull{Number: 2, HeadSHA: "bbb"}, now.Add(time.Second))
		if _, err := q.Open(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Second)
		if _, err := fact(func(o *Opening) { o.Runs[0].Pull.HeadSHA, o.Subject.HeadSHA = "bbb", "bbb" }); fault.KindOf(err) != fault.Busy {
			t.Errorf("a fact beside a delivery that is being decided: %v, want busy", err)
		}
	})
}

// TestCommits holds that pushes next to each other are reviewed together, and
// that runs about issues do not wait for each other.
func TestCommits(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		q := start(t, st, nil, Config{})
		on := func(guid, base, head string, change func(*store.Run)) store.Run {
			t.Helper()
			o := opening(t, q, guid, review.Pull{HeadRef: "main", BaseSHA: base, HeadSHA: head}, time.Time{})
			o.Runs[0].Event = pushEvent
			if change != nil {
				change(&o.Runs[0])
			}
			runs, err := q.Open(t.Context(), o)
			if err != nil || len(runs) != 1 {
				t.Fatalf("%s opens %d runs, %v", guid, len(runs), err)
			}
			if again, err := q.Open(t.Context(), o); err != nil || len(again) != 1 || again[0].ID != runs[0].ID {
				t.Fatalf("%s opened again: %v, %v", guid, again, err)
			}
			return runs[0]
		}
		first := on("p1", "a", "b", nil)
		other := on("p2", "b", "c", func(r *store.Run) { r.Pull.HeadRef = "dev" })
		group := on("p3", "b", "d", func(r *store.Run) { r.Event = "merge_group.checks_requested" })
		next := on("p4", "b", "e", nil)
		if next.Pull.BaseSHA != "a" {
			t.Errorf("the next push is reviewed from %s, want from before the one that it takes over", next.Pull.BaseSHA)
		}
		issues := []store.Run{
			on("i1", "", "e", func(r *store.Run) { r.Issue, r.Event = &review.Issue{Number: 1}, "issues.opened" }),
			on("i2", "", "e", func(r *store.Run) { r.Issue, r.Event = &review.Issue{Number: 2}, "issues.opened" }),
		}
		for _, tt := range []struct {
			id   string
			want review.Status
		}{
			{first.ID, review.StatusSuperseded}, {other.ID, review.StatusQueued}, {group.ID, review.StatusQueued}, {next.ID, review.StatusQueued},
			{issues[0].ID, review.StatusQueued}, {issues[1].ID, review.StatusQueued},
		} {
			if status, _, err := st.RunStatus(t.Context(), tt.id); err != nil || status != tt.want {
				t.Errorf("run %s is %s, %v; want %s", tt.id, status, err, tt.want)
			}
		}
		if issues[1].Attempt != issues[0].Attempt+1 {
			t.Errorf("attempts %d and %d", issues[0].Attempt, issues[1].Attempt)
		}
	})
}

// TestCancel holds that cancelling reaches all runs of an installation, or of
// one of its repositories, and no others.
func TestCancel(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		q := start(t, st, nil, Config{})
		o := opening(t, q, "g", review.Pull{HeadSHA: "h"}, time.Time{})
		o.Runs = nil
		for i := range cancelBatch + 10 {
			r := store.Run{Plan: []byte("{}"), Run: review.Run{
				ID: store.NewRunID(), Pipeline: fmt.Sprint("p", i), Status: review.StatusQueued, QueuedAt: time.Now(), Installation: int64(1 + i%3/2),
				Repo: review.Repo{ID: int64(1 + i%3)}, Pull: review.Pull{HeadSHA: fmt.Sprint(i)},
			}}
			o.Runs = append(o.Runs, r)
		}
		if _, err := q.Open(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		left := func() (byRepo [4]int) {
			t.Helper()
			runs, err := st.Runs(t.Context(), review.StatusQueued, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range runs {
				byRepo[r.Repo.ID]++
			}
			return byRepo
		}
		for _, tt := range []struct {
			installation, repo int64
		}{{1, 0}, {2, 1}, {2, 3}} {
			before := left()
			if err := q.Cancel(t.Context(), tt.installation, tt.repo, "why"); err != nil {
				t.Fatal(err)
			}
			after := left()
			switch {
			case tt.installation == 1 && (after[1] != 0 || after[2] != 0 || after[3] != before[3] || before[3] == 0):
				t.Errorf("cancelling an installation leaves %v of %v", after, before)
			case tt.repo == 1 && after != before:
				t.Errorf("cancelling in a repository of another installation leaves %v of %v", after, before)
			case tt.repo == 3 && after[3] != 0:
				t.Errorf("cancelling in a repository leaves %v", after)
			}
		}
	})
}
