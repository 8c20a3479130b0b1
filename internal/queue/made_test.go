package queue

import (
	"database/sql"
	"errors"
	"testing"

	"assay/internal/store"
)

// TestAcceptWith holds that a delivery of the service's own making and what goes
// with it are stored together or not at all, and its job with them.
func TestAcceptWith(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		q := start(t, st, nil, Config{})
		cursor := func(value string, ok bool, fail error) func(tx *sql.Tx) (bool, error) {
			return func(tx *sql.Tx) (bool, error) {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO cursors (name, value) VALUES ('c', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, value)
				return ok, errors.Join(err, fail)
			}
		}
		failed := errors.New("cut off")
		for _, tt := range []struct {
			name, guid string
			ok         bool
			fail       error
			fresh      bool
			cursor     string
			jobs       int
		}{
			{"it fails", "a", true, failed, false, "", 0},
			{"new", "a", true, nil, true, "new", 1},
			{"known", "a", true, nil, false, "known", 1},
			{"not wanted", "b", false, nil, false, "not wanted", 1},
		} {
			fresh, err := q.AcceptWith(t.Context(), store.Delivery{GUID: tt.guid, Event: "schedule", Body: []byte("{}")}, cursor(tt.name, tt.ok, tt.fail))
			if fresh != tt.fresh || !errors.Is(err, tt.fail) {
				t.Errorf("%s: fresh %t, %v", tt.name, fresh, err)
			}
			if got, err := st.Cursor(t.Context(), "c"); err != nil || got != tt.cursor {
				t.Errorf("%s: what goes with it is %q, %v; want %q", tt.name, got, err, tt.cursor)
			}
			var jobs int
			if err := st.DB().QueryRowContext(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'decide'`).Scan(&jobs); err != nil || jobs != tt.jobs {
				t.Errorf("%s: %d jobs, %v; want %d", tt.name, jobs, err, tt.jobs)
			}
		}
	})
}
