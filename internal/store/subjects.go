package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Subject is what is known of a pull request over its pushes.
type Subject struct {
	RepoID        int64
	Number        int
	HeadSHA       string
	PullUpdatedAt time.Time
	Closed        bool
	// CommentID is our summary comment; 0 when there is none.
	CommentID int64
	// CommentPosting says that a comment was about to be posted and its ID is
	// not known: it must be looked for before another one is made.
	CommentPosting bool
}

// Subject returns the pull request; ok is false when it is not known yet.
func (s *Store) Subject(ctx context.Context, repoID int64, number int) (sub Subject, ok bool, err error) {
	return scanSubject(s.read.QueryRowContext(ctx, subjectQuery, repoID, number))
}

// SubjectTx is Subject within a transaction, and keeps other transactions that
// call it for the pull request waiting until the end of this one.
func (s *Store) SubjectTx(ctx context.Context, tx *sql.Tx, repoID int64, number int) (sub Subject, ok bool, err error) {
	if s.dialect == Postgres {
		// One order of locks everywhere: subject, run, job. A pull request that
		// is not known yet has no row to lock, so the lock is on its name; two
		// names that share a lock only wait for each other.
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, repoID<<20^int64(number)); err != nil {
			return Subject{}, false, fmt.Errorf("lock pull request %d: %w", number, err)
		}
	}
	return scanSubject(tx.QueryRowContext(ctx, subjectQuery, repoID, number))
}

const subjectQuery = `SELECT repo_id, number, head_sha, pull_updated_at, closed, comment_id, comment_state
	FROM subjects WHERE repo_id = $1 AND number = $2`

const commentPosting = "posting"

func scanSubject(row *sql.Row) (sub Subject, ok bool, err error) {
	var updated, closed int64
	var state string
	err = row.Scan(&sub.RepoID, &sub.Number, &sub.HeadSHA, &updated, &closed, &sub.CommentID, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return Subject{}, false, nil
	}
	if err != nil {
		return Subject{}, false, classify(fmt.Errorf("read pull request: %w", err))
	}
	sub.PullUpdatedAt, sub.Closed, sub.CommentPosting = fromMicros(updated), closed != 0, state == commentPosting
	return sub, true, nil
}

// MoveSubject notes the pull request's head and whether it is closed.
func (s *Store) MoveSubject(ctx context.Context, tx *sql.Tx, sub Subject) error {
	closed := 0
	if sub.Closed {
		closed = 1
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO subjects (repo_id, number, head_sha, pull_updated_at, closed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (repo_id, number) DO UPDATE SET head_sha = excluded.head_sha, pull_updated_at = excluded.pull_updated_at, closed = excluded.closed`,
		sub.RepoID, sub.Number, sub.HeadSHA, toMicros(sub.PullUpdatedAt), closed)
	if err != nil {
		return fmt.Errorf("note head of pull request %d: %w", sub.Number, err)
	}
	return nil
}

// NoteCommentPosting notes that a comment is about to be posted.
func (s *Store) NoteCommentPosting(ctx context.Context, repoID int64, number int) error {
	return s.setComment(ctx, repoID, number, 0, commentPosting)
}

// NoteComment notes the ID of the comment; 0 when there is none any more.
func (s *Store) NoteComment(ctx context.Context, repoID int64, number int, id int64) error {
	return s.setComment(ctx, repoID, number, id, "")
}

func (s *Store) setComment(ctx context.Context, repoID int64, number int, id int64, state string) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE subjects SET comment_id = $1, comment_state = $2 WHERE repo_id = $3 AND number = $4`, id, state, repoID, number)
		if err != nil {
			return fmt.Errorf("note comment of pull request %d: %w", number, err)
		}
		return nil
	})
}
