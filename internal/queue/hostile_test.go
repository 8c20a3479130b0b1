package queue

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
)

// TestOneCheck holds that no attempt is opened while the check run of the one
// before it may still be in the making: two would be made.
func TestOneCheck(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		q := start(t, st, nil, Config{})
		now := time.Now()
		first := opening(t, q, "g1", review.Pull{Number: 2, HeadSHA: "aaa"}, now)
		runs, err := q.Open(t.Context(), first)
		if err != nil || len(runs) != 1 {
			t.Fatalf("opening: %v, %v", runs, err)
		}
		pushed(t, q, "g2", "bbb", now.Add(time.Second))
		// The branch goes back before the first delivery has made its check run.
		back := opening(t, q, "g3", review.Pull{Number: 2, HeadSHA: "aaa"}, now.Add(2*time.Second))
		if got, err := q.Open(t.Context(), back); fault.KindOf(err) != fault.Busy {
			t.Fatalf("going back opens %v, %v; want busy", got, err)
		}
		if err := st.NoteCheck(t.Context(), runs[0].ID, 77, review.CheckQueued); err != nil {
			t.Fatal(err)
		}
		if err := q.Commit(t.Context(), first.Delivery, runs); err != nil {
			t.Fatal(err)
		}
		got, err := q.Open(t.Context(), back)
		if err != nil || len(got) != 1 || got[0].CheckID != 77 || got[0].Attempt != 2 {
			t.Errorf("afterwards it opens %+v, %v; want a second attempt on check run 77", got, err)
		}
	})
}

// TestSharedHead holds that a pull request whose head another one has too is
// reviewed for itself, after the other, and that a draft takes no result away.
func TestSharedHead(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		q := start(t, st, nil, Config{})
		now := time.Now()
		first := pushed(t, q, "g1", "aaa", now)[0]
		other := opening(t, q, "g2", review.Pull{Number: 3, HeadSHA: "aaa", BaseRef: "release"}, now)
		if got, err := q.Open(t.Context(), other); fault.KindOf(err) != fault.Busy {
			t.Fatalf("while the first is reviewed, the other opens %v, %v; want busy", got, err)
		}
		if _, err := st.FinishRun(t.Context(), first.ID, review.StatusDone, ""); err != nil {
			t.Fatal(err)
		}
		draft := opening(t, q, "g3", review.Pull{Number: 4, HeadSHA: "aaa", Draft: true}, now)
		draft.Runs[0].Status = review.StatusSkipped
		if got, err := q.Open(t.Context(), draft); err != nil || len(got) != 0 {
			t.Errorf("a draft with a reviewed head opens %v, %v; want nothing", got, err)
		}
		if got, err := q.Open(t.Context(), other); err != nil || len(got) != 1 || got[0].Attempt != 2 {
			t.Errorf("the other opens %v, %v; want a second attempt", got, err)
		}
	})
}

// TestRetargeted holds that a run for another base branch does not stand.
func TestRetargeted(t *testing.T) {
	st := open(t, filepath.Join(t.TempDir(), "assay.db"))
	q := start(t, st, nil, Config{})
	first := pushed(t, q, "g1", "aaa", time.Now())[0]
	o := opening(t, q, "g2", review.Pull{Number: 2, HeadSHA: "aaa", BaseRef: "main"}, time.Now())
	if got, err := q.Open(t.Context(), o); err != nil || len(got) != 1 || got[0].Attempt != 2 {
		t.Errorf("another base opens %v, %v; want a second attempt", got, err)
	}
	if status, _, err := st.RunStatus(t.Context(), first.ID); err != nil || status != review.StatusSuperseded {
		t.Errorf("the run for the old base is %s, %v", status, err)
	}
}

// TestDatabaseAway holds that a database that does not answer costs a delivery
// its answer in time, and does not hold up a stop.
func TestDatabaseAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBatcher(func(ctx context.Context, waiting []*waiter) {
			<-ctx.Done()
			for _, w := range waiting {
				w.finish(ctx.Err())
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go b.loop(ctx)
		began := time.Now()
		if _, err := b.add(t.Context(), &store.Delivery{}); fault.KindOf(err) != fault.Transient || time.Since(began) > commitTimeout {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		cancel()
		<-b.closed
	})
}

// TestPoison holds that a job that takes the process down each time it is begun
// is given up in the end.
func TestPoison(t *testing.T) {
	st := open(t, filepath.Join(t.TempDir(), "assay.db"))
	q, err := New(t.Context(), st, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	accept(t, q, store.Delivery{GUID: "g1", Event: "pull_request"})
	stop(t, q)
	if _, err := st.DB().ExecContext(t.Context(), `UPDATE river_job SET attempt = max_attempts`); err != nil {
		t.Fatal(err)
	}
	given := make(chan error, 1)
	start(t, st, handler{
		decide:       func(context.Context, int64) error { t.Error("begun once more"); return nil },
		decideFailed: func(_ context.Context, _ int64, cause error) error { given <- cause; return nil },
	}, Config{})
	if cause := receive(t, given, "giving up"); fault.KindOf(cause) != fault.Internal {
		t.Errorf("given up for %v", cause)
	}
}
