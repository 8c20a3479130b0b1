package queue

import (
	"testing"
	"time"

	"assay/internal/store"
	"assay/review"
)

// TestRevive holds that what lost its job gets one, a few times at most, and
// that nothing else does.
func TestRevive(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		q := start(t, st, nil, Config{})
		ctx := t.Context()
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := st.DB().ExecContext(ctx, query, args...); err != nil {
				t.Fatal(err)
			}
		}
		revive := func(what string, want int) {
			t.Helper()
			if n, err := q.Revive(ctx, time.Now().Add(-time.Hour)); err != nil || n != want {
				t.Errorf("%s: revived %d, %v; want %d", what, n, err, want)
			}
		}
		jobs := func() (n int) {
			t.Helper()
			if err := st.DB().QueryRowContext(ctx, `SELECT count(*) FROM river_job`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		accept(t, q, store.Delivery{GUID: "waiting", Event: "pull_request", RepoID: 3, Number: 4})
		run := pushed(t, q, "g1", "aaa", time.Now())[0]
		revive("all have their jobs", 0)

		exec(`DELETE FROM river_job`)
		revive("a delivery and a run", 2)
		revive("once they have jobs again", 0)
		if jobs() != 2 {
			t.Errorf("%d jobs, want 2", jobs())
		}
		exec(`DELETE FROM river_job WHERE kind = 'decide'`)
		exec(`UPDATE deliveries SET status = 'done'`)
		exec(`UPDATE river_job SET state = 'completed', finalized_at = CURRENT_TIMESTAMP`)
		revive("a run whose job ended without it", 1)

		if _, err := st.FinishRun(ctx, run.ID, review.StatusSuperseded, ""); err != nil {
			t.Fatal(err)
		}
		exec(`DELETE FROM river_job`)
		if err := st.NoteCheck(ctx, run.ID, 7, review.CheckInProgress); err != nil {
			t.Fatal(err)
		}
		exec(`UPDATE runs SET finished_at = $1`, time.Now().Add(-2*time.Hour).UnixMicro())
		revive("a run that ended long ago", 0)
		exec(`UPDATE runs SET finished_at = $1`, time.Now().UnixMicro())
		revive("a check run that still shows a run that ended", 1)
		exec(`DELETE FROM river_job`)
		revive("one that was revived in vain three times", 0)

		exec(`UPDATE runs SET revived = 0, check_shows = 'completed'`)
		revive("a run whose check run is concluded", 0)
		exec(`UPDATE runs SET check_shows = 'in_progress'`)
		pushed(t, q, "g2", "bbb", time.Now().Add(time.Second))
		pushed(t, q, "g3", "aaa", time.Now().Add(2*time.Second))
		revive("a run whose check run a later attempt has taken over", 0)
	})
}
