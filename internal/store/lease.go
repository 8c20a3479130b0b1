package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Acquire takes the lease for owner until ttl from now, or renews it where
// owner holds it already. It reports false while somebody else holds it.
func (s *Store) Acquire(ctx context.Context, name, owner string, ttl time.Duration) (bool, error) {
	var got bool
	err := s.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			INSERT INTO leases (name, owner, until) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
			WHERE leases.owner = excluded.owner OR leases.until < $4`,
			name, owner, s.micros()+ttl.Microseconds(), s.micros())
		if err != nil {
			return fmt.Errorf("acquire lease %s: %w", name, err)
		}
		n, err := res.RowsAffected()
		got = n > 0
		return err
	})
	return got, err
}

// Release gives the lease up where owner still holds it.
func (s *Store) Release(ctx context.Context, name, owner string) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM leases WHERE name = $1 AND owner = $2`, name, owner)
		return err
	})
}
