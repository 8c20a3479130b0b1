package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Beat says that the node is alive.
func (s *Store) Beat(ctx context.Context, node string) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO nodes (id, seen) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`, node, s.micros())
		return err
	})
}

// Leave forgets the node: what it still holds may be taken over at once.
func (s *Store) Leave(ctx context.Context, node string) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM nodes WHERE id = $1`, node)
		return err
	})
}

// ReleaseDead makes the jobs of nodes that have not been seen for longer than
// silence available again, drops their leases, and returns how many jobs that
// were. River alone would leave them running for an hour.
//
// On SQLite the caller owns the file, so every node but itself is dead.
func (s *Store) ReleaseDead(ctx context.Context, self string, silence time.Duration) (int, error) {
	lastOwner := `attempted_by[array_length(attempted_by, 1)]`
	if s.dialect == SQLite {
		lastOwner = `json_extract(attempted_by, '$[#-1]')`
	}
	seenAfter := s.micros() - silence.Microseconds()
	if s.dialect == SQLite {
		seenAfter = s.micros() + 1
	}
	released := 0
	err := s.Write(ctx, func(tx *sql.Tx) error {
		live := `(SELECT id FROM nodes WHERE seen >= $1 OR id = $2)`
		res, err := tx.ExecContext(ctx, `
			UPDATE river_job SET state = 'available', scheduled_at = CURRENT_TIMESTAMP
			WHERE state = 'running' AND `+lastOwner+` NOT IN `+live, seenAfter, self)
		if err != nil {
			return fmt.Errorf("release jobs of dead nodes: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		released = int(n)
		if _, err := tx.ExecContext(ctx, `DELETE FROM leases WHERE substr(owner, 1, 26) NOT IN `+live, seenAfter, self); err != nil {
			return fmt.Errorf("release leases of dead nodes: %w", err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM nodes WHERE seen < $1 AND id <> $2`, seenAfter, self)
		return err
	})
	return released, err
}
