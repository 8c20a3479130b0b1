package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"assay/review"
)

// Heal is what is remembered of a run that is to complete itself.
type Heal struct {
	Run string
	// Dependencies are what the missing agents wait for.
	Dependencies []string
	// Tries is how often the missing agents were run again.
	Tries int
	// Wakes grows with each time that a dependency of the run came back.
	Wakes int
	// NextTry is when they are run next, at the latest; GiveUp when they are
	// not run any more.
	NextTry, GiveUp time.Time
	// OpenUntil is until when the check run is kept open; zero for one that is
	// concluded.
	OpenUntil time.Time
	// Unshown says that the stored run has a result that the pull request does
	// not show yet.
	Unshown bool
	// Shown is the result that the pull request shows, with as much of it as
	// makes annotations; the zero Run when it shows none.
	Shown review.Run
}

// Heal returns what is remembered of the run; ok is false when it is not to
// complete itself.
func (s *Store) Heal(ctx context.Context, runID string) (h Heal, ok bool, err error) {
	h.Run = runID
	var next, giveUp, until int64
	var unshown int
	var shown []byte
	err = s.read.QueryRowContext(ctx, `SELECT tries, wakes, next_try, give_up, open_until, unshown, shown FROM heals WHERE run_id = $1`, runID).
		Scan(&h.Tries, &h.Wakes, &next, &giveUp, &until, &unshown, &shown)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	}
	if err == nil {
		h.NextTry, h.GiveUp, h.OpenUntil, h.Unshown = fromMicros(next), fromMicros(giveUp), fromMicros(until), unshown != 0
		err = json.Unmarshal(shown, &h.Shown)
	}
	if err == nil {
		h.Dependencies, err = s.healDependencies(ctx, runID)
	}
	if err != nil {
		return h, false, classify(fmt.Errorf("read what run %s waits for: %w", runID, err))
	}
	return h, true, nil
}

func (s *Store) healDependencies(ctx context.Context, runID string) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT dependency FROM heal_dependencies WHERE run_id = $1 ORDER BY dependency`, runID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// InsertHealTx remembers a run. It reports false when it is remembered already.
func (s *Store) InsertHealTx(ctx context.Context, tx *sql.Tx, h Heal) (bool, error) {
	shown, err := json.Marshal(h.Shown)
	if err != nil {
		return false, fmt.Errorf("remember run %s: %w", h.Run, err)
	}
	ok, err := execActive(ctx, tx, `INSERT INTO heals (run_id, job_id, next_try, give_up, open_until, shown)
		VALUES ($1, 0, $2, $3, $4, $5) ON CONFLICT (run_id) DO NOTHING`,
		h.Run, toMicros(h.NextTry), toMicros(h.GiveUp), toMicros(h.OpenUntil), shown)
	if err != nil || !ok {
		return ok, err
	}
	return true, setHealDependencies(ctx, tx, h)
}

// UpdateHealTx keeps what became of a try. A run whose dependency has come back
// meanwhile is to be tried again at once: the time of the next try is returned.
// ok is false when the run is not remembered any more.
func (s *Store) UpdateHealTx(ctx context.Context, tx *sql.Tx, h Heal) (next time.Time, ok bool, err error) {
	shown, err := json.Marshal(h.Shown)
	if err != nil {
		return next, false, fmt.Errorf("remember run %s: %w", h.Run, err)
	}
	unshown := 0
	if h.Unshown {
		unshown = 1
	}
	var micros int64
	err = tx.QueryRowContext(ctx, `UPDATE heals SET tries = $2, next_try = CASE WHEN wakes = $3 THEN CAST($4 AS BIGINT) ELSE CAST($5 AS BIGINT) END,
		give_up = $6, open_until = $7, unshown = $8, shown = $9 WHERE run_id = $1 RETURNING next_try`,
		h.Run, h.Tries, h.Wakes, toMicros(h.NextTry), s.micros(), toMicros(h.GiveUp), toMicros(h.OpenUntil), unshown, shown).Scan(&micros)
	if errors.Is(err, sql.ErrNoRows) {
		return next, false, nil
	}
	if err != nil {
		return next, false, fmt.Errorf("remember run %s: %w", h.Run, err)
	}
	return fromMicros(micros), true, setHealDependencies(ctx, tx, h)
}

func setHealDependencies(ctx context.Context, tx *sql.Tx, h Heal) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM heal_dependencies WHERE run_id = $1`, h.Run); err != nil {
		return fmt.Errorf("remember run %s: %w", h.Run, err)
	}
	for _, name := range h.Dependencies {
		_, err := tx.ExecContext(ctx, `INSERT INTO heal_dependencies (dependency, run_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, storable(name), h.Run)
		if err != nil {
			return fmt.Errorf("remember run %s: %w", h.Run, err)
		}
	}
	return nil
}

// SetHealJobTx notes the job that completes the run.
func (s *Store) SetHealJobTx(ctx context.Context, tx *sql.Tx, runID string, job int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE heals SET job_id = $2 WHERE run_id = $1`, runID, job)
	if err != nil {
		return fmt.Errorf("note job of run %s: %w", runID, err)
	}
	return nil
}

// DeleteHealTx forgets the run.
func (s *Store) DeleteHealTx(ctx context.Context, tx *sql.Tx, runID string) error {
	for _, table := range []string{"heal_dependencies", "heals"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE run_id = $1`, runID); err != nil {
			return fmt.Errorf("forget what run %s waits for: %w", runID, err)
		}
	}
	return nil
}

// HealsOf lists the runs that wait for the dependency, those to be tried first
// first.
func (s *Store) HealsOf(ctx context.Context, dependency string, limit int) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT heals.run_id FROM heals JOIN heal_dependencies AS d ON d.run_id = heals.run_id
		WHERE d.dependency = $1 ORDER BY next_try, heals.run_id LIMIT $2`, dependency, limit)
	if err != nil {
		return nil, classify(fmt.Errorf("list runs that wait for %s: %w", dependency, err))
	}
	return scanIDs(rows)
}

// Awaited lists the dependencies that runs wait for.
func (s *Store) Awaited(ctx context.Context) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT DISTINCT dependency FROM heal_dependencies ORDER BY dependency`)
	if err != nil {
		return nil, classify(fmt.Errorf("list what runs wait for: %w", err))
	}
	return scanIDs(rows)
}

// OrphanHealsTx lists the runs that are to complete themselves and have no job
// for it.
func (s *Store) OrphanHealsTx(ctx context.Context, tx *sql.Tx, limit int) ([]string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT run_id FROM heals WHERE run_id NOT IN `+s.liveJobs("heal", "run")+` ORDER BY run_id LIMIT $1`, limit)
	if err != nil {
		return nil, classify(fmt.Errorf("look for runs without a job: %w", err))
	}
	return scanIDs(rows)
}

func scanIDs(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, classify(rows.Err())
}

// WakeHealTx has the run tried again after the delay, if that is sooner than it
// would be. A try that is under way is followed by another.
func (s *Store) WakeHealTx(ctx context.Context, tx *sql.Tx, runID string, after time.Duration) error {
	_, err := tx.ExecContext(ctx, `UPDATE heals SET wakes = wakes + 1, next_try = CASE WHEN next_try < $2 THEN next_try ELSE $2 END WHERE run_id = $1`,
		runID, s.micros()+after.Microseconds())
	if err != nil {
		return fmt.Errorf("wake run %s: %w", runID, err)
	}
	// By the database's clock, in the form that River writes.
	seconds := strconv.FormatFloat(after.Seconds(), 'f', 3, 64)
	at := `now() + CAST('` + seconds + ` seconds' AS INTERVAL)`
	if s.dialect == SQLite {
		at = `strftime('%Y-%m-%d %H:%M:%f', 'now', '+` + seconds + ` seconds')`
	}
	_, err = tx.ExecContext(ctx, `UPDATE river_job SET state = 'available', scheduled_at = `+at+`
		WHERE id = (SELECT job_id FROM heals WHERE run_id = $1) AND kind = 'heal' AND state IN ('available', 'scheduled', 'retryable') AND scheduled_at > `+at, runID)
	if err != nil {
		return fmt.Errorf("wake run %s: %w", runID, err)
	}
	return nil
}

// standing is the condition that a run speaks for its head still: no later
// attempt has taken its check run over, and the head is the pull request's.
const standing = `NOT EXISTS (SELECT 1 FROM runs AS later WHERE later.repo_id = runs.repo_id AND later.head_sha = runs.head_sha
		AND later.pipeline = runs.pipeline AND later.attempt > runs.attempt)
	AND (runs.number = 0 OR EXISTS (SELECT 1 FROM subjects WHERE subjects.repo_id = runs.repo_id AND subjects.number = runs.number
		AND subjects.head_sha = runs.head_sha))`

// Standing reports whether the run speaks for its head still.
func (s *Store) Standing(ctx context.Context, runID string) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM runs WHERE id = $1 AND `+standing, runID).Scan(&n)
	if err != nil {
		return false, classify(fmt.Errorf("look whether run %s stands: %w", runID, err))
	}
	return n > 0, nil
}

// SaveHealedTx keeps the result of a run that was tried again, while it stands.
func (s *Store) SaveHealedTx(ctx context.Context, tx *sql.Tx, r review.Run) (bool, error) {
	document, err := json.Marshal(r)
	if err != nil {
		return false, fmt.Errorf("store result of run %s: %w", r.ID, err)
	}
	return execActive(ctx, tx, `UPDATE runs SET document = $2 WHERE id = $1 AND status IN ('running', 'done') AND `+standing, r.ID, document)
}
