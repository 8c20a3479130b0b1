package store

import (
	"context"
	"database/sql"
	"fmt"
)

// purged is the body of a delivery whose body was forgotten.
var purged = []byte("{}")

// Purge forgets what is kept of an installation: the bodies of its deliveries,
// its runs and what is known of its pull requests. The deliveries' GUIDs stay,
// so that none is worked on again, and those that wait for work are ignored;
// all but the delivery except, which tells of the purge. No transaction takes
// more than limit rows. It may be cut off and called again.
func (s *Store) Purge(ctx context.Context, installation, except int64, limit int) error {
	if err := s.purgeDeliveries(ctx, installation, except, limit); err != nil {
		return fmt.Errorf("purge deliveries of installation %d: %w", installation, err)
	}
	repos, err := s.reposOf(ctx, installation)
	if err != nil {
		return fmt.Errorf("purge installation %d: %w", installation, err)
	}
	for _, repo := range repos {
		if err := s.purgeRepository(ctx, installation, repo, limit); err != nil {
			return fmt.Errorf("purge repository %d of installation %d: %w", repo, installation, err)
		}
	}
	if err := s.deleteAll(ctx, `DELETE FROM schedules WHERE repo_id IN (SELECT repo_id FROM schedules JOIN repositories ON id = repo_id WHERE installation_id = $1 LIMIT $2)`, installation, limit); err != nil {
		return err
	}
	return s.deleteAll(ctx, `DELETE FROM repositories WHERE id IN (SELECT id FROM repositories WHERE installation_id = $1 LIMIT $2)`, installation, limit)
}

// purgeDeliveries goes once over the table, since nothing orders it by
// installation: an index would cost each delivery that is accepted.
func (s *Store) purgeDeliveries(ctx context.Context, installation, except int64, limit int) error {
	empty := compress(purged)
	for last := int64(0); ; {
		first := last
		n := 0
		err := s.Write(ctx, func(tx *sql.Tx) error {
			err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(max(id), 0) FROM
				(SELECT id FROM deliveries WHERE id > $1 AND installation_id = $2 ORDER BY id LIMIT $3) AS batch`, first, installation, limit).Scan(&n, &last)
			if err != nil || n == 0 {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE deliveries SET body = $1,
				reason = CASE WHEN status = $2 THEN $3 ELSE reason END,
				finished_at = CASE WHEN status = $2 THEN $4 ELSE finished_at END,
				status = CASE WHEN status = $2 THEN $5 ELSE status END
				WHERE id > $6 AND id <= $7 AND installation_id = $8 AND id <> $9`,
				empty, string(DeliveryAccepted), "the app's installation was deleted", s.micros(), string(DeliveryIgnored), first, last, installation, except)
			return err
		})
		if err != nil || n < limit {
			return err
		}
	}
}

// reposOf lists the repositories of an installation: those noted, and those
// that only runs tell of.
func (s *Store) reposOf(ctx context.Context, installation int64) (ids []int64, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM repositories WHERE installation_id = $1
		UNION SELECT repo_id FROM runs WHERE installation_id = $1 ORDER BY 1`, installation)
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, classify(rows.Err())
}

// purgeRepository forgets a repository's runs under the installation, and its
// pull requests unless another installation has it now.
func (s *Store) purgeRepository(ctx context.Context, installation, repo int64, limit int) error {
	if err := s.deleteAll(ctx, `DELETE FROM runs WHERE seq IN (SELECT seq FROM runs WHERE repo_id = $1 AND installation_id = $2 LIMIT $3)`, repo, installation, limit); err != nil {
		return err
	}
	now, active, err := s.repository(ctx, repo)
	if err != nil || active && now.Installation != installation {
		return err
	}
	if err := s.deleteAll(ctx, `DELETE FROM dismissals WHERE repo_id = $1 AND fingerprint IN (SELECT fingerprint FROM dismissals WHERE repo_id = $1 LIMIT $2)`, repo, limit); err != nil {
		return err
	}
	if err := s.deleteAll(ctx, `DELETE FROM sarif_uploads WHERE repo_id = $1 AND head_sha IN (SELECT head_sha FROM sarif_uploads WHERE repo_id = $1 LIMIT $2)`, repo, limit); err != nil {
		return err
	}
	if err := s.deleteAll(ctx, `DELETE FROM answers WHERE repo_id = $1 AND key IN (SELECT key FROM answers WHERE repo_id = $1 LIMIT $2)`, repo, limit); err != nil {
		return err
	}
	return s.deleteAll(ctx, `DELETE FROM subjects WHERE repo_id = $1 AND number IN (SELECT number FROM subjects WHERE repo_id = $1 LIMIT $2)`, repo, limit)
}

// deleteAll repeats a bounded deletion until nothing is left.
func (s *Store) deleteAll(ctx context.Context, query string, args ...any) error {
	for {
		var n int64
		err := s.Write(ctx, func(tx *sql.Tx) error {
			res, err := tx.ExecContext(ctx, query, args...)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}
