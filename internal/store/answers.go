package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	// AnswerRetention is how long an answer of a model is kept.
	AnswerRetention = 14 * 24 * time.Hour
	// maxAnswers bounds the answers that are kept; they have some 2 KB each.
	maxAnswers = 200_000
)

// Answer is what a model answered, by the repository it was about and the key
// that names all it depends on.
func (s *Store) Answer(ctx context.Context, repoID int64, key string) (body []byte, ok bool, err error) {
	var stored []byte
	err = s.read.QueryRowContext(ctx, `SELECT body FROM answers WHERE repo_id = $1 AND key = $2 AND at >= $3`,
		repoID, key, toMicros(s.now().Add(-AnswerRetention))).Scan(&stored)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, false, nil
	case err != nil:
		return nil, false, classify(fmt.Errorf("read an answer: %w", err))
	}
	if body, err = decompress(stored); err != nil {
		return nil, false, fmt.Errorf("read an answer: %w", err)
	}
	return body, true, nil
}

// KeepAnswer keeps an answer. The latest of a key stands.
func (s *Store) KeepAnswer(ctx context.Context, repoID int64, key string, body []byte) error {
	stored := compress(body)
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO answers (repo_id, key, at, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (repo_id, key) DO UPDATE SET at = excluded.at, body = excluded.body`, repoID, key, s.micros(), stored)
		if err != nil {
			return fmt.Errorf("keep an answer: %w", err)
		}
		return nil
	})
}

// PruneAnswers forgets the answers that are too old, and the oldest of too many,
// at most limit of either, and says how many.
func (s *Store) PruneAnswers(ctx context.Context, limit int) (int, error) {
	return s.pruneAnswers(ctx, limit, maxAnswers)
}

func (s *Store) pruneAnswers(ctx context.Context, limit, most int) (n int, err error) {
	err = s.Write(ctx, func(tx *sql.Tx) error {
		n = 0
		var count int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM answers`).Scan(&count); err != nil {
			return err
		}
		var before int64 // the time of the oldest one that may stay for their number
		if over := count - most; over > 0 {
			if err := tx.QueryRowContext(ctx, `SELECT at FROM answers ORDER BY at LIMIT 1 OFFSET $1`, min(over, limit)).Scan(&before); err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM answers WHERE at IN (SELECT at FROM answers WHERE at < $1 OR at < $2 ORDER BY at LIMIT $3)`,
			toMicros(s.now().Add(-AnswerRetention)), before, limit)
		if err != nil {
			return err
		}
		gone, err := res.RowsAffected()
		n = int(gone)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune answers: %w", err)
	}
	return n, nil
}
