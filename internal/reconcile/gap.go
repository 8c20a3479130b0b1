package reconcile

import (
	"context"
	"sync"
	"time"
)

// head is an open head that was found without a check.
type head struct {
	number int
	sha    string
	since  time.Time
}

// waiting is what the last look at each repository found.
type waiting struct {
	mu     sync.Mutex
	byRepo map[int64][]head
	looked map[int64]bool // in the walk under way
}

func (w *waiting) set(repoID int64, heads []head) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byRepo == nil {
		w.byRepo, w.looked = make(map[int64][]head), make(map[int64]bool)
	}
	w.looked[repoID] = true
	w.byRepo[repoID] = heads
	if len(heads) == 0 {
		delete(w.byRepo, repoID)
	}
}

// endWalk forgets repositories that are out of reach now.
func (w *waiting) endWalk() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.byRepo {
		if !w.looked[id] {
			delete(w.byRepo, id)
		}
	}
	clear(w.looked)
}

func (w *waiting) snapshot() map[int64][]head {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[int64][]head, len(w.byRepo))
	for id, heads := range w.byRepo {
		all[id] = heads
	}
	return all
}

// ReviewGap is how long the open head that has waited longest has been without
// a finished check; 0 when none waits. It counts what was delivered here and is
// not finished, and, on the node whose turn it is to sweep, the heads that the
// last sweeps found. Of a head that was found it is known only when its pull
// request was last updated. It may be called at any time.
func (r *Reconciler) ReviewGap(ctx context.Context) (time.Duration, error) {
	oldest, err := r.store.OldestUnfinished(ctx)
	if err != nil {
		return 0, err
	}
	for repoID, heads := range r.waiting.snapshot() {
		for _, h := range heads {
			if !oldest.IsZero() && !h.since.Before(oldest) {
				continue
			}
			waits, err := r.waits(ctx, repoID, h)
			if err != nil {
				return 0, err
			}
			if waits {
				oldest = h.since
			}
		}
	}
	if oldest.IsZero() {
		return 0, nil
	}
	return max(0, r.cfg.Now().Sub(oldest)), nil
}

// waits reports whether a head that was found without a check is without one
// still.
func (r *Reconciler) waits(ctx context.Context, repoID int64, h head) (bool, error) {
	sub, known, err := r.store.Subject(ctx, repoID, h.number)
	if err != nil || !known {
		return true, err
	}
	if sub.Closed || sub.HeadSHA != h.sha {
		// What is known is either older than what was found, or has moved on.
		return !sub.PullUpdatedAt.After(h.since), nil
	}
	latest, err := r.store.LatestOfPull(ctx, repoID, h.number, h.sha)
	if err != nil {
		return true, err
	}
	for _, run := range latest {
		if !run.Status.Final() {
			return true, nil
		}
	}
	return r.store.Deciding(ctx, repoID, h.number)
}
