package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"assay/internal/fault"
)

// MaxCategories is how many uploads one head can have. A head that has as many
// takes newer ones of the same categories alone.
const MaxCategories = 50

// Upload is what CI has sent for a head.
type Upload struct {
	RepoID   int64
	HeadSHA  string
	Category string
	// Results are kept compressed and given back as they were.
	Results    []byte
	ReceivedAt time.Time
}

// ErrTooManyUploads says that a head has MaxCategories uploads already.
var ErrTooManyUploads = fault.New(fault.Invalid, fmt.Errorf("the head has uploads of %d categories already", MaxCategories))

// PutUpload keeps an upload in the place of an older one of its category. It
// returns ErrTooManyUploads when there is no room for another category.
func (s *Store) PutUpload(ctx context.Context, u Upload) error {
	if len(u.Results) > maxBody {
		return fault.New(fault.Invalid, fmt.Errorf("results of %d bytes are over the limit of %d", len(u.Results), maxBody))
	}
	results := compress(u.Results)
	return s.Write(ctx, func(tx *sql.Tx) error {
		var others int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sarif_uploads WHERE repo_id = $1 AND head_sha = $2 AND category <> $3`, u.RepoID, u.HeadSHA, u.Category).Scan(&others)
		if err == nil && others >= MaxCategories {
			return ErrTooManyUploads
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO sarif_uploads (repo_id, head_sha, category, results, received_at) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (repo_id, head_sha, category) DO UPDATE SET results = excluded.results, received_at = excluded.received_at
				WHERE sarif_uploads.received_at <= excluded.received_at`,
				u.RepoID, u.HeadSHA, u.Category, results, toMicros(u.ReceivedAt))
		}
		if err != nil {
			return fmt.Errorf("keep upload for %s: %w", u.HeadSHA, err)
		}
		return nil
	})
}

// Uploads are what was sent for a head, by category.
func (s *Store) Uploads(ctx context.Context, repoID int64, headSHA string) ([]Upload, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT category, results, received_at FROM sarif_uploads WHERE repo_id = $1 AND head_sha = $2 ORDER BY category`, repoID, headSHA)
	if err != nil {
		return nil, classify(fmt.Errorf("list uploads for %s: %w", headSHA, err))
	}
	defer rows.Close()
	var uploads []Upload
	for rows.Next() {
		u := Upload{RepoID: repoID, HeadSHA: headSHA}
		var results []byte
		var at int64
		err := rows.Scan(&u.Category, &results, &at)
		if err == nil {
			u.Results, err = decompress(results)
		}
		if err != nil {
			return nil, fmt.Errorf("list uploads for %s: %w", headSHA, err)
		}
		u.ReceivedAt = fromMicros(at)
		uploads = append(uploads, u)
	}
	return uploads, classify(rows.Err())
}

// pruneUploads forgets uploads that are older than DeliveryRetention.
func (s *Store) pruneUploads(ctx context.Context, tx *sql.Tx, limit int) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM sarif_uploads WHERE (repo_id, head_sha, category) IN (
		SELECT repo_id, head_sha, category FROM sarif_uploads WHERE received_at < $1 ORDER BY received_at LIMIT $2)`,
		s.micros()-DeliveryRetention.Microseconds(), limit)
	if err != nil {
		return fmt.Errorf("prune uploads: %w", err)
	}
	return nil
}
