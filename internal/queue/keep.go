package queue

import (
	"context"
	"errors"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
)

// errLostLane ends the work of a process that was taken for dead; whoever took
// over does it.
var errLostLane = fault.New(fault.Busy, errors.New("another process took the run over"))

const (
	beatInterval  = 2 * time.Second
	pruneInterval = time.Hour
	pruneLimit    = 5000
)

// keep says that this node is alive, takes over from dead ones and forgets what
// is old, until ctx ends.
func (q *Queue) keep(ctx context.Context) {
	beat := time.NewTicker(beatInterval)
	defer beat.Stop()
	prune := time.NewTicker(pruneInterval)
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			q.beat(ctx)
		case <-prune.C:
			if _, err := q.store.PruneAnswers(ctx, pruneLimit); err != nil {
				q.cfg.Logger.Warn("old answers of models not pruned", "error", err)
			}
			if n, err := q.store.Prune(ctx, pruneLimit); err != nil {
				q.cfg.Logger.Warn("old deliveries not pruned", "error", err)
			} else if n > 0 {
				q.cfg.Logger.Info("old deliveries pruned", "count", n)
			}
		}
	}
}

func (q *Queue) beat(ctx context.Context) {
	if q.store.Dialect() == store.SQLite {
		return // the file has one owner; there is nobody to tell
	}
	if err := q.store.Beat(ctx, q.cfg.Node); err != nil {
		q.cfg.Logger.Warn("heartbeat not stored", "error", err)
		return
	}
	if err := q.releaseDead(ctx); err != nil {
		q.cfg.Logger.Warn("dead nodes not looked for", "error", err)
	}
}

func (q *Queue) releaseDead(ctx context.Context) error {
	n, err := q.store.ReleaseDead(ctx, q.cfg.Node, q.cfg.DeadAfter)
	if err == nil && n > 0 {
		q.cfg.Logger.Info("work of a dead process taken up", "jobs", n)
	}
	return err
}
