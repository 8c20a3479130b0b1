package store

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

func TestBacklog(t *testing.T) { suite(t, testBacklog) }

func testBacklog(t *testing.T, s *Store) {
	empty := must1[Backlog](t)(s.Backlog(t.Context()))
	if d := cmp.Diff(Backlog{Jobs: map[string]int{"available": 0, "running": 0, "retryable": 0, "scheduled": 0}}, empty); d != "" {
		t.Errorf("an empty database: %s", d)
	}
	// Finished jobs do not count, however old they are.
	s.insertJob(t, "completed", 50*time.Hour)
	s.insertJob(t, "cancelled", 50*time.Hour)
	s.insertJob(t, "discarded", 50*time.Hour)
	s.insertJob(t, "available", time.Minute)
	s.insertJob(t, "available", 2*time.Minute)
	s.insertJob(t, "scheduled", 10*time.Minute)
	s.insertJob(t, "running", 3*time.Minute)

	now := time.Now()
	dead := &Delivery{GUID: "b-1", Event: "pull_request", ReceivedAt: now.Add(-time.Hour)}
	old := &Delivery{GUID: "b-2", Event: "pull_request", ReceivedAt: now.Add(-DeadWindow - time.Hour)}
	open := &Delivery{GUID: "b-3", Event: "pull_request", ReceivedAt: now}
	s.insertAll(t, dead, old, open)
	err := s.Write(t.Context(), func(tx *sql.Tx) error {
		for i, r := range []Run{{Run: review.Run{Status: review.StatusQueued}}, {Run: review.Run{Status: review.StatusDead}}, {Run: review.Run{Status: review.StatusDead}}} {
			r.ID, r.Repo.ID, r.Attempt, r.QueuedAt, r.Plan = NewRunID(), 99, i, now.Add(-time.Duration(i)*5*24*time.Hour), []byte("{}")
			if _, err := s.InsertRun(t.Context(), tx, r); err != nil {
				return err
			}
		}
		for _, d := range []*Delivery{dead, old} {
			if err := s.FinishDelivery(t.Context(), tx, d.ID, DeliveryDead, "because"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	got := must1[Backlog](t)(s.Backlog(t.Context()))
	if got.Oldest < 10*time.Minute || got.Oldest > 10*time.Minute+time.Minute {
		t.Errorf("the oldest is %s old, want 10 minutes", got.Oldest)
	}
	got.Oldest = 0
	want := Backlog{Jobs: map[string]int{"available": 2, "running": 1, "retryable": 0, "scheduled": 1}, DeadDeliveries: 1, DeadRuns: 1}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got.Unfinished() != 4 {
		t.Errorf("%d unfinished, want 4", got.Unfinished())
	}
}

// insertJob puts a job of that age into River's table.
func (s *Store) insertJob(t *testing.T, state string, age time.Duration) {
	t.Helper()
	finalized := "NULL"
	if state == "completed" || state == "cancelled" || state == "discarded" {
		finalized = "CURRENT_TIMESTAMP"
	}
	created := fmt.Sprintf("now() - interval '%d seconds'", int(age.Seconds()))
	if s.dialect == SQLite {
		created = fmt.Sprintf("datetime('now', 'subsec', '-%d seconds')", int(age.Seconds()))
	}
	_, err := s.write.ExecContext(t.Context(), `INSERT INTO river_job (args, kind, max_attempts, queue, state, created_at, scheduled_at, finalized_at)
		VALUES ('{}', 'run', 3, 'run', '`+state+`', `+created+`, CURRENT_TIMESTAMP, `+finalized+`)`)
	if err != nil {
		t.Fatal(err)
	}
}
