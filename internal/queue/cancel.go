package queue

import (
	"context"
	"database/sql"
	"fmt"

	"assay/internal/store"
	"assay/review"
)

// Close notes that a pull request was closed and cancels its runs, but those
// that the delivery which says so has opened. It reports false, and does
// nothing, where a later event of the pull request is known. The delivery is
// not finished: what listens to the closing comes next.
func (q *Queue) Close(ctx context.Context, d store.Delivery, sub store.Subject) (bool, error) {
	var overtaken []string
	var closed bool
	err := q.store.Write(ctx, func(tx *sql.Tx) error {
		overtaken, closed = nil, false
		before, known, err := q.store.SubjectTx(ctx, tx, sub.RepoID, sub.Number)
		if err != nil || known && before.PullUpdatedAt.After(sub.PullUpdatedAt) {
			return err
		}
		sub.Closed, closed = true, true
		if err := q.store.MoveSubject(ctx, tx, sub); err != nil {
			return err
		}
		active, err := q.store.ActiveTx(ctx, tx, sub.RepoID, sub.Number)
		if err != nil {
			return err
		}
		for _, r := range active {
			if r.Delivery == d.GUID {
				continue
			}
			if _, err := q.store.FinishRunTx(ctx, tx, r.ID, review.StatusCancelled, "the pull request was closed"); err != nil {
				return err
			}
			overtaken = append(overtaken, r.ID)
		}
		return q.wakeOvertaken(ctx, tx, overtaken)
	})
	if err != nil {
		return false, fmt.Errorf("close pull request %d: %w", sub.Number, err)
	}
	q.running.interrupt(overtaken)
	return closed, nil
}

// cancelBatch bounds the runs that one transaction cancels.
const cancelBatch = 200

// Cancel cancels what an installation has under way: in all its repositories,
// or in one where repoID is not 0.
func (q *Queue) Cancel(ctx context.Context, installation, repoID int64, reason string) error {
	for {
		var overtaken []string
		err := q.store.Write(ctx, func(tx *sql.Tx) error {
			overtaken = nil
			runs, err := q.store.UnfinishedOf(ctx, tx, installation, repoID, cancelBatch)
			if err != nil {
				return err
			}
			for _, r := range runs {
				if _, err := q.store.FinishRunTx(ctx, tx, r.ID, review.StatusCancelled, reason); err != nil {
					return err
				}
				overtaken = append(overtaken, r.ID)
			}
			return q.wakeOvertaken(ctx, tx, overtaken)
		})
		if err != nil {
			return fmt.Errorf("cancel runs of installation %d: %w", installation, err)
		}
		q.running.interrupt(overtaken)
		if len(overtaken) < cancelBatch {
			return nil
		}
	}
}
