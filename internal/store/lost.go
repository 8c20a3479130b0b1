package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Lost is a delivery that GitHub tried to deliver and could not.
type Lost struct {
	GUID string
	// AttemptID is GitHub's ID of an attempt at it.
	AttemptID int64
	// FailedAt is when the first attempt that is known failed.
	FailedAt time.Time
	// Later says that others are asked for first.
	Later bool
	// Asks is how often GitHub was asked for it again.
	Asks int
}

// Scan is what a look at GitHub's list of deliveries found.
type Scan struct {
	// Lost are the deliveries none of whose attempts was answered 2xx.
	Lost []Lost
	// Delivered are the GUIDs of those that were.
	Delivered []string
	// Cursor says under Name where the next look begins.
	Name, Cursor string
}

// SaveScan keeps what a scan found together with its cursor, and forgets what
// was lost before oldest. A delivery that is known already was not lost,
// whatever GitHub made of the answer.
func (s *Store) SaveScan(ctx context.Context, scan Scan, oldest time.Time) error {
	err := s.Write(ctx, func(tx *sql.Tx) error {
		for _, l := range scan.Lost {
			later := 0
			if l.Later {
				later = 1
			}
			// What is known of a lost delivery stays; of its attempts the
			// latest is the one that GitHub keeps longest.
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO lost_deliveries (guid, attempt_id, failed_at, later)
				SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT)
				WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE guid = $1)
				ON CONFLICT (guid) DO UPDATE SET attempt_id = excluded.attempt_id`,
				l.GUID, l.AttemptID, toMicros(l.FailedAt), later); err != nil {
				return err
			}
		}
		for _, guid := range scan.Delivered {
			// One that came to us through our own asking is kept, to be told of.
			if _, err := tx.ExecContext(ctx, `
				DELETE FROM lost_deliveries WHERE guid = $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE guid = $1)`, guid); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM lost_deliveries WHERE failed_at < $1`, toMicros(oldest)); err != nil {
			return err
		}
		return setCursor(ctx, tx, scan.Name, scan.Cursor)
	})
	if err != nil {
		return fmt.Errorf("note lost deliveries: %w", err)
	}
	return nil
}

// LostDue lists the deliveries that are lost still and may be asked for now,
// those that are not to come later first, and then the oldest.
func (s *Store) LostDue(ctx context.Context, limit int) ([]Lost, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT guid, attempt_id, failed_at, later, asks FROM lost_deliveries
		WHERE ask_at <= $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.guid = lost_deliveries.guid)
		ORDER BY later, failed_at, guid LIMIT $2`, s.micros(), limit)
	if err != nil {
		return nil, classify(fmt.Errorf("list lost deliveries: %w", err))
	}
	defer rows.Close()
	var list []Lost
	for rows.Next() {
		var l Lost
		var failed, later int64
		if err := rows.Scan(&l.GUID, &l.AttemptID, &failed, &later, &l.Asks); err != nil {
			return nil, fmt.Errorf("list lost deliveries: %w", err)
		}
		l.FailedAt, l.Later = fromMicros(failed), later != 0
		list = append(list, l)
	}
	return list, classify(rows.Err())
}

// NoteAsk notes that GitHub is asked for a lost delivery, and from when on it
// may be asked again.
func (s *Store) NoteAsk(ctx context.Context, guid string, again time.Time) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE lost_deliveries SET asks = asks + 1, ask_at = $1 WHERE guid = $2`, toMicros(again), guid)
		if err != nil {
			return fmt.Errorf("note that %s was asked for: %w", guid, err)
		}
		return nil
	})
}

// ForgetLost forgets a lost delivery that cannot be had any more.
func (s *Store) ForgetLost(ctx context.Context, guid string) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM lost_deliveries WHERE guid = $1`, guid)
		if err != nil {
			return fmt.Errorf("forget lost delivery %s: %w", guid, err)
		}
		return nil
	})
}

// LostSince is when GitHub first failed to deliver the GUID; ok is false for
// one that was not lost.
func (s *Store) LostSince(ctx context.Context, guid string) (since time.Time, ok bool, err error) {
	var failed int64
	err = s.read.QueryRowContext(ctx, `SELECT failed_at FROM lost_deliveries WHERE guid = $1`, guid).Scan(&failed)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, classify(fmt.Errorf("look for lost delivery %s: %w", guid, err))
	}
	return fromMicros(failed), true, nil
}

// Cursor returns what SetCursor kept under the name; "" when nothing was.
func (s *Store) Cursor(ctx context.Context, name string) (string, error) {
	var value string
	err := s.read.QueryRowContext(ctx, `SELECT value FROM cursors WHERE name = $1`, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", classify(fmt.Errorf("read cursor %s: %w", name, err))
	}
	return value, nil
}

// SetCursor keeps how far something has come.
func (s *Store) SetCursor(ctx context.Context, name, value string) error {
	return s.Write(ctx, func(tx *sql.Tx) error { return setCursor(ctx, tx, name, value) })
}

func setCursor(ctx context.Context, tx *sql.Tx, name, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO cursors (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	if err != nil {
		return fmt.Errorf("set cursor %s: %w", name, err)
	}
	return nil
}
