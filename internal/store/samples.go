package store

import (
	"context"
	"fmt"
)

// LatestPulls returns the latest delivery, with its body, of each of the pull
// requests of a repository that were opened or pushed to last: at most limit,
// the newest first.
func (s *Store) LatestPulls(ctx context.Context, repoID int64, limit int) ([]Delivery, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+deliveryColumns+`, body FROM deliveries WHERE id IN (
			SELECT max(id) FROM deliveries
			WHERE repo_id = $1 AND number <> 0 AND event = 'pull_request' AND action IN ('opened', 'reopened', 'synchronize', 'ready_for_review')
			GROUP BY number ORDER BY max(id) DESC LIMIT $2)
		ORDER BY id DESC`, repoID, limit)
	if err != nil {
		return nil, classify(fmt.Errorf("list the latest pull requests: %w", err))
	}
	defer rows.Close()
	var list []Delivery
	for rows.Next() {
		var body []byte
		d, err := scanDelivery(rows, &body)
		if err == nil {
			d.Body, err = decompress(body)
		}
		if err != nil {
			return nil, fmt.Errorf("list the latest pull requests: %w", err)
		}
		list = append(list, d)
	}
	return list, rows.Err()
}
