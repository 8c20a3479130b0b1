package pipeline

import (
	"strings"
	"sync"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
)

func TestDelayed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                    "delayed by 0 s: ",
		42 * time.Second:                "delayed by 42 s: ",
		14*time.Minute + 50*time.Second: "delayed by 14 min: ",
		119 * time.Minute:               "delayed by 119 min: ",
		26 * time.Hour:                  "delayed by 26 h: ",
		72 * time.Hour:                  "delayed by 3 days: ",
	} {
		if got := delayed(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// TestNote holds that a report says when its webhook was lost, and nothing
// where it was not.
func TestNote(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(w *world, d store.Delivery)
		want    string
	}{
		{"in time", func(*world, store.Delivery) {}, ""},
		{"recovered", func(w *world, d store.Delivery) {
			// The delivery came; to have been lost it must not be known yet.
			w.exec(`UPDATE deliveries SET guid = 'other'`)
			lost := store.Lost{GUID: d.GUID, AttemptID: 1, FailedAt: d.ReceivedAt.Add(-14 * time.Minute)}
			if err := w.store.SaveScan(t.Context(), store.Scan{Name: "scan", Lost: []store.Lost{lost}}, time.Time{}); err != nil {
				t.Fatal(err)
			}
			w.exec(`UPDATE deliveries SET guid = $1`, d.GUID)
		}, "Delayed by 14 min: webhook lost, recovered."},
		{"found", func(w *world, d store.Delivery) {
			w.exec(`UPDATE deliveries SET headers = $1, received_at = $2`, []byte(`{"X-Assay-Reconcile":"yes"}`), d.ReceivedAt.Add(5*time.Minute).UnixMicro())
		}, "Delayed by 5 min: no webhook came, found by reconciliation."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			id := w.deliver("opened", head("a"))
			d, err := w.store.Delivery(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			tt.prepare(w, d)
			w.work(id)
			check, _ := w.onlyCheck()
			for where, text := range map[string]string{"check": check.Output.Summary, "comment": w.comment()} {
				if !strings.Contains(text, tt.want) || tt.want == "" && strings.Contains(text, "elayed") {
					t.Errorf("the %s does not say %q, and that alone: %s", where, tt.want, text)
				}
			}
		})
	}
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	if _, err := w.store.DB().ExecContext(w.t.Context(), query, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) comment() string {
	for _, body := range w.comments {
		return body
	}
	return ""
}

// TestTwin holds that a head that its webhook and reconciliation find at the
// same time is reviewed once, whichever is first.
func TestTwin(t *testing.T) {
	for round := range 10 {
		w := newWorld(t)
		real := w.deliver("opened", head("a"))
		found := w.store1("synchronize", w.pull, w.at.Add(time.Duration(round%2)*time.Second))
		w.exec(`UPDATE deliveries SET headers = $1 WHERE id = $2`, []byte(`{"X-Assay-Reconcile":"1"}`), found)
		var wg sync.WaitGroup
		for i, id := range []int64{real, found} {
			wg.Go(func() {
				for range 20 {
					err := w.p.Decide(t.Context(), id)
					if fault.KindOf(err) != fault.Busy {
						if err != nil {
							t.Errorf("decide on delivery %d: %v", i, err)
						}
						return
					}
				}
				t.Errorf("delivery %d is put off without end", i)
			})
		}
		wg.Wait()
		runs, err := w.store.Runs(t.Context(), "", 100)
		if err != nil || len(runs) != 1 || len(w.checks) != 1 {
			t.Fatalf("round %d: %d runs, %d check runs, %v; want one of each", round, len(runs), len(w.checks), err)
		}
	}
}

// TestOrphanedCheck holds that a check run which a lost database has left open
// is taken over by the run that reconciliation opens for its head, and is
// concluded; a run that a webhook brought looks for none.
func TestOrphanedCheck(t *testing.T) {
	for _, reconciled := range []bool{true, false} {
		w := newWorld(t)
		w.checks[99] = &review.CheckRun{Name: review.CheckName("review"), HeadSHA: head("a"), ExternalID: "of a run that nobody knows", Status: review.CheckInProgress}
		id := w.deliver("opened", head("a"))
		if reconciled {
			d, err := w.store.Delivery(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			d.GUID, d.Header = "reconcile-1", map[string]string{ReconcileHeader: "1"}
			id = w.put(d)
		}
		w.work(id)
		want := map[bool]int{true: 1, false: 2}[reconciled]
		if open := w.checks[99].Status == review.CheckInProgress; open == reconciled || len(w.checks) != want {
			t.Errorf("reconciled %v: %d check runs, the orphaned one is %s", reconciled, len(w.checks), w.checks[99].Status)
		}
	}
}
