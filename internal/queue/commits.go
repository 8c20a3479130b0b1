package queue

import (
	"context"
	"database/sql"
	"slices"

	"assay/internal/store"
	"assay/review"
)

// pushEvent is the one event of commits whose runs a later one takes over.
const pushEvent = "push"

// succeed lets the runs of a push take over those of the push just before it
// that have not come to an end: they review both pushes' commits together, so
// that none is left out. Which push is before which their commits tell, not the
// order in which they arrive. It returns the runs as they are to be opened.
func (q *Queue) succeed(ctx context.Context, tx *sql.Tx, o Opening) (runs []store.Run, overtaken []string, err error) {
	// Only for the lock: pushes to one repository take turns.
	if _, _, err := q.store.SubjectTx(ctx, tx, o.Subject.RepoID, 0); err != nil {
		return nil, nil, err
	}
	active, err := q.store.ActiveTx(ctx, tx, o.Subject.RepoID, 0)
	if err != nil {
		return nil, nil, err
	}
	runs = slices.Clone(o.Runs)
	for i, r := range runs {
		for _, a := range active {
			if !precedes(a, r) {
				continue
			}
			if _, err := q.store.FinishRunTx(ctx, tx, a.ID, review.StatusSuperseded, "superseded by a push, whose run reviews these commits too: the head is now "+shortSHA(r.Pull.HeadSHA)); err != nil {
				return nil, nil, err
			}
			runs[i].Pull.BaseSHA = a.Pull.BaseSHA
			overtaken = append(overtaken, a.ID)
		}
	}
	return runs, overtaken, q.wakeOvertaken(ctx, tx, overtaken)
}

func precedes(a, r store.Run) bool {
	return a.Event == pushEvent && r.Event == pushEvent && r.Status == review.StatusQueued && a.Pipeline == r.Pipeline &&
		a.Pull.HeadRef == r.Pull.HeadRef && a.Pull.HeadSHA == r.Pull.BaseSHA && a.Pull.HeadSHA != r.Pull.HeadSHA
}
