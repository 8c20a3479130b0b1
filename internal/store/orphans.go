package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// maxRevivals bounds how often a run without a job is given one again: what
// came to nothing so often will come to nothing.
const maxRevivals = 3

// liveJobs is a query for what the jobs of a kind that are at work, or still to
// be, have under the key in their arguments, as text.
func (s *Store) liveJobs(kind, key string) string {
	arg := `args->>'` + key + `'`
	if s.dialect == SQLite {
		arg = `CAST(json_extract(args, '$.` + key + `') AS TEXT)`
	}
	return `(SELECT ` + arg + ` FROM river_job WHERE kind = '` + kind + `' AND state NOT IN ('completed', 'cancelled', 'discarded') AND ` + arg + ` IS NOT NULL)`
}

// OrphansTx lists runs that nobody works on although something is left to do:
// runs that are not final, and final ones whose check run does not say so and
// was not taken over by a later attempt. They have no job, and ended at or
// after since where they ended.
func (s *Store) OrphansTx(ctx context.Context, tx *sql.Tx, since time.Time, limit int) ([]Run, error) {
	return s.listRuns(ctx, tx, `WHERE queued_at > 0 AND enqueued = 1 AND revived < $1
		AND (status IN ('queued', 'running') OR check_shows <> 'completed') AND (status IN ('queued', 'running') OR finished_at >= $2)
		AND (status IN ('queued', 'running') OR NOT EXISTS (SELECT 1 FROM runs AS later WHERE later.repo_id = runs.repo_id AND later.head_sha = runs.head_sha
			AND later.pipeline = runs.pipeline AND later.attempt > runs.attempt))
		AND NOT EXISTS (SELECT 1 FROM heals WHERE heals.run_id = runs.id AND runs.status = 'running')
		AND id NOT IN `+s.liveJobs("run", "run")+` ORDER BY queued_at LIMIT $3`, maxRevivals, toMicros(since), limit)
}

// NoteRevived notes that a run was given a job again. It reports false when
// somebody else has done it since the run was read.
func (s *Store) NoteRevived(ctx context.Context, tx *sql.Tx, r Run) (bool, error) {
	return execActive(ctx, tx, `UPDATE runs SET revived = revived + 1 WHERE id = $1 AND revived = $2`, r.ID, r.Revived)
}

// OrphanDeliveriesTx lists the IDs of deliveries that were accepted and that no
// job decides on.
func (s *Store) OrphanDeliveriesTx(ctx context.Context, tx *sql.Tx, limit int) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id FROM deliveries WHERE status = $1 AND CAST(id AS TEXT) NOT IN `+s.liveJobs("decide", "delivery")+` ORDER BY id LIMIT $2`,
		string(DeliveryAccepted), limit)
	if err != nil {
		return nil, fmt.Errorf("look for deliveries without a job: %w", err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Deciding reports whether a delivery of the pull request waits to be decided
// on.
func (s *Store) Deciding(ctx context.Context, repoID int64, number int) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM deliveries WHERE repo_id = $1 AND number = $2 AND number <> 0 AND status = $3`,
		repoID, number, string(DeliveryAccepted)).Scan(&n)
	if err != nil {
		return false, classify(fmt.Errorf("look for deliveries of pull request %d: %w", number, err))
	}
	return n > 0, nil
}

// OldestUnfinished is the time since when the longest waiting delivery of a
// pull request, or run of one, has waited; zero when none waits.
func (s *Store) OldestUnfinished(ctx context.Context) (time.Time, error) {
	var oldest sql.NullInt64
	err := s.read.QueryRowContext(ctx, `SELECT min(since) FROM (
		SELECT min(received_at) AS since FROM deliveries WHERE status = $1 AND number <> 0 AND received_at > 0
		UNION ALL SELECT min(queued_at) AS since FROM runs WHERE status IN ('queued', 'running') AND queued_at > 0) AS waiting`, string(DeliveryAccepted)).Scan(&oldest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, classify(fmt.Errorf("look for what waits: %w", err))
	}
	return fromMicros(oldest.Int64), nil
}
