package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
)

// Opening is what a delivery wants run on a pull request, or on commits.
type Opening struct {
	Delivery store.Delivery
	// Subject has the pull request's head as the delivery tells it. With the
	// number 0 the runs are about no pull request: nothing is kept of it, and
	// nothing supersedes them but the next push to their branch.
	Subject store.Subject
	// Seen is the pull request as it was known when the delivery was found to
	// be the latest; the zero Subject for one that was not known. Where it has
	// changed meanwhile, Open refuses.
	Seen store.Subject
	// Runs are the runs of this head, queued or skipped, without an attempt.
	Runs []store.Run
	// Rerun asks for a new attempt although the head was reviewed.
	Rerun bool
	// Fact says that the delivery tells something new about a head that may
	// have been reviewed: a label, a review, the end of other checks. Each of
	// Runs that is not skipped then comes after what it could not know of: a
	// run that waits takes the news, one that is being worked on or done gets
	// an attempt after it. So a burst of facts comes to one run at work and
	// one that waits. A skip takes no result away.
	Fact bool
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
	err := q.store.Write(ctx, func(tx *sql.Tx) (err error) {
		mine, overtaken = nil, nil
		runs, moved := o.Runs, false
		if o.Subject.Number == 0 {
			runs, overtaken, err = q.succeed(ctx, tx, o)
		} else {
			moved, overtaken, err = q.move(ctx, tx, o)
		}
		if err != nil {
			return err
		}
		for _, r := range runs {
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

// move notes the pull request's head and supersedes the runs of others. It
// reports whether the head moved.
func (q *Queue) move(ctx context.Context, tx *sql.Tx, o Opening) (moved bool, overtaken []string, err error) {
	before, known, err := q.store.SubjectTx(ctx, tx, o.Subject.RepoID, o.Subject.Number)
	if err != nil {
		return false, nil, err
	}
	if before.HeadSHA != o.Seen.HeadSHA || before.Closed != o.Seen.Closed || !before.PullUpdatedAt.Equal(o.Seen.PullUpdatedAt) {
		return false, nil, fault.Until(fault.Busy, q.cfg.Now(), errors.New("another delivery of the pull request was first"))
	}
	sub := o.Subject
	if before.HeadSHA == sub.HeadSHA && before.PullUpdatedAt.After(sub.PullUpdatedAt) {
		// A late delivery about a head that is known already must not make
		// events look new that came between.
		sub.PullUpdatedAt = before.PullUpdatedAt
	}
	if err := q.store.MoveSubject(ctx, tx, sub); err != nil {
		return false, nil, err
	}
	overtaken, err = q.supersede(ctx, tx, o)
	return known && before.HeadSHA != o.Subject.HeadSHA, overtaken, err
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
		if opened, ok := openedBy(o.Delivery.GUID, attempts, r); ok {
			opened.Resumed = true
			return opened, true, nil
		}
		if outdated(attempts, r) {
			return r, false, fault.Until(fault.Busy, q.cfg.Now(), fmt.Errorf("the result of run %s has just changed", r.Of))
		}
		r.Attempt, r.CheckID = last.Attempt+1, last.CheckID
		next := follows
		if r.Issue == nil { // which shares nothing with the others
			if next, err = q.after(ctx, tx, o, last, r, moved); err != nil {
				return r, false, err
			}
			if next == none {
				if o.Rerun { // of a run that waits: what is missing is tried at once
					err = q.store.WakeHealTx(ctx, tx, last.ID, 0)
				}
				return r, false, err
			}
		}
		r.Waits = next == waits
	}
	ok, err := q.store.InsertRun(ctx, tx, r)
	if err == nil && !ok {
		err = fault.Until(fault.Busy, q.cfg.Now(), errors.New("another delivery has just opened the run"))
	}
	return r, ok, err
}

// outdated reports whether r takes over a result that is no longer that of the
// run it is from: an agent that was missing has answered meanwhile.
func outdated(attempts []store.Run, r store.Run) bool {
	return slices.ContainsFunc(attempts, func(a store.Run) bool { return a.ID == r.Of && !reflect.DeepEqual(a.Agents, r.Agents) })
}

// openedBy finds the run that an earlier try of the delivery has opened for r.
// Of runs that share a check run only the latest counts: an earlier one does
// not have it any more.
func openedBy(guid string, attempts []store.Run, r store.Run) (store.Run, bool) {
	if r.Issue == nil {
		attempts = attempts[len(attempts)-1:]
	}
	for _, a := range attempts {
		if a.Delivery == guid && a.Status != review.StatusDead {
			return a, true
		}
	}
	return store.Run{}, false
}

// place is where a run comes among the attempts at its head.
type place int

const (
	none    place = iota // it is not wanted
	follows              // after the last one, which has come to its end
	waits                // after the last one, which is being worked on
)

func (q *Queue) after(ctx context.Context, tx *sql.Tx, o Opening, last, r store.Run, moved bool) (place, error) {
	unfinished, err := q.store.UnfinishedTx(ctx, tx, last.Delivery)
	if err != nil {
		return none, err
	}
	same := last.Pull.Number == r.Pull.Number && last.Pull.BaseRef == r.Pull.BaseRef
	if o.Fact && same && r.Status == review.StatusQueued && !last.Status.Final() {
		return q.tell(ctx, tx, last, r, unfinished)
	}
	if !wantsAnother(last, r, o, moved) {
		return none, nil
	}
	return follows, q.free(last, unfinished)
}

// tell brings a fact to the last attempt where it waits, and puts another one
// behind it where it is being worked on.
func (q *Queue) tell(ctx context.Context, tx *sql.Tx, last, r store.Run, unfinished bool) (place, error) {
	switch {
	case unfinished:
		// Whether it will be shown and enqueued is not known yet.
	case last.Status == review.StatusRunning:
		return waits, nil
	default:
		r.ID, r.Attempt, r.Delivery, r.QueuedAt = last.ID, last.Attempt, last.Delivery, last.QueuedAt
		if told, err := q.store.RefreshRun(ctx, tx, r); told || err != nil {
			return none, err
		}
	}
	return none, fault.Until(fault.Busy, q.cfg.Now().Add(openWait), fmt.Errorf("run %s of the same head has to come further", last.ID))
}

// openWait is how long a delivery waits for what another one has opened.
const openWait = time.Second

// free fails, Busy, while the check run of the last attempt is somebody else's:
// all attempts share one check run, so the delivery that opened the last one
// must have made it, and the run of another pull request must have left it.
func (q *Queue) free(last store.Run, unfinished bool) error {
	if unfinished || !last.Status.Final() {
		return fault.Until(fault.Busy, q.cfg.Now().Add(openWait), fmt.Errorf("run %s of the same head has to come first", last.ID))
	}
	return nil
}

// wantsAnother says whether a head whose pipeline has run gets another attempt:
// when asked for, when the last one came to nothing, when what was skipped is
// now wanted, and when the head is reviewed for another pull request, for
// another base, or anew after the branch had moved on. That another pull
// request with the head is not reviewed takes no result from this one, and
// neither does a fact for which this one is not.
func wantsAnother(last, next store.Run, o Opening, moved bool) bool {
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
		return o.Rerun || next.Status != review.StatusSkipped
	default:
		return o.Rerun || moved || o.Fact && next.Status != review.StatusSkipped
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
	if r.Pull.Number == 0 {
		return false, nil
	}
	since := q.cfg.Now().Add(-3 * q.cfg.Debounce)
	return q.store.OtherHeadSince(ctx, tx, r, since)
}

// lane names what runs one at a time: a pipeline of a pull request, or of
// commits.
func lane(r store.Run) string {
	if r.Pull.Number == 0 {
		return fmt.Sprintf("run/%d/%s/%s", r.Repo.ID, r.Pull.HeadSHA, r.Pipeline)
	}
	return fmt.Sprintf("run/%d/%d/%s", r.Repo.ID, r.Pull.Number, r.Pipeline)
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
