package queue

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"assay/internal/store"
)

// reviveLimit bounds the jobs of either kind that are made at once.
const reviveLimit = 500

// Revive gives a job to what has none and is not finished: accepted deliveries,
// runs, and runs whose check run does not show that they ended (those that ended
// at or after since). Normally there is nothing to revive: deliveries and runs
// are committed together with their jobs, and a job ends after its work. It
// returns how many there were.
func (q *Queue) Revive(ctx context.Context, since time.Time) (int, error) {
	var n int
	err := q.store.Write(ctx, func(tx *sql.Tx) error {
		n = 0
		deliveries, err := q.store.OrphanDeliveriesTx(ctx, tx, reviveLimit)
		if err != nil {
			return err
		}
		for _, id := range deliveries {
			if _, err := q.client.InsertTx(ctx, tx, decideArgs{Delivery: id}, nil); err != nil {
				return fmt.Errorf("insert job of delivery %d: %w", id, err)
			}
		}
		revived, err := q.reviveRuns(ctx, tx, since)
		if err != nil {
			return err
		}
		heals, err := q.reviveHeals(ctx, tx)
		n = len(deliveries) + revived + heals
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("revive what has no job: %w", err)
	}
	return n, nil
}

func (q *Queue) reviveRuns(ctx context.Context, tx *sql.Tx, since time.Time) (n int, err error) {
	runs, err := q.store.OrphansTx(ctx, tx, since, reviveLimit)
	if err != nil {
		return 0, err
	}
	for _, r := range runs {
		ok, err := q.store.NoteRevived(ctx, tx, r)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue // another node has just done it
		}
		if err := q.insertRun(ctx, tx, r, nil); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (q *Queue) insertRun(ctx context.Context, tx *sql.Tx, r store.Run, opts *river.InsertOpts) error {
	if _, err := q.client.InsertTx(ctx, tx, runArgs{Run: r.ID, Lane: lane(r)}, opts); err != nil {
		return fmt.Errorf("insert job of run %s: %w", r.ID, err)
	}
	return nil
}
