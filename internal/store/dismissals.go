package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Dismissal says that a finding does not count on a pull request.
type Dismissal struct {
	RepoID int64
	Number int
	// Fingerprint is the finding's ID.
	Fingerprint string
	// Who is the login of whoever dismissed it.
	Who    string
	Reason string
	At     time.Time
}

// Dismiss keeps a dismissal. The first one of a finding stands: a delivery that
// is worked on again changes nothing.
func (s *Store) Dismiss(ctx context.Context, d Dismissal) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO dismissals (repo_id, number, fingerprint, who, reason, at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (repo_id, number, fingerprint) DO NOTHING`,
			d.RepoID, d.Number, d.Fingerprint, storable(d.Who), storable(d.Reason), toMicros(d.At))
		if err != nil {
			return fmt.Errorf("dismiss finding %s: %w", d.Fingerprint, err)
		}
		return nil
	})
}

// Dismissals are the dismissals of a pull request, by fingerprint.
func (s *Store) Dismissals(ctx context.Context, repoID int64, number int) (map[string]Dismissal, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT repo_id, number, fingerprint, who, reason, at FROM dismissals WHERE repo_id = $1 AND number = $2`, repoID, number)
	if err != nil {
		return nil, classify(fmt.Errorf("list dismissals of pull request %d: %w", number, err))
	}
	defer rows.Close()
	found := make(map[string]Dismissal)
	for rows.Next() {
		var d Dismissal
		var at int64
		if err := rows.Scan(&d.RepoID, &d.Number, &d.Fingerprint, &d.Who, &d.Reason, &at); err != nil {
			return nil, fmt.Errorf("list dismissals of pull request %d: %w", number, err)
		}
		d.At = fromMicros(at)
		found[d.Fingerprint] = d
	}
	return found, classify(rows.Err())
}
