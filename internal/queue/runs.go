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
	"assay/review"
)

// Opening is what a delivery wants run on a pull request.
type Opening struct {
	Delivery store.Delivery
	// Subject has the pull request's head as the delivery tells it.
	Subject store.Subject
	// Seen is the pull request as it was known when the delivery was found to
	// be the latest; the zero Subject for one that was not known. Where it has
	// changed meanwhile, Open refuses.
	Seen store.Subject
	// Runs are the runs of this head, queued or skipped, without an attempt.
	Runs []store.Run
	// Rerun asks for a new attempt although the head was reviewed.
	Rerun bool
}

// Open stores the runs that a delivery leads to and supersedes the runs of
// other heads and other bases. It returns those runs that are this delivery's
// to show and to enqueue: a run that another delivery has opened for the same
// head is not among them. Opening the same delivery again returns the same
// runs. The error is fault.Busy while another delivery, or the run of another
// pull request with that head, has to come to its end first.
func (q *Queue) Open(ctx context.Context, o Opening) ([]store.Run, error) {
	var mine []store.Run
	var overtaken []string
	err := q.store.Write(ctx, func(tx *sql.Tx) error {
		mine, overtaken = nil, nil
		before, known, err := q.store.SubjectTx(ctx, tx, o.Subject.RepoID, o.Subject.Number)
		if err != nil {
			return err
		}
		if before.HeadSHA != o.Seen.HeadSHA || before.Closed != o.Seen.Closed || !before.PullUpdatedAt.Equal(o.Seen.PullUpdatedAt) {
			return fault.Until(fault.Busy, q.cfg.Now(), errors.New("another delivery of the pull request was first"))
		}
		sub := o.Subject
		if before.HeadSHA == sub.HeadSHA && before.PullUpdatedAt.After(sub.PullUpdatedAt) {
			// A late delivery about a head that is known already must not make
			// events look new that came between.
			sub.PullUpdatedAt = before.PullUpdatedAt
		}
		if err := q.store.MoveSubject(ctx, tx, sub); err != nil {
			return err
		}
		moved := known && before.HeadSHA != o.Subject.HeadSHA
		if overtaken, err = q.supersede(ctx, tx, o); err != nil {
			return err
		}
		for _, r := range o.Runs {
			opened, ok, err := q.open(ctx, tx, o, r, moved)
			if err != nil {
				return err
			}
			if ok {
				mine = append(mine, opened)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open runs of delivery %s: %w", o.Delivery.GUID, err)
	}
	q.running.interrupt(overtaken)
	return mine, nil
}

func (q *Queue) supersede(ctx context.Context, tx *sql.Tx, o Opening) (ids []string, err error) {
	active, err := q.store.ActiveTx(ctx, tx, o.Subject.RepoID, o.Subject.Number)
	if err != nil {
		return nil, err
	}
	for _, r := range active {
		reason := ""
		switch {
		case r.Pull.HeadSHA != o.Subject.HeadSHA:
			reason = "superseded by a push: the head is now " + shortSHA(o.Subject.HeadSHA)
		case len(o.Runs) > 0 && r.Pull.BaseRef != o.Runs[0].Pull.BaseRef:
			reason = "superseded: the pull request has another base branch now"
		default:
			continue
		}
		if _, err := q.store.FinishRunTx(ctx, tx, r.ID, review.StatusSuperseded, reason); err != nil {
			return nil, err
		}
		ids = append(ids, r.ID)
	}
	return ids, q.wakeOvertaken(ctx, tx, ids)
}

func (q *Queue) open(ctx context.Context, tx *sql.Tx, o Opening, r store.Run, moved bool) (store.Run, bool, error) {
	attempts, err := q.store.AttemptsTx(ctx, tx, r.Repo.ID, r.Pull.HeadSHA, r.Pipeline)
	if err != nil {
		return r, false, err
	}
	r.Attempt = 1
	if n := len(attempts); n > 0 {
		last := attempts[n-1]
		if last.Delivery == o.Delivery.GUID && last.Status != review.StatusDead {
			last.Resumed = true
			return last, true, nil
		}
		if !wantsAnother(last, r, o.Rerun, moved) {
			if o.Rerun { // of a run that waits: what is missing is tried at once
				err = q.store.WakeHealTx(ctx, tx, last.ID, 0)
			}
			return r, false, err
		}
		if err := q.free(ctx, tx, last); err != nil {
			return r, false, err
		}
		r.Attempt, r.CheckID = last.Attempt+1, last.CheckID
	}
	ok, err := q.store.InsertRun(ctx, tx, r)
	if err == nil && !ok {
		err = fault.Until(fault.Busy, q.cfg.Now(), errors.New("another delivery has just opened the run"))
	}
	return r, ok, err
}

// openWait is how long a delivery waits for what another one has opened.
const openWait = time.Second

// free fails, Busy, while the check run of the last attempt is somebody else's:
// all attempts share one check run, so the delivery that opened the last one
// must have made it, and the run of another pull request must have left it.
func (q *Queue) free(ctx context.Context, tx *sql.Tx, last store.Run) error {
	unfinished, err := q.store.UnfinishedTx(ctx, tx, last.Delivery)
	if err != nil {
		return err
	}
	if unfinished || !last.Status.Final() {
		return fault.Until(fault.Busy, q.cfg.Now().Add(openWait), fmt.Errorf("run %s of the same head has to come first", last.ID))
	}
	return nil
}

// wantsAnother says whether a head whose pipeline has run gets another attempt:
// when asked for, when the last one came to nothing, when what was skipped is
// now wanted, and when the head is reviewed for another pull request, for
// another base, or anew after the branch had moved on. That another pull
// request with the head is not reviewed takes no result from this one.
func wantsAnother(last, next store.Run, rerun, moved bool) bool {
	other := last.Pull.Number != next.Pull.Number
	switch {
	case other && next.Status == review.StatusSkipped:
		moved = false
	case other, last.Pull.BaseRef != next.Pull.BaseRef:
		return true
	}
	switch last.Status {
	case review.StatusQueued, review.StatusRunning:
		return false
	case review.StatusCancelled, review.StatusSuperseded, review.StatusDead:
		return true
	case review.StatusSkipped:
		return rerun || next.Status != review.StatusSkipped
	default:
		return rerun || moved
	}
}

// Commit enqueues the runs and finishes the delivery that opened them, in one
// transaction.
func (q *Queue) Commit(ctx context.Context, d store.Delivery, runs []store.Run) error {
	err := q.store.Write(ctx, func(tx *sql.Tx) error {
		if err := q.enqueue(ctx, tx, runs); err != nil {
			return err
		}
		return q.store.FinishDelivery(ctx, tx, d.ID, store.DeliveryDone, "")
	})
	if err != nil {
		return fmt.Errorf("enqueue runs of delivery %s: %w", d.GUID, err)
	}
	return nil
}

func (q *Queue) enqueue(ctx context.Context, tx *sql.Tx, runs []store.Run) error {
	for _, r := range runs {
		if r.Enqueued || r.Status == review.StatusSkipped {
			continue
		}
		delay, err := q.delay(ctx, tx, r)
		if err != nil {
			return err
		}
		opts := &river.InsertOpts{}
		if delay {
			opts.ScheduledAt = q.cfg.Now().Add(q.cfg.Debounce)
		}
		if err := q.insertRun(ctx, tx, r, opts); err != nil {
			return err
		}
		if err := q.store.NoteEnqueued(ctx, tx, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// delay says whether the pull request is being pushed to in quick succession.
func (q *Queue) delay(ctx context.Context, tx *sql.Tx, r store.Run) (bool, error) {
	since := q.cfg.Now().Add(-3 * q.cfg.Debounce)
	return q.store.OtherHeadSince(ctx, tx, r, since)
}

// lane names what runs one at a time: a pipeline of a pull request.
func lane(r store.Run) string {
	return fmt.Sprintf("run/%d/%d/%s", r.Repo.ID, r.Pull.Number, r.Pipeline)
}

// Close cancels the runs of a pull request that was closed and finishes the
// delivery that said so.
func (q *Queue) Close(ctx context.Context, d store.Delivery, sub store.Subject) error {
	var overtaken []string
	err := q.store.Write(ctx, func(tx *sql.Tx) error {
		overtaken = nil
		before, known, err := q.store.SubjectTx(ctx, tx, sub.RepoID, sub.Number)
		if err != nil {
			return err
		}
		if known && before.PullUpdatedAt.After(sub.PullUpdatedAt) {
			return q.store.FinishDelivery(ctx, tx, d.ID, store.DeliverySuperseded, "a later event is known")
		}
		sub.Closed = true
		if err := q.store.MoveSubject(ctx, tx, sub); err != nil {
			return err
		}
		active, err := q.store.ActiveTx(ctx, tx, sub.RepoID, sub.Number)
		if err != nil {
			return err
		}
		for _, r := range active {
			if _, err := q.store.FinishRunTx(ctx, tx, r.ID, review.StatusCancelled, "the pull request was closed"); err != nil {
				return err
			}
			overtaken = append(overtaken, r.ID)
		}
		if err := q.wakeOvertaken(ctx, tx, overtaken); err != nil {
			return err
		}
		return q.store.FinishDelivery(ctx, tx, d.ID, store.DeliveryDone, "")
	})
	if err != nil {
		return fmt.Errorf("close pull request %d: %w", sub.Number, err)
	}
	q.running.interrupt(overtaken)
	return nil
}

// Finish gives a delivery that leads to no run its final status. Runs that an
// earlier try of it had opened are superseded.
func (q *Queue) Finish(ctx context.Context, d store.Delivery, status store.DeliveryStatus, reason string) error {
	return q.end(ctx, d, status, review.StatusSuperseded, reason, reason)
}

// Bury makes a delivery a dead letter for the operator to see, with the cause,
// and dead the runs that it had opened, with what the pull request may show.
func (q *Queue) Bury(ctx context.Context, deliveryID int64, cause, shown string) error {
	d, err := q.store.Delivery(ctx, deliveryID)
	if err != nil {
		return err
	}
	return q.end(ctx, d, store.DeliveryDead, review.StatusDead, cause, shown)
}

// end finishes a delivery. Runs that it had opened and not enqueued may have
// been shown before a crash, so they are ended and enqueued all the same: their
// jobs conclude what is shown.
func (q *Queue) end(ctx context.Context, d store.Delivery, status store.DeliveryStatus, runs review.Status, reason, shown string) error {
	opened, err := q.store.RunsOfDelivery(ctx, d.GUID)
	if err != nil {
		return err
	}
	err = q.store.Write(ctx, func(tx *sql.Tx) error {
		for _, r := range opened {
			if r.Enqueued {
				continue
			}
			if _, err := q.store.FinishRunTx(ctx, tx, r.ID, runs, shown); err != nil {
				return err
			}
		}
		if err := q.enqueue(ctx, tx, opened); err != nil {
			return err
		}
		return q.store.FinishDelivery(ctx, tx, d.ID, status, reason)
	})
	if err != nil {
		return fmt.Errorf("finish delivery %s: %w", d.GUID, err)
	}
	return nil
}

func shortSHA(sha string) string { return sha[:min(len(sha), 7)] }
