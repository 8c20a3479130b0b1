package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"assay/internal/fault"
	"assay/internal/store"
)

// Limits of accepting.
const (
	// maxBatch bounds the deliveries that share a commit.
	maxBatch = 256
	// maxWaiting bounds the deliveries that wait for a commit; more are
	// refused, so that the sender sees it.
	maxWaiting = 1024
	// commitTimeout bounds one commit: GitHub gives a delivery 10 s, so nobody
	// waits for a database that takes longer. Without it one that went away
	// without a word would hold all deliveries, and a stop, for many minutes.
	commitTimeout = 10 * time.Second
)

// ErrFull is returned by Accept when too many deliveries wait for the disk.
var ErrFull = errors.New("too many deliveries wait to be stored")

// Accept stores a delivery and its job and returns when both are on the disk.
// It reports false for a delivery that is known already and whose work did not
// die.
//
// A caller that leaves early (ctx) does not know whether the delivery was
// stored, and must not say so.
func (q *Queue) Accept(ctx context.Context, d store.Delivery) (bool, error) {
	d.ReceivedAt = q.cfg.Now()
	fresh, err := q.batch.add(ctx, &d)
	if err == nil && fresh {
		q.cfg.Crash("accepted")
	}
	return fresh, err
}

// Requeue takes a dead delivery up again. It reports false for one that is not
// dead.
func (q *Queue) Requeue(ctx context.Context, guid string) (bool, error) {
	var found bool
	err := q.store.Write(ctx, func(tx *sql.Tx) error {
		d := store.Delivery{GUID: guid}
		if err := q.store.Rearm(ctx, tx, &d); err != nil {
			return err
		}
		if found = d.ID != 0; !found {
			return nil
		}
		_, err := q.client.InsertTx(ctx, tx, decideArgs{Delivery: d.ID}, nil)
		return err
	})
	return found, err
}

// insert stores deliveries with their jobs in one transaction. Where that
// fails and there are several, each is tried alone: one bad row must not cost
// the others.
func (q *Queue) insert(ctx context.Context, waiting []*waiter) {
	err := q.insertTogether(ctx, waiting)
	if err != nil && len(waiting) > 1 && fault.KindOf(err) != fault.Transient {
		for _, w := range waiting {
			w.finish(q.insertTogether(ctx, []*waiter{w}))
		}
		return
	}
	for _, w := range waiting {
		w.finish(err)
	}
}

func (q *Queue) insertTogether(ctx context.Context, waiting []*waiter) error {
	deliveries := make([]*store.Delivery, len(waiting))
	for i, w := range waiting {
		deliveries[i] = w.delivery
	}
	return q.store.Write(ctx, func(tx *sql.Tx) error {
		if err := q.store.InsertDeliveries(ctx, tx, deliveries); err != nil {
			return err
		}
		var jobs []river.InsertManyParams
		for _, d := range deliveries {
			if d.ID != 0 {
				jobs = append(jobs, river.InsertManyParams{Args: decideArgs{Delivery: d.ID}})
			}
		}
		if len(jobs) == 0 {
			return nil
		}
		if _, err := q.client.InsertManyTx(ctx, tx, jobs); err != nil {
			return fmt.Errorf("insert jobs: %w", err)
		}
		return nil
	})
}

// waiter is a delivery that waits for its commit.
type waiter struct {
	delivery *store.Delivery
	done     chan error // buffered: the batcher never waits for a caller
}

func (w *waiter) finish(err error) { w.done <- err }

// batcher lets deliveries that arrive while a commit is under way share the
// next one: many times the rate of one commit each, and no timer to wait for.
type batcher struct {
	in     chan *waiter
	closed chan struct{}
	insert func(ctx context.Context, waiting []*waiter)
}

func newBatcher(insert func(context.Context, []*waiter)) *batcher {
	return &batcher{in: make(chan *waiter, maxWaiting), closed: make(chan struct{}), insert: insert}
}

func (b *batcher) add(ctx context.Context, d *store.Delivery) (fresh bool, err error) {
	w := &waiter{delivery: d, done: make(chan error, 1)}
	select {
	case <-b.closed:
		return false, fault.New(fault.Transient, errors.New("the queue is stopped"))
	default:
	}
	select {
	case b.in <- w:
	default:
		return false, fault.New(fault.Transient, ErrFull)
	}
	select {
	case err := <-w.done:
		return err == nil && d.ID != 0, err
	case <-ctx.Done():
		return false, ctx.Err()
	case <-b.closed:
		// The last batch may hold it; if not, it is not stored.
		select {
		case err := <-w.done:
			return err == nil && d.ID != 0, err
		default:
			return false, fault.New(fault.Transient, errors.New("the queue is stopped"))
		}
	}
}

func (b *batcher) loop(ctx context.Context) {
	defer close(b.closed)
	for {
		select {
		case w := <-b.in:
			b.commit(context.WithoutCancel(ctx), b.gather(w))
		case <-ctx.Done():
			return
		}
	}
}

func (b *batcher) commit(ctx context.Context, waiting []*waiter) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	b.insert(ctx, waiting)
}

func (b *batcher) gather(first *waiter) []*waiter {
	batch := []*waiter{first}
	for len(batch) < maxBatch {
		select {
		case w := <-b.in:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}
