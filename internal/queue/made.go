package queue

import (
	"context"
	"database/sql"
	"fmt"

	"assay/internal/store"
)

// AcceptWith stores a delivery of the service's own making and its job in one
// transaction with another change, so that either both are done or neither.
// Where with reports false there is no delivery; what with has done stands. It
// reports false too for a delivery that is known already.
func (q *Queue) AcceptWith(ctx context.Context, d store.Delivery, with func(tx *sql.Tx) (bool, error)) (fresh bool, err error) {
	d.ReceivedAt = q.cfg.Now()
	err = q.store.Write(ctx, func(tx *sql.Tx) error {
		fresh, d.ID = false, 0
		ok, err := with(tx)
		if err != nil || !ok {
			return err
		}
		if err := q.store.InsertDeliveries(ctx, tx, []*store.Delivery{&d}); err != nil {
			return err
		}
		if fresh = d.ID != 0; !fresh {
			return nil
		}
		_, err = q.client.InsertTx(ctx, tx, decideArgs{Delivery: d.ID}, nil)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store delivery %s: %w", d.GUID, err)
	}
	if fresh {
		q.cfg.Crash("accepted")
	}
	return fresh, nil
}
